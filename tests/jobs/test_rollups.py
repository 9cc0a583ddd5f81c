"""Rollups follow the stream: they match the entities after repeated, reordered and interrupted deliveries."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core import ids
from chalicelib.core.errors import ActionError, ErrorCode
from chalicelib.core.ids import OrganizationId
from chalicelib.core.money import Money
from chalicelib.dal import keys
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import MAX_WRITES
from chalicelib.jobs import rollups
from chalicelib.jobs.changes import Change, Kind
from chalicelib.jobs.deadline import MARGIN_MILLISECONDS, Deadline
from chalicelib.metrics.rollups.apply import sync, sync_entity
from chalicelib.models.users import Role
from infra.local.stack import Stack
from tests.support.api import Api
from tests.support.client_hooks import CLIENT, Call, Fault, Refusal, broken, overtaken, recorded, without_waiting
from tests.support.measuring import days, stored, total, value
from tests.support.measuring import roll_up as roll_up_all
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
from tests.support.shift_helpers import Crew, minute_of
from tests.support.store import Store
from tests.support.threads import at_once

EIGHT = minute_of("2030-03-04T08:00Z")  # in the future
DAY = 24 * 60


@pytest.fixture(autouse=True)
def _restored(table: Store) -> Iterator[None]:
    """Restore the table after each test: each call of moto reads all items."""
    before = table.items()
    yield
    table.restore(before)


@pytest.fixture
def crew(api: Api) -> Crew:
    return Crew.hired(api, rates=[{}, {}, {date(2020, 1, 1): Money(amount=4000, currency="EUR")}])


def _reads(change: Change) -> int:
    """Return the number of requests that a change causes."""
    with recorded() as recording:
        roll_up(change)
    return len(recording.calls)


# -- which changes ---------------------------------------------------------------------------------------------------


def test_an_entity_is_synced_from_its_start_to_its_end(crew: Crew, table: Store) -> None:
    organization, assignments = crew.organization.id, []
    for act in (
        lambda: assignments.append(crew.assign(0, 0, EIGHT, EIGHT + 480)),
        lambda: crew.move(assignments[0], 2),
        lambda: crew.end(assignments[0], EIGHT + 60),
        lambda: crew.delete(assignments[0]),
    ):
        roll_up(change_of(table, "ASSIGNMENT", act))
        assert buckets(table, organization, "assignments") == expected_buckets(organization, "assignments")
    assert stored_rollups(table, organization) == {}


def test_a_change_without_level_changes_costs_no_write(crew: Crew, table: Store) -> None:
    created = change_of(table, "CLIENT", lambda: crew.done("createClient", body={"name": "Another"}))
    assert calls_of(lambda: roll_up(created)) == ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]
    # A name is not measured
    client = created.key.sk
    renamed = change_of(
        table, "CLIENT", lambda: crew.done("updateClient", path={"id": client}, body={"name": "Renamed"})
    )
    assert calls_of(lambda: roll_up(renamed)) == ["BatchGetItem", "BatchGetItem"]
    # Of its work locations, only whether there are any
    for number, writes in enumerate((["TransactWriteItems"], [])):
        body = {"clientId": client, "name": f"Location {number}"}
        counted = change_of(table, "CLIENT", lambda body=body: crew.done("createWorkLocation", body=body))
        assert calls_of(lambda counted=counted: roll_up(counted)) == ["BatchGetItem", "BatchGetItem", *writes]


def test_assignments_sync_their_positions_and_only_first_ones_their_workers(crew: Crew, table: Store) -> None:
    roll_up_all(crew.organization.id)
    first = changes_of(table, lambda: crew.assign(0, 0, EIGHT, EIGHT + 480))
    assert "WORKER" in [change.entity.kind for change in first if change.entity is not None and _reads(change)]
    changes = changes_of(table, lambda: crew.assign(0, 0, EIGHT, EIGHT + 480))
    kinds = {change.entity.kind for change in changes if change.entity is not None}
    assert kinds >= {"ASSIGNMENT", "POSITION", "WORKER"}
    synced = [change.entity.kind for change in changes if change.entity is not None and _reads(change)]
    assert sorted(synced) == ["ASSIGNMENT", "POSITION"]
    assert buckets(table, crew.organization.id, "positions") == expected_buckets(crew.organization.id, "positions")


def test_derived_items_sync_nothing(crew: Crew, table: Store) -> None:
    crew.assign(0, 0, EIGHT, EIGHT + 480)
    derived = changes_of(table, lambda: roll_up_all(crew.organization.id))
    assert len(derived) > 20
    assert not [change.key for change in derived if _reads(change)]


def test_an_unknown_entity_leaves_nothing(crew: Crew, table: Store) -> None:
    assert sync_entity(crew.organization.id, "assignments", ids.new_id()) is False
    assert stored_rollups(table, crew.organization.id) == {}


# -- repeated, reordered, interrupted --------------------------------------------------------------------------------


def _assigned(crew: Crew) -> Callable[[], Any]:
    return lambda: crew.assign(0, 0, EIGHT, EIGHT + 3 * DAY)


def _moved(crew: Crew) -> Callable[[], Any]:
    assignment = crew.assign(0, 0, EIGHT, EIGHT + 2 * DAY)
    roll_up_all(crew.organization.id, "assignments")
    return lambda: crew.move(assignment, 2)


def _deleted(crew: Crew) -> Callable[[], Any]:
    assignment = crew.assign(0, 0, EIGHT, None)
    roll_up_all(crew.organization.id, "assignments")
    return lambda: crew.delete(assignment)


def _filled(crew: Crew) -> Callable[[], Any]:
    roll_up_all(crew.organization.id, "positions")
    return lambda: crew.assign(0, 0, EIGHT, EIGHT + 480)


def _left(crew: Crew) -> Callable[[], Any]:
    leaver = crew.organization.enrol(Role.MEMBER).user
    roll_up_all(crew.organization.id, "users")
    return lambda: crew.done("deactivateUser", path={"userId": leaver.id})


@pytest.fixture
def small_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a few level changes take several transactions."""
    monkeypatch.setattr("chalicelib.models.rollups.rollups.MAX_WRITES", 16)


