"""Groups: the values of a dimension with their names and numbers, from buckets and from row scans alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.core.money import Money
from chalicelib.metrics.engine import group_by
from chalicelib.models.organizations import StoredOrganization
from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.client_hooks import recorded
from tests.support.frozen_time import later, standing_still
from tests.support.measuring import Json, days, outcome, roll_up, simple, snapshot, stored, sync_entities, total, where
from tests.support.shift_helpers import Crew, minute_of

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = "2026-06-30T00:00Z"
BUCKETS, SCAN = group_by.MAX_GROUPS, 0


@pytest.fixture(autouse=True)
def _june() -> Iterator[None]:
    with standing_still(START):
        yield


@pytest.fixture(scope="module")
def crew(api: Api) -> Crew:
    """A crew with shifts of 2, 4 and 6 hours at three positions, a cancelled one of 8 hours and a future one."""
    euros = {date(2020, 1, 1): Money(amount=1000, currency="EUR")}
    with standing_still(START):
        crew = Crew.hired(api, rates=[{}, {}, euros, {}, euros])
        for number, name in enumerate(["Zoo", "ärztehaus", "Berg"]):
            crew.done("updatePosition", path={"id": crew.positions[number]}, body={"name": name})
        ids = []
        for worker, position, day, hours in [(0, 0, 2, 2), (0, 1, 3, 4), (1, 2, 4, 6), (1, 2, 5, 8)]:
            start = minute_of(f"2026-06-{day:02}T08:00Z")
            ids.append(crew.assign(worker, position, start, start + 60 * hours))
        ids.append(crew.assign(1, 2, minute_of("2026-07-01T08:00Z"), None))
        crew.cancel(ids[3])
        sync_entities(crew.organization.id, "assignments", ids)
        roll_up(crew.organization.id, "positions", "users")
    return crew


@pytest.fixture(params=[BUCKETS, SCAN], ids=["buckets", "scan"])
def most(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the test with groups from buckets and from row scans: the results are equal."""
    monkeypatch.setattr(group_by, "MAX_GROUPS", request.param)
    maximum: int = request.param
    return maximum


def _groups(organization: StoredOrganization, query: Json, at: str = LATER) -> list[tuple[str, str, Decimal | None]]:
    result = outcome(organization, at, query)
    assert result.error is None
    return [(group.key, group.label, group.value) for group in result.groups]


def _without_zero(groups: list[tuple[str, str, Decimal | None]]) -> list[tuple[str, str, Decimal | None]]:
    """Remove groups of 0: buckets give one for every entity, a row scan only for entities with rows."""
    return [group for group in groups if group[2] != 0]


@pytest.mark.usefixtures("most")
def test_positions_come_by_name_with_their_hours(crew: Crew, seen: StoredOrganization) -> None:
    zoo, clinic, berg = crew.positions
    query = total("hours", groupBy=["positionId"])
    assert _groups(seen, query) == [(clinic, "ärztehaus", 4), (berg, "Berg", 6), (zoo, "Zoo", 2)]
    assert outcome(seen, LATER, query).value == 12


@pytest.mark.usefixtures("most")
@pytest.mark.parametrize(
    ("dimension", "expected"),
    [("clientId", [6, 6]), ("workLocationId", [2, 4, 6]), ("workerId", [6, 6]), ("positionId", [2, 4, 6])],
)
def test_every_dimension_has_names(crew: Crew, seen: StoredOrganization, dimension: str, expected: list[int]) -> None:
    groups = _groups(seen, total("hours", groupBy=[dimension]))
    assert sorted(number for *_, number in groups if number is not None) == expected
    names = {**crew.names, **dict(zip(crew.positions, ["Zoo", "ärztehaus", "Berg"], strict=True))}
    assert {key: label for key, label, _ in groups} == {key: names[key] for key, *_ in groups}


@pytest.mark.usefixtures("most")
def test_money_of_a_group_without_rates_is_none(crew: Crew, seen: StoredOrganization) -> None:
    zoo, clinic, berg = crew.positions
    groups = {key: number for key, _, number in _groups(seen, total("billed", groupBy=["positionId"]))}
    assert groups == {zoo: 20, clinic: None, berg: 60}


