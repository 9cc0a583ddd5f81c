"""The rollups follow the stream: whatever it repeats, reorders or cuts off, they hold what the entities come to."""

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
from infra.local.engine import Store as Engines
from infra.local.stack import Stack
from tests.jobs.rolled import calls_of, cells, cut_off, deaths, held, roll_up, told, told_of, wanted
from tests.metrics.measuring import days, stored, total, value
from tests.metrics.measuring import roll_up as roll_up_all
from tests.modules.reports.crew import Crew, minute_of
from tests.support import store
from tests.support.api import Api
from tests.support.store import Store
from tests.support.threads import at_once
from tests.support.wire import CLIENT, Call, Fault, Refusal, broken, overtaken, recorded, without_waiting

EIGHT = minute_of("2030-03-04T08:00Z")  # still to come
DAY = 24 * 60


@pytest.fixture
def table(local_stack: Stack) -> Store:
    return store.of(local_stack)


@pytest.fixture(autouse=True)
def _as_it_was(table: Store) -> Iterator[None]:
    """A small table: moto's every call looks at every item."""
    before = table.items()
    yield
    table.restore(before)


@pytest.fixture
def on_a_safe_engine(local_stack: Stack) -> None:
    if local_stack.engine.store is Engines.MOTO:
        pytest.skip("moto loses acknowledged writes when its calls overlap")


@pytest.fixture
def crew(api: Api) -> Crew:
    return Crew.hired(api, rates=[{}, {}, {date(2020, 1, 1): Money(amount=4000, currency="EUR")}])


def _reads(change: Change) -> int:
    """How many requests a change is worth."""
    with recorded() as recording:
        roll_up(change)
    return len(recording.calls)


# -- which changes --------------------------------------------------------------------------------------------------


def test_an_entity_is_followed_from_its_beginning_to_its_end(crew: Crew, table: Store) -> None:
    organization, assignments = crew.organization.id, []
    for act in (
        lambda: assignments.append(crew.assign(0, 0, EIGHT, EIGHT + 480)),
        lambda: crew.move(assignments[0], 2),
        lambda: crew.end(assignments[0], EIGHT + 60),
        lambda: crew.delete(assignments[0]),
    ):
        roll_up(told_of(table, "ASSIGNMENT", act))
        assert cells(table, organization, "assignments") == wanted(organization, "assignments")
    assert held(table, organization) == {}


def test_a_change_that_moves_no_edge_costs_no_write(crew: Crew, table: Store) -> None:
    created = told_of(table, "CLIENT", lambda: crew.done("createClient", body={"name": "Another"}))
    assert calls_of(lambda: roll_up(created)) == ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]
    # A name is no edge
    client = created.key.sk
    renamed = told_of(table, "CLIENT", lambda: crew.done("updateClient", path={"id": client}, body={"name": "Renamed"}))
    assert calls_of(lambda: roll_up(renamed)) == ["BatchGetItem", "BatchGetItem"]
    # A work location is counted beside its client
    body = {"clientId": client, "name": "Its location"}
    counted = told_of(table, "CLIENT", lambda: crew.done("createWorkLocation", body=body))
    assert calls_of(lambda: roll_up(counted)) == []


def test_positions_follow_who_is_assigned_and_workers_do_not(crew: Crew, table: Store) -> None:
    roll_up_all(crew.organization.id)
    changes = told(table, lambda: crew.assign(0, 0, EIGHT, EIGHT + 480))
    kinds = {change.entity.kind for change in changes if change.entity is not None}
    assert kinds >= {"ASSIGNMENT", "POSITION", "WORKER"}
    followed = [change.entity.kind for change in changes if change.entity is not None and _reads(change)]
    assert sorted(followed) == ["ASSIGNMENT", "POSITION"]
    assert cells(table, crew.organization.id, "positions") == wanted(crew.organization.id, "positions")


def test_what_is_derived_is_followed_by_nothing(crew: Crew, table: Store) -> None:
    crew.assign(0, 0, EIGHT, EIGHT + 480)
    derived = told(table, lambda: roll_up_all(crew.organization.id))
    assert len(derived) > 20
    assert not [change.key for change in derived if _reads(change)]


