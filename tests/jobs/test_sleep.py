"""Sleep: an organization that nobody uses costs nothing, and whoever uses it again finds it as it would have been."""

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
from chalicelib.jobs import metrics_queue, recalculation
from chalicelib.models import sleep
from chalicelib.models.dashboards import metric_states
from chalicelib.models.dashboards.metric_states import SHARDS, SYSTEM, MetricState
from chalicelib.models.organizations import ORGANIZATIONS, Sleep, StoredOrganization
from infra.local.stack import Stack
from tests.jobs.queued import failed
from tests.support import store as stores
from tests.support.api import Api
from tests.support.desk import NOW
from tests.support.gauges import Gauges
from tests.support.post import sign_up
from tests.support.still import later, standing_still
from tests.support.store import Store, plain
from tests.support.wire import Fault, ProcessDied, Refusal, broken, overtaken, recorded, without_waiting
from tests.support.world import PASSWORD, Organization, address, new_organization


@pytest.fixture
def store(local_stack: Stack) -> Store:
    return stores.of(local_stack)


class Jobs:
    """The schedule and the worker of the metrics queue."""

    def __init__(self, grounds: Stack) -> None:
        self._client = grounds.engine.client("sqs")
        self._url = grounds.metrics_queue_url

    def messages(self) -> list[dict[str, Any]]:
        taken = []
        while answer := self._client.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            for message in answer:
                self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                taken.append(json.loads(message["Body"]))
        return taken

    def run(self) -> int:
        """A tick, and the work that follows from it; how many rows were due."""
        count = recalculation.tick()
        while messages := self.messages():
            assert failed(metrics_queue.work, *messages) == []
        return count


@pytest.fixture
def jobs(local_stack: Stack) -> Jobs:
    return Jobs(local_stack)


@pytest.fixture(autouse=True)
def _as_it_was(store: Store, jobs: Jobs) -> Iterator[None]:
    before = store.items()
    with standing_still(NOW):
        yield
    store.restore(before)
    jobs.messages()


@pytest.fixture
def gauges(organization: Organization) -> Gauges:
    """An organization with its system metrics and one of its own."""
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
    """The rows in the index of due rows."""
    due = (row for shard in range(SHARDS) for row in metric_states.due(shard, NOW + timedelta(days=1000)))
    return {row.row for row in due if row.organization == organization}


def _is_awake(organization: OrganizationId) -> bool:
    """Not marked, and every row in the index: nothing may be in between."""
    is_marked = _stored(organization).sleep is not None
    if not is_marked:
        assert _listed(organization) == {*metric_states.read_all(organization)}
    return not is_marked


def _asleep(gauges: Gauges, jobs: Jobs) -> None:
    """Two hours later it sleeps."""
    jobs.run()
    with later(hours=2):
        jobs.run()
    assert _listed(gauges.tenant) == set()
    assert not _sleep_of(gauges.tenant).is_waking


# -- when ------------------------------------------------------------------------------------------------------------


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
def test_it_sleeps_after_as_long_as_it_was_in_use(
    gauges: Gauges, jobs: Jobs, in_use: timedelta, idle: timedelta
) -> None:
    with clock.shifted(in_use):
        sleep.note_use(gauges.tenant)
    for seconds, is_awake in ((0, True), (300, False)):
        with clock.shifted(in_use + idle + timedelta(seconds=seconds)):
            jobs.run()
        assert _is_awake(gauges.tenant) is is_awake, seconds


def test_requests_keep_it_awake_whether_they_write_or_not(gauges: Gauges, jobs: Jobs) -> None:
    for minute in range(0, 240, 30):
        with later(minutes=minute):
            _use(gauges)
            jobs.run()
            assert _is_awake(gauges.tenant)


def test_use_that_is_too_short_to_be_noted_is_seen_in_the_audit_log(api: Api, jobs: Jobs) -> None:
    email = address("brief")
    organization, _ = sign_up(api, email, PASSWORD)
    for minute in range(50, 300, 50):
        with later(minutes=minute):
            assert api.call("signIn", body={"email": email, "password": PASSWORD}).status == 200
            jobs.run()
            assert _is_awake(organization)


def test_use_is_noted_once_in_a_quarter_of_an_hour(gauges: Gauges) -> None:
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


def test_a_request_that_dies_between_its_notes_leaves_both_to_the_next(gauges: Gauges) -> None:
    with later(minutes=20):
        with broken(Fault(2, "process dies after")), pytest.raises(ProcessDied):
            _use(gauges)
        with recorded() as recording:
            _use(gauges)
    assert recording.operations == ["BatchGetItem", "UpdateItem", "UpdateItem"]


# -- what a sleeper costs --------------------------------------------------------------------------------------------


def test_a_tick_reads_nothing_of_those_that_sleep(store: Store, jobs: Jobs) -> None:
    def cost() -> tuple[list[str], float]:
        with recorded() as recording:
            assert recalculation.tick() == 0
        return recording.operations, sum(call.capacity for call in recording.calls)

    before = cost()
    # Given a thousand organizations that sleep, and whose rows have long been due
    items = [metric_states.item(OrganizationId(ids.new_id()), MetricState.of_system(NOW)) for _ in range(1000)]
    for item in items:
        item.gsi9pk = None
    store.put(item.serialize() for item in items)
    # Then a tick costs what it did
    with later(days=1):
        assert cost() == before
    assert list(metric_states.organizations(0)) == []


