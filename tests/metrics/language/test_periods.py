"""Periods follow the clocks and calendar of the organization; comparisons cover equal elapsed time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.core.days import start_of
from chalicelib.metrics.language.periods import (
    Comparison,
    Days,
    NamedPeriod,
    Period,
    Step,
    Trailing,
    compared,
    evaluation_instant,
    resolve,
    steps,
)
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.models.organizations import WeekDay
from tests.support.hypothesis_profile import law

pytestmark = pytest.mark.storeless

MINUTE = timedelta(minutes=1)
CLOSED = {NamedPeriod.YESTERDAY, NamedPeriod.LAST_WEEK, NamedPeriod.LAST_MONTH}

TRYING = ["Pacific/Apia", "America/St_Johns", "America/Havana", "America/Sao_Paulo", "Asia/Kathmandu", "Europe/Berlin"]
ZONES = st.sampled_from(TRYING) | st.sampled_from(sorted(available_timezones()))
WEEK_STARTS = st.sampled_from(WeekDay)
DATES = st.dates(date(1901, 1, 2), date(2198, 12, 30))
MONTH_EDGES = DATES.map(lambda day: day.replace(day=1)).flatmap(
    lambda day: st.sampled_from([day, day - timedelta(days=1), day.replace(month=1), day.replace(month=3)])
)
NOWS = st.builds(
    lambda day, time: datetime.combine(day, time, UTC),
    st.sampled_from([date(2011, 12, 30)]) | DATES | MONTH_EDGES,
    st.times(),
)
AT = NOWS.map(evaluation_instant)
SPANS = st.builds(
    lambda first, length: Days.model_validate(
        {"from": first, "to": min(first + timedelta(days=length), date(2199, 12, 31))}
    ),
    DATES,
    st.integers(0, 800),
)
PERIODS = st.sampled_from(NamedPeriod) | st.integers(1, 366).map(Trailing) | SPANS


def _days(first: str, last: str) -> Days:
    return Days.model_validate({"from": first, "to": last})


def _local(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _at(local: str, zone: str) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _shown(range_: Range | None, zone: str) -> tuple[str, str] | None:
    return range_ and (f"{_local(range_.start, zone):%Y-%m-%d %H:%M}", f"{_local(range_.end, zone):%Y-%m-%d %H:%M}")


# -- ranges of periods -----------------------------------------------------------------------------------------------

A_SUNDAY = "2026-11-15T14:30"


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        (NamedPeriod.TODAY, "2026-11-15 00:00", "2026-11-15 14:30"),
        (NamedPeriod.YESTERDAY, "2026-11-14 00:00", "2026-11-15 00:00"),
        (NamedPeriod.THIS_WEEK, "2026-11-09 00:00", "2026-11-15 14:30"),
        (NamedPeriod.LAST_WEEK, "2026-11-02 00:00", "2026-11-09 00:00"),
        (NamedPeriod.THIS_MONTH, "2026-11-01 00:00", "2026-11-15 14:30"),
        (NamedPeriod.LAST_MONTH, "2026-10-01 00:00", "2026-11-01 00:00"),
        (NamedPeriod.THIS_QUARTER, "2026-10-01 00:00", "2026-11-15 14:30"),
        (NamedPeriod.THIS_YEAR, "2026-01-01 00:00", "2026-11-15 14:30"),
        (NamedPeriod.LAST_7_DAYS, "2026-11-09 00:00", "2026-11-15 14:30"),
        (NamedPeriod.LAST_30_DAYS, "2026-10-17 00:00", "2026-11-15 14:30"),
        (NamedPeriod.LAST_90_DAYS, "2026-08-18 00:00", "2026-11-15 14:30"),
        (Trailing(1), "2026-11-15 00:00", "2026-11-15 14:30"),
        (Trailing(366), "2025-11-15 00:00", "2026-11-15 14:30"),
        (_days("2026-11-01", "2026-11-14"), "2026-11-01 00:00", "2026-11-15 00:00"),
        (_days("2026-11-01", "2026-11-30"), "2026-11-01 00:00", "2026-11-15 14:30"),
        (_days("2026-12-01", "2026-12-31"), "2026-12-01 00:00", "2026-12-01 00:00"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "Pacific/Chatham", "America/New_York"])
def test_range_of_a_period(period: Period, start: str, end: str, zone: str) -> None:
    result = resolve(period, zone=zone, week_start=WeekDay.MONDAY, at=_at(A_SUNDAY, zone))
    assert _shown(result, zone) == (start, end)
    assert result.is_running == (period not in {*CLOSED, _days("2026-11-01", "2026-11-14")})


@pytest.mark.parametrize(
    ("week_start", "start"),
    [
        (WeekDay.MONDAY, "2026-11-09 00:00"),
        (WeekDay.SATURDAY, "2026-11-14 00:00"),
        (WeekDay.SUNDAY, "2026-11-15 00:00"),
    ],
)
def test_weeks_begin_on_the_day_of_the_organization(week_start: WeekDay, start: str) -> None:
    result = resolve(NamedPeriod.THIS_WEEK, zone="UTC", week_start=week_start, at=_at(A_SUNDAY, "UTC"))
    assert _shown(result, "UTC") == (start, "2026-11-15 14:30")


@pytest.mark.parametrize(
    ("now", "at"),
    [
        ("2026-11-15T14:29:00", "2026-11-15T14:30"),
        ("2026-11-15T14:29:59.999", "2026-11-15T14:30"),
        ("2026-11-15T14:30:00", "2026-11-15T14:31"),
        ("2026-12-31T23:59:30", "2027-01-01T00:00"),
    ],
)
def test_now_is_the_end_of_the_running_minute(now: str, at: str) -> None:
    assert evaluation_instant(_at(now, "UTC")) == _at(at, "UTC")


def test_the_last_minute_of_a_day_belongs_to_it() -> None:
    """Given the last minute of a year, when today and this year are resolved, then they are whole and still run."""
    at = evaluation_instant(_at("2026-12-31T23:59:30", "Asia/Kolkata"))
    today = resolve(NamedPeriod.TODAY, zone="Asia/Kolkata", week_start=WeekDay.MONDAY, at=at)
    year = resolve(NamedPeriod.THIS_YEAR, zone="Asia/Kolkata", week_start=WeekDay.MONDAY, at=at)
    assert _shown(today, "Asia/Kolkata") == ("2026-12-31 00:00", "2027-01-01 00:00")
    assert _shown(year, "Asia/Kolkata") == ("2026-01-01 00:00", "2027-01-01 00:00")
    assert today.is_running
    assert year.is_running


@law(250)
@given(PERIODS, ZONES, WEEK_STARTS, AT)
def test_periods_are_whole_minutes_and_end_with_now_while_they_run(
    period: Period, zone: str, week_start: WeekDay, at: datetime
) -> None:
    result = resolve(period, zone=zone, week_start=week_start, at=at)
    for instant in (result.start, result.end):
        assert (instant.tzinfo, instant.second, instant.microsecond) == (UTC, 0, 0)
    assert result.start <= result.end
    assert result.end <= at or result.start == result.end
    assert not result.is_running or result.end in {at, result.start}
    if isinstance(period, NamedPeriod | Trailing):
        assert result.is_running == (period not in CLOSED)
        assert result.start < at


@law(200)
@given(st.sampled_from([*NamedPeriod]), ZONES, WEEK_STARTS, AT)
def test_named_periods_begin_where_the_calendar_says(
    period: NamedPeriod, zone: str, week_start: WeekDay, at: datetime
) -> None:
    result = resolve(period, zone=zone, week_start=week_start, at=at)
    begins = _local(start_of(_day_at(result.start, zone), zone), zone).date()
    if "week" in period:
        assert list(WeekDay)[_day_at(result.start, zone).weekday()] is week_start
    if "month" in period:
        assert _day_at(result.start, zone).day == 1
    if period is NamedPeriod.THIS_QUARTER:
        assert (_day_at(result.start, zone).day, _day_at(result.start, zone).month % 3) == (1, 1)
    if period is NamedPeriod.THIS_YEAR:
        assert (_day_at(result.start, zone).day, _day_at(result.start, zone).month) == (1, 1)
    assert begins >= _day_at(result.start, zone)


def _day_at(start: datetime, zone: str) -> date:
    """Return the day that begins at a whole minute; with historic offsets it begins some seconds later."""
    shown = _local(start + timedelta(seconds=59), zone).date()
    # If a zone skips a day, two days begin at one instant: the first is meant.
    before = shown - timedelta(days=1)
    return before if start_of(before, zone) == start_of(shown, zone) else shown


# -- comparisons -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "at", "previous", "year_before"),
    [
        (
            NamedPeriod.TODAY,
            "2026-11-15T14:30",
            ("2026-11-14 00:00", "2026-11-14 14:30"),
            ("2025-11-15 00:00", "2025-11-15 14:30"),
        ),
        (
            NamedPeriod.THIS_WEEK,
            "2026-11-11T09:00",
            ("2026-11-02 00:00", "2026-11-04 09:00"),
            ("2025-11-09 00:00", "2025-11-11 09:00"),
        ),
        (
            NamedPeriod.LAST_WEEK,
            "2026-11-11T09:00",
            ("2026-10-26 00:00", "2026-11-02 00:00"),
            ("2025-11-02 00:00", "2025-11-09 00:00"),
        ),
        (  # the 31st of March: all of February
            NamedPeriod.THIS_MONTH,
            "2026-03-31T12:00",
            ("2026-02-01 00:00", "2026-03-01 00:00"),
            ("2025-03-01 00:00", "2025-03-31 12:00"),
        ),
        (
            NamedPeriod.THIS_MONTH,
            "2026-03-15T12:00",
            ("2026-02-01 00:00", "2026-02-15 12:00"),
            ("2025-03-01 00:00", "2025-03-15 12:00"),
        ),
        (  # months are whole, also a longer February
            NamedPeriod.LAST_MONTH,
            "2025-03-15T12:00",
            ("2025-01-01 00:00", "2025-02-01 00:00"),
            ("2024-02-01 00:00", "2024-03-01 00:00"),
        ),
        (
            NamedPeriod.THIS_QUARTER,
            "2026-05-15T12:00",
            ("2026-01-01 00:00", "2026-02-14 12:00"),
            ("2025-04-01 00:00", "2025-05-15 12:00"),
        ),
        (  # as many days, or up to the same date of a leap year
            NamedPeriod.THIS_YEAR,
            "2025-03-15T12:00",
            ("2024-01-01 00:00", "2024-03-14 12:00"),
            ("2024-01-01 00:00", "2024-03-15 12:00"),
        ),
        (
            NamedPeriod.LAST_7_DAYS,
            "2026-11-15T14:30",
            ("2026-11-02 00:00", "2026-11-08 14:30"),
            ("2025-11-09 00:00", "2025-11-15 14:30"),
        ),
        (
            NamedPeriod.TODAY,
            "2024-02-29T12:00",
            ("2024-02-28 00:00", "2024-02-28 12:00"),
            ("2023-02-28 00:00", "2023-02-28 12:00"),
        ),
        (
            NamedPeriod.YESTERDAY,
            "2025-03-01T12:00",
            ("2025-02-27 00:00", "2025-02-28 00:00"),
            ("2024-02-28 00:00", "2024-02-29 00:00"),
        ),
        (
            _days("2026-03-01", "2026-03-10"),
            "2026-11-15T14:30",
            ("2026-02-19 00:00", "2026-03-01 00:00"),
            ("2025-03-01 00:00", "2025-03-11 00:00"),
        ),
        (
            _days("2024-02-28", "2024-02-29"),
            "2026-11-15T14:30",
            ("2024-02-26 00:00", "2024-02-28 00:00"),
            ("2023-02-28 00:00", "2023-03-01 00:00"),
        ),
        (
            _days("2026-11-11", "2026-11-20"),
            "2026-11-15T14:30",
            ("2026-11-01 00:00", "2026-11-05 14:30"),
            ("2025-11-11 00:00", "2025-11-15 14:30"),
        ),
        (  # ahead: nothing of it has elapsed
            _days("2026-12-01", "2026-12-10"),
            "2026-11-15T14:30",
            ("2026-11-21 00:00", "2026-11-21 00:00"),
            ("2025-12-01 00:00", "2025-12-01 00:00"),
        ),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata"])
def test_range_of_the_comparison(
    period: Period, at: str, previous: tuple[str, str], year_before: tuple[str, str], zone: str
) -> None:
    given_ = {"zone": zone, "week_start": WeekDay.MONDAY, "at": _at(at, zone)}
    assert _shown(compared(period, Comparison.PREVIOUS_PERIOD, **given_), zone) == previous
    assert _shown(compared(period, Comparison.PREVIOUS_YEAR, **given_), zone) == year_before
    assert compared(period, Comparison.NONE, **given_) is None


@pytest.mark.parametrize(
    ("at", "hours", "hours_before"),
    [
        ("2026-03-29T12:00", 11, 12),  # clocks went an hour on today
        ("2026-03-30T12:00", 12, 11),  # … yesterday
        ("2026-10-25T12:00", 13, 12),  # an hour back
        ("2026-10-26T12:00", 12, 13),
        ("2026-03-30T02:30", 2.5, 2),  # no clock showed 2:30 the day before: the part that existed
        ("2026-10-26T02:30", 2.5, 2.5),  # clocks showed it twice: the first time
    ],
)
def test_elapsed_time_is_local_clock_time(at: str, hours: float, hours_before: float) -> None:
    given_ = {"zone": "Europe/Berlin", "week_start": WeekDay.MONDAY, "at": _at(at, "Europe/Berlin")}
    now = resolve(NamedPeriod.TODAY, **given_)
    before = compared(NamedPeriod.TODAY, Comparison.PREVIOUS_PERIOD, **given_)
    assert before is not None
    assert now.end - now.start == timedelta(hours=hours)
    assert before.end - before.start == timedelta(hours=hours_before)


@law(250)
@given(PERIODS, st.sampled_from([Comparison.PREVIOUS_PERIOD, Comparison.PREVIOUS_YEAR]), ZONES, WEEK_STARTS, AT)
def test_the_compared_range_is_over_before_the_period(
    period: Period, comparison: Comparison, zone: str, week_start: WeekDay, at: datetime
) -> None:
    now = resolve(period, zone=zone, week_start=week_start, at=at)
    before = compared(period, comparison, zone=zone, week_start=week_start, at=at)
    assert before is not None
    assert before.start <= before.end
    assert before.end <= at or before.start == before.end
    assert not before.is_running
    for instant in (before.start, before.end):
        assert (instant.tzinfo, instant.second, instant.microsecond) == (UTC, 0, 0)
    if comparison is Comparison.PREVIOUS_PERIOD:
        assert before.end <= now.start
        if not now.is_running:
            assert before.end == now.start
    else:
        assert _local(before.start + MINUTE, zone).year in {_local(now.start + MINUTE, zone).year - 1, date.min.year}


@law(200)
@given(PERIODS, ZONES, WEEK_STARTS, AT)
def test_the_same_local_time_has_elapsed_in_both(period: Period, zone: str, week_start: WeekDay, at: datetime) -> None:
    """Does not hold if the period before was shorter: then all of it has elapsed."""
    assume(at.year > 1972)  # offsets had seconds before
    given_ = {"zone": zone, "week_start": week_start, "at": at}
    now, before = resolve(period, **given_), compared(period, Comparison.PREVIOUS_PERIOD, **given_)
    assert before is not None
    assume(now.is_running and now.end == at and before.end < now.start)
    elapsed = _local(at, zone) - _local(now.start, zone)
    elapsed_before = _local(before.end, zone) - _local(before.start, zone)
    # A clock change within a day of one of the four instants shifts the elapsed time.
    is_plain = all(_is_plain(instant, zone) for instant in (now.start, at, before.start, before.end))
    assert elapsed == elapsed_before or not is_plain


def _is_plain(instant: datetime, zone: str) -> bool:
    day = timedelta(days=1)
    return len({(instant + by).astimezone(ZoneInfo(zone)).utcoffset() for by in (-day, day)}) == 1


def test_historic_offsets_have_seconds() -> None:
    """Given a zone with a historic offset of 44:30 minutes, when its days are compared, then in whole minutes."""
    given_ = {"zone": "Africa/Monrovia", "week_start": WeekDay.MONDAY, "at": _at("1972-01-09T12:00", "UTC")}
    now = resolve(NamedPeriod.LAST_7_DAYS, **given_)
    before = compared(NamedPeriod.LAST_7_DAYS, Comparison.PREVIOUS_PERIOD, **given_)
    assert now.start == _at("1972-01-03T00:44", "UTC")
    assert before == Range(_at("1971-12-27T00:44", "UTC"), _at("1972-01-02T12:44", "UTC"), is_running=False)


def test_a_day_that_has_begun_stays_the_day() -> None:
    """Given clocks set back an hour at a minute past midnight, when it is 23:30 again, then today is the new day."""
    at = _at("2006-10-29T03:00", "UTC")
    assert f"{_local(at, 'America/St_Johns'):%d %H:%M}" == "28 23:30"
    today = resolve(NamedPeriod.TODAY, zone="America/St_Johns", week_start=WeekDay.MONDAY, at=at)
    assert (today.start, today.end) == (_at("2006-10-29T02:30", "UTC"), at)


# -- their parts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "starts"),
    [
        (Step.DAY, ["2026-11-09", "2026-11-10", "2026-11-11", "2026-11-12", "2026-11-13", "2026-11-14", "2026-11-15"]),
        (Step.WEEK, ["2026-11-09", "2026-11-14"]),
        (Step.MONTH, ["2026-11-09"]),
    ],
)
def test_parts_are_clipped_to_the_period(step: Step, starts: list[str]) -> None:
    result = resolve(NamedPeriod.LAST_7_DAYS, zone="UTC", week_start=WeekDay.MONDAY, at=_at(A_SUNDAY, "UTC"))
    parts = steps(result, step, zone="UTC", week_start=WeekDay.SATURDAY)
    assert [f"{start:%Y-%m-%d}" for start, _ in parts] == starts
    assert parts[-1][1] == _at(A_SUNDAY, "UTC")


@pytest.mark.parametrize(
    ("step", "lengths"),
    [
        (Step.MONTH, [31, 28, 31]),
        (Step.WEEK, [4, *[7] * 12, 2]),
    ],
)
def test_months_and_weeks_have_their_days(step: Step, lengths: list[int]) -> None:
    at = _at("2027-01-01T00:00", "UTC")
    result = resolve(_days("2026-01-01", "2026-03-31"), zone="UTC", week_start=WeekDay.MONDAY, at=at)
    parts = steps(result, step, zone="UTC", week_start=WeekDay.MONDAY)
    assert [(end - start).days for start, end in parts] == lengths


def test_a_day_that_a_zone_skips_is_no_part() -> None:
    at = _at("2012-01-10T00:00", "UTC")
    period = _days("2011-12-28", "2012-01-01")
    result = resolve(period, zone="Pacific/Apia", week_start=WeekDay.MONDAY, at=at)
    parts = steps(result, Step.DAY, zone="Pacific/Apia", week_start=WeekDay.MONDAY)
    assert [_local(start, "Pacific/Apia").day for start, _ in parts] == [28, 29, 31, 1]


@law(200)
@given(PERIODS, st.sampled_from(Step), ZONES, WEEK_STARTS, AT)
def test_parts_adjoin_and_make_the_whole(
    period: Period, step: Step, zone: str, week_start: WeekDay, at: datetime
) -> None:
    result = resolve(period, zone=zone, week_start=week_start, at=at)
    parts = steps(result, step, zone=zone, week_start=week_start)
    assert all(start < end for start, end in parts)
    edges = [result.start, *(end for _, end in parts)]
    assert [start for start, _ in parts] == edges[:-1]
    assert edges[-1] == result.end
    for start, _ in parts[1:]:
        assert start_of(_day_at(start, zone), zone).replace(second=0) == start


# -- days ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "errors"),
    [
        ({"from": "2026-03-02", "to": "2026-03-01"}, {"to": "must not be before from"}),
        ({"from": "2016-03-01", "to": "2026-03-01"}, {"to": "must be less than 10 years after from"}),
        ({"from": "2016-02-29", "to": "2026-02-28"}, {"to": "must be less than 10 years after from"}),
        ({"from": "soon", "to": "2026-03-01"}, {"from": "must be a date, YYYY-MM-DD"}),
    ],
)
def test_invalid_days(days: Any, errors: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as raised:
        Days.model_validate(days)
    assert {error["loc"][0]: error["msg"] for error in raised.value.errors()} == errors


@pytest.mark.parametrize(("first", "last"), [("2026-03-01", "2026-03-01"), ("2016-03-01", "2026-02-28")])
def test_valid_days(first: str, last: str) -> None:
    assert _days(first, last).model_dump(mode="json") == {"from": first, "to": last}