def test_what_never_was_leaves_nothing(crew: Crew, table: Store) -> None:
    assert sync_entity(crew.organization.id, "assignments", ids.new_id()) is False
    assert held(table, crew.organization.id) == {}


# -- repeated, reordered, cut off -----------------------------------------------------------------------------------


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
    """So that a few edges take several."""
    monkeypatch.setattr("chalicelib.models.rollups.rollups.MAX_WRITES", 16)


@pytest.mark.usefixtures("small_transactions")
@pytest.mark.parametrize(
    ("source", "happens", "transactions"),
    [
        ("assignments", _assigned, 2),
        ("assignments", _moved, 4),
        ("assignments", _deleted, 1),
        ("positions", _filled, 1),
        ("users", _left, 1),
    ],
)
def test_who_dies_on_the_way_and_begins_again_leaves_the_same(
    crew: Crew, table: Store, source: str, happens: Callable[[Crew], Callable[[], Any]], transactions: int
) -> None:
    change = told_of(table, source.upper().removesuffix("S"), happens(crew))
    before = table.items()
    operations = calls_of(lambda: roll_up(change))
    undisturbed = held(table, crew.organization.id)
    assert cells(table, crew.organization.id, source) == wanted(crew.organization.id, source)
    assert operations.count("TransactWriteItems") == transactions
    for fault in deaths(operations, *(() if happens is _assigned else ("TransactWriteItems",))):
        table.restore(before)
        cut_off(lambda: roll_up(change), fault)
        roll_up(change)
        assert held(table, crew.organization.id) == undisturbed, fault


@pytest.mark.parametrize("kind", ["request lost", "request lost once", "response lost", "response lost once"])
def test_a_network_that_fails_changes_nothing_twice(crew: Crew, table: Store, kind: str) -> None:
    change = told_of(table, "ASSIGNMENT", _assigned(crew))
    before = table.items()
    operations = calls_of(lambda: roll_up(change))
    undisturbed = held(table, crew.organization.id)
    table.restore(before)
    cut_off(lambda: roll_up(change), Fault(operations.index("TransactWriteItems") + 1, kind))
    roll_up(change)
    assert held(table, crew.organization.id) == undisturbed


def test_changes_may_come_again_and_in_any_order(crew: Crew, table: Store) -> None:
    organization, assignments = crew.organization.id, []
    changes = [
        told_of(table, "ASSIGNMENT", act)
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
        assert cells(table, organization, "assignments") == wanted(organization, "assignments")


def test_a_change_that_is_told_again_costs_reads_only(crew: Crew, table: Store) -> None:
    change = told_of(table, "ASSIGNMENT", _assigned(crew))
    once, again = (calls_of(lambda: roll_up(change)) for _ in range(2))
    reads = ["BatchGetItem"] * 3
    # Afterwards, whether the rates are still those that were read
    assert once == [*reads, "TransactWriteItems", "BatchGetItem"]
    assert again == reads


# -- at once --------------------------------------------------------------------------------------------------------


def test_who_is_overtaken_by_another_follower_looks_again(crew: Crew, table: Store) -> None:
    organization = crew.organization.id
    assignment = UUID(crew.assign(0, 0, EIGHT, EIGHT + 480))
    with without_waiting(), overtaken(lambda: sync_entity(organization, "assignments", assignment)) as answers:
        assert sync_entity(organization, "assignments", assignment) is False
    assert answers == [True]
    assert cells(table, organization, "assignments") == wanted(organization, "assignments")
    assert value(stored(organization), "2031-01-01T00:00Z", total("hours", period=days("2030-03-04"))) == 8


@pytest.mark.parametrize("of", ["position", "worker", "organization"])
def test_who_is_overtaken_by_a_change_of_rates_looks_again(crew: Crew, of: str) -> None:
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
    }[of]
    with without_waiting(), overtaken(change):
        assert sync_entity(organization, "assignments", assignment) is True
    told = {
        field: value(stored(organization), "2031-01-01T00:00Z", total(field, period=days("2030-03-04")))
        for field in ("billed", "paid")
    }
    assert (
        told
        == {
            "position": {"billed": 400, "paid": None},
            "worker": {"billed": 320, "paid": 400},
            "organization": {"billed": None, "paid": None},
        }[of]
    )


