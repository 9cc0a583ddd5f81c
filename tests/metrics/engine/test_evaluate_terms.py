"""Queries over aggregates: comparisons, windows, ratios, trees, conversions and series."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.core.money import Money
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.metrics.engine.evaluate import series
from chalicelib.metrics.language.outcomes import CannotTell
from chalicelib.metrics.language.periods import Step
from chalicelib.metrics.language.query import parse
from chalicelib.metrics.rollups.sources.fields import Unit
from chalicelib.models import users
from chalicelib.models.organizations import StoredOrganization, WeekDay
from chalicelib.models.users import Role, StoredUser
from tests.support.api import Api
from tests.support.factories import address, new_organization
from tests.support.frozen_time import standing_still
from tests.support.measuring import (
    Json,
    days,
    outcome,
    roll_up,
    simple,
    snapshot,
    stored,
    sync_entities,
    total,
    value,
    values,
    where,
)
from tests.support.shift_helpers import Crew, minute_of

NOON = "2026-11-18T12:00Z"  # a Wednesday


def _crew(api: Api, *shifts: tuple[str, str | None], zone: str = "UTC", **rates: int) -> Crew:
    """Hire one worker for shifts at one position, with `billed` and `paid` rates."""
    money = {name: {date(2020, 1, 1): Money(amount=amount, currency="EUR")} for name, amount in rates.items()}
    crew = Crew.hired(api, zone, [money.get("paid", {}), {}, money.get("billed", {})])
    for start, end in shifts:
        crew.assign(0, 0, minute_of(start), None if end is None else minute_of(end))
    sync_entities(crew.organization.id, "assignments", list(crew.shifts))
    return crew


@pytest.fixture(scope="module")
def seen(api: Api) -> StoredOrganization:
    """Shifts from 8 to 16 on some days, and one without an end from the 18th on, at 40.00 and 15.00 an hour."""
    dates = ("2025-11-03", "2025-11-18", "2026-09-30", "2026-10-05", "2026-11-09", "2026-11-11", "2026-11-16")
    shifts = [(f"{date}T08:00Z", f"{date}T16:00Z") for date in dates]
    crew = _crew(api, *shifts, ("2026-11-18T08:00Z", None), billed=4000, paid=1500)
    return stored(crew.organization.id)


# -- compared --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "compare", "expected"),
    [
        ("this_week", "previous_period", (12, 12)),  # of last week, Monday to Wednesday noon
        ("this_week", "previous_year", (12, 4)),  # of the same dates
        ("this_week", "none", (12, None)),
        ("last_week", "previous_period", (16, 0)),
        ("this_month", "previous_period", (28, 8)),
        ("this_month", "previous_year", (28, 12)),  # up to the 18th, noon
        ("last_month", "previous_period", (8, 8)),
        ("this_year", "previous_year", (44, 12)),
        ("last_month", "previous_year", (8, 0)),
        ("today", "previous_period", (4, 0)),
        ("yesterday", "previous_period", (0, 8)),
        (days("2026-11-10", "2026-11-16"), "previous_period", (16, 8)),
        (days("2026-11-01", "2026-11-18"), "previous_year", (28, 12)),
        (days("2026-11-01", "2026-11-17"), "previous_year", (24, 8)),
    ],
)
def test_a_value_is_compared_with_the_one_before(
    seen: StoredOrganization, period: Any, compare: str, expected: Any
) -> None:
    result = outcome(seen, NOON, total("hours", period=period, compare=compare))
    assert (result.value, result.previous) == expected


def test_by_default_it_is_compared_with_the_period_before(seen: StoredOrganization) -> None:
    query = total("hours", period="this_week")
    del query["compare"]
    assert outcome(seen, NOON, query).previous == 12


def test_every_kind_of_query_is_compared(seen: StoredOrganization) -> None:
    hours, billed = (_operand(name) for name in ("hours", "billed"))
    ratio = {"type": "ratio", "numerator": billed, "denominator": hours, "period": "yesterday"}
    result = outcome(seen, NOON, ratio)
    assert (result.unit, result.value, result.previous) == (Unit.MONEY, None, 40)
    scanned = simple("assignments", "max", "hours", period="today", compare="previous_period")
    result = outcome(seen, "2026-11-19T12:00Z", scanned)
    assert (result.value, result.previous) == (12, 4)
    there = snapshot("assignments", period="yesterday", compare="previous_period")
    result = outcome(seen, "2026-11-19T12:00Z", there)
    assert (result.value, result.previous) == (1, 0)


# -- windows ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"window": "P1D"}, (4, 0)),
        ({"window": "P3D"}, (12, 0)),
        ({"window": "P7D"}, (12, 12)),  # 12 to 18, and 5 to 11 until noon
        ({"window": "P8D"}, (20, 8)),
        ({"window": "P366D"}, (52, 8)),
        ({"since": "week"}, (12, 12)),
        ({"since": "month"}, (28, 8)),
        ({"since": "quarter"}, (36, 0)),
        ({"since": "year"}, (44, 12)),
    ],
)
def test_a_window_ends_now(seen: StoredOrganization, terms: Json, expected: Any) -> None:
    query = {"type": "cumulative", "source": "assignments", "aggregate": "sum", "field": "hours", **terms}
    result = outcome(seen, NOON, query)
    assert (result.value, result.previous) == expected


def test_a_window_begins_with_the_week_of_the_organization(seen: StoredOrganization) -> None:
    query = {"type": "cumulative", "source": "assignments", "aggregate": "count", "since": "week"}
    for week_start, expected in [(WeekDay.MONDAY, 2), (WeekDay.TUESDAY, 1), (WeekDay.THURSDAY, 2)]:
        assert value(seen.model_copy(update={"week_start": week_start}), NOON, query) == expected


# -- ratios and trees ------------------------------------------------------------------------------------------------


def _operand(field: str | None = None, aggregate: str = "sum", **more: Any) -> Json:
    terms: Json = {"type": "simple", "source": "assignments", "aggregate": aggregate, **more}
    return terms if field is None else {**terms, "field": field}


COUNT = _operand(aggregate="count")


def _constant(number: float, unit: str = "number") -> Json:
    return {"type": "constant", "value": number, "unit": unit}


def _tree(operation: str, left: Json, right: Json) -> Json:
    return {"type": operation, "left": left, "right": right}


@pytest.mark.parametrize(
    ("numerator", "denominator", "unit", "expected"),
    [
        (_operand("margin"), _operand("billed"), Unit.PERCENT, "62.5"),
        (_operand("paid"), _operand("hours"), Unit.MONEY, "15"),
        (_operand("hours"), COUNT, Unit.HOURS, "6"),
        (COUNT, _operand("hours"), Unit.NUMBER, "0.1667"),
        (_operand(aggregate="count", where=where("status", "eq", "completed")), COUNT, Unit.PERCENT, "50"),
        ({**COUNT, "type": "snapshot"}, COUNT, Unit.PERCENT, "50"),
        (_operand("hours", "max"), _operand("hours"), Unit.PERCENT, "66.67"),
    ],
)
def test_a_ratio_divides(
    seen: StoredOrganization, numerator: Json, denominator: Json, unit: Unit, expected: str
) -> None:
    query = {"type": "ratio", "numerator": numerator, "denominator": denominator, "period": "this_week"}
    result = outcome(seen, NOON, query)
    assert (result.error, result.unit, result.value) == (None, unit, Decimal(expected))


def test_a_ratio_to_zero_is_none(seen: StoredOrganization) -> None:
    for numerator in (COUNT, _operand("hours"), _operand("billed")):
        query = {"type": "ratio", "numerator": numerator, "denominator": numerator, "period": days("2026-11-01")}
        result = outcome(seen, NOON, query)
        assert (result.error, result.value) == (None, None)
    # A numerator of 0 gives 0
    query = {"type": "ratio", "numerator": COUNT, "denominator": {**COUNT, "type": "snapshot"}, "period": "yesterday"}
    assert value(seen, "2026-11-20T12:00Z", query) == 100
    none_ended = {"type": "ratio", "numerator": _operand("endAt", "count"), "denominator": COUNT, "period": "today"}
    assert value(seen, NOON, none_ended) == 0


def test_a_ratio_of_unknown_amounts_is_none(api: Api) -> None:
    crew = _crew(api, ("2026-11-16T08:00Z", "2026-11-16T16:00Z"), paid=1500)
    for numerator, denominator in [("billed", "paid"), ("paid", "billed"), ("margin", "paid")]:
        query = {"type": "ratio", "numerator": _operand(numerator), "denominator": _operand(denominator)}
        assert value(stored(crew.organization.id), NOON, {**query, "period": "this_week"}) is None


@pytest.mark.parametrize(
    ("expression", "unit", "expected"),
    [
        (_tree("add", _operand("billed"), _operand("paid")), Unit.MONEY, "660"),
        (_tree("sub", _operand("paid"), _operand("billed")), Unit.MONEY, "-300"),
        (_tree("mul", _operand("hours"), _constant(0.1)), Unit.HOURS, "1.2"),
        (_tree("mul", _operand("hours"), _constant(25, "money")), Unit.MONEY, "300"),
        (_tree("div", _operand("billed"), _constant(7)), Unit.MONEY, "68.57"),
        (_tree("div", COUNT, _constant(3)), Unit.NUMBER, "0.6667"),
        (_tree("div", _operand("hours"), COUNT), Unit.HOURS, "6"),
        (_tree("sub", _constant(40, "hours"), _operand("hours")), Unit.HOURS, "28"),
        (_tree("div", _operand("margin"), _operand("billed")), Unit.NUMBER, "0.625"),
        (_tree("add", COUNT, {**COUNT, "type": "snapshot"}), Unit.NUMBER, "3"),
        (
            _tree("div", _tree("sub", _operand("billed"), _operand("paid")), _tree("add", COUNT, _constant(1))),
            Unit.MONEY,
            "100",
        ),
        (_tree("add", _operand("hours", "max"), _operand("hours", "min")), Unit.HOURS, "12"),
    ],
)
def test_a_tree_is_computed(seen: StoredOrganization, expression: Json, unit: Unit, expected: str) -> None:
    result = outcome(seen, NOON, {"type": "derived", "expression": expression, "period": "this_week"})
    assert (result.error, result.unit, result.value) == (None, unit, Decimal(expected))


@pytest.mark.parametrize("operation", ["add", "sub", "mul", "div"])
def test_a_division_by_zero_makes_the_whole_tree_none(seen: StoredOrganization, operation: str) -> None:
    divided = _tree("div", COUNT, COUNT)
    for expression in (_tree(operation, _constant(5), divided), _tree(operation, divided, _constant(5))):
        query = {"type": "derived", "expression": expression, "compare": "none"}
        assert value(seen, NOON, {**query, "period": days("2026-11-01")}) is None
        assert value(seen, NOON, {**query, "period": "this_week"}) is not None


# -- conversions -----------------------------------------------------------------------------------------------------


def _invite(organization: Any, invited: datetime, after: timedelta | None) -> StoredUser:
    accepted = None if after is None else invited + after
    user = StoredUser.new(
        email=address(), first_name="Ida", last_name="Holm", role=Role.MEMBER, accepted_at=accepted, created_at=invited
    )
    unit = UnitOfWork(organization)
    users.create(unit, user)
    unit.commit()
    return user


def test_a_conversion_is_the_share_that_accepted_within_the_window(api: Api) -> None:
    # Given ten users invited in October, and one in November who accepted at once
    with standing_still(datetime(2020, 1, 1, tzinfo=UTC)):
        organization = new_organization(api).id
    day, second = timedelta(days=1), timedelta(seconds=1)
    october = datetime(2026, 10, 1, tzinfo=UTC)
    after = [
        None,
        timedelta(0, 1),
        day,
        day + second,
        7 * day,
        8 * day,
        14 * day,
        30 * day,
        90 * day,
        90 * day + second,
    ]
    for number, delay in enumerate(after):
        _invite(organization, october + number * day, delay)
    _invite(organization, datetime(2026, 11, 1, tzinfo=UTC), second)
    roll_up(organization, "users")
    seen = stored(organization)
    query = {"type": "conversion", "source": "users", "from": "invited", "to": "accepted", "compare": "none"}
    # Then the share follows from the window, at any later time
    for window, share in [("P1D", 20), ("P7D", 40), ("P14D", 60), ("P30D", 70), ("P90D", 80)]:
        queries = [{**query, "within": window, "period": days("2026-10-01", "2026-10-31")}, {**query, "within": window}]
        queries[1]["period"] = days("2026-11-01", "2026-11-01")
        assert values(seen, "2027-06-01T00:00Z", queries) == [share, 100], window
    # None were invited in September
    assert value(seen, NOON, {**query, "within": "P1D", "period": days("2026-09-01", "2026-09-30")}) is None
    # Acceptances count on their own day
    accepted = [
        simple("users", field="acceptedAt", period=days(f"2026-{first}", f"2026-{last}")) for first, last in _MONTHS
    ]
    assert values(seen, "2027-06-01T00:00Z", accepted) == [6, 2, 0, 0]


_MONTHS = (("10-01", "10-31"), ("11-01", "11-30"), ("12-01", "12-31"), ("09-01", "09-30"))


def test_who_founds_an_organization_is_not_invited(api: Api) -> None:
    with standing_still(datetime(2026, 5, 1, 12, tzinfo=UTC)):
        organization = new_organization(api).id
    roll_up(organization, "users")
    founded, at, period = stored(organization), NOON, days("2026-05-01")
    query = {"type": "conversion", "source": "users", "from": "invited", "to": "accepted", "within": "P1D"}
    assert outcome(founded, at, {**query, "period": period}).value is None
    assert value(founded, at, simple("users", period=period)) == 1
    assert value(founded, at, simple("users", field="acceptedAt", period=period)) == 1


# -- series ----------------------------------------------------------------------------------------------------------


def _series(organization: StoredOrganization, at: str, query: Json, step: Step) -> list[tuple[str, str, Any]]:
    points = series(organization, parse(query), datetime.fromisoformat(at), step)
    return [(f"{point.start:%m-%d %H:%M}", f"{point.end:%m-%d %H:%M}", point.value) for point in points]


def test_a_series_has_a_point_a_day(seen: StoredOrganization) -> None:
    points = _series(seen, NOON, total("hours", period="this_week"), Step.DAY)
    assert points == [
        ("11-16 00:00", "11-17 00:00", 8),
        ("11-17 00:00", "11-18 00:00", 0),
        ("11-18 00:00", "11-18 12:00", 4),
    ]


def test_a_series_has_a_point_a_week_and_a_month(seen: StoredOrganization) -> None:
    weeks = _series(seen, NOON, total("billed", period="this_month"), Step.WEEK)
    assert weeks == [
        ("11-01 00:00", "11-02 00:00", 0),
        ("11-02 00:00", "11-09 00:00", 0),
        ("11-09 00:00", "11-16 00:00", 640),
        ("11-16 00:00", "11-18 12:00", 480),
    ]
    from_sunday = _series(seen.model_copy(update={"week_start": WeekDay.SUNDAY}), NOON, total("hours"), Step.WEEK)
    assert [number for *_, number in from_sunday] == [0, 16, 12]
    months = _series(seen, NOON, total("hours", period=days("2026-09-15", "2026-12-31")), Step.MONTH)
    assert months == [
        ("09-15 00:00", "10-01 00:00", 8),
        ("10-01 00:00", "11-01 00:00", 8),
        ("11-01 00:00", "11-18 12:00", 28),
    ]


def test_days_of_a_series_are_those_of_the_zone(api: Api) -> None:
    crew = _crew(api, ("2026-01-01T00:00Z", None), zone="Europe/Berlin")
    points = _series(
        stored(crew.organization.id), NOON, total("hours", period=days("2026-10-24", "2026-10-26")), Step.DAY
    )
    assert [number for *_, number in points] == [24, 25, 24]
    assert points[1][:2] == ("10-24 22:00", "10-25 23:00")


def test_every_kind_of_query_has_a_series(seen: StoredOrganization) -> None:
    per_shift = {"type": "ratio", "numerator": _operand("hours"), "denominator": COUNT, "period": "this_week"}
    least = simple("assignments", "min", "hours", period="this_week")
    present = snapshot("assignments", period="this_week")
    window = {"type": "cumulative", "source": "assignments", "aggregate": "sum", "field": "hours", "since": "week"}
    for query, expected in [
        (per_shift, [8, None, 4]),
        (least, [8, None, 4]),
        (present, [0, 0, 1]),
        (window, [8, 0, 4]),
    ]:
        assert [number for *_, number in _series(seen, NOON, query, Step.DAY)] == expected


def test_a_series_of_a_future_period_is_empty(seen: StoredOrganization) -> None:
    assert _series(seen, NOON, total("hours", period=days("2026-12-01", "2026-12-31")), Step.DAY) == []


def test_a_series_that_needs_too_large_a_scan_fails(seen: StoredOrganization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.metrics.engine.scan.MAX_ROWS", 3)
    with pytest.raises(CannotTell, match="more than 3 assignments"):
        _series(seen, NOON, simple("assignments", "min", "hours"), Step.DAY)