@pytest.mark.usefixtures("small_transactions")
@pytest.mark.parametrize(
    ("source", "happens", "transactions"),
    [
        ("assignments", _assigned, 2),
        ("assignments", _moved, 4),
        ("assignments", _deleted, 1),
        ("positions", _filled, 2),
        ("users", _left, 1),
    ],
)
def test_an_interrupted_and_repeated_sync_has_the_same_effect(
    crew: Crew, table: Store, source: str, happens: Callable[[Crew], Callable[[], Any]], transactions: int
) -> None:
    change = change_of(table, source.upper().removesuffix("S"), happens(crew))
    before = table.items()
    operations = calls_of(lambda: roll_up(change))
    undisturbed = stored_rollups(table, crew.organization.id)
    assert buckets(table, crew.organization.id, source) == expected_buckets(crew.organization.id, source)
    assert operations.count("TransactWriteItems") == transactions
    for fault in deaths(operations, *(() if happens is _assigned else ("TransactWriteItems",))):
        table.restore(before)
        cut_off(lambda: roll_up(change), fault)
        roll_up(change)
        assert stored_rollups(table, crew.organization.id) == undisturbed, fault


@pytest.mark.parametrize("kind", ["request lost", "request lost once", "response lost", "response lost once"])
def test_a_failing_network_has_one_effect(crew: Crew, table: Store, kind: str) -> None:
    change = change_of(table, "ASSIGNMENT", _assigned(crew))
    before = table.items()
    operations = calls_of(lambda: roll_up(change))
    undisturbed = stored_rollups(table, crew.organization.id)
    table.restore(before)
    cut_off(lambda: roll_up(change), Fault(operations.index("TransactWriteItems") + 1, kind))
    roll_up(change)
    assert stored_rollups(table, crew.organization.id) == undisturbed


def test_repeated_and_reordered_changes_have_one_effect(crew: Crew, table: Store) -> None:
    organization, assignments = crew.organization.id, []
    changes = [
        change_of(table, "ASSIGNMENT", act)
        for act in (
            lambda: assignments.append(crew.assign(0, 0, EIGHT, EIGHT + 480)),
            lambda: assignments.append(crew.assign(1, 1, EIGHT, None)),
            lambda: crew.move(assignments[0], 2),
            lambda: crew.end(assignments[1], EIGHT + 60),
            lambda: crew.delete(assignments[0]),
        )
    ]
    for order in (changes[::-1], [*changes[2:], *changes[:3]] * 2):
        for change in order:
            roll_up(change)
        assert buckets(table, organization, "assignments") == expected_buckets(organization, "assignments")