@pytest.mark.usefixtures("most")
@pytest.mark.parametrize("kind", [simple, snapshot])
def test_states_are_groups_too(seen: StoredOrganization, kind: Any) -> None:
    at = "2026-06-04T09:00Z"
    query = kind("assignments", groupBy=["status"], period="this_month")
    expected = {"scheduled": 1, "active": 1, "completed": 2, "cancelled": 1}
    groups = _without_zero(_groups(seen, query, at))
    assert groups == [(state, state, number) for state, number in expected.items()]
    assert [state for state, *_ in _without_zero(_groups(seen, {**query, "period": "today"}, LATER))] == (
        ["scheduled"] if kind is simple else ["scheduled", "completed", "cancelled"]
    )


@pytest.mark.usefixtures("most")
def test_states_of_one_position_and_some_states(crew: Crew, seen: StoredOrganization) -> None:
    berg = where("positionId", "eq", crew.positions[2])
    query = simple("assignments", groupBy=["status"], where=berg)
    assert _without_zero(_groups(seen, query)) == [
        ("scheduled", "scheduled", 1),
        ("completed", "completed", 1),
        ("cancelled", "cancelled", 1),
    ]
    some = berg + where("status", "in", ["completed", "active"])
    assert _without_zero(_groups(seen, {**query, "where": some})) == [("completed", "completed", 1)]
    assert [key for key, *_ in _groups(seen, {**query, "where": some})] in (["completed"], ["active", "completed"])


@pytest.mark.usefixtures("most")
def test_hours_by_state_are_of_assignments_in_that_state_at_the_end(seen: StoredOrganization) -> None:
    groups = _groups(seen, total("hours", groupBy=["status"]), "2026-06-04T09:00Z")
    assert groups == [("active", "active", 1), ("completed", "completed", 6)]


@pytest.mark.usefixtures("most")
@pytest.mark.parametrize(
    ("op", "chosen", "expected"),
    [("eq", [0], [0]), ("in", [0, 2], [2, 0]), ("ne", [0], [1, 2]), ("notIn", [0, 1], [2]), ("notIn", [0, 1, 2], [])],
)
def test_values_that_conditions_exclude_are_no_groups(
    crew: Crew, seen: StoredOrganization, op: str, chosen: list[int], expected: list[int]
) -> None:
    chosen_ids: Any = [crew.positions[number] for number in chosen]
    conditions = where("positionId", op, chosen_ids if op in {"in", "notIn"} else chosen_ids[0])
    hours = {crew.positions[number]: 2 * number + 2 for number in range(3)}
    groups = _groups(seen, total("hours", groupBy=["positionId"], where=conditions))
    assert [(key, number) for key, _, number in groups] == [
        (crew.positions[number], hours[crew.positions[number]]) for number in expected
    ]


@pytest.mark.usefixtures("most")
def test_conditions_on_another_dimension_narrow_each_group(crew: Crew, seen: StoredOrganization) -> None:
    mehmet = where("workerId", "eq", crew.workers[0])
    groups = _groups(seen, total("hours", groupBy=["clientId"], where=mehmet))
    assert [(key, number) for key, _, number in groups] == [(crew.places[crew.positions[0]].client, 6)]