def test_nothing_is_calculated_of_a_sleeper_and_nothing_audited(gauges: Gauges, store: Store, jobs: Jobs) -> None:
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


def test_more_rows_than_a_message_leave_piece_by_piece(
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


def test_the_next_request_wakes_it_and_all_is_calculated_with_the_next_tick(gauges: Gauges, jobs: Jobs) -> None:
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


def test_rows_that_were_not_due_come_back_when_they_are_due(
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


def test_metrics_asked_for_while_it_wakes_are_as_usual(gauges: Gauges, jobs: Jobs) -> None:
    gauges.set(1)
    _asleep(gauges, jobs)
    with later(hours=3):
        answer = gauges.organization.owner.call("calculateMetrics")
        assert answer.status == 200
        assert 1 in {metric["value"] for metric in answer.data["metrics"]}
        with later(minutes=5):
            jobs.run()
            assert _is_awake(gauges.tenant)


def test_what_only_a_signed_in_user_may_do_wakes_it_and_a_stranger_does_not(gauges: Gauges, jobs: Jobs) -> None:
    _asleep(gauges, jobs)
    with later(hours=3):
        token = gauges.organization.owner.token
        assert gauges.organization.api.call("getOrganization", token[:-4] + "0000").status == 401
        assert not _sleep_of(gauges.tenant).is_waking
        _use(gauges)
        assert _sleep_of(gauges.tenant).is_waking


def test_waking_is_one_transaction_more_and_only_once(gauges: Gauges, jobs: Jobs) -> None:
    _asleep(gauges, jobs)
    with later(minutes=10), recorded() as first:
        _use(gauges)
    with later(minutes=10), recorded() as second:
        _use(gauges)
    assert first.operations == ["BatchGetItem", "UpdateItem", "TransactWriteItems"]
    assert second.operations == ["BatchGetItem"]


# -- races and crashes -----------------------------------------------------------------------------------------------


def test_two_requests_at_once_wake_it_once(gauges: Gauges, jobs: Jobs) -> None:
    _asleep(gauges, jobs)
    with later(hours=3):
        with overtaken(lambda: _use(gauges)):
            _use(gauges)
        jobs.run()
        assert _is_awake(gauges.tenant)


def test_who_comes_second_changes_nothing(gauges: Gauges, jobs: Jobs) -> None:
    """A worker that found it idle before it slept, and requests that found it asleep before it woke."""
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


def test_a_request_that_collides_again_and_again_is_answered(gauges: Gauges, jobs: Jobs) -> None:
    _asleep(gauges, jobs)
    refusal = Refusal("TransactWriteItems", "TransactionCanceledException", "TransactionConflict")
    with later(hours=3), without_waiting():
        with broken(refusal):
            _use(gauges)
        assert not _sleep_of(gauges.tenant).is_waking
        _use(gauges)
        assert _sleep_of(gauges.tenant).is_waking


def test_a_request_during_the_falling_asleep_has_the_last_word(
    gauges: Gauges, store: Store, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a worker that takes its rows out of the index in several transactions
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
def test_wherever_the_falling_asleep_breaks_a_request_wakes_it(
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
            # It goes on falling asleep …
            jobs.run()
            assert _listed(gauges.tenant) == set(), at_call
            # … or is used, and is awake.
            store.restore(half)
            _use(gauges)
            sleep.note_use(gauges.tenant)
            jobs.run()
            assert _is_awake(gauges.tenant), at_call


@pytest.mark.parametrize("kind", KINDS)
def test_wherever_the_waking_breaks_it_wakes(gauges: Gauges, store: Store, jobs: Jobs, kind: str) -> None:
    _asleep(gauges, jobs)
    before = store.items()
    with later(hours=3):
        # A request that dies leaves the rest to the next.
        for at_call in range(1, 1 + _calls(lambda: _use(gauges))):
            store.restore(before)
            _cut_off(lambda: gauges.organization.owner.call("getOrganization"), Fault(at_call, kind))
            _use(gauges)
            jobs.run()
            assert _is_awake(gauges.tenant), at_call
        # A worker that dies, to the next delivery, or if that is lost, to a later tick.
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
    # Given the message for the second page of a walk, which was kept somewhere
    assert failed(metrics_queue.work, {"kind": "recalculate", "organizationId": str(gauges.tenant)}) == []
    (second,) = jobs.messages()
    _asleep(gauges, jobs)
    with later(hours=3):
        _use(gauges)
        # When it comes while the organization wakes, and goes through the last rows
        messages = [second]
        while messages:
            assert failed(metrics_queue.work, *messages) == []
            messages = jobs.messages()
        # Then that is not the end of the sleep: those before its position are not back
        assert not _is_awake(gauges.tenant)
    with later(hours=3, minutes=6):
        jobs.run()
        assert _is_awake(gauges.tenant)


def test_a_row_that_is_gone_when_it_should_come_back_stays_gone(gauges: Gauges) -> None:
    metric_states.relist(gauges.tenant, str(ids.new_id()))
    assert {*metric_states.read_all(gauges.tenant)} == _listed(gauges.tenant)


def test_organizations_without_a_row_of_their_system_get_one_before_they_sleep(api: Api, jobs: Jobs) -> None:
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


def test_the_note_of_a_use_is_nobodys_news(gauges: Gauges) -> None:
    sleep.note_use(gauges.tenant)
    item = table.get(keys.use(gauges.tenant))
    assert item is not None
    assert item.derived == 1
