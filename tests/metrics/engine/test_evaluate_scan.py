"""What no sum of edges tells is told from the entities themselves, as long as they are not too many."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.core.money import Money
from chalicelib.metrics.engine import scan
from chalicelib.models.organizations import StoredOrganization
from tests.metrics.measuring import (
    Json,
    days,
    outcomes,
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
from tests.modules.reports.crew import Crew, minute_of
from tests.support.api import Api
from tests.support.still import standing_still

LATER = "2026-12-01T00:00Z"


@pytest.fixture(scope="module")
def crew(api: Api) -> Crew:
    """Shifts of 2, 4 and 6 hours at three positions, and one of 8 at the first that is still to come."""
    euros = [{date(2020, 1, 1): Money(amount=amount, currency="EUR")} for amount in (1000, 1500, 2000, 4000, 2500)]
    with standing_still(datetime(2026, 10, 1, 12, tzinfo=UTC)):
        crew = Crew.hired(api, rates=euros)
        for worker, position, day, hours in [(0, 0, 2, 2), (0, 1, 3, 4), (1, 2, 4, 6), (0, 0, 20, 8)]:
            start = minute_of(f"2026-11-{day:02}T08:00Z")
            crew.assign(worker, position, start, start + 60 * hours)
    sync_entities(crew.organization.id, "assignments", list(crew.shifts))
    return crew


@pytest.fixture(scope="module")
def seen(crew: Crew) -> StoredOrganization:
    return stored(crew.organization.id)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (simple("assignments", "min", "hours"), 2),
        (simple("assignments", "max", "hours"), 8),
        (simple("assignments", "max", "billed"), 160),
        (simple("assignments", "min", "paid"), 20),
        (simple("assignments", "max", "margin"), 120),
        (simple("assignments", "min", "hours", period=days("2026-11-25", "2026-11-26")), None),
        (simple("assignments", "countDistinct", "workerId"), 2),
        (simple("assignments", "countDistinct", "positionId"), 3),
        (simple("assignments", "countDistinct", "clientId", period=days("2026-11-02", "2026-11-03")), 1),
        (simple("assignments", "countDistinct", "clientId", period=days("2026-10-01", "2026-10-03")), 0),
        (simple("assignments", where=where("hours", "gt", 2)), 3),
        (simple("assignments", where=where("hours", "gte", 2.0) + where("hours", "lt", 6)), 2),
        (simple("assignments", where=where("hours", "lte", 6) + where("hours", "ne", 4)), 2),
        (total("hours", where=where("billed", "eq", 160)), 12),
        (total("hours", where=where("startAt", "gte", "2026-11-04T09:00:00+01:00")), 14),
        (total("hours", where=where("startAt", "gt", "2026-11-04T08:00:00Z")), 8),
        (total("hours", where=where("endAt", "lte", "2026-11-02T10:00:00Z")), 2),
        (total("hours", where=where("endAt", "isSet") + where("cancelledAt", "isNotSet")), 20),
        (total("hours", where=where("endAt", "isNotSet")), 0),
        # What is not set is neither before nor after anything.
        (total("hours", where=where("cancelledAt", "lt", "2030-01-01T00:00:00Z")), 0),
        (total("hours", where=where("cancelledAt", "gte", "2020-01-01T00:00:00Z")), 0),
        (simple("assignments", "avg", "hours", where=where("hours", "ne", 8)), 4),
        (simple("assignments", field="startAt", where=where("hours", "lt", 5)), 2),
    ],
)
def test_each_row_is_looked_at(seen: StoredOrganization, query: Json, expected: int | None) -> None:
    assert value(seen, LATER, query) == expected


def test_hours_of_one_state_are_those_of_who_has_it_in_the_end(crew: Crew, seen: StoredOrganization) -> None:
    for at, states, expected in [
        ("2026-11-20T10:00Z", ["completed"], 12),
        ("2026-11-20T10:00Z", ["active"], 2),
        ("2026-11-20T10:00Z", ["active", "completed"], 14),
        ("2026-11-20T10:00Z", ["active", "completed", "cancelled"], 14),
        ("2026-11-20T10:00Z", ["active", "cancelled"], 2),
        ("2026-11-20T10:00Z", ["scheduled"], 0),
        (LATER, ["completed"], 20),
    ]:
        query = total("hours", period=days("2026-11-01", "2026-11-30"), where=where("status", "in", states))
        assert value(seen, at, query) == expected, states
    average = simple("assignments", "avg", "hours", where=where("status", "eq", "active"))
    assert values(seen, "2026-11-20T10:00Z", [average]) == [2]
    assert values(seen, "2026-11-19T10:00Z", [average]) == [None]


def test_two_dimensions_at_once(crew: Crew, seen: StoredOrganization) -> None:
    mehmet = where("workerId", "eq", crew.workers[0])
    for position, hours, count in [(0, 10, 2), (1, 4, 1), (2, 0, 0)]:
        both = mehmet + where("positionId", "eq", crew.positions[position])
        november = days("2026-11-01", "2026-11-30")
        asked = [total("hours", where=both, period=november), simple("assignments", where=both, period=november)]
        assert values(seen, LATER, asked) == [hours, count]
    neither = where("workerId", "notIn", crew.workers) + where("positionId", "in", crew.positions)
    assert value(seen, LATER, simple("assignments", where=neither, period=days("2026-11-01", "2026-11-30"))) == 0
    # One dimension twice is one
    narrowed = where("positionId", "in", crew.positions[:2]) + where("positionId", "ne", crew.positions[0])
    assert value(seen, LATER, total("hours", where=narrowed, period=days("2026-11-01", "2026-11-30"))) == 4


def test_texts_are_compared_as_they_are(crew: Crew) -> None:
    roll_up(crew.organization.id, "clients", "positions", "workers")
    today, at = stored(crew.organization.id), "2026-10-01T23:59Z"
    name = crew.names[crew.positions[0]]
    for op, text, expected in [("eq", name, 1), ("ne", name, 2), ("eq", name.upper(), 0)]:
        asked = [
            snapshot("positions", where=where("name", op, text)),
            simple("positions", where=where("name", op, text)),
        ]
        assert values(today, at, asked) == [expected, expected]
    names = [crew.names[each] for each in crew.positions[1:]]
    assert value(today, at, snapshot("positions", "headcount", where=where("name", "in", names))) == 2
    assert value(today, at, snapshot("positions", "headcount", where=where("name", "notIn", names))) == 1
    assert value(today, at, simple("positions", where=where("headcount", "gte", 1))) == 3
    assert value(today, at, snapshot("workers", where=where("name", "eq", crew.names[crew.workers[0]]))) == 1
    client = crew.names[crew.places[crew.positions[0]].client]
    assert value(today, at, snapshot("clients", where=where("name", "ne", client))) == 1
    assert value(today, at, simple("positions", "max", "headcount")) == 1


# -- too many ---------------------------------------------------------------------------------------------------------


def test_more_than_can_be_looked_at_is_said_and_costs_no_other_its_value(
    crew: Crew, seen: StoredOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "MAX_ROWS", 3)
    over: Any = {"period": days("2026-11-01", "2026-11-30")}
    asked = [
        total("hours", **over),
        simple("assignments", "max", "hours", **over),
        {"type": "ratio", "numerator": _operand("max"), "denominator": _operand("sum"), **over},
        snapshot("clients", where=where("name", "ne", "x")),
        total("hours", groupBy=["workerId"], **over),
        simple("assignments", groupBy=["workerId"], where=where("positionId", "ne", crew.positions[0]), **over),
    ]
    found = outcomes(seen, LATER, asked)
    assert [each.value for each in found] == [20, None, None, 2, 20, None]
    fault = "this needs a look at every one of more than 3 assignments"
    assert [each.error.startswith(fault) if each.error else None for each in found] == [
        None,
        True,
        True,
        None,
        None,
        True,
    ]
    assert all(each.groups == () for each in found if each.error)
    # As many as that can be
    monkeypatch.setattr(scan, "MAX_ROWS", 4)
    assert [each.error for each in outcomes(seen, LATER, asked)] == [None] * len(asked)


def _operand(aggregate: str) -> Json:
    return {"type": "simple", "source": "assignments", "aggregate": aggregate, "field": "hours"}


def test_a_recount_does_not_wait_for_the_stream(api: Api) -> None:
    crew = Crew.hired(api)
    start = minute_of("2026-11-02T08:00Z")
    crew.assign(0, 0, start, start + 90)
    seen = stored(crew.organization.id)
    over = days("2026-11-02")
    asked = [simple("assignments", "max", "hours", period=over), total("hours", period=over)]
    assert values(seen, LATER, asked) == [Decimal("1.5"), 0]
