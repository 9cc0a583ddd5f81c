"""Row scans: numbers that buckets do not suffice for, up to a limit of entities."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.core.money import Money
from chalicelib.metrics.engine import scan
from chalicelib.models.organizations import StoredOrganization
from tests.support.api import Api
from tests.support.frozen_time import standing_still
from tests.support.measuring import (
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
from tests.support.shift_helpers import Crew, minute_of

LATER = "2026-12-01T00:00Z"


@pytest.fixture(scope="module")
def crew(api: Api) -> Crew:
    """A crew with shifts of 2, 4 and 6 hours at three positions, and a future one of 8 hours at the first."""
    euros = [{date(2020, 1, 1): Money(amount=amount, currency="EUR")} for amount in (1000, 1500, 2000, 4000, 2500)]
    with standing_still(datetime(2026, 10, 1, 12, tzinfo=UTC)):
        crew = Crew.hired(api, rates=euros)
        for worker, position, day, hours in [(0, 0, 2, 2), (0, 1, 3, 4), (1, 2, 4, 6), (0, 0, 20, 8)]:
            start = minute_of(f"2026-11-{day:02}T08:00Z")
            crew.assign(worker, position, start, start + 60 * hours)
    sync_entities(crew.organization.id, "assignments", list(crew.shifts))
    return crew


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
        # A missing instant is neither before nor after any other.
        (total("hours", where=where("cancelledAt", "lt", "2030-01-01T00:00:00Z")), 0),
        (total("hours", where=where("cancelledAt", "gte", "2020-01-01T00:00:00Z")), 0),
        (simple("assignments", "avg", "hours", where=where("hours", "ne", 8)), 4),
        (simple("assignments", field="startAt", where=where("hours", "lt", 5)), 2),
    ],
)
def test_rows_are_scanned(seen: StoredOrganization, query: Json, expected: int | None) -> None:
    assert value(seen, LATER, query) == expected


def test_hours_by_state_are_of_assignments_in_that_state_at_the_end(crew: Crew, seen: StoredOrganization) -> None:
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
        queries = [total("hours", where=both, period=november), simple("assignments", where=both, period=november)]
        assert values(seen, LATER, queries) == [hours, count]
    neither = where("workerId", "notIn", crew.workers) + where("positionId", "in", crew.positions)
    assert value(seen, LATER, simple("assignments", where=neither, period=days("2026-11-01", "2026-11-30"))) == 0
    # Two conditions on one dimension need no scan
    narrowed = where("positionId", "in", crew.positions[:2]) + where("positionId", "ne", crew.positions[0])
    assert value(seen, LATER, total("hours", where=narrowed, period=days("2026-11-01", "2026-11-30"))) == 4


def test_texts_are_compared_as_they_are(crew: Crew) -> None:
    roll_up(crew.organization.id, "clients", "positions", "workers")
    today, at = stored(crew.organization.id), "2026-10-01T23:59Z"
    name = crew.names[crew.positions[0]]
    for op, text, expected in [("eq", name, 1), ("ne", name, 2), ("eq", name.upper(), 0)]:
        queries = [
            snapshot("positions", where=where("name", op, text)),
            simple("positions", where=where("name", op, text)),
        ]
        assert values(today, at, queries) == [expected, expected]
    names = [crew.names[position] for position in crew.positions[1:]]
    assert value(today, at, snapshot("positions", "headcount", where=where("name", "in", names))) == 2
    assert value(today, at, snapshot("positions", "headcount", where=where("name", "notIn", names))) == 1
    assert value(today, at, simple("positions", where=where("headcount", "gte", 1))) == 3
    assert value(today, at, snapshot("workers", where=where("name", "eq", crew.names[crew.workers[0]]))) == 1
    client = crew.names[crew.places[crew.positions[0]].client]
    assert value(today, at, snapshot("clients", where=where("name", "ne", client))) == 1
    assert value(today, at, simple("positions", "max", "headcount")) == 1


# -- too many --------------------------------------------------------------------------------------------------------


def test_too_many_entities_are_an_error_of_their_query_alone(
    crew: Crew, seen: StoredOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "MAX_ROWS", 3)
    over: Any = {"period": days("2026-11-01", "2026-11-30")}
    queries = [
        total("hours", **over),
        simple("assignments", "max", "hours", **over),
        {"type": "ratio", "numerator": _operand("max"), "denominator": _operand("sum"), **over},
        snapshot("clients", where=where("name", "ne", "x")),
        total("hours", groupBy=["workerId"], **over),
        simple("assignments", groupBy=["workerId"], where=where("positionId", "ne", crew.positions[0]), **over),
    ]
    results = outcomes(seen, LATER, queries)
    assert [result.value for result in results] == [20, None, None, 2, 20, None]
    message = "needs a scan of more than 3 assignments"
    assert [result.error.startswith(message) if result.error else None for result in results] == [
        None,
        True,
        True,
        None,
        None,
        True,
    ]
    assert all(result.groups == () for result in results if result.error)
    # The limit itself is allowed
    monkeypatch.setattr(scan, "MAX_ROWS", 4)
    assert [result.error for result in outcomes(seen, LATER, queries)] == [None] * len(queries)


def _operand(aggregate: str) -> Json:
    return {"type": "simple", "source": "assignments", "aggregate": aggregate, "field": "hours"}


def test_a_scan_does_not_wait_for_the_stream(api: Api) -> None:
    crew = Crew.hired(api)
    start = minute_of("2026-11-02T08:00Z")
    crew.assign(0, 0, start, start + 90)
    seen = stored(crew.organization.id)
    over = days("2026-11-02")
    queries = [simple("assignments", "max", "hours", period=over), total("hours", period=over)]
    assert values(seen, LATER, queries) == [Decimal("1.5"), 0]