def test_who_is_overtaken_always_gives_up_and_says_so(crew: Crew, table: Store) -> None:
    assignment = UUID(crew.assign(0, 0, EIGHT, EIGHT + 480))
    refusal = Refusal("TransactWriteItems", "TransactionCanceledException", "ConditionalCheckFailed")
    with without_waiting(), broken(refusal) as operations, pytest.raises(ActionError) as raised:
        sync_entity(crew.organization.id, "assignments", assignment)
    assert raised.value.code is ErrorCode.CONFLICT
    assert operations.count("TransactWriteItems") == 6
    assert held(table, crew.organization.id) == {}


@pytest.mark.usefixtures("on_a_safe_engine")
def test_followers_at_once_of_one_and_of_many_entities(crew: Crew, table: Store) -> None:
    organization = crew.organization.id
    assignments = [
        UUID(crew.assign(number % 2, number % 3, EIGHT + number, EIGHT + number + 60)) for number in range(6)
    ]
    at_once(
        [
            lambda each=each: sync_entity(organization, "assignments", each)
            for each in [*assignments, *assignments[:2] * 2]
        ]
    )
    assert cells(table, organization, "assignments") == wanted(organization, "assignments")
    assert value(stored(organization), "2031-01-01T00:00Z", total("hours", period=days("2030-03-04"))) == 6


@pytest.mark.usefixtures("on_a_safe_engine")
def test_followers_while_everything_changes(crew: Crew, table: Store) -> None:
    """Each writer's event comes after its commit, in whatever order the events are dealt with."""
    organization = crew.organization.id
    assignments = [crew.assign(number % 2, 0, EIGHT, EIGHT + 480) for number in range(3)]

    def price(amount: int) -> None:
        path = {"id": crew.positions[0], "effectiveFrom": "2030-01-01"}
        crew.done("setPositionRate", path=path, body={"amount": amount, "currency": "EUR"})
        for each in assignments:
            sync_entity(organization, "assignments", UUID(each))

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
    assert cells(table, organization, "assignments") == wanted(organization, "assignments")
    seen, over = stored(organization), days("2030-03-04")
    assert value(seen, "2031-01-01T00:00Z", total("hours", period=over)) == 6
    assert value(seen, "2031-01-01T00:00Z", total("billed", period=over)) in {300, 360}


# -- by the batch ---------------------------------------------------------------------------------------------------


def _month(crew: Crew, count: int, worker: int = 0) -> list[str]:
    """Shifts of one worker, a day after the other, at all three positions."""
    return [
        crew.assign(worker, number % 3, EIGHT + number * DAY, EIGHT + number * DAY + 480 + number)
        for number in range(count)
    ]


def _all_changes(table: Store, *organizations: OrganizationId) -> list[Change]:
    """As if every entity had just been created; those of the organizations in turns."""
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
    return all(cells(table, organization, source) == wanted(organization, source) for source in sources)


def test_a_batch_leaves_what_its_changes_do_one_by_one(api: Api, crew: Crew, table: Store) -> None:
    # Given two organizations with more than transactions hold: cancelled, deleted and moved ones, too
    other = Crew.hired(api, rates=[{}, {}, {date(2020, 1, 1): Money(amount=3000, currency="EUR")}])
    assignments = _month(crew, 30)
    _month(other, 5)
    crew.cancel(assignments[0])
    crew.move(assignments[1], 2)
    changes = _all_changes(table, crew.organization.id, other.organization.id)
    changes += [told_of(table, "ASSIGNMENT", lambda: crew.delete(assignments[2]))]
    before = table.items()
    # When they come in one batch, all of them twice
    with recorded() as recording:
        assert roll_up(*changes, *changes) == set()
    batched = held(table, crew.organization.id), held(table, other.organization.id)
    # Then all is in step, as it is when they come one after the other
    assert _is_in_step(table, crew.organization.id)
    assert _is_in_step(table, other.organization.id)
    table.restore(before)
    for change in changes:
        assert roll_up(change) == set()
    assert (held(table, crew.organization.id), held(table, other.organization.id)) == batched
    # And no transaction is of two organizations
    assert all(len(_tenants(call)) == 1 for call in recording.calls)
    transactions = [call for call in recording.calls if call.operation == "TransactWriteItems"]
    assert len(transactions) < len(changes) / 3
    assert max(len(call.parameters["TransactItems"]) for call in transactions) <= MAX_WRITES


