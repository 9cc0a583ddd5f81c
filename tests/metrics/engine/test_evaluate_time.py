"""Hours are the minutes that a period shares with assignments: in any calendar, up to the running minute."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.clock import from_milliseconds
from chalicelib.core.money import Money
from chalicelib.metrics.rollups.apply import sync_entity
from chalicelib.models.organizations import StoredOrganization, WeekDay
from tests.support.api import Api
from tests.support.frozen_time import standing_still
from tests.support.hypothesis_profile import law
from tests.support.measuring import MEASURES, by_minutes, days, simple, stored, sync_entities, total, value, values
from tests.support.oracle import DAY, days_about, stretches, stretches_about
from tests.support.shift_helpers import Crew, minute_of, written

NOON = "2026-11-18T12:00Z"  # a Wednesday


# -- an assignment longer than any period: as many hours as the period has -------------------------------------------


@pytest.fixture(scope="module")
def always(api: Api) -> StoredOrganization:
    crew = Crew.hired(api)
    assignment = crew.assign(0, 0, minute_of("2010-01-01T00:00Z"), minute_of("2030-01-01T00:00Z"))
    sync_entity(crew.organization.id, "assignments", UUID(assignment))
    return stored(crew.organization.id)


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("today", 12),
        ("yesterday", 24),
        ("this_week", 2 * 24 + 12),  # since Monday
        ("last_week", 7 * 24),
        ("this_month", 17 * 24 + 12),
        ("last_month", 31 * 24),
        ("this_quarter", 31 * 24 + 17 * 24 + 12),
        ("this_year", 321 * 24 + 12),
        ("last_7_days", 6 * 24 + 12),
        ("last_30_days", 29 * 24 + 12),
        ("last_90_days", 89 * 24 + 12),
        (days("2026-02-27", "2026-03-02"), 4 * 24),
        (days("2024-02-28", "2024-03-01"), 3 * 24),
        (days("2026-11-01", "2026-12-31"), 17 * 24 + 12),
        (days("2026-11-19"), 0),  # still to come
    ],
)
def test_a_period_has_the_hours_that_have_passed_of_it(always: StoredOrganization, period: Any, expected: int) -> None:
    assert value(always, NOON, total("hours", period=period)) == expected


@pytest.mark.parametrize(
    ("zone", "period", "expected"),
    [
        ("Europe/Berlin", days("2026-03-29"), 23),
        ("Europe/Berlin", days("2026-10-25"), 25),
        ("Europe/Berlin", "last_month", 31 * 24 + 1),
        ("Europe/Berlin", days("2026-03-01", "2026-03-31"), 31 * 24 - 1),
        ("Europe/Berlin", "today", 13),
        ("America/New_York", days("2026-03-08"), 23),
        ("America/New_York", "today", 7),
        ("America/New_York", "this_month", 17 * 24 + 1 + 7),
        ("Australia/Lord_Howe", days("2026-04-05"), 24.5),
        ("Australia/Lord_Howe", days("2026-10-04"), 23.5),
        ("Australia/Lord_Howe", "today", 23),
        ("Asia/Kolkata", "today", 17.5),
        ("Asia/Kolkata", "last_month", 31 * 24),
        ("Asia/Kathmandu", "this_week", 2 * 24 + 17.75),
        ("Pacific/Apia", days("2011-12-29", "2011-12-31"), 2 * 24),  # without a 30th
        ("Pacific/Apia", days("2011-12-30"), 0),
        ("Pacific/Kiritimati", "today", 2),  # tomorrow already
    ],
)
def test_days_are_those_of_the_zone(always: StoredOrganization, zone: str, period: Any, expected: float) -> None:
    there = always.model_copy(update={"timezone": zone})
    assert value(there, NOON, total("hours", period=period)) == Decimal(str(expected))


@pytest.mark.parametrize(
    ("week_start", "expected"),
    [(WeekDay.WEDNESDAY, 12), (WeekDay.THURSDAY, 6 * 24 + 12), (WeekDay.SUNDAY, 3 * 24 + 12)],
)
def test_weeks_begin_when_the_organization_says(always: StoredOrganization, week_start: WeekDay, expected: int) -> None:
    there = always.model_copy(update={"week_start": week_start})
    assert value(there, NOON, total("hours", period="this_week")) == expected


# -- clipped at both ends --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def night(api: Api) -> StoredOrganization:
    """A shift in Berlin from 23:30 to 7:15, in the night in which clocks are set back."""
    crew = Crew.hired(api, "Europe/Berlin")
    shift = crew.assign(0, 0, minute_of("2026-10-24T21:30Z"), minute_of("2026-10-25T06:15Z"))
    sync_entity(crew.organization.id, "assignments", UUID(shift))
    return stored(crew.organization.id)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2026-10-23", "2026-10-23", 0),
        ("2026-10-24", "2026-10-24", 0.5),
        ("2026-10-25", "2026-10-25", 8.25),
        ("2026-10-24", "2026-10-25", 8.75),
        ("2026-10-26", "2026-10-26", 0),
        ("2026-01-01", "2026-12-31", 8.75),
    ],
)
def test_each_day_has_its_part(night: StoredOrganization, first: str, last: str, expected: float) -> None:
    over = days(first, last)
    queries = [
        total("hours", period=over),
        simple("assignments", period=over),
        simple("assignments", "avg", "hours", period=over),
    ]
    hours, count, average = values(night, NOON, queries)
    assert (hours, count) == (Decimal(str(expected)), int(expected > 0))
    assert average == (hours if count else None)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-10-24T21:30Z", "0"),
        ("2026-10-24T21:31Z", "0.02"),
        ("2026-10-25T01:00Z", "3.50"),
        ("2026-10-25T09:00Z", "8.75"),
    ],
)
def test_a_running_shift_counts_up_to_now(night: StoredOrganization, at: str, expected: str) -> None:
    assert value(night, at, total("hours", period="this_month")) == Decimal(expected)


def test_an_assignment_without_an_end_counts_up_to_now(api: Api) -> None:
    crew = Crew.hired(api)
    assignment = crew.assign(0, 0, minute_of("2026-11-16T08:00Z"), None)
    sync_entity(crew.organization.id, "assignments", UUID(assignment))
    seen = stored(crew.organization.id)
    for at, today, this_month in [
        ("2026-11-16T07:59Z", "0", "0"),
        ("2026-11-16T08:00Z", "0", "0"),
        ("2026-11-16T08:03Z", "0.05", "0.05"),
        ("2026-11-16T17:30Z", "9.5", "9.5"),
        ("2026-11-17T00:00Z", "16", "16"),
        ("2026-11-17T06:00Z", "6", "22"),
        ("2026-12-02T00:00Z", "24", "24"),
    ]:
        queries = [total("hours", period=period) for period in ("today", "this_month")]
        assert values(seen, at, queries) == [Decimal(today), Decimal(this_month)], at
    assert value(seen, "2026-12-02T00:00Z", total("hours", period="last_month")) == 14 * 24 + 16
    # An end that is set later applies to past periods too
    crew.end(assignment, minute_of("2026-11-17T03:00Z"))
    sync_entity(crew.organization.id, "assignments", UUID(assignment))
    assert value(seen, "2026-12-02T00:00Z", total("hours", period="last_month")) == 19


def test_spans_are_cut_to_the_millisecond(api: Api) -> None:
    crew = Crew.hired(api)
    start, end = "2026-11-16T08:00:00.001Z", "2026-11-16T08:59:59.999Z"
    body = {"workerId": crew.workers[0], "positionId": crew.positions[0], "startAt": start, "endAt": end}
    assignment = crew.done("createAssignment", body=body)["id"]
    sync_entity(crew.organization.id, "assignments", UUID(assignment))
    milliseconds = {"type": "constant", "value": 3_600_000, "unit": "number"}
    hours = {"type": "simple", "source": "assignments", "aggregate": "sum", "field": "hours"}
    query = {
        "type": "derived",
        "expression": {"type": "mul", "left": hours, "right": milliseconds},
        "period": "today",
        "compare": "none",
    }
    for at, expected in [
        ("2026-11-16T08:00Z", 0),
        ("2026-11-16T08:01Z", 59_999),
        ("2026-11-16T08:59Z", 59 * 60_000 - 1),
        ("2026-11-16T09:00Z", 3_600_000 - 2),
        (NOON, 0),
    ]:
        assert value(stored(crew.organization.id), at, query) == expected, at


# -- laws ------------------------------------------------------------------------------------------------------------

_MONEY = st.builds(
    Money,
    amount=st.sampled_from([0, 1, 999, 3333]) | st.integers(0, 10**8),
    currency=st.sampled_from(["EUR"] * 6 + ["USD"]),
)
_LENGTHENED = st.sampled_from([0, 0, 1, 30, 200])
_TURNING = [
    ("America/Havana", 2026),  # midnight twice
    ("America/Sao_Paulo", 2017),  # no midnight
    ("Asia/Kathmandu", 1986),
    ("Australia/Lord_Howe", 2026),
    ("Europe/Berlin", 2026),
    ("Pacific/Apia", 2011),
]


@pytest.mark.parametrize(("zone", "year"), _TURNING)
@law(2)
@given(st.data())
def test_measures_are_those_of_the_minutes_of_the_calendar(api: Api, zone: str, year: int, data: st.DataObject) -> None:
    # Given assignments and rates around a change of the calendar
    stretch = data.draw(stretches(zone, year))
    rates = st.dictionaries(st.just(date(1900, 1, 1)) | days_about(stretch), _MONEY, max_size=3)
    crew = Crew.hired(api, zone, [data.draw(rates) for _ in range(5)])
    for _ in range(data.draw(st.integers(1, 3))):
        drawn = data.draw(stretches_about(zone, stretch.about))
        start = drawn.start - DAY * data.draw(_LENGTHENED)
        end = max(drawn.end, drawn.start + 1) + DAY * data.draw(_LENGTHENED)
        crew.assign(
            data.draw(st.integers(0, 1)), data.draw(st.integers(0, 2)), start, data.draw(st.sampled_from([None, end]))
        )
    sync_entities(crew.organization.id, "assignments", list(crew.shifts))
    # When days around it are queried, also while they run
    ranges = [sorted(data.draw(st.tuples(days_about(stretch), days_about(stretch)))) for _ in range(3)]
    at = stretch.about + data.draw(st.integers(-DAY, 3 * DAY))
    queries = [total(measure, period=days(*range_)) for range_ in ranges for measure in MEASURES]
    numbers = values(stored(crew.organization.id), written(at), queries)
    # Then the measures equal the sums over the minutes of the calendar
    for number, (first, last) in enumerate(ranges):
        part = numbers[len(MEASURES) * number : len(MEASURES) * (number + 1)]
        assert dict(zip(MEASURES, part, strict=True)) == by_minutes(crew, first, last, at), (first, last)


@law(3)
@given(st.data())
def test_hours_of_closed_days_are_those_of_the_hours_report(api: Api, data: st.DataObject) -> None:
    zone, year = data.draw(st.sampled_from(_TURNING))
    stretch = data.draw(stretches(zone, year))
    crew = Crew.hired(api, zone)
    for number in range(3):
        drawn = data.draw(stretches_about(zone, stretch.about))
        end = max(drawn.end, drawn.start + 1) + DAY * data.draw(_LENGTHENED)
        crew.assign(number % 2, number, drawn.start, None if number == 0 else end)
    sync_entities(crew.organization.id, "assignments", list(crew.shifts))
    first, last = sorted(data.draw(st.tuples(days_about(stretch), days_about(stretch))))
    first -= timedelta(days=data.draw(st.sampled_from([0, 20])))
    later = max(stretch.about + 10 * DAY, minute_of("1971-01-01T00:00Z"))

    with standing_still(from_milliseconds(later * 60_000)):
        crew.sign_in()
        reported = crew.report(first, last)["totals"]["totalSeconds"]
    hours = {"type": "simple", "source": "assignments", "aggregate": "sum", "field": "hours"}
    seconds = {"type": "mul", "left": hours, "right": {"type": "constant", "value": 3600}}
    query = {"type": "derived", "expression": seconds, "period": days(first, last), "compare": "none"}

    assert value(stored(crew.organization.id), written(later), query) == reported
