"""Recalculation in pieces: no organization waits for another's backlog, and each piece fits the worker's timeout."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.jobs import metrics_queue, recalculation
from chalicelib.models.dashboards import metric_states
from chalicelib.models.dashboards.metrics import MAX_METRICS
from infra.local.stack import Stack
from tests.support import store as stores
from tests.support.api import Api
from tests.support.assignment_helpers import NOW
from tests.support.client_hooks import Fault, ProcessDied, broken, recorded, without_waiting
from tests.support.factories import Organization, new_organization
from tests.support.frozen_time import later, standing_still
from tests.support.metric_helpers import Gauges
from tests.support.queue_events import failed
from tests.support.store import Store

AS_OF = clock.to_text(NOW + timedelta(minutes=1))


class Fifo:
    """The metrics queue, read message by message."""

    def __init__(self, stack: Stack) -> None:
        self._client = stack.engine.client("sqs")
        self._url = stack.metrics_queue_url
        self._waiting: list[dict[str, Any]] = []

    def take(self) -> dict[str, Any] | None:
        """Return the oldest message with its attributes."""
        arguments = {"MaxNumberOfMessages": 10, "AttributeNames": ["All"]}
        while messages := self._client.receive_message(QueueUrl=self._url, **arguments).get("Messages", []):
            for message in messages:
                self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
            self._waiting += messages
        return self._waiting.pop(0) if self._waiting else None

    def work(self) -> bool:
        """Hand the next message to its worker; return False for an empty queue."""
        message = self.take()
        if message is None:
            return False
        assert failed(metrics_queue.work, json.loads(message["Body"])) == []
        return True


@pytest.fixture
def store(local_stack: Stack) -> Store:
    return stores.of(local_stack)


@pytest.fixture
def queue(local_stack: Stack) -> Fifo:
    return Fifo(local_stack)


@pytest.fixture(autouse=True)
def _restored(store: Store, queue: Fifo) -> Iterator[None]:
    before = store.items()
    with standing_still(NOW):
        yield
    store.restore(before)
    while queue.take():
        pass


@pytest.fixture
def gauges(organization: Organization) -> Gauges:
    return Gauges(organization)


def _calculated(gauges: Gauges) -> int:
    return sum(bool(state.results) for state in metric_states.read_all(gauges.tenant).values())


# -- between organizations -------------------------------------------------------------------------------------------


def test_a_tenant_with_the_most_due_metrics_does_not_delay_another(
    api: Api, gauges: Gauges, store: Store, queue: Fifo
) -> None:
    # Given a thousand due metrics, those of the first piece with a definition, and one in another organization
    large, small = gauges, Gauges(new_organization(api))
    large.many(store, MAX_METRICS, defined=recalculation.MAX_ROWS)
    single = small.new()
    # When both are queued
    assert recalculation.tick() == MAX_METRICS + 1
    # Then the single one waits for one piece at most
    while not small.state(single).results:
        assert queue.work()
    assert _calculated(large) <= recalculation.MAX_ROWS


def test_pieces_of_one_organization_follow_each_other(api: Api, gauges: Gauges, store: Store, queue: Fifo) -> None:
    large, small = gauges, Gauges(new_organization(api))
    rows = large.many(store, 2 * recalculation.MAX_ROWS + 1)
    recalculation.tick()

    single = small.new()
    recalculation.tick()
    counts = []
    while queue.work():
        counts.append(_calculated(large))

    # At the second tick's message, the walk of the first one still runs.
    assert counts == [100, 100, 100, 200, 201]
    assert small.values(single) == [0]
    assert [large.points(row) for row in (rows[0], rows[-1])] == [[(AS_OF, 0)]] * 2
    assert recalculation.tick() == 0


def test_messages_are_grouped_by_organization(api: Api, gauges: Gauges, queue: Fifo) -> None:
    other = Gauges(new_organization(api))
    for organization in (gauges, other):
        organization.new()
    recalculation.tick()

    groups = set()
    while message := queue.take():
        assert message["Attributes"]["MessageGroupId"] == json.loads(message["Body"])["organizationId"]
        groups.add(message["Attributes"]["MessageGroupId"])

    assert groups == {str(gauges.tenant), str(other.tenant)}


# -- a walk ----------------------------------------------------------------------------------------------------------


def _walk(gauges: Gauges, **fields: Any) -> dict[str, Any]:
    return {"kind": "recalculate", "organizationId": str(gauges.tenant), **fields}


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the size of pieces to two rows."""
    monkeypatch.setattr(recalculation, "MAX_ROWS", 2)