def test_a_repeated_change_costs_reads_only(crew: Crew, table: Store) -> None:
    change = change_of(table, "ASSIGNMENT", _assigned(crew))
    once, again = (calls_of(lambda: roll_up(change)) for _ in range(2))
    reads = ["BatchGetItem"] * 3
    # The last read checks that the rates are unchanged
    assert once == [*reads, "TransactWriteItems", "BatchGetItem"]
    assert again == reads


# -- concurrency -----------------------------------------------------------------------------------------------------


def test_a_sync_overtaken_by_another_reads_again(crew: Crew, table: Store) -> None:
    organization = crew.organization.id
    assignment = UUID(crew.assign(0, 0, EIGHT, EIGHT + 480))
    with without_waiting(), overtaken(lambda: sync_entity(organization, "assignments", assignment)) as answers:
        assert sync_entity(organization, "assignments", assignment) is False
    assert answers == [True]
    assert buckets(table, organization, "assignments") == expected_buckets(organization, "assignments")
    assert value(stored(organization), "2031-01-01T00:00Z", total("hours", period=days("2030-03-04"))) == 8


@pytest.mark.parametrize("entity", ["position", "worker", "organization"])
def test_a_sync_overtaken_by_a_change_of_rates_reads_again(crew: Crew, entity: str) -> None:
    organization = crew.organization.id
    assignment = UUID(crew.assign(0, 0, EIGHT, EIGHT + 480))
    body = {"amount": 5000, "currency": "EUR"}
    change: Callable[[], Any] = {
        "position": lambda: crew.done(
            "setPositionRate", path={"id": crew.positions[0], "effectiveFrom": "2030-01-01"}, body=body
        ),
        "worker": lambda: crew.done(
            "setWorkerRate", path={"id": crew.workers[0], "effectiveFrom": "2030-01-01"}, body=body
        ),
        "organization": lambda: crew.done("updateOrganization", body={"currency": "USD"}),
    }[entity]
    with without_waiting(), overtaken(change):
        assert sync_entity(organization, "assignments", assignment) is True
    amounts = {
        field: value(stored(organization), "2031-01-01T00:00Z", total(field, period=days("2030-03-04")))
        for field in ("billed", "paid")
    }
    assert (
        amounts
        == {
            "position": {"billed": 400, "paid": None},
            "worker": {"billed": 320, "paid": 400},
            "organization": {"billed": None, "paid": None},
        }[entity]
    )


def test_a_sync_that_is_always_overtaken_raises_a_conflict(crew: Crew, table: Store) -> None:
    assignment = UUID(crew.assign(0, 0, EIGHT, EIGHT + 480))
    refusal = Refusal("TransactWriteItems", "TransactionCanceledException", "ConditionalCheckFailed")
    with without_waiting(), broken(refusal) as operations, pytest.raises(ActionError) as raised:
        sync_entity(crew.organization.id, "assignments", assignment)
    assert raised.value.code is ErrorCode.CONFLICT
    assert operations.count("TransactWriteItems") == 6
    assert stored_rollups(table, crew.organization.id) == {}


@pytest.mark.usefixtures("on_a_safe_engine")
def test_concurrent_syncs_of_one_and_many_entities(crew: Crew, table: Store) -> None:
    organization = crew.organization.id
    assignments = [
        UUID(crew.assign(number % 2, number % 3, EIGHT + number, EIGHT + number + 60)) for number in range(6)
    ]
    at_once(
        [
            lambda assignment=assignment: sync_entity(organization, "assignments", assignment)
            for assignment in [*assignments, *assignments[:2] * 2]
        ]
    )
    assert buckets(table, organization, "assignments") == expected_buckets(organization, "assignments")
    assert value(stored(organization), "2031-01-01T00:00Z", total("hours", period=days("2030-03-04"))) == 6


