"""Rollups of tracked time follow sessions, timers, rates and clients, in any order of deliveries."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from chalicelib.jobs import metrics_queue, reconciliation, repricing
from chalicelib.jobs.changes import Change
from chalicelib.metrics.rollups import reconcile
from chalicelib.metrics.rollups.apply import sync_entity
from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.client_hooks import overtaken, recorded, without_waiting
from tests.support.deliveries import Deliveries
from tests.support.factories import Member, Organization, new_organization, unique
from tests.support.frozen_time import later, standing_still
from tests.support.measuring import days, outcome, simple, snapshot, stored, values, where
from tests.support.project_helpers import new_project
from tests.support.queue_events import failed
from tests.support.rollup_state import (
    buckets,
    calls_of,
    change_of,
    changes_of,
    cut_off,
    deaths,
    expected_buckets,
    roll_up,
    stored_rollups,
)
from tests.support.staffing import created
from tests.support.store import Store
from tests.support.time_helpers import NOON, at, pauses, tracked

Json = dict[str, Any]

SOURCE = "timeSessions"


@pytest.fixture(autouse=True)
def _noon(table: Store, deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stop the clock, and restore table and queue after each test."""
    monkeypatch.setattr(reconcile, "_PATIENCE_SECONDS", 0)
    before = table.items()
    with standing_still(NOON):
        yield
    table.restore(before)
    deliveries.messages()


@pytest.fixture
def team(api: Api) -> Organization:
    return new_organization(api, timezone="UTC")


def _rate(owner: Member, level: str, day: str, amount: int | None, **path: Any) -> None:
    whole = {"effectiveFrom": day, **{name: str(id_) for name, id_ in path.items()}}
    if amount is None:
        assert owner.call(f"delete{level}Rate", path=whole).status == 200
    else:
        body = {"amount": amount, "currency": "EUR"}
        assert owner.call(f"set{level}Rate", path=whole, body=body).status == 200


def _sums(team: Organization, instant: str, *conditions: Json) -> list[Decimal | None]:
    """Return count, hours, billable hours, money and unpriced hours of the day of noon."""
    forms = [("count", None), *(("sum", name) for name in ("hours", "billableHours", "billed", "unpricedHours"))]
    queries = [
        simple(SOURCE, aggregate, field, period=days("2026-06-15"), where=list(conditions))
        for aggregate, field in forms
    ]
    return values(stored(team.id), instant, queries)


def _changes(table: Store, act: Callable[[], Any]) -> list[Change]:
    """Return the changes of sessions and timers."""
    return [row for row in changes_of(table, act) if row.entity and row.entity.kind in {"TIMESESSION", "TIMER"}]


# -- sessions and timers ---------------------------------------------------------------------------------------------


def test_pauses_do_not_count(team: Organization, table: Store) -> None:
    owner = team.owner
    _rate(owner, "Organization", "2020-01-01", 6000)
    act = lambda: tracked(owner, -120, -30, billable=True, pauses=pauses((-100, -90), (-80, -70)))  # noqa: E731  sent later, and again
    roll_up(*_changes(table, act))
    assert _sums(team, at(0)) == [1, Decimal("1.17"), Decimal("1.17"), 70, 0]
    # In a pause, at work, and after the end: the session exists, and its time stands still
    assert _sums(team, at(-95)) == _sums(team, at(-90)) == [1, Decimal("0.33"), Decimal("0.33"), 20, 0]
    assert values(stored(team.id), at(-95), [snapshot(SOURCE)]) == [1]
    assert values(stored(team.id), at(-30), [snapshot(SOURCE)]) == [0]


def test_a_session_over_midnight_counts_once_and_is_split_by_day_and_rate(team: Organization, table: Store) -> None:
    _rate(team.owner, "Organization", "2026-06-01", 6000)
    _rate(team.owner, "Organization", "2026-06-15", 9000)
    roll_up(*_changes(table, lambda: tracked(team.owner, -780, -660, billable=True)))  # 23:00 to 1:00
    periods = [days("2026-06-14"), days("2026-06-15"), days("2026-06-14", "2026-06-15")]
    counts = [simple(SOURCE, period=period) for period in periods]
    money = [simple(SOURCE, "sum", "billed", period=period) for period in periods]
    averages = [simple(SOURCE, "avg", "hours", period=period) for period in periods]
    assert values(stored(team.id), at(0), counts) == [1, 0, 1]
    assert values(stored(team.id), at(0), money) == [60, 90, 150]
    assert values(stored(team.id), at(0), averages) == [1, 1, 2]