@pytest.mark.usefixtures("pieces")
def test_a_dead_walk_is_resumed_after_its_lease(gauges: Gauges, store: Store, queue: Fifo) -> None:
    rows = gauges.many(store, 3)
    assert failed(metrics_queue.work, _walk(gauges)) == []
    assert queue.take() is not None  # the message is lost

    with later(minutes=5):
        assert failed(metrics_queue.work, _walk(gauges)) == []
        assert gauges.points(rows[2]) == []
    with later(minutes=6):
        recalculation.tick()
        while queue.work():
            pass

    assert [len(gauges.points(row)) for row in rows] == [2, 2, 1]


@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize("kind", ["process dies before", "process dies after", "response lost"])
def test_a_walk_interrupted_at_any_call_continues_at_the_next_delivery(
    gauges: Gauges, store: Store, queue: Fifo, kind: str
) -> None:
    gauges.many(store, 5)
    before = store.items()
    assert failed(metrics_queue.work, _walk(gauges)) == []
    message = queue.take()
    assert message is not None
    second = json.loads(message["Body"])
    with recorded() as recording:
        assert failed(metrics_queue.work, second) == []
    calls = len(recording.operations)

    for at_call in range(1, calls + 1):
        store.restore(before)
        assert failed(metrics_queue.work, _walk(gauges, walk=second["walk"])) == []
        with without_waiting(), broken(Fault(at_call, kind)), contextlib.suppress(ProcessDied):
            failed(metrics_queue.work, second)
        assert failed(metrics_queue.work, second) == []
        while queue.work():
            pass
        assert {len(gauges.points(row)) for row in metric_states.read_all(gauges.tenant)} == {1}, at_call


@pytest.mark.usefixtures("pieces")
def test_a_walk_can_start_after_the_end_of_another(gauges: Gauges, store: Store, queue: Fifo) -> None:
    gauges.many(store, 3)
    for minute in range(2):
        with later(minutes=minute):
            assert recalculation.tick() == 3
            while queue.work():
                pass
            assert recalculation.tick() == 0


# -- time ------------------------------------------------------------------------------------------------------------


class Clock:
    """The remaining time of a worker that needs 30 s per group of rows."""

    def __init__(self, milliseconds: int) -> None:
        self.left = milliseconds
        self.reads = 0

    def __call__(self) -> int:
        # Read before and after each group.
        self.reads += 1
        if self.reads % 2 == 0:
            self.left -= 30_000
        return self.left


@pytest.mark.parametrize("kind", ["named rows", "walk"])
def test_a_piece_ends_before_the_workers_timeout(
    gauges: Gauges, store: Store, queue: Fifo, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    is_walk = kind == "walk"
    monkeypatch.setattr(recalculation, "_AT_ONCE", 2)
    rows = gauges.many(store, 9)
    recalculation.work(_walk(gauges) if is_walk else _walk(gauges, rows=rows), Clock(125_000))
    # After two groups 65 s are left: too little for another that may take twice as long as the longest.
    assert _calculated(gauges) == 4

    message = queue.take()
    assert message is not None
    rest = json.loads(message["Body"])
    assert rest.get("after") == (rows[3] if is_walk else None)
    assert rest.get("rows") == (None if is_walk else rows[4:])
    assert failed(metrics_queue.work, rest) == []
    assert _calculated(gauges) == 9
    assert not queue.work()


def test_a_worker_without_time_still_calculates_one_group(
    gauges: Gauges, store: Store, queue: Fifo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalculation, "_AT_ONCE", 1)
    rows = gauges.many(store, 3)
    for count in (1, 2, 3):
        recalculation.work(_walk(gauges, rows=rows), lambda: 0)
        assert _calculated(gauges) == count
        message = queue.take()
        rows = json.loads(message["Body"])["rows"] if message else []
    assert rows == []