@pytest.mark.usefixtures("on_a_safe_engine")
def test_syncs_during_concurrent_changes(crew: Crew, table: Store) -> None:
    """Each writer syncs after its commit, in any order."""
    organization = crew.organization.id
    assignments = [crew.assign(number % 2, 0, EIGHT, EIGHT + 480) for number in range(3)]

    def price(amount: int) -> None:
        path = {"id": crew.positions[0], "effectiveFrom": "2030-01-01"}
        crew.done("setPositionRate", path=path, body={"amount": amount, "currency": "EUR"})
        for assignment in assignments:
            sync_entity(organization, "assignments", UUID(assignment))

    def shorten(assignment: str, hours: int) -> None:
        crew.end(assignment, EIGHT + 60 * hours)
        sync_entity(organization, "assignments", UUID(assignment))

    def remove(assignment: str) -> None:
        crew.delete(assignment)
        sync_entity(organization, "assignments", UUID(assignment))

    at_once(
        [
            lambda: price(5000),
            lambda: price(6000),
            lambda: shorten(assignments[0], 4),
            lambda: shorten(assignments[1], 2),
            lambda: remove(assignments[2]),
        ]
    )
    assert buckets(table, organization, "assignments") == expected_buckets(organization, "assignments")
    seen, over = stored(organization), days("2030-03-04")
    assert value(seen, "2031-01-01T00:00Z", total("hours", period=over)) == 6
    assert value(seen, "2031-01-01T00:00Z", total("billed", period=over)) in {300, 360}


# -- batches ---------------------------------------------------------------------------------------------------------


def _month(crew: Crew, count: int, worker: int = 0) -> list[str]:
    """Assign one worker on consecutive days, at all three positions."""
    return [
        crew.assign(worker, number % 3, EIGHT + number * DAY, EIGHT + number * DAY + 480 + number)
        for number in range(count)
    ]


def _all_changes(table: Store, *organizations: OrganizationId) -> list[Change]:
    """Return the creation of every entity as changes, alternating between the organizations."""
    entities: dict[OrganizationId, list[Change]] = {organization: [] for organization in organizations}
    for key, item in sorted(table.items().items()):
        change = Change(Kind.INSERT, Key(*key), {}, item)
        if change.entity is not None and change.entity.organization in entities:
            entities[change.entity.organization].append(change)
    return [change for group in itertools.zip_longest(*entities.values()) for change in group if change is not None]


def _tenants(call: Call) -> set[str]:
    return {pk.split("#")[1] for pk in call.partitions()}


def _is_in_step(table: Store, organization: OrganizationId) -> bool:
    sources = ("assignments", "clients", "positions", "users", "workers")
    return all(buckets(table, organization, source) == expected_buckets(organization, source) for source in sources)


def test_a_batch_has_the_same_effect_as_its_single_changes(api: Api, crew: Crew, table: Store) -> None:
    # Given two organizations with assignments for several transactions, some cancelled, deleted or moved
    other = Crew.hired(api, rates=[{}, {}, {date(2020, 1, 1): Money(amount=3000, currency="EUR")}])
    assignments = _month(crew, 30)
    _month(other, 5)
    crew.cancel(assignments[0])
    crew.move(assignments[1], 2)
    changes = _all_changes(table, crew.organization.id, other.organization.id)
    changes += [change_of(table, "ASSIGNMENT", lambda: crew.delete(assignments[2]))]
    before = table.items()
    # When they are delivered in one batch, all of them twice
    with recorded() as recording:
        assert roll_up(*changes, *changes) == set()
    batched = stored_rollups(table, crew.organization.id), stored_rollups(table, other.organization.id)
    # Then the rollups match, as after single deliveries
    assert _is_in_step(table, crew.organization.id)
    assert _is_in_step(table, other.organization.id)
    table.restore(before)
    for change in changes:
        assert roll_up(change) == set()
    assert (stored_rollups(table, crew.organization.id), stored_rollups(table, other.organization.id)) == batched
    # And no transaction has items of two organizations
    assert all(len(_tenants(call)) == 1 for call in recording.calls)
    transactions = [call for call in recording.calls if call.operation == "TransactWriteItems"]
    assert len(transactions) < len(changes) / 3
    assert max(len(call.parameters["TransactItems"]) for call in transactions) <= MAX_WRITES


def test_assignments_of_one_day_and_position_share_a_transaction(crew: Crew, table: Store) -> None:
    organization = crew.organization.id
    ids = []
    for number in range(6):
        start = EIGHT + number * 60
        ids.append(UUID(crew.assign(number % 2, 0, start, start + 50)))
    with recorded() as recording:
        assert sync(organization, "assignments", ids).changed == {*ids}
    reads = ["BatchGetItem"] * 3
    assert recording.operations == [*reads, "TransactWriteItems", "BatchGetItem"]
    (transaction,) = [call for call in recording.calls if call.operation == "TransactWriteItems"]
    kinds = Counter(pk.split("#")[2] for pk in transaction.partitions())
    # For the source: month, day, hours, and the minutes of six hours (and those of the ends); for two workers and one
    # position, location and client: month and day.
    assert kinds == {"APPLIED": 6, "TAG": 1, "ROLLUP": 3 + 6 + 2 * (2 + 3)}
    assert buckets(table, organization, "assignments") == expected_buckets(organization, "assignments")