def test_billable_time_combines_with_groups_without_a_scan(team: Organization, table: Store) -> None:
    owner = team.owner
    client = created(owner, "createClient", name=unique("Client"))["id"]
    project = new_project(owner, clientId=client)["id"]

    def act() -> None:
        tracked(owner, -60, 0, projectId=project, billable=True)
        tracked(owner, -150, -60, projectId=project, billable=False)
        tracked(owner, -210, -150, billable=True)

    roll_up(*_changes(table, act))
    for dimension, key in (("projectId", project), ("clientId", client), ("userId", str(owner.user.id))):
        query = simple(SOURCE, "sum", "hours", groupBy=[dimension], where=where("billable", "eq", False))
        with recorded() as recording:
            (group,) = [row for row in _groups(team, query) if row[1]]
        assert group == (key, Decimal("1.5"))
        assert not [call for call in recording.calls if any(pk.endswith("#TIMESESSION") for pk in call.partitions())]
    assert _groups(team, simple(SOURCE, "sum", "hours", groupBy=["billable"])) == [
        ("true", 2),
        ("false", Decimal("1.5")),
    ]
    assert _sums(team, at(0), *where("projectId", "isNotSet"))[:2] == [1, 1]
    assert _sums(team, at(0), *where("clientId", "isSet"))[:2] == [2, Decimal("2.5")]


def _groups(team: Organization, query: Json) -> list[tuple[str, Decimal | None]]:
    result = outcome(stored(team.id), at(0), query)
    assert result.error is None
    return [(group.key, group.value) for group in result.groups]


def test_a_running_timer_is_an_open_span(team: Organization, table: Store) -> None:
    owner = team.owner
    with later(minutes=-90):
        roll_up(*_changes(table, lambda: owner.post("startTimer")))
    assert _sums(team, at(0))[:2] == [1, Decimal("1.5")]
    assert values(stored(team.id), at(600), [snapshot(SOURCE)]) == [1]
    with later(minutes=-60):
        roll_up(*_changes(table, lambda: owner.post("pauseTimer")))
    assert _sums(team, at(0))[:2] == [1, Decimal("0.5")]
    with later(minutes=-30):
        roll_up(*_changes(table, lambda: owner.post("resumeTimer")))
    assert _sums(team, at(0))[:2] == [1, 1]
    roll_up(*_changes(table, lambda: owner.call("discardTimer")))
    assert stored_rollups(table, team.id) == {}


def _stopped(owner: Member) -> None:
    assert owner.post("stopTimer").status == 200


def _switched(owner: Member) -> None:
    assert owner.post("startTimer", stopRunning=True).status == 201


@pytest.mark.parametrize("end", [_stopped, _switched])
def test_a_timer_that_becomes_a_session_leaves_the_sums(
    team: Organization, table: Store, end: Callable[[Member], None]
) -> None:
    """Whichever of the transaction's changes comes first, and however often."""
    owner = team.owner
    with later(minutes=-90):
        roll_up(*_changes(table, lambda: owner.post("startTimer")))
    changes = _changes(table, lambda: end(owner))
    assert len(changes) == 2
    running, expected = table.items(), _sums(team, at(0))[1:]
    assert expected[0] == Decimal("1.5")
    for order in itertools.permutations(changes):
        table.restore(running)
        for change in (*order, *order):
            roll_up(change)
            # Never twice, never missing
            assert _sums(team, at(0))[1:] == expected
        assert buckets(table, team.id, SOURCE) == expected_buckets(team.id, SOURCE)


def test_a_consumer_that_dies_changes_nothing_in_the_result(team: Organization, table: Store) -> None:
    owner = team.owner
    _rate(owner, "Organization", "2020-01-01", 6000)
    with later(minutes=-90):
        roll_up(*_changes(table, lambda: owner.post("startTimer", billable=True)))
    changes = _changes(table, lambda: _stopped(owner))
    before = table.items()
    operations = calls_of(lambda: roll_up(*changes))
    undisturbed = stored_rollups(table, team.id)
    for fault in deaths(operations):
        table.restore(before)
        cut_off(lambda: roll_up(*changes), fault)
        roll_up(*changes)
        assert stored_rollups(table, team.id) == undisturbed, fault


@pytest.mark.parametrize("read", [1, 2, 3])
def test_a_timer_that_stops_while_it_is_read_is_not_missed(team: Organization, table: Store, read: int) -> None:
    owner = team.owner
    with later(minutes=-90):
        (started,) = _changes(table, lambda: owner.post("startTimer"))
        roll_up(started)
    with overtaken(lambda: _stopped(owner), read, "BatchGetItem") as answers:
        roll_up(started)
    assert answers == [None]
    assert _sums(team, at(0))[:2] == [1, Decimal("1.5")]


