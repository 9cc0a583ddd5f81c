"""Days begin when the local calendar says so, wherever and however clocks are turned."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.core.clock import from_milliseconds, milliseconds
from chalicelib.core.contracts import Body, Query
from chalicelib.core.days import Day, day_of, in_words, span_of, start_of
from chalicelib.core.hours import seconds
from tests.support.hypothesis_profile import law
from tests.support.oracle import YEARS, days_about, stretches

ZONES = sorted(available_timezones())
DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))


@pytest.mark.parametrize(("zone", "year"), YEARS)
@law(15)
@given(st.data())
def test_a_stretch_clipped_to_days_has_the_minutes_of_the_calendar(zone: str, year: int, data: st.DataObject) -> None:
    stretch = data.draw(stretches(zone, year))
    first, last = sorted(data.draw(st.tuples(days_about(stretch), days_about(stretch))))
    since, until = (milliseconds(instant) for instant in span_of(first, last, zone))
    clipped = max(0, min(stretch.end * 60_000, until) - max(stretch.start * 60_000, since))
    assert seconds(clipped) == 60 * sum(first <= day <= last for day in stretch.days())


@law(500)
@given(DAYS, st.sampled_from(ZONES))
def test_a_day_begins_at_an_instant_and_not_a_millisecond_before(day: date, zone: str) -> None:
    start = start_of(day, zone)
    assert start.tzinfo is UTC
    assert start.astimezone(ZoneInfo(zone)).date() >= day
    assert (start - timedelta(milliseconds=1)).astimezone(ZoneInfo(zone)).date() < day


@law(300)
@given(st.integers(-2_000_000_000, 7_000_000_000), st.sampled_from(ZONES))
def test_the_day_of_an_instant_is_the_one_on_the_calendar(second: int, zone: str) -> None:
    assert day_of(from_milliseconds(second * 1000), zone) == datetime.fromtimestamp(second, ZoneInfo(zone)).date()


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00"),
        ("America/Sao_Paulo", date(2017, 10, 15), "2017-10-15T03:00"),
        ("America/Toronto", date(1919, 3, 31), "1919-03-31T04:30"),
        ("Asia/Beirut", date(2026, 3, 29), "2026-03-28T22:00"),
        ("Asia/Kathmandu", date(1986, 1, 1), "1985-12-31T18:30"),
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28T23:00"),
        ("Pacific/Apia", date(2011, 12, 29), "2011-12-29T10:00"),
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00"),
        ("Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00"),
        # 29 October began at 2:30, was left again from 2:31 to 3:31, and counts from its first minute.
        ("America/St_Johns", date(2006, 10, 29), "2006-10-29T02:30"),
    ],
)
def test_when_a_day_begins(zone: str, day: date, start: str) -> None:
    assert start_of(day, zone) == datetime.fromisoformat(start).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "first", "last", "hours"),
    [
        ("UTC", date(2026, 3, 29), date(2026, 3, 29), 24),
        ("Europe/Berlin", date(2026, 3, 29), date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), date(2026, 10, 25), 25),
        ("Europe/Berlin", date(2026, 1, 1), date(2026, 12, 31), 365 * 24),
        ("Australia/Lord_Howe", date(2026, 4, 5), date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), date(2026, 10, 4), 23.5),
        ("Asia/Pyongyang", date(2015, 8, 14), date(2015, 8, 14), 24.5),
        ("Asia/Pyongyang", date(2018, 5, 4), date(2018, 5, 4), 23.5),
        ("Pacific/Apia", date(2011, 12, 30), date(2011, 12, 30), 0),
        ("Pacific/Apia", date(2011, 12, 29), date(2011, 12, 31), 48),
    ],
)
def test_how_long_days_are(zone: str, first: date, last: date, hours: float) -> None:
    since, until = span_of(first, last, zone)
    assert until - since == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        (datetime(2026, 2, 28, 23, tzinfo=UTC), "Europe/Berlin", date(2026, 3, 1)),
        (datetime(2026, 2, 28, 22, 59, 59, 999_000, tzinfo=UTC), "Europe/Berlin", date(2026, 2, 28)),
        (datetime(9999, 12, 31, 23, tzinfo=UTC), "Asia/Tokyo", date(9999, 12, 31)),
        (datetime(1, 1, 1, tzinfo=UTC), "America/New_York", date(1, 1, 1)),
    ],
)
def test_which_day_it_is(instant: datetime, zone: str, day: date) -> None:
    assert day_of(instant, zone) == day


class InQuery(Query):
    day: Day


class Sent(Body):
    day: Day


@pytest.mark.parametrize("text", ["1900-01-01", "2024-02-29", "2199-12-31", " 2026-03-01 "])
def test_what_is_a_day(text: str) -> None:
    day = date.fromisoformat(text.strip())
    assert InQuery.model_validate({"day": text}).day == day
    assert Sent.model_validate_json(f'{{"day": "{text}"}}').day == day
    assert Sent.model_validate({"day": day}).model_dump_json() == f'{{"day":"{day}"}}'


NO_DAY = "must be a date, YYYY-MM-DD"
OUT_OF_BOUNDS = "must be from 1900-01-01 to 2199-12-31"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        *((value, NO_DAY) for value in ("", "soon", "2026-3-1", "20260301", "2026-W09-7", "2026-060", "2026-02-29")),
        *((value, NO_DAY) for value in ("2026-03-01T00:00:00Z", "2026-03-01 00:00", "２０２６-03-01", "-2026-03-01")),
        *((value, NO_DAY) for value in ("1772354400", 1772354400, 20260301, 0, None, True, [], datetime.now(UTC))),
        *((value, OUT_OF_BOUNDS) for value in ("1899-12-31", "2200-01-01", "0001-01-01", "9999-12-31")),
    ],
)
@pytest.mark.parametrize("contract", [InQuery, Sent])
def test_what_is_no_day(contract: type[InQuery | Sent], value: Any, message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        contract.model_validate({"day": value})
    assert [error["msg"] for error in raised.value.errors()] == [message]


def test_the_schema_of_a_day_says_its_bounds() -> None:
    schema = Sent.model_json_schema()["properties"]["day"]
    assert (schema["type"], schema["format"], schema["examples"]) == ("string", "date", ["2026-03-01"])
    assert schema["pattern"] == "^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$"


@pytest.mark.parametrize(("day", "words"), [(date(2026, 12, 3), "3 Dec"), (date(2027, 1, 31), "31 Jan 2027")])
def test_a_day_has_its_year_where_it_is_another_one(day: date, words: str) -> None:
    assert in_words(day, date(2026, 1, 1)) == words
