"""Sleep: an unused organization costs nothing, and when it is used again its data is the same as without sleep."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock, ids
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.due_index import SHARDS
from chalicelib.jobs import metrics_queue, recalculation
from chalicelib.models import sleep
from chalicelib.models.dashboards import metric_states
from chalicelib.models.dashboards.metric_states import SYSTEM, MetricState
from chalicelib.models.organizations import ORGANIZATIONS, Sleep, StoredOrganization
from infra.local.stack import Stack
from tests.support import store as stores
from tests.support.api import Api
from tests.support.assignment_helpers import NOW
from tests.support.client_hooks import Fault, ProcessDied, Refusal, broken, overtaken, recorded, without_waiting
from tests.support.factories import PASSWORD, Organization, address, new_organization
from tests.support.frozen_time import later, standing_still
from tests.support.mail_delivery import sign_up
from tests.support.metric_helpers import Gauges
from tests.support.queue_events import failed
from tests.support.store import Store, plain


@pytest.fixture
def store(local_stack: Stack) -> Store:
    return stores.of(local_stack)


class Jobs:
    """The schedule and the worker of the metrics queue."""

    def __init__(self, stack: Stack) -> None:
        self._client = stack.engine.client("sqs")
        self._url = stack.metrics_queue_url

    def messages(self) -> list[dict[str, Any]]:
        bodies = []
        while answer := self._client.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            for message in answer:
                self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                bodies.append(json.loads(message["Body"]))
        return bodies

    def run(self) -> int:
        """Run a tick and its messages; return the number of due rows."""
        count = recalculation.tick()
        while messages := self.messages():
            assert failed(metrics_queue.work, *messages) == []
        return count


@pytest.fixture
def jobs(local_stack: Stack) -> Jobs:
    return Jobs(local_stack)


@pytest.fixture(autouse=True)
def _restored(store: Store, jobs: Jobs) -> Iterator[None]:
    before = store.items()
    with standing_still(NOW):
        yield
    store.restore(before)
    jobs.messages()


@pytest.fixture
def gauges(organization: Organization) -> Gauges:
    """Return an organization with its system metrics and one of its own."""
    metric_states.create_system_row(organization.id, NOW)
    gauges = Gauges(organization)
    gauges.new()
    return gauges


def _use(gauges: Gauges) -> None:
    assert gauges.organization.owner.call("getOrganization").status == 200


def _stored(organization: OrganizationId) -> StoredOrganization:
    return ORGANIZATIONS.get(organization, organization)


def _sleep_of(organization: OrganizationId) -> Sleep:
    asleep = _stored(organization).sleep
    assert asleep is not None
    return asleep


def _listed(organization: OrganizationId) -> set[str]:
    """Return the organization's rows in the index of due rows."""
    due = (row for shard in range(SHARDS) for row in metric_states.due(shard, NOW + timedelta(days=1000)))
    return {row.row for row in due if row.organization == organization}


def _is_awake(organization: OrganizationId) -> bool:
    """Return True if it is awake; then all of its rows must be in the index."""
    is_marked = _stored(organization).sleep is not None
    if not is_marked:
        assert _listed(organization) == {*metric_states.read_all(organization)}
    return not is_marked


def _asleep(gauges: Gauges, jobs: Jobs) -> None:
    """Let it fall asleep, two hours later."""
    jobs.run()
    with later(hours=2):
        jobs.run()
    assert _listed(gauges.tenant) == set()
    assert not _sleep_of(gauges.tenant).is_waking


# -- falling asleep --------------------------------------------------------------------------------------------------


def test_a_sign_up_that_is_never_used_again_sleeps_after_an_hour(api: Api, jobs: Jobs) -> None:
    signed_up, _ = sign_up(api, address("fake"), PASSWORD)

    with later(minutes=60):
        assert jobs.run() == 1
        assert _is_awake(signed_up)
    with later(minutes=65, seconds=1):
        assert jobs.run() == 1
        assert _listed(signed_up) == set()
    with later(minutes=120):
        assert jobs.run() == 0