@pytest.mark.usefixtures("most")
def test_flags_and_roles_are_groups(api: Api) -> None:
    crew = Crew.hired(api)
    for role, count in [(Role.MEMBER, 2), (Role.VIEWER, 1)]:
        for _ in range(count):
            crew.organization.enrol(role)
    with later(hours=1):
        crew.done("updatePosition", path={"id": crew.positions[1]}, body={"isActive": False, "headcount": 4})
        leaver = crew.organization.enrol(Role.MEMBER).user
        crew.done("deactivateUser", path={"userId": leaver.id})
        roll_up(crew.organization.id, "users", "positions")
    seen = stored(crew.organization.id)
    roles = [("OWNER", 1), ("MEMBER", 3), ("VIEWER", 1)]
    for query, expected in [
        (snapshot("users", groupBy=["role"]), roles),
        (simple("users", groupBy=["role"]), roles),
        (simple("users", field="acceptedAt", groupBy=["role"]), roles),
        (snapshot("users", groupBy=["status"]), [("ACTIVE", 4), ("DEACTIVATED", 1)]),
        (snapshot("users", groupBy=["isActive"]), [("true", 4), ("false", 1)]),
        (snapshot("positions", groupBy=["isActive"]), [("true", 2), ("false", 1)]),
        (snapshot("positions", "headcount", groupBy=["isActive"]), [("true", 2)]),
        (snapshot("positions", groupBy=["isOpen"]), [("true", 2), ("false", 1)]),
        (snapshot("positions", groupBy=["isOpen"], where=where("isActive", "eq", False)), [("false", 1)]),
        (snapshot("positions", groupBy=["isOpen"], where=where("isOpen", "ne", False)), [("true", 2)]),
        (snapshot("positions", "headcount", groupBy=["isOpen"]), [("true", 2)]),
    ]:
        groups = _without_zero(_groups(seen, query, "2026-06-01T14:00Z"))
        assert [(key, number) for key, _, number in groups] == expected, query
        assert all(key == label for key, label, _ in groups)


@pytest.mark.usefixtures("most")
def test_activities_by_type(api: Api) -> None:
    crew = Crew.hired(api)
    entity = {"entityType": "client", "entityId": crew.places[crew.positions[0]].client, "action": "x"}
    for kind in ("SYSTEM_EVENT", "WORKFLOW_UPDATE", "SYSTEM_EVENT"):
        crew.done("recordActivity", body={"title": "Something", "type": kind, "severity": "INFO", **entity})
    roll_up(crew.organization.id, "activities")
    groups = _groups(stored(crew.organization.id), simple("activities", groupBy=["type"]))
    assert [(key, number) for key, _, number in _without_zero(groups)] == [("SYSTEM_EVENT", 2), ("WORKFLOW_UPDATE", 1)]


def test_a_deleted_worker_keeps_the_name(api: Api) -> None:
    crew = Crew.hired(api)
    start = minute_of("2026-05-04T08:00Z")
    crew.assign(0, 0, start, start + 60)
    crew.done("deleteWorker", path={"id": crew.workers[0]})
    sync_entities(crew.organization.id, "assignments", list(crew.shifts))
    query = total("hours", groupBy=["workerId"], period=days("2026-05-04"))
    groups = _without_zero(_groups(stored(crew.organization.id), query))
    assert groups == [(crew.workers[0], crew.names[crew.workers[0]], 1)]


def test_more_values_than_the_limit_need_a_row_scan(
    crew: Crew, seen: StoredOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = total("hours", groupBy=["positionId"])
    entities = f"ORG#{crew.organization.id}#ASSIGNMENT"
    for most, scans in [(3, False), (2, True)]:
        monkeypatch.setattr(group_by, "MAX_GROUPS", most)
        with recorded() as recording:
            assert [number for *_, number in _groups(seen, query)] == [4, 6, 2]
        assert (entities in {pk for call in recording.calls for pk in call.partitions()}) is scans
    # Only values that satisfy the conditions count towards the limit
    some = {**query, "where": where("positionId", "in", crew.positions[:2])}
    with recorded() as recording:
        assert [number for *_, number in _groups(seen, some)] == [4, 2]
    assert entities not in {pk for call in recording.calls for pk in call.partitions()}


def test_up_to_fifty_values_are_read_from_buckets() -> None:
    assert group_by.MAX_GROUPS == 50


@pytest.mark.usefixtures("most")
def test_groups_are_of_the_current_period(crew: Crew, seen: StoredOrganization) -> None:
    query = total("hours", groupBy=["workerId"], period=days("2026-06-04", "2026-06-05"), compare="previous_period")
    result = outcome(seen, LATER, query)
    assert (result.value, result.previous) == (6, 6)
    assert [(group.key, group.value) for group in result.groups if group.value] == [(crew.workers[1], 6)]