def test_what_shares_a_day_and_a_place_costs_a_transaction(crew: Crew, table: Store) -> None:
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
    # Of the source its month, day, hours and the minutes of six hours (and of those in which they end); of two workers
    # and of one position, location and client a month and a day.
    assert kinds == {"APPLIED": 6, "TAG": 1, "ROLLUP": 3 + 6 + 2 * (2 + 3)}
    assert cells(table, organization, "assignments") == wanted(organization, "assignments")


@pytest.mark.usefixtures("small_transactions")
def test_who_dies_in_a_batch_and_begins_again_leaves_the_same(crew: Crew, table: Store) -> None:
    assignments = _month(crew, 3)
    roll_up_all(crew.organization.id, "assignments")
    changes = [
        *told(table, lambda: crew.move(assignments[0], 1)),
        *told(table, lambda: crew.delete(assignments[1])),
        *told(table, lambda: _month(crew, 3, worker=1)),
    ]
    before = table.items()
    operations = calls_of(lambda: roll_up(*changes))
    undisturbed = held(table, crew.organization.id)
    assert operations.count("TransactWriteItems") > 3
    for fault in deaths(operations):
        table.restore(before)
        cut_off(lambda: roll_up(*changes), fault)
        assert roll_up(*changes) == set()
        assert held(table, crew.organization.id) == undisturbed, fault


@pytest.mark.parametrize("kind", ["request lost", "response lost"])
def test_a_batch_on_a_network_that_fails_is_delivered_again(crew: Crew, table: Store, kind: str) -> None:
    changes = told(table, lambda: _month(crew, 4))
    before = table.items()
    operations = calls_of(lambda: roll_up(*changes))
    undisturbed = held(table, crew.organization.id)
    for at_call in range(1, len(operations) + 1):
        table.restore(before)
        with without_waiting(), broken(Fault(at_call, kind)):
            assert roll_up(*changes), at_call
        assert roll_up(*changes) == set()
        assert held(table, crew.organization.id) == undisturbed, at_call


def test_rates_that_change_while_a_batch_is_planned_are_those_that_count(crew: Crew, table: Store) -> None:
    organization = crew.organization.id
    ids = [UUID(each) for each in _month(crew, 3)]
    path = {"id": crew.workers[0], "effectiveFrom": "2030-03-05"}
    body = {"amount": 5000, "currency": "EUR"}
    with without_waiting(), overtaken(lambda: crew.done("setWorkerRate", path=path, body=body)):
        assert sync(organization, "assignments", ids).require().changed == {*ids}
    assert cells(table, organization, "assignments") == wanted(organization, "assignments")
    assert value(stored(organization), "2031-01-01T00:00Z", total("paid", period=days("2030-03-05"))) > 0  # type: ignore[operator]


def test_one_that_nobody_can_read_keeps_no_other_from_being_rolled_up(crew: Crew, table: Store) -> None:
    changes = told(table, lambda: _month(crew, 5))
    numbers = [number for number, each in enumerate(changes) if each.entity and each.entity.kind == "ASSIGNMENT"]
    unreadable = changes[numbers[2]].key
    broken_item = {**table.items()[unreadable], "data": {"M": {"startAt": {"S": "never"}}}}
    table.put([broken_item])
    assert roll_up(*changes) == {numbers[2]}
    assert len([key for key in held(table, crew.organization.id) if key[0].endswith("#APPLIED#ASSIGNMENTS")]) == 4