@pytest.mark.parametrize(
    ("in_use", "idle"),
    [
        (timedelta(minutes=20), timedelta(hours=1)),
        (timedelta(hours=20), timedelta(hours=20)),
        (timedelta(days=100), timedelta(days=7)),
    ],
)
def test_the_idle_time_depends_on_the_time_in_use(
    gauges: Gauges, jobs: Jobs, in_use: timedelta, idle: timedelta
) -> None:
    with clock.shifted(in_use):
        sleep.note_use(gauges.tenant)
    for seconds, is_awake in ((0, True), (300, False)):
        with clock.shifted(in_use + idle + timedelta(seconds=seconds)):
            jobs.run()
        assert _is_awake(gauges.tenant) is is_awake, seconds


def test_reads_and_writes_keep_it_awake(gauges: Gauges, jobs: Jobs) -> None:
    for minute in range(0, 240, 30):
        with later(minutes=minute):
            _use(gauges)
            jobs.run()
            assert _is_awake(gauges.tenant)


def test_short_use_counts_by_the_audit_log(api: Api, jobs: Jobs) -> None:
    email = address("brief")
    organization, _ = sign_up(api, email, PASSWORD)
    for minute in range(50, 300, 50):
        with later(minutes=minute):
            assert api.call("signIn", body={"email": email, "password": PASSWORD}).status == 200
            jobs.run()
            assert _is_awake(organization)


def test_use_is_written_every_15_minutes(gauges: Gauges) -> None:
    for minutes, operations in (
        (15, []),
        (16, ["UpdateItem", "UpdateItem"]),
        (17, []),
        (31, []),
        (32, ["UpdateItem"] * 2),
    ):
        with later(minutes=minutes), recorded() as recording:
            _use(gauges)
        assert recording.operations == ["BatchGetItem", *operations], minutes


def test_after_a_death_between_its_writes_the_next_request_repeats_both(gauges: Gauges) -> None:
    with later(minutes=20):
        with broken(Fault(2, "process dies after")), pytest.raises(ProcessDied):
            _use(gauges)
        with recorded() as recording:
            _use(gauges)
    assert recording.operations == ["BatchGetItem", "UpdateItem", "UpdateItem"]


# -- cost ------------------------------------------------------------------------------------------------------------


def test_a_tick_reads_nothing_of_sleeping_organizations(store: Store, jobs: Jobs) -> None:
    def cost() -> tuple[list[str], float]:
        with recorded() as recording:
            assert recalculation.tick() == 0
        return recording.operations, sum(call.capacity for call in recording.calls)

    before = cost()
    # Given a thousand sleeping organizations whose rows are overdue
    items = [metric_states.item(OrganizationId(ids.new_id()), MetricState.of_system(NOW)) for _ in range(1000)]
    for item in items:
        item.gsi9pk = None
    store.put(item.serialize() for item in items)
    # Then a tick costs the same
    with later(days=1):
        assert cost() == before
    assert list(metric_states.organizations(0)) == []


def test_nothing_is_calculated_or_audited_during_sleep(gauges: Gauges, store: Store, jobs: Jobs) -> None:
    jobs.run()
    before = store.items()
    with later(hours=2):
        jobs.run()

    changed = store.changes(before)
    kinds = {pk.split("#")[2] for pk, _ in changed}
    assert kinds == {"ORGANIZATION", "METRICSTATE"}
    change = changed[f"ORG#{gauges.tenant}#ORGANIZATION", str(gauges.tenant)]
    assert change.before is not None
    assert change.after is not None
    assert plain(change.after)["version"] == plain(change.before)["version"]
    shown = gauges.organization.owner.call("getOrganization").data
    assert "sleep" not in shown


def test_many_rows_leave_the_index_piece_by_piece(
    gauges: Gauges, store: Store, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalculation, "MAX_ROWS", 3)
    monkeypatch.setattr(sleep, "MAX_WRITES", 3)
    gauges.many(store, 8)
    _asleep(gauges, jobs)
    with later(hours=3):
        _use(gauges)
        jobs.run()
        jobs.run()
        assert _is_awake(gauges.tenant)


# -- waking ----------------------------------------------------------------------------------------------------------


def test_the_next_request_wakes_it_and_the_next_tick_calculates_all(gauges: Gauges, jobs: Jobs) -> None:
    _asleep(gauges, jobs)

    with later(hours=3):
        _use(gauges)
        assert _sleep_of(gauges.tenant).is_waking
        assert jobs.run() == 1
        assert _is_awake(gauges.tenant)
        at = clock.now() + timedelta(minutes=1)
        for state in metric_states.read_all(gauges.tenant).values():
            assert {result.as_of for result in state.results.values()} == {at}
        assert jobs.run() == 0
    with later(hours=3, minutes=50):
        assert jobs.run() == 2
        assert _is_awake(gauges.tenant)