@pytest.mark.parametrize("level", ["Organization", "Member", "Project", "ProjectMember"])
def test_a_sync_overtaken_by_a_change_of_rates_reads_again(team: Organization, table: Store, level: str) -> None:
    owner = team.owner
    project = new_project(owner)["id"]
    path = {"id": project, "userId": owner.user.id}
    assert owner.call("addProjectMember", path={name: str(id_) for name, id_ in path.items()}).status == 200
    for unused in {"Organization": ("id", "userId"), "Member": ("id",), "Project": ("userId",)}.get(level, ()):
        del path[unused]
    changes = _changes(table, lambda: tracked(owner, -60, 0, projectId=project, billable=True))
    with without_waiting(), overtaken(lambda: _rate(owner, level, "2026-01-01", 4000, **path)) as answers:
        roll_up(*changes)
    assert answers == [None]
    assert _sums(team, at(0)) == [1, 1, 1, 40, 0]


def test_a_timer_is_found_without_its_event(team: Organization, table: Store) -> None:
    owner = team.owner
    timer = owner.post("startTimer").data["timer"]["id"]
    assert sync_entity(team.id, SOURCE, UUID(timer))
    assert buckets(table, team.id, SOURCE) == expected_buckets(team.id, SOURCE)
    assert not sync_entity(team.id, SOURCE, UUID(timer))


def test_lost_events_are_found_at_night(team: Organization, table: Store, deliveries: Deliveries) -> None:
    owner, member = team.owner, team.member(Role.MEMBER)
    with later(minutes=-90):
        roll_up(*_changes(table, lambda: (owner.post("startTimer"), tracked(member, -60, 0))))
    owner.call("discardTimer")
    member.post("startTimer")
    deliveries.changes()
    reconciliation.schedule([team.id])
    while messages := deliveries.messages():
        assert failed(metrics_queue.work, *messages) == []
    assert buckets(table, team.id, SOURCE) == expected_buckets(team.id, SOURCE)
    assert _sums(team, at(1))[:2] == [2, Decimal("1.02")]


def test_a_user_who_is_deactivated_ends_their_timer(team: Organization, table: Store) -> None:
    member = team.member(Role.MEMBER)
    with later(minutes=-90):
        roll_up(*_changes(table, lambda: member.post("startTimer")))
    path = {"userId": str(member.user.id)}
    roll_up(*_changes(table, lambda: team.owner.call("deactivateUser", path=path)))
    assert _sums(team, at(60))[:2] == [1, Decimal("1.5")]


def test_rates_are_read_once_for_many_sessions(team: Organization, table: Store) -> None:
    """Rates are read by their keys for few pairs of user and project, else with all of the organization's."""
    owner = team.owner
    _rate(owner, "Organization", "2020-01-01", 6000)
    projects = [new_project(owner)["id"] for _ in range(12)]
    act = lambda: [tracked(owner, -60, 0, projectId=project, billable=True) for project in projects]  # noqa: E731  sent later, and again
    changes = _changes(table, act)
    reads = []
    for some in (changes[:9], changes[9:], changes):
        operations = calls_of(lambda some=some: roll_up(*some))
        reads.append([operations.count(name) for name in ("BatchGetItem", "Query")])
    assert reads[0][1] == 0
    assert max(reads[0][0], reads[2][0]) <= 6
    assert _sums(team, at(0)) == [12, 12, 12, 720, 0]


# -- rates and clients -----------------------------------------------------------------------------------------------


def _enqueued(table: Store, deliveries: Deliveries, act: Callable[[], Any]) -> list[Json]:
    for change in changes_of(table, act):
        repricing.enqueue(change)
    return deliveries.messages()


def _process(deliveries: Deliveries, messages: list[Json]) -> set[str]:
    """Process messages and their successors; return the ids of the entities that were synced."""
    with recorded() as recording, without_waiting():
        while messages:
            for message in messages:
                repricing.work(message)
            messages = deliveries.messages()
    keys = [
        key
        for call in recording.calls
        if call.operation == "BatchGetItem"
        for (named,) in [call.parameters["RequestItems"].values()]
        for key in named["Keys"]
    ]
    return {key["sk"]["S"] for key in keys if key["pk"]["S"].endswith("#APPLIED#TIMESESSIONS")}


