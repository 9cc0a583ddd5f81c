"""The hours of a report are the minutes of the calendar: in any zone, of any assignments, over any days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.clock import from_milliseconds
from chalicelib.core.money import Money
from tests.support.api import Api
from tests.support.frozen_time import standing_still
from tests.support.hypothesis_profile import law
from tests.support.oracle import DAY, YEARS, Stretch, days_about, stretches, stretches_about
from tests.support.report_oracle import hours, rows_of, totals_of
from tests.support.shift_helpers import Crew, minute_of, written

EARLIEST = minute_of("1971-01-01T00:00Z")
"""Ids hold their time, from 1970 on."""
MONEY = st.builds(
    Money,
    amount=st.sampled_from([0, 1, 999, 3333]) | st.integers(0, 10**8),
    currency=st.sampled_from(["EUR"] * 6 + ["USD"]),
)
LENGTHENED = st.sampled_from([0, 0, 0, 1, 30, 100, 200])


def _instant(minute: int) -> datetime:
    return from_milliseconds(minute * 60_000)


def _check(crew: Crew, first: date, last: date, now: int, client: str | None = None) -> None:
    """The report at a minute equals the one of the slow reference."""
    with standing_still(_instant(now)):
        crew.sign_in()
        report = crew.report(first, last, **({} if client is None else {"clientId": client}))
    expected = rows_of(crew, first, last, now, client)
    assert sorted(report["rows"], key=lambda row: (row["workerId"], row["workLocationId"])) == expected
    assert report["totals"] == totals_of(expected)
    assert (report["startDate"], report["endDate"], report["asOf"]) == (str(first), str(last), written(now))


# -- laws ------------------------------------------------------------------------------------------------------------


def _rates_about(stretch: Stretch) -> st.SearchStrategy[dict[date, Money]]:
    return st.just({}) | st.dictionaries(st.just(date(1900, 1, 1)) | days_about(stretch), MONEY, min_size=1, max_size=4)


def _happen(crew: Crew, data: st.DataObject, stretch: Stretch, today: int) -> None:
    """An assignment and its changes."""
    drawn = data.draw(stretches_about(stretch.zone, stretch.about))
    start = drawn.start - DAY * data.draw(LENGTHENED)
    end = max(drawn.end, drawn.start + 1) + DAY * data.draw(LENGTHENED)
    is_open = data.draw(st.integers(0, 3)) == 0
    worker, position = data.draw(st.integers(0, 1)), data.draw(st.integers(0, 2))
    assignment = crew.assign(worker, position, start, None if is_open else end)
    fates = ["keep", "keep", "delete"]
    if start > today:
        fates += ["cancel", "move", "end"]
    elif is_open:
        fates.append("end")
    match data.draw(st.sampled_from(fates)):
        case "delete":
            crew.delete(assignment)
        case "cancel":
            crew.cancel(assignment)
        case "move":
            crew.move(assignment, (position + data.draw(st.integers(1, 2))) % 3)
        case "end":
            crew.end(assignment, data.draw(st.integers(start + 1, end)))


@pytest.mark.parametrize(("zone", "year"), YEARS)
@law(2)
@given(st.data())
def test_a_report_counts_and_prices_the_minutes_of_the_calendar(
    api: Api, zone: str, year: int, data: st.DataObject
) -> None:
    # Given assignments about a turning point of the calendar, made long before
    stretch = data.draw(stretches(zone, year))
    crew = Crew.hired(api, zone, [data.draw(_rates_about(stretch)) for _ in range(5)])
    today = max(EARLIEST, stretch.about - 500 * DAY)
    with standing_still(_instant(today)):
        for _ in range(data.draw(st.integers(2, 6))):
            _happen(crew, data, stretch, today)
    # When reports are asked for about then
    for _ in range(3):
        first, last = sorted(data.draw(st.tuples(days_about(stretch), days_about(stretch))))
        first -= timedelta(days=data.draw(st.sampled_from([0, 0, 0, 20])))
        last += timedelta(days=data.draw(st.sampled_from([0, 0, 0, 20])))
        now = max(today, stretch.about + data.draw(st.integers(-3 * DAY, 3 * DAY)))
        position = data.draw(st.sampled_from([None, None, 0, 2]))
        client = None if position is None else crew.places[crew.positions[position]].client
        # Then they equal the calendar's
        _check(crew, first, last, now, client)


# -- cases -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("UTC", date(2026, 3, 29), 24),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Asia/Kolkata", date(2026, 3, 1), 24),
        ("Pacific/Apia", date(2011, 12, 30), 0),  # skipped
        ("Pacific/Apia", date(2011, 12, 31), 24),
    ],
)
def test_a_day_has_the_hours_that_it_has(api: Api, zone: str, day: date, expected: float) -> None:
    crew = Crew.hired(api, zone)
    noon = minute_of(f"{day}T12:00Z")
    crew.assign(0, 0, noon - 5 * DAY, noon + 5 * DAY)

    report = crew.report(day, day)

    assert report["totals"]["totalHours"] == expected
    assert len(report["rows"]) == (expected > 0)
    _check(crew, day, day, noon + 6 * DAY)


def test_a_span_over_the_year_is_cut_at_the_edges_of_days_and_months(api: Api) -> None:
    crew = Crew.hired(api, "Asia/Kathmandu")  # 5:45 before UTC
    crew.assign(0, 0, minute_of("2025-11-20T03:07Z"), minute_of("2026-03-02T21:13Z"))
    for first, last in [
        (date(2025, 12, 1), date(2025, 12, 31)),
        (date(2025, 12, 31), date(2026, 1, 1)),
        (date(2026, 1, 1), date(2026, 1, 1)),
        (date(2026, 2, 28), date(2026, 3, 1)),
        (date(2025, 11, 20), date(2026, 3, 3)),
        (date(2026, 3, 4), date(2026, 3, 5)),
    ]:
        _check(crew, first, last, minute_of("2026-06-01T00:00Z"))


@pytest.mark.parametrize("days", [1, 14, 15, 184, 185, 400])
def test_a_span_counts_whole_however_long_it_is(api: Api, days: int) -> None:
    crew = Crew.hired(api, "Europe/Berlin")
    start = minute_of("2024-05-05T10:30Z")
    crew.assign(0, 0, start, start + days * DAY)

    totals = crew.report(date(2024, 5, 1), date(2025, 12, 31))["totals"]

    assert totals["totalSeconds"] == days * 86_400
    _check(crew, date(2024, 5, 10), date(2024, 6, 2), start)


def test_what_has_no_end_counts_up_to_now_and_not_before_it_begins(api: Api) -> None:
    crew = Crew.hired(api)
    start = minute_of("2026-03-02T08:00Z")
    with standing_still(_instant(start - DAY)):
        assignment = crew.assign(0, 0, start, None)
    for passed, seconds in [(-60, 0), (0, 0), (1, 60), (90, 5400), (DAY, 86_400), (3 * DAY, 57_600 + 86_400)]:
        with standing_still(_instant(start + passed)):
            report = crew.report(date(2026, 3, 1), date(2026, 3, 3))
        assert report["totals"]["totalSeconds"] == seconds
    # An end that is set tells what is ahead
    with standing_still(_instant(start + 60)):
        crew.end(assignment, start + 600)
        totals = crew.report(date(2026, 3, 1), date(2026, 3, 3))["totals"]
        assert (totals["totalSeconds"], totals["scheduledSeconds"]) == (3600, 32_400)


@pytest.mark.parametrize("length", [480, 300 * DAY], ids=["in a month", "longer than months are packed"])
def test_what_lies_ahead_is_scheduled_not_worked_and_has_no_amounts(api: Api, length: int) -> None:
    # Given a rated assignment of two days and more, and the report of its first two days
    crew = Crew.hired(api, rates=[{date(2020, 1, 1): Money(amount=600, currency="EUR")}] * 3)
    start = minute_of("2026-03-02T08:00Z")
    end = min(start + length, minute_of("2026-03-04T00:00Z"))
    with standing_still(_instant(start - 100 * DAY)):
        crew.assign(0, 0, start, start + length)
    # When it is asked for before, while and after it is worked
    for passed in (-100 * DAY, -1, 0, 1, 90, end - start - 1, end - start, 301 * DAY):
        now = start + passed
        with standing_still(_instant(now)):
            totals = crew.report(date(2026, 3, 1), date(2026, 3, 3))["totals"]
        # Then every minute is on one side of that instant
        worked = max(0, min(now, end) - start)
        assert (totals["totalSeconds"], totals["scheduledSeconds"]) == (60 * worked, 60 * (end - start - worked))
        assert totals.get("billed", {}).get("amount") == (10 * worked or None)


def test_what_only_touches_the_days_asked_for_is_no_row(api: Api) -> None:
    crew = Crew.hired(api, "Asia/Kolkata")
    midnight = minute_of("2026-03-01T18:30Z")
    for worker, length in [(0, 60), (1, 300 * DAY)]:
        crew.assign(worker, 0, midnight - length, midnight)
        crew.assign(worker, 0, midnight + DAY, midnight + DAY + length)

    assert crew.report(date(2026, 3, 2), date(2026, 3, 2))["rows"] == []


def test_two_at_once_are_counted_twice_and_one_place_is_one_row(api: Api) -> None:
    # Given a worker twice at one place and once at another, and a second worker there
    crew = Crew.hired(api)
    start = minute_of("2026-03-02T08:00Z")
    for position in (0, 0, 1):
        crew.assign(0, position, start, start + 60)
    crew.assign(1, 0, start, start + 60)
    # When they are reported
    rows = crew.report(date(2026, 3, 2), date(2026, 3, 2))["rows"]
    # Then there is a row for each worker and place
    assert sorted(row["totalHours"] for row in rows) == [1, 1, 2]


def test_a_month_that_is_over_no_longer_weighs_on_the_next(api: Api) -> None:
    """A report reads its own months: two in a zone other than UTC, however many there are."""
    # Given an hour in each month of a year
    crew = Crew.hired(api)
    for month in range(1, 13):
        crew.assign(0, 0, minute_of(f"2025-{month:02}-10T08:00Z"), minute_of(f"2025-{month:02}-10T09:00Z"))
    # When one month is reported
    answer = crew.ask(date(2025, 6, 1), date(2025, 6, 30))
    # Then its own months are read, and no others
    assert answer.data["totals"]["totalHours"] == 1
    assert answer.recording.operations == ["BatchGetItem", "Query", "Query"]


# -- to the millisecond ----------------------------------------------------------------------------------------------


def _assign_exactly(crew: Crew, start: str, end: str, position: int = 0) -> None:
    crew.done(
        "createAssignment",
        body={"workerId": crew.workers[0], "positionId": crew.positions[position], "startAt": start, "endAt": end},
    )


def _row(crew: Crew, *days: date) -> dict[str, Any]:
    (row,) = crew.report(min(days), max(days))["rows"]
    return dict(row)


def test_milliseconds_are_added_up_before_they_are_rounded(api: Api) -> None:
    crew = Crew.hired(api)
    day = date(2026, 3, 2)
    for hour in range(3):
        _assign_exactly(crew, f"2026-03-02T{hour:02}:00:00.000Z", f"2026-03-02T{hour:02}:00:00.500Z")
    assert _row(crew, day)["totalSeconds"] == 2  # of 1.5
    _assign_exactly(crew, "2026-03-02T03:00:00.001Z", "2026-03-02T03:00:01.000Z")
    assert _row(crew, day)["totalSeconds"] == 2  # of 2.499


def test_milliseconds_of_two_months_are_added_up_before_they_are_rounded(api: Api) -> None:
    crew = Crew.hired(api)
    _assign_exactly(crew, "2026-03-31T23:59:59.500Z", "2026-04-01T00:00:00.500Z")
    assert _row(crew, date(2026, 3, 31), date(2026, 4, 1))["totalSeconds"] == 1


@pytest.mark.parametrize(("seconds", "expected"), [(17, 0.0), (18, 0.01), (53, 0.01), (54, 0.02), (4518, 1.26)])
def test_hours_of_a_row_are_rounded_half_up(api: Api, seconds: int, expected: float) -> None:
    crew = Crew.hired(api)
    end = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(seconds=seconds)
    _assign_exactly(crew, "2026-03-02T00:00:00Z", end.isoformat())

    row = _row(crew, date(2026, 3, 2))

    assert (row["totalSeconds"], row["totalHours"]) == (seconds, expected)
    assert row["totalHours"] == hours(seconds)


def test_totals_are_sums_of_seconds_and_not_of_rounded_hours(api: Api) -> None:
    crew = Crew.hired(api)
    for position in range(3):
        _assign_exactly(crew, "2026-03-02T00:00:00Z", "2026-03-02T00:00:17Z", position)

    report = crew.report(date(2026, 3, 2), date(2026, 3, 2))

    assert [row["totalHours"] for row in report["rows"]] == [0, 0, 0]
    assert (report["totals"]["totalSeconds"], report["totals"]["totalHours"]) == (51, 0.01)


def test_a_millisecond_on_either_side_of_midnight(api: Api) -> None:
    crew = Crew.hired(api, "Europe/Berlin")
    _assign_exactly(crew, "2026-03-31T21:59:59.000Z", "2026-03-31T22:00:02.000Z")
    assert _row(crew, date(2026, 3, 31))["totalSeconds"] == 1
    assert _row(crew, date(2026, 4, 1))["totalSeconds"] == 2
    assert _row(crew, date(2026, 3, 31), date(2026, 4, 1))["totalSeconds"] == 3
    assert crew.report(date(2026, 4, 2), date(2026, 4, 2))["rows"] == []