def test_one_that_others_keep_changing_keeps_no_other_from_being_rolled_up(
    crew: Crew, table: Store, local_stack: Stack
) -> None:
    # Given one among six that somebody else applies between each reading and its transaction
    organization = crew.organization.id
    ids = [UUID(each) for each in _month(crew, 6)]
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
    # Then only that one is left
    assert synced.changed == {*ids} - {ids[3]}
    assert [getattr(error, "code", None) for error in synced.failed.values()] == [ErrorCode.CONFLICT]
    assert synced.failed.keys() == {ids[3]}
    assert sync_entity(organization, "assignments", ids[3]) is True
    assert cells(table, organization, "assignments") == wanted(organization, "assignments")


def test_a_transaction_that_is_refused_as_a_whole_is_tried_in_halves(crew: Crew, table: Store) -> None:
    """As one that is too large is."""
    organization = crew.organization.id
    ids = [UUID(crew.assign(number % 2, 0, EIGHT + number * 60, EIGHT + number * 60 + 50)) for number in range(4)]
    with broken(Refusal("TransactWriteItems", "ValidationException", calls=1)) as operations:
        assert sync(organization, "assignments", ids).require().changed == {*ids}
    assert operations.count("TransactWriteItems") == 3
    assert cells(table, organization, "assignments") == wanted(organization, "assignments")


def test_a_store_that_does_not_answer_is_asked_once(crew: Crew, table: Store, small_transactions: None) -> None:
    ids = [UUID(each) for each in _month(crew, 4)]
    with without_waiting(), broken(Refusal("TransactWriteItems", "InternalServerError")) as operations:
        synced = sync(crew.organization.id, "assignments", ids)
    assert operations.count("TransactWriteItems") == 1
    assert {getattr(error, "code", None) for error in synced.failed.values()} == {ErrorCode.DATABASE_ERROR}
    assert synced.failed.keys() == {*ids}


def test_organizations_take_turns(api: Api, crew: Crew, table: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given one organization with many changes, before another's one
    monkeypatch.setattr("chalicelib.jobs.rollups.AT_ONCE", 2)
    other = Crew.hired(api)
    changes = [*told(table, lambda: _month(crew, 6)), *told(table, lambda: _month(other, 1))]
    with recorded() as recording:
        assert roll_up(*changes) == set()
    # Then the other's is rolled up after the first few
    order = [_tenants(call) for call in recording.calls if call.operation == "TransactWriteItems"]
    first = order.index({str(other.organization.id)})
    assert 0 < first <= 3 < len(order) - 1
    assert cells(table, other.organization.id, "assignments") == wanted(other.organization.id, "assignments")


class _Hurried:
    """A function's context with time for a few looks at it."""

    def __init__(self, looks: int) -> None:
        self._looks = looks

    def get_remaining_time_in_millis(self) -> int:
        self._looks -= 1
        return MARGIN_MILLISECONDS if self._looks >= 0 else MARGIN_MILLISECONDS - 1


def test_a_batch_ends_before_its_time_does_and_goes_on_where_it_was(
    crew: Crew, table: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.jobs.rollups.AT_ONCE", 2)
    changes = told(table, lambda: _month(crew, 7))
    batch = {
        str(number): change
        for number, change in enumerate(each for each in changes if each.entity and each.entity.kind == "ASSIGNMENT")
    }
    lowest = []
    while True:
        with recorded() as recording:
            failed = rollups.roll_up(batch, Deadline(_Hurried(2)))
        if not failed:
            break
        # It stops by itself, each time further on: no delivery is in vain
        assert "TransactWriteItems" in recording.operations
        lowest.append(min(failed, key=int))
        batch = {number: change for number, change in batch.items() if int(number) >= int(lowest[-1])}
    assert len(lowest) > 1
    assert lowest == sorted({*lowest}, key=int)
    assert cells(table, crew.organization.id, "assignments") == wanted(crew.organization.id, "assignments")


def test_without_time_nothing_is_begun(crew: Crew, table: Store) -> None:
    changes = told(table, lambda: _month(crew, 1))
    batch = {str(number): change for number, change in enumerate(changes)}
    with recorded() as recording:
        failed = rollups.roll_up(batch, Deadline(_Hurried(0)))
    assert recording.calls == []
    assert {changes[int(number)].entity.kind for number in failed} == {"ASSIGNMENT", "POSITION"}  # type: ignore[union-attr]
