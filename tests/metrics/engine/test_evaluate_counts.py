"""Counts of metrics: states at the end of a period, starts and ends within it, and entities at an instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.models.organizations import StoredOrganization
from tests.support.api import Api
from tests.support.frozen_time import later, standing_still
from tests.support.measuring import (
    days,
    outcome,
    roll_up,
    simple,
    snapshot,
    stored,
    sync_entities,
    value,
    values,
    where,
)
from tests.support.shift_helpers import Crew, minute_of

MONDAY = datetime(2026, 6, 15, 12, tzinfo=UTC)
STATES = ("scheduled", "active", "completed", "cancelled")


@pytest.fixture(autouse=True)
def _monday() -> Iterator[None]:
    with standing_still(MONDAY):
        yield


# -- states ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Week:
    crew: Crew
    organization: StoredOrganization


@pytest.fixture(scope="module")
def week(api: Api) -> Week:
    """Four assignments: until Tuesday 9:00, from then on, from Wednesday on without an end, and a cancelled one."""
    with standing_still(MONDAY):
        crew = Crew.hired(api)
        ids = [
            crew.assign(0, 0, minute_of("2026-06-14T20:00Z"), minute_of("2026-06-16T09:00Z")),
            crew.assign(1, 0, minute_of("2026-06-16T09:00Z"), minute_of("2026-06-16T17:00Z")),
            crew.assign(0, 1, minute_of("2026-06-17T00:00Z"), None),
            crew.assign(1, 1, minute_of("2026-06-20T08:00Z"), minute_of("2026-06-20T16:00Z")),
        ]
        crew.cancel(ids[3])
        sync_entities(crew.organization.id, "assignments", ids)
        return Week(crew, stored(crew.organization.id))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-06-14T20:00Z", (3, 0, 0, 0)),
        ("2026-06-14T20:01Z", (2, 1, 0, 0)),
        ("2026-06-15T12:00Z", (2, 1, 0, 0)),
        ("2026-06-15T12:01Z", (2, 1, 0, 1)),
        ("2026-06-16T09:00Z", (2, 0, 1, 1)),
        ("2026-06-16T09:01Z", (1, 1, 1, 1)),
        ("2026-06-16T17:00Z", (1, 0, 2, 1)),
        ("2026-06-17T00:00Z", (1, 0, 2, 1)),
        ("2026-06-17T00:01Z", (0, 1, 2, 1)),
        ("2027-06-17T00:01Z", (0, 1, 2, 1)),
    ],
)
def test_at_an_instant_each_has_one_state(week: Week, at: str, expected: tuple[int, ...]) -> None:
    queries = [snapshot("assignments", where=where("status", "eq", state)) for state in STATES]
    assert tuple(values(week.organization, at, queries)) == expected
    # Without a state, active assignments count
    assert value(week.organization, at, snapshot("assignments")) == expected[1]


@pytest.mark.parametrize(
    ("period", "expected", "overlapping"),
    [
        (days("2026-06-13"), (3, 0, 0, 0), 0),
        (days("2026-06-14"), (2, 1, 0, 0), 1),
        (days("2026-06-15"), (2, 1, 0, 1), 1),
        (days("2026-06-16"), (1, 0, 2, 0), 2),
        (days("2026-06-17"), (0, 1, 0, 0), 1),
        (days("2026-06-14", "2026-06-17"), (0, 1, 2, 1), 3),
        (days("2026-07-01", "2026-07-31"), (0, 1, 0, 0), 1),
    ],
)
def test_over_a_period_each_has_the_state_of_its_end(
    week: Week, period: Any, expected: tuple[int, ...], overlapping: int
) -> None:
    queries = [simple("assignments", period=period, where=where("status", "eq", state)) for state in STATES]
    assert tuple(values(week.organization, "2026-08-01T00:00Z", queries)) == expected
    # Without a state, assignments that overlap the period count
    assert value(week.organization, "2026-08-01T00:00Z", simple("assignments", period=period)) == overlapping


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (where("status", "in", ["active", "completed"]), 3),
        (where("status", "ne", "cancelled"), 3),
        (where("status", "notIn", ["active", "scheduled"]), 3),
        (where("status", "in", ["active", "cancelled"]) + where("status", "ne", "active"), 1),
        (where("status", "eq", "active") + where("status", "eq", "completed"), 0),
    ],
)
def test_states_may_be_several(week: Week, conditions: Any, expected: int) -> None:
    query = simple("assignments", period=days("2026-06-14", "2026-06-17"), where=conditions)
    assert value(week.organization, "2026-08-01T00:00Z", query) == expected


def test_a_state_of_one_worker(week: Week) -> None:
    for worker, expected in zip(week.crew.workers, [(0, 1, 1, 0), (0, 0, 1, 1)], strict=True):
        of_worker = where("workerId", "eq", worker)
        queries = [snapshot("assignments", where=of_worker + where("status", "eq", state)) for state in STATES]
        assert tuple(values(week.organization, "2026-08-01T00:00Z", queries)) == expected


# -- instants --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (days("2026-06-14"), (1, 0, 0)),
        (days("2026-06-15"), (0, 0, 1)),
        (days("2026-06-16"), (1, 2, 0)),
        (days("2026-06-17"), (1, 0, 0)),
        (days("2026-06-14", "2026-06-30"), (3, 2, 1)),
    ],
)
def test_starts_ends_and_cancellations_count_on_their_day(week: Week, period: Any, expected: Any) -> None:
    queries = [simple("assignments", field=field, period=period) for field in ("startAt", "endAt", "cancelledAt")]
    assert tuple(values(week.organization, "2026-08-01T00:00Z", queries)) == expected
    created = simple("assignments", field="createdAt", period=period)
    assert value(week.organization, "2026-08-01T00:00Z", created) == (
        4 if period["from"] <= "2026-06-15" <= period["to"] else 0
    )


def test_an_end_at_midnight_counts_for_the_day_before(api: Api) -> None:
    crew = Crew.hired(api)
    crew.assign(0, 0, minute_of("2026-06-10T00:00Z"), minute_of("2026-06-11T00:00Z"))
    sync_entities(crew.organization.id, "assignments", list(crew.shifts))
    seen = stored(crew.organization.id)
    for day, begun, ended, there in [("09", 0, 0, 0), ("10", 1, 1, 1), ("11", 0, 0, 0)]:
        over = days(f"2026-06-{day}")
        queries = [simple("assignments", field=field, period=over) for field in ("startAt", "endAt", None)]
        assert values(seen, "2026-06-30T00:00Z", queries) == [begun, ended, there]


# -- positions -------------------------------------------------------------------------------------------------------


def test_positions_have_a_headcount_and_a_filled_headcount(api: Api) -> None:
    # Given three positions with a headcount of 3, 1 and 2; the last is not active
    crew = Crew.hired(api)
    for position, body in zip(crew.positions, ({"headcount": 3}, {}, {"headcount": 2, "isActive": False}), strict=True):
        if body:
            crew.done("updatePosition", path={"id": position}, body=body)
    # and two workers at the first until three o'clock, one at the second from then on
    crew.assign(0, 0, minute_of("2026-06-15T08:00Z"), minute_of("2026-06-15T15:00Z"))
    crew.assign(1, 0, minute_of("2026-06-15T08:00Z"), minute_of("2026-06-15T15:00Z"))
    crew.assign(0, 1, minute_of("2026-06-15T15:00Z"), None)
    crew.assign(1, 1, minute_of("2026-06-15T16:00Z"), None)  # above its headcount
    roll_up(crew.organization.id, "positions")
    seen = stored(crew.organization.id)
    queries = [
        snapshot("positions"),
        snapshot("positions", "headcount"),
        snapshot("positions", "filled"),
        snapshot("positions", where=where("isOpen", "eq", True)),
        snapshot("positions", where=where("isOpen", "eq", False)),
        snapshot("positions", where=where("isActive", "eq", True)),
        snapshot("positions", "filled", where=where("clientId", "eq", crew.places[crew.positions[0]].client)),
    ]
    for at, expected in [
        ("2026-06-15T12:01Z", [3, 4, 2, 2, 1, 2, 2]),
        ("2026-06-15T15:00Z", [3, 4, 0, 2, 1, 2, 0]),
        ("2026-06-15T15:01Z", [3, 4, 1, 1, 2, 2, 1]),
        ("2026-06-15T16:01Z", [3, 4, 1, 1, 2, 2, 1]),
    ]:
        assert values(seen, at, queries) == expected, at
    # Past periods have values of fields with a history
    yesterday = [{**query, "period": "yesterday"} for query in queries]
    assert values(seen, "2026-06-17T00:00Z", yesterday) == [3, 4, None, None, None, 2, None]
    assert values(seen, "2026-06-16T12:00Z", yesterday) == [3, 4, None, None, None, 2, None]
    # and today of all fields, until it is over
    assert values(seen, "2026-06-16T00:00Z", [{**query, "period": days("2026-06-15")} for query in queries])[2] == 1


@pytest.mark.parametrize(
    "query",
    [
        snapshot("positions", "filled", where=where("name", "ne", "x")),
        snapshot("positions", where=where("name", "ne", "x") + where("isOpen", "eq", True)),
        snapshot("positions", "headcount", where=where("isOpen", "eq", False)),
        simple("positions", where=where("isOpen", "eq", True)),
        simple("positions", "max", "filled"),
        simple("positions", where=where("name", "ne", "x"), groupBy=["isOpen"]),
        snapshot("positions", groupBy=["isOpen"]),
        snapshot("positions", "filled", groupBy=["clientId"]),
    ],
)
def test_filled_positions_have_no_past_values_in_any_query(api: Api, query: Any) -> None:
    crew = Crew.hired(api)
    crew.assign(0, 0, minute_of("2026-06-15T08:00Z"), None)
    roll_up(crew.organization.id, "positions")
    seen = stored(crew.organization.id)
    now = outcome(seen, "2026-06-15T13:00Z", {**query, "period": "today"})
    then = outcome(seen, "2026-06-16T13:00Z", {**query, "period": "yesterday"})
    assert now.error is None
    assert now.value is not None
    assert then.error is None
    past = [then.value] if "groupBy" not in query else [group.value for group in then.groups]
    assert {*past} <= {None}


def test_a_deleted_position_is_there_no_more_and_was(api: Api) -> None:
    crew = Crew.hired(api)
    crew.done("updatePosition", path={"id": crew.positions[0]}, body={"headcount": 7})
    with later(hours=1):
        crew.done("deletePosition", path={"id": crew.positions[0]})
    roll_up(crew.organization.id, "positions")
    seen = stored(crew.organization.id)
    for at, count in [("2026-06-15T12:00Z", 0), ("2026-06-15T12:01Z", 3), ("2026-06-15T13:00Z", 2)]:
        assert value(seen, at, snapshot("positions")) == count
    assert value(seen, "2026-06-15T13:01Z", snapshot("positions", "headcount")) == 2


# -- people ----------------------------------------------------------------------------------------------------------


def test_clients_and_workers_join_and_leave(api: Api) -> None:
    crew = Crew.hired(api)
    with later(days=1):
        client = crew.done("createClient", body={"name": "Late"})["id"]
    with later(days=2):
        crew.done("deleteClient", path={"id": client})
        crew.done("deleteWorker", path={"id": crew.workers[0]})
    roll_up(crew.organization.id, "clients", "workers")
    seen = stored(crew.organization.id)
    for source, joined, there in [("clients", [2, 1, 0], [2, 3, 2]), ("workers", [2, 0, 0], [2, 2, 1])]:
        for day, new, present in zip(("15", "16", "17"), joined, there, strict=True):
            over = days(f"2026-06-{day}")
            queries = [
                simple(source, period=over),
                simple(source, field="createdAt", period=over),
                snapshot(source, period=over),
            ]
            assert values(seen, "2026-06-20T00:00Z", queries) == [new, new, present], (source, day)


def test_activities_count_by_type_and_severity(api: Api) -> None:
    crew = Crew.hired(api)
    for by, severity in [(0, "INFO"), (1, "WARNING"), (1, "INFO"), (2, "CRITICAL")]:
        body = {
            "title": "Something",
            "type": "SYSTEM_EVENT",
            "severity": severity,
            "entityType": "client",
            "entityId": crew.places[crew.positions[0]].client,
            "action": "x",
        }
        with later(days=by):
            crew.done("recordActivity", body=body)
    roll_up(crew.organization.id, "activities")
    seen = stored(crew.organization.id)
    conditions: list[Any] = [
        [],
        where("type", "eq", "SYSTEM_EVENT"),
        where("type", "ne", "SYSTEM_EVENT"),
        where("severity", "in", ["WARNING", "CRITICAL"]),
        where("severity", "notIn", ["WARNING", "CRITICAL"]),
        where("entityType", "eq", "client"),
        where("severity", "eq", "INFO") + where("type", "eq", "SYSTEM_EVENT"),
    ]
    for day, expected in [("15", [1, 1, 0, 0, 1, 1, 1]), ("16", [2, 2, 0, 1, 1, 2, 1]), ("17", [1, 1, 0, 1, 0, 1, 0])]:
        queries = [simple("activities", period=days(f"2026-06-{day}"), where=condition) for condition in conditions]
        assert values(seen, "2026-06-20T00:00Z", queries) == expected
    so_far = [snapshot("activities", period=days(f"2026-06-{day}")) for day in (14, 15, 16, 17)]
    assert values(seen, "2026-06-20T00:00Z", so_far) == [0, 1, 3, 4]