@pytest.mark.parametrize("level", ["Organization", "Member", "Project", "ProjectMember"])
def test_a_rate_reprices_its_days_and_no_others(
    team: Organization, table: Store, deliveries: Deliveries, level: str
) -> None:
    # Given sessions of two users and two projects on three days, and timers
    owner, member = team.owner, team.member(Role.MEMBER)
    projects = [new_project(owner)["id"] for _ in range(2)]
    body = {"id": projects[0], "userId": str(member.user.id)}
    assert owner.call("addProjectMember", path=body).status == 200
    path = {
        "Organization": {},
        "Member": {"userId": member.user.id},
        "Project": {"id": projects[0]},
        "ProjectMember": {"id": projects[0], "userId": member.user.id},
    }[level]
    _rate(owner, level, "2026-06-15", 1000, **path)
    ids: dict[str, tuple[Member, str]] = {}

    def act() -> None:
        for person, project, day in itertools.product((owner, member), projects, (-2, -1, 0)):
            start = day * 24 * 60 - 120
            row = tracked(person, start, start + 60, projectId=project, billable=True)
            ids[row["id"]] = person, project
            if day == -1:
                concerned.add(row["id"])
        for person, project in ((owner, projects[1]), (member, projects[0])):
            timer = person.post("startTimer", projectId=project, billable=True, startAt=at(-1430)).data["timer"]["id"]
            ids[timer] = person, project
            concerned.add(timer)

    concerned: set[str] = set()
    roll_up(*_changes(table, act))
    # When a rate is set for the day before that of the rate there is
    messages = _enqueued(table, deliveries, lambda: _rate(owner, level, "2026-06-14", 2000, **path))
    synced = _process(deliveries, messages)
    # Then the sessions of that day, and the timers that ran then, are synced
    matching = {
        identifier
        for identifier in concerned
        if ("userId" not in path or ids[identifier][0] is member)
        and ("id" not in path or ids[identifier][1] == projects[0])
    }
    assert synced == matching
    assert buckets(table, team.id, SOURCE) == expected_buckets(team.id, SOURCE)
    query = simple(SOURCE, "sum", "billed", period=days("2026-06-14"))
    (billed,) = values(stored(team.id), at(0), [query])
    assert billed
    # And when the rates are deleted, one after the other, there is no amount
    for day in ("2026-06-14", "2026-06-15"):
        messages = _enqueued(table, deliveries, lambda day=day: _rate(owner, level, day, None, **path))
        _process(deliveries, messages)
    assert buckets(table, team.id, SOURCE) == expected_buckets(team.id, SOURCE)
    assert values(stored(team.id), at(0), [query]) == [None]


def test_many_sessions_and_timers_are_repriced_page_by_page(
    team: Organization, table: Store, deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repricing, "_A_MESSAGE", 1)
    people = [team.owner, team.member(Role.MEMBER), team.member(Role.ADMIN)]

    def act() -> None:
        for person in people:
            tracked(person, -60, 0, billable=True)
            person.post("startTimer", billable=True, startAt=at(-60))

    roll_up(*_changes(table, act))
    messages = _enqueued(table, deliveries, lambda: _rate(team.owner, "Organization", "2026-06-01", 1000))
    assert [message["entities"] for message in messages] == ["timeSessions", "timers"]
    repricing.work(messages[1])
    repricing.work(messages[1])  # twice is as good as once
    assert len(_process(deliveries, [messages[0], *deliveries.messages()])) == 5
    assert _sums(team, at(0))[3] == 60


def test_a_project_takes_its_time_to_another_client(team: Organization, table: Store, deliveries: Deliveries) -> None:
    owner = team.owner
    clients = [created(owner, "createClient", name=unique("Client"))["id"] for _ in range(2)]
    project = new_project(owner, clientId=clients[0])["id"]

    def act() -> None:
        tracked(owner, -600, -540, projectId=project)
        owner.post("startTimer", projectId=project, startAt=at(-60))

    roll_up(*_changes(table, act))
    hours = [simple(SOURCE, "sum", "hours", where=where("clientId", "eq", client)) for client in clients]
    assert values(stored(team.id), at(0), hours) == [2, 0]
    rename = lambda: owner.call_on("updateProject", project, body={"name": unique("Renamed")})  # noqa: E731  sent later, and again
    assert _enqueued(table, deliveries, rename) == []
    move = lambda: owner.call_on("updateProject", project, body={"clientId": clients[1]})  # noqa: E731  sent later, and again
    _process(deliveries, _enqueued(table, deliveries, move))
    assert values(stored(team.id), at(0), hours) == [0, 2]
    assert buckets(table, team.id, SOURCE) == expected_buckets(team.id, SOURCE)


def test_a_description_costs_no_write(team: Organization, table: Store) -> None:
    owner = team.owner
    session: list[str] = []
    roll_up(change_of(table, "TIMESESSION", lambda: session.append(tracked(owner, -60, 0)["id"])))
    update = lambda: owner.call_on("updateTimeSession", session[0], body={"description": "Wareneingang"})  # noqa: E731  sent later, and again
    change = change_of(table, "TIMESESSION", update)
    assert "TransactWriteItems" not in calls_of(lambda: roll_up(change))