def test_rows_that_were_not_due_keep_their_due_time(
    gauges: Gauges, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    daily = gauges.new(refreshRate=86400)
    monkeypatch.setattr(recalculation, "MAX_ROWS", 1)
    _asleep(gauges, jobs)
    due_at = gauges.state(daily).due_at

    with later(hours=3):
        _use(gauges)
        jobs.run()
        assert _is_awake(gauges.tenant)
    assert gauges.state(daily).due_at == due_at
    assert len(gauges.points(daily)) == 1


def test_metrics_can_be_calculated_while_it_wakes(gauges: Gauges, jobs: Jobs) -> None:
    gauges.set(1)
    _asleep(gauges, jobs)
    with later(hours=3):
        answer = gauges.organization.owner.call("calculateMetrics")
        assert answer.status == 200
        assert 1 in {metric["value"] for metric in answer.data["metrics"]}
        with later(minutes=5):
            jobs.run()
            assert _is_awake(gauges.tenant)


def test_only_requests_of_signed_in_users_wake_it(gauges: Gauges, jobs: Jobs) -> None:
    _asleep(gauges, jobs)
    with later(hours=3):
        token = gauges.organization.owner.token
        assert gauges.organization.api.call("getOrganization", token[:-4] + "0000").status == 401
        assert not _sleep_of(gauges.tenant).is_waking
        _use(gauges)
        assert _sleep_of(gauges.tenant).is_waking


def test_waking_costs_one_transaction_once(gauges: Gauges, jobs: Jobs) -> None:
    _asleep(gauges, jobs)
    with later(minutes=10), recorded() as first:
        _use(gauges)
    with later(minutes=10), recorded() as second:
        _use(gauges)
    assert first.operations == ["BatchGetItem", "UpdateItem", "TransactWriteItems"]
    assert second.operations == ["BatchGetItem"]


# -- races and crashes -----------------------------------------------------------------------------------------------


def test_two_concurrent_requests_wake_it_once(gauges: Gauges, jobs: Jobs) -> None:
    _asleep(gauges, jobs)
    with later(hours=3):
        with overtaken(lambda: _use(gauges)):
            _use(gauges)
        jobs.run()
        assert _is_awake(gauges.tenant)


def test_late_transitions_change_nothing(gauges: Gauges, jobs: Jobs) -> None:
    """A worker read it before it slept, and requests read it before it woke."""
    awake = _stored(gauges.tenant)
    _asleep(gauges, jobs)
    first = _sleep_of(gauges.tenant)

    assert sleep.fall_asleep(awake) is None
    assert _sleep_of(gauges.tenant) == first
    with later(hours=3):
        asleep = _stored(gauges.tenant)
        assert [sleep.wake(asleep, first) for _ in range(2)] == [True, False]
        assert sleep.fall_asleep(awake) is None
        jobs.run()
        assert _is_awake(gauges.tenant)
        assert not sleep.wake(asleep, first)
        assert not sleep.end(gauges.tenant, first)
        assert not sleep.unlist(gauges.tenant, first, [SYSTEM])
        assert _is_awake(gauges.tenant)


def test_a_request_with_repeated_conflicts_is_answered(gauges: Gauges, jobs: Jobs) -> None:
    _asleep(gauges, jobs)
    refusal = Refusal("TransactWriteItems", "TransactionCanceledException", "TransactionConflict")
    with later(hours=3), without_waiting():
        with broken(refusal):
            _use(gauges)
        assert not _sleep_of(gauges.tenant).is_waking
        _use(gauges)
        assert _sleep_of(gauges.tenant).is_waking


def test_a_request_while_it_falls_asleep_wakes_it(
    gauges: Gauges, store: Store, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a worker that removes its rows from the index in several transactions
    monkeypatch.setattr(sleep, "MAX_WRITES", 2)
    gauges.many(store, 3)
    jobs.run()
    with later(hours=2):
        recalculation.tick()
        messages = jobs.messages()
        # When a request wakes the organization before the first of them
        with overtaken(lambda: _use(gauges)):
            assert failed(metrics_queue.work, *messages) == []
        assert _sleep_of(gauges.tenant).is_waking
        jobs.run()
        # Then it is awake
        assert _is_awake(gauges.tenant)


KINDS = ("process dies before", "process dies after")


def _calls(run: Callable[[], Any]) -> int:
    with recorded() as recording:
        run()
    return len(recording.operations)


def _cut_off(run: Callable[[], Any], fault: Fault) -> None:
    with without_waiting(), broken(fault), contextlib.suppress(ProcessDied):
        run()


@pytest.mark.parametrize("kind", KINDS)
def test_after_any_fault_while_falling_asleep_a_request_wakes_it(
    gauges: Gauges, store: Store, jobs: Jobs, kind: str
) -> None:
    jobs.run()
    before = store.items()
    with later(hours=2):
        recalculation.tick()
        (message,) = jobs.messages()
        calls = _calls(lambda: failed(metrics_queue.work, message))
        assert calls >= 5
        for at_call in range(1, calls + 1):
            store.restore(before)
            _cut_off(lambda: failed(metrics_queue.work, message), Fault(at_call, kind))
            half = store.items()
            # It continues to fall asleep …
            jobs.run()
            assert _listed(gauges.tenant) == set(), at_call
            # … or is used and awake.
            store.restore(half)
            _use(gauges)
            sleep.note_use(gauges.tenant)
            jobs.run()
            assert _is_awake(gauges.tenant), at_call


@pytest.mark.parametrize("kind", KINDS)
def test_after_any_fault_while_waking_it_wakes(gauges: Gauges, store: Store, jobs: Jobs, kind: str) -> None:
    _asleep(gauges, jobs)
    before = store.items()
    with later(hours=3):
        # After a request that dies, the next one continues.
        for at_call in range(1, 1 + _calls(lambda: _use(gauges))):
            store.restore(before)
            _cut_off(lambda: gauges.organization.owner.call("getOrganization"), Fault(at_call, kind))
            _use(gauges)
            jobs.run()
            assert _is_awake(gauges.tenant), at_call
        # After a worker that dies, the next delivery continues or, if that is lost, a later tick.
        store.restore(before)
        _use(gauges)
        waking = store.items()
        recalculation.tick()
        (message,) = jobs.messages()
        for at_call in range(1, 1 + _calls(lambda: failed(metrics_queue.work, message))):
            for is_delivered_again in (True, False):
                store.restore(waking)
                _cut_off(lambda: failed(metrics_queue.work, message), Fault(at_call, kind))
                if is_delivered_again:
                    assert failed(metrics_queue.work, message) == []
                else:
                    with later(minutes=20):
                        jobs.run()
                assert _is_awake(gauges.tenant), (at_call, is_delivered_again)
        jobs.messages()


def test_a_walk_from_before_the_sleep_does_not_end_it(
    gauges: Gauges, store: Store, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalculation, "MAX_ROWS", 2)
    gauges.many(store, 4)
    # Given a delayed message for the second page of a walk
    assert failed(metrics_queue.work, {"kind": "recalculate", "organizationId": str(gauges.tenant)}) == []
    (second,) = jobs.messages()
    _asleep(gauges, jobs)
    with later(hours=3):
        _use(gauges)
        # When it is delivered while the organization wakes, and processes the last rows
        messages = [second]
        while messages:
            assert failed(metrics_queue.work, *messages) == []
            messages = jobs.messages()
        # Then the sleep does not end: the rows before its position are not in the index
        assert not _is_awake(gauges.tenant)
    with later(hours=3, minutes=6):
        jobs.run()
        assert _is_awake(gauges.tenant)


def test_a_deleted_row_is_not_listed_again(gauges: Gauges) -> None:
    metric_states.relist(gauges.tenant, str(ids.new_id()))
    assert {*metric_states.read_all(gauges.tenant)} == _listed(gauges.tenant)


def test_organizations_without_a_system_row_get_one_before_they_sleep(api: Api, jobs: Jobs) -> None:
    organization = Gauges(new_organization(api))
    organization.new()
    with later(hours=2):
        jobs.run()
        jobs.run()
    assert _listed(organization.tenant) == set()
    assert SYSTEM in metric_states.read_all(organization.tenant)
    with later(hours=3):
        _use(organization)
        jobs.run()
        assert _is_awake(organization.tenant)


def test_the_item_of_the_use_is_derived(gauges: Gauges) -> None:
    sleep.note_use(gauges.tenant)
    item = table.get(keys.use(gauges.tenant))
    assert item is not None
    assert item.derived == 1