@pytest.mark.usefixtures("small_transactions")
def test_an_interrupted_and_repeated_batch_has_the_same_effect(crew: Crew, table: Store) -> None:
    assignments = _month(crew, 3)
    roll_up_all(crew.organization.id, "assignments")
    changes = [
        *changes_of(table, lambda: crew.move(assignments[0], 1)),
        *changes_of(table, lambda: crew.delete(assignments[1])),
        *changes_of(table, lambda: _month(crew, 3, worker=1)),
    ]
    before = table.items()
    operations = calls_of(lambda: roll_up(*changes))
    undisturbed = stored_rollups(table, crew.organization.id)
    assert operations.count("TransactWriteItems") > 3
    for fault in deaths(operations):
        table.restore(before)
        cut_off(lambda: roll_up(*changes), fault)
        assert roll_up(*changes) == set()
        assert stored_rollups(table, crew.organization.id) == undisturbed, fault


@pytest.mark.parametrize("kind", ["request lost", "response lost"])
def test_a_batch_with_a_failing_network_is_delivered_again(crew: Crew, table: Store, kind: str) -> None:
    changes = changes_of(table, lambda: _month(crew, 4))
    before = table.items()
    operations = calls_of(lambda: roll_up(*changes))
    undisturbed = stored_rollups(table, crew.organization.id)
    for at_call in range(1, len(operations) + 1):
        table.restore(before)
        with without_waiting(), broken(Fault(at_call, kind)):
            assert roll_up(*changes), at_call
        assert roll_up(*changes) == set()
        assert stored_rollups(table, crew.organization.id) == undisturbed, at_call


def test_rates_that_change_during_a_batch_are_used(crew: Crew, table: Store) -> None:
    organization = crew.organization.id
    ids = [UUID(assignment) for assignment in _month(crew, 3)]
    path = {"id": crew.workers[0], "effectiveFrom": "2030-03-05"}
    body = {"amount": 5000, "currency": "EUR"}
    with without_waiting(), overtaken(lambda: crew.done("setWorkerRate", path=path, body=body)):
        assert sync(organization, "assignments", ids).require().changed == {*ids}
    assert buckets(table, organization, "assignments") == expected_buckets(organization, "assignments")
    paid = value(stored(organization), "2031-01-01T00:00Z", total("paid", period=days("2030-03-05")))
    assert paid is not None
    assert paid > 0


def test_an_unreadable_entity_blocks_no_other(crew: Crew, table: Store) -> None:
    changes = changes_of(table, lambda: _month(crew, 5))
    numbers = [number for number, row in enumerate(changes) if row.entity and row.entity.kind == "ASSIGNMENT"]
    unreadable = changes[numbers[2]].key
    broken_item = {**table.items()[unreadable], "data": {"M": {"startAt": {"S": "never"}}}}
    table.put([broken_item])
    assert roll_up(*changes) == {numbers[2]}
    assert (
        len([key for key in stored_rollups(table, crew.organization.id) if key[0].endswith("#APPLIED#ASSIGNMENTS")])
        == 4
    )


def test_a_contested_entity_blocks_no_other(crew: Crew, table: Store, local_stack: Stack) -> None:
    # Given one entity of six that another sync changes between each read and its transaction
    organization = crew.organization.id
    ids = [UUID(assignment) for assignment in _month(crew, 6)]
    contested = keys.applied(organization, "assignments", ids[3])
    others = local_stack.engine.client("dynamodb")

    def overtake(params: dict[str, Any], **_: Any) -> None:
        if contested.sk in json.dumps(params["body"].decode()):
            others.update_item(
                TableName=local_stack.table,
                Key={"pk": {"S": contested.pk}, "sk": {"S": contested.sk}},
                UpdateExpression="SET version = if_not_exists(version, :none) + :one, #data = :nothing",
                ExpressionAttributeNames={"#data": "data"},
                ExpressionAttributeValues={
                    ":none": {"N": "0"},
                    ":one": {"N": "1"},
                    ":nothing": {"M": {"spread": {"S": "[[],[]]"}}},
                },
            )

    CLIENT.meta.events.register("before-call.dynamodb.TransactWriteItems", overtake)
    try:
        with without_waiting():
            synced = sync(organization, "assignments", ids)
    finally:
        CLIENT.meta.events.unregister("before-call.dynamodb.TransactWriteItems", overtake)
    # Then only that one fails
    assert synced.changed == {*ids} - {ids[3]}
    assert [getattr(error, "code", None) for error in synced.failed.values()] == [ErrorCode.CONFLICT]
    assert synced.failed.keys() == {ids[3]}
    assert sync_entity(organization, "assignments", ids[3]) is True
    assert buckets(table, organization, "assignments") == expected_buckets(organization, "assignments")


def test_a_refused_transaction_is_split_in_halves(crew: Crew, table: Store) -> None:
    """The store refuses a transaction that is too large."""
    organization = crew.organization.id
    ids = [UUID(crew.assign(number % 2, 0, EIGHT + number * 60, EIGHT + number * 60 + 50)) for number in range(4)]
    with broken(Refusal("TransactWriteItems", "ValidationException", calls=1)) as operations:
        assert sync(organization, "assignments", ids).require().changed == {*ids}
    assert operations.count("TransactWriteItems") == 3
    assert buckets(table, organization, "assignments") == expected_buckets(organization, "assignments")


def test_a_failing_store_is_called_once(crew: Crew, table: Store, small_transactions: None) -> None:
    ids = [UUID(assignment) for assignment in _month(crew, 4)]
    with without_waiting(), broken(Refusal("TransactWriteItems", "InternalServerError")) as operations:
        synced = sync(crew.organization.id, "assignments", ids)
    assert operations.count("TransactWriteItems") == 1
    assert {getattr(error, "code", None) for error in synced.failed.values()} == {ErrorCode.DATABASE_ERROR}
    assert synced.failed.keys() == {*ids}


def test_organizations_take_turns(api: Api, crew: Crew, table: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given one organization with many changes, before one change of another
    monkeypatch.setattr("chalicelib.jobs.rollups.AT_ONCE", 2)
    other = Crew.hired(api)
    changes = [*changes_of(table, lambda: _month(crew, 6)), *changes_of(table, lambda: _month(other, 1))]
    with recorded() as recording:
        assert roll_up(*changes) == set()
    # Then the other one is rolled up after the first few
    order = [_tenants(call) for call in recording.calls if call.operation == "TransactWriteItems"]
    first = order.index({str(other.organization.id)})
    assert 0 < first <= 3 < len(order) - 1
    assert buckets(table, other.organization.id, "assignments") == expected_buckets(
        other.organization.id, "assignments"
    )


class _Hurried:
    """A function's context whose time is over after a few reads."""

    def __init__(self, reads: int) -> None:
        self._reads = reads

    def get_remaining_time_in_millis(self) -> int:
        self._reads -= 1
        return MARGIN_MILLISECONDS if self._reads >= 0 else MARGIN_MILLISECONDS - 1


def test_a_batch_ends_before_its_timeout_and_continues_later(
    crew: Crew, table: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.jobs.rollups.AT_ONCE", 2)
    changes = changes_of(table, lambda: _month(crew, 7))
    batch = {
        str(number): change
        for number, change in enumerate(row for row in changes if row.entity and row.entity.kind == "ASSIGNMENT")
    }
    lowest = []
    while True:
        with recorded() as recording:
            failed = rollups.roll_up(batch, Deadline(_Hurried(2)))
        if not failed:
            break
        # Each delivery makes progress before it stops
        assert "TransactWriteItems" in recording.operations
        lowest.append(min(failed, key=int))
        batch = {number: change for number, change in batch.items() if int(number) >= int(lowest[-1])}
    assert len(lowest) > 1
    assert lowest == sorted({*lowest}, key=int)
    assert buckets(table, crew.organization.id, "assignments") == expected_buckets(crew.organization.id, "assignments")


def test_without_time_nothing_is_started(crew: Crew, table: Store) -> None:
    changes = changes_of(table, lambda: _month(crew, 1))
    batch = {str(number): change for number, change in enumerate(changes)}
    with recorded() as recording:
        failed = rollups.roll_up(batch, Deadline(_Hurried(0)))
    assert recording.calls == []
    entities = [changes[int(number)].entity for number in failed]
    assert {entity and entity.kind for entity in entities} == {"ASSIGNMENT", "POSITION", "WORKER"}
