"""Due metrics are recalculated once, even with repeated, overlapping or interrupted runs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

import app as product
from chalicelib.core import clock, ids
from chalicelib.core.ids import OrganizationId
from chalicelib.core.settings import settings
from chalicelib.dal.due_index import SHARDS
from chalicelib.jobs import metrics_queue, queues, recalculation
from chalicelib.metrics import results
from chalicelib.metrics.definitions import SYSTEM_METRICS
from chalicelib.metrics.engine.evaluate import evaluate
from chalicelib.models.dashboards import metric_states
from chalicelib.models.dashboards.metric_states import SYSTEM
from infra.local.queue import Queue, Worker
from infra.local.stack import Stack
from tests.support import store as stores
from tests.support.api import Api
from tests.support.assignment_helpers import NOW
from tests.support.client_hooks import Fault, ProcessDied, broken, overtaken, recorded, without_waiting
from tests.support.factories import PASSWORD, Organization, address, new_organization
from tests.support.frozen_time import later, standing_still
from tests.support.mail_delivery import sign_up
from tests.support.metric_helpers import HEADCOUNT, LIMITS, Gauges
from tests.support.queue_events import failed
from tests.support.store import Store, canonical

AS_OF = clock.to_text(NOW + timedelta(minutes=1))
"""The end of the frozen minute."""


@pytest.fixture
def store(local_stack: Stack) -> Store:
    return stores.of(local_stack)


@pytest.fixture(autouse=True)
def _restored(store: Store, local_stack: Stack) -> Iterator[None]:
    """Freeze time, and restore table and queue after the test."""
    before = store.items()
    with standing_still(NOW):
        yield
    store.restore(before)
    _messages(local_stack)


@pytest.fixture
def gauges(organization: Organization) -> Gauges:
    return Gauges(organization)


def _messages(stack: Stack) -> list[dict[str, Any]]:
    """Remove and return the messages in the queue."""
    sqs, url = stack.engine.client("sqs"), stack.metrics_queue_url
    bodies: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            bodies.append(json.loads(message["Body"]))
    return bodies


def _message(gauges: Gauges, *rows: str) -> dict[str, Any]:
    return {"kind": "recalculate", "organizationId": str(gauges.tenant), "rows": [*rows]}


def _recalculate(gauges: Gauges, *rows: str) -> None:
    assert failed(metrics_queue.work, _message(gauges, *rows)) == []


# -- the schedule ----------------------------------------------------------------------------------------------------


def test_due_metrics_are_queued_and_calculated(gauges: Gauges, local_stack: Stack) -> None:
    metric = gauges.new()
    gauges.set(3)

    assert recalculation.tick() == 1
    messages = _messages(local_stack)
    assert messages == [_message(gauges, metric)]
    assert failed(metrics_queue.work, *messages) == []

    assert gauges.values(metric) == [3]
    assert gauges.points(metric) == [(AS_OF, 3)]
    assert recalculation.tick() == 0
    with later(seconds=59):
        assert recalculation.tick() == 0
    with later(minutes=1):
        assert recalculation.tick() == 1


def test_the_interval_is_the_metrics_refresh_rate(gauges: Gauges) -> None:
    metric = gauges.new(refreshRate=600)
    _recalculate(gauges, metric)

    for seconds, due in ((599, 0), (600, 1)):
        with later(seconds=seconds):
            assert recalculation.tick() == due


def test_a_tick_writes_nothing_and_reads_each_shard_once(gauges: Gauges, store: Store) -> None:
    gauges.new()
    before = store.items()

    with recorded() as recording:
        recalculation.tick()

    assert recording.operations == ["Query"] * SHARDS
    assert not store.changes(before)


def test_an_organization_has_one_message_for_all_due_metrics(api: Api, gauges: Gauges, local_stack: Stack) -> None:
    other = Gauges(new_organization(api))
    metrics = {gauges.new(), gauges.new()}
    elsewhere = other.new()

    assert recalculation.tick() == 3

    due = {message["organizationId"]: {*message["rows"]} for message in _messages(local_stack)}
    assert due == {str(gauges.tenant): metrics, str(other.tenant): {elsewhere}}


def test_more_than_a_batch_of_organizations_are_all_queued(local_stack: Stack) -> None:
    organizations = {OrganizationId(ids.new_id()) for _ in range(queues.AT_ONCE + 1)}
    for organization in organizations:
        metric_states.create_system_row(organization, NOW)

    assert recalculation.tick() == len(organizations)

    assert {message["organizationId"] for message in _messages(local_stack)} == {*map(str, organizations)}


def test_a_message_does_not_name_many_due_rows(
    gauges: Gauges, local_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recalculation, "MAX_ROWS", 1)
    metrics = [gauges.new(), gauges.new()]
    gauges.set(1)
    recalculation.tick()

    messages = _messages(local_stack)

    assert messages == [{"kind": "recalculate", "organizationId": str(gauges.tenant)}]
    while messages:
        assert failed(metrics_queue.work, *messages) == []
        messages = _messages(local_stack)
    assert [gauges.values(metric) for metric in metrics] == [[1], [1]]


def test_two_concurrent_ticks_have_one_effect(gauges: Gauges, local_stack: Stack) -> None:
    metric = gauges.new(**LIMITS)
    gauges.set(1)
    recalculation.tick()
    recalculation.tick()
    messages = _messages(local_stack)
    assert len(messages) == 2

    assert failed(metrics_queue.work, *messages) == []

    assert gauges.points(metric) == [(AS_OF, 1)]
    assert len(gauges.recorded(metric)) == 1


# -- the worker ------------------------------------------------------------------------------------------------------


def test_a_repeated_message_finds_nothing_due(gauges: Gauges) -> None:
    metric = gauges.new(refreshRate=300)
    _recalculate(gauges, metric)
    gauges.set(1)

    with later(minutes=4):
        _recalculate(gauges, metric)

    assert gauges.points(metric) == [(AS_OF, 0)]


@pytest.mark.parametrize("kind", ["process dies before", "process dies after", "response lost"])
def test_a_worker_interrupted_at_any_call_has_one_effect_in_the_end(gauges: Gauges, store: Store, kind: str) -> None:
    # Given a metric that gets worse, and the effect of an undisturbed recalculation
    metric = gauges.new(**LIMITS)
    gauges.set(1)
    before = store.items()
    with recorded() as recording:
        _recalculate(gauges, metric)
    expected = canonical(store.changes(before), before)

    for at_call in range(1, len(recording.operations) + 1):
        # When a call fails, and the message is delivered again
        store.restore(before)
        with without_waiting(), broken(Fault(at_call, kind)), contextlib.suppress(ProcessDied):
            failed(metrics_queue.work, _message(gauges, metric))
        _recalculate(gauges, metric)
        # Then the effect is the same: one value, one point of the history, one activity
        assert canonical(store.changes(before), before) == expected, f"{kind} at call {at_call}"


def test_a_worker_that_dies_between_transactions_is_continued(
    gauges: Gauges, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given metrics that get worse, too many for one transaction
    monkeypatch.setattr("chalicelib.metrics.recalculation.MAX_WRITES", 6)
    metrics = [gauges.new(**LIMITS) for _ in range(3)]
    gauges.set(2)
    before = store.items()
    with recorded() as recording:
        _recalculate(gauges, *metrics)
    assert recording.operations.count("TransactWriteItems") == 2
    expected = canonical(store.changes(before), before)
    store.restore(before)

    # When the worker dies after the first
    with broken(Fault(len(recording.operations) - 1, "process dies after")), pytest.raises(ProcessDied):
        failed(metrics_queue.work, _message(gauges, *metrics))
    assert sum(bool(gauges.state(metric).results) for metric in metrics) == 2
    _recalculate(gauges, *metrics)

    # Then the next one continues where it ended
    assert canonical(store.changes(before), before) == expected


def test_overlapping_workers_have_one_effect(gauges: Gauges) -> None:
    metrics = [gauges.new(**LIMITS), gauges.new(**LIMITS)]
    gauges.set(1)

    with overtaken(lambda: _recalculate(gauges, metrics[0])):
        _recalculate(gauges, *metrics)

    for metric in metrics:
        assert gauges.state(metric).version == 2
        assert gauges.points(metric) == [(AS_OF, 1)]
        assert len(gauges.recorded(metric)) == 1


def test_a_concurrent_change_of_the_definition_is_respected(gauges: Gauges) -> None:
    metric = gauges.new()
    gauges.set(1)
    clients = {**HEADCOUNT, "source": "clients"}

    def change() -> None:
        answer = gauges.organization.owner.call(
            "updateDashboardMetric", path={"id": metric}, body={"query": clients, "refreshRate": 120}
        )
        assert answer.status == 200, answer.text

    with overtaken(change):
        _recalculate(gauges, metric)

    assert gauges.values(metric) == [0]
    assert gauges.points(metric) == [(AS_OF, 0)]
    assert gauges.state(metric).due_at == NOW + timedelta(minutes=2)


def test_nothing_is_written_for_a_concurrently_deleted_metric(gauges: Gauges, store: Store) -> None:
    other, deleted = gauges.new(), gauges.new()

    with overtaken(lambda: gauges.organization.owner.call("deleteDashboardMetric", path={"id": deleted})):
        _recalculate(gauges, other, deleted)

    assert gauges.points(other) == [(AS_OF, 0)]
    left = [pk.split("#")[2] for pk, sk in store.items() if deleted in pk + sk]
    assert sorted({*left} & {"METRIC", "METRICHISTORY", "METRICSTATE"}) == ["METRIC"]
    _recalculate(gauges, deleted)


def test_a_poisoned_message_fails_alone(gauges: Gauges) -> None:
    metric = gauges.new()
    nowhere = {"kind": "recalculate", "organizationId": str(ids.new_id())}
    poison = ("not json", "{}", "null", {"kind": "unheard-of"}, {"kind": "recalculate", "organizationId": "1"}, nowhere)

    assert failed(metrics_queue.work, *poison, _message(gauges, metric)) == ["1", "2", "3", "4", "5", "6"]

    assert gauges.values(metric) == [0]


def test_a_message_that_keeps_failing_becomes_a_dead_letter(local_stack: Stack) -> None:
    url = settings().metrics_queue_url
    queue = Queue(local_stack.engine.client("sqs"), Worker("recalculate_metrics", url, product.recalculate_metrics))
    queues.send(url, [{"kind": "recalculate", "organizationId": str(ids.new_id())}])

    assert queue.drain() == 5

    assert len(queue.dead) == 1


# -- built-in metrics ------------------------------------------------------------------------------------------------


def test_a_new_organization_has_its_system_metrics_within_a_minute(api: Api, local_stack: Stack) -> None:
    # They are due from the sign-up itself, not by an event that could be lost.
    signed_up, _ = sign_up(api, address("founder"), PASSWORD)

    assert recalculation.tick() == 1
    assert failed(metrics_queue.work, *_messages(local_stack)) == []

    state = metric_states.read(signed_up, [SYSTEM])[SYSTEM]
    assert {*state.results} == {*SYSTEM_METRICS}
    assert state.due_at == NOW + timedelta(minutes=5)


def test_an_older_organization_joins_when_its_system_metrics_are_calculated(gauges: Gauges) -> None:
    assert metric_states.read(gauges.tenant, [SYSTEM]) == {}

    assert gauges.organization.owner.call("calculateMetrics").status == 200

    with later(minutes=5):
        assert recalculation.tick() == 1
    metric_states.create_system_row(gauges.tenant, NOW)
    assert {*gauges.state(SYSTEM).results} == {*SYSTEM_METRICS}


def test_each_system_metric_has_its_own_history(gauges: Gauges) -> None:
    metric_states.create_system_row(gauges.tenant, NOW)

    _recalculate(gauges, SYSTEM)

    histories = [gauges.points(str(metric)) for metric in SYSTEM_METRICS]
    assert [[as_of for as_of, _ in points] for points in histories] == [[AS_OF]] * len(SYSTEM_METRICS)


# -- activities ------------------------------------------------------------------------------------------------------


def test_each_change_of_status_has_one_activity(gauges: Gauges) -> None:
    metric = gauges.new(name="Workers", **LIMITS)
    for minute, count in enumerate((0, 1, 1, 2, 1, 0, 0, 2, 0)):
        gauges.set(count)
        with later(minutes=minute):
            _recalculate(gauges, metric)

    assert gauges.recorded(metric) == [
        ("WARNING", "Workers reached its warning threshold"),
        ("CRITICAL", "Workers reached its critical threshold"),
        ("INFO", "Workers has left the critical range, and is still in the warning range"),
        ("SUCCESS", "Workers is back to normal"),
        ("CRITICAL", "Workers reached its critical threshold"),
        ("SUCCESS", "Workers is back to normal"),
    ]
    assert [value for _, value in gauges.points(metric)] == [0, 1, 1, 2, 1, 0, 0, 2, 0]


@pytest.mark.parametrize(
    ("thresholds", "count", "title"),
    [
        ({"direction": "down", "warningThreshold": 1, "criticalThreshold": 9}, 2,
         "Staff rose above its warning threshold"),
        ({"direction": "down", "criticalThreshold": 1}, 2, "Staff rose above its critical threshold"),
        ({"direction": "up", "warningThreshold": 3}, 2, "Staff fell below its warning threshold"),
        ({"direction": "up", "warningThreshold": 2}, 2, "Staff reached its warning threshold"),
        ({"direction": "band", "targetValue": 5, "warningThreshold": 1}, 2,
         "Staff is farther from its target than its warning threshold"),
    ],
)  # fmt: skip
def test_a_title_says_which_threshold_was_crossed_and_how(
    gauges: Gauges, thresholds: dict[str, Any], count: int, title: str
) -> None:
    metric = gauges.new(name="Staff", **thresholds)
    gauges.set(count)
    _recalculate(gauges, metric)
    assert [text for _, text in gauges.recorded(metric)] == [title]


def test_an_initial_bad_status_has_an_activity(gauges: Gauges) -> None:
    metric = gauges.new(warningThreshold=0)

    _recalculate(gauges, metric)

    assert [severity for severity, _ in gauges.recorded(metric)] == ["WARNING"]


def test_a_change_of_status_by_other_thresholds_has_an_activity(gauges: Gauges) -> None:
    metric = gauges.new(name="Workers", **LIMITS)
    gauges.set(1)
    _recalculate(gauges, metric)

    gauges.organization.owner.call("updateDashboardMetric", path={"id": metric}, body={"warningThreshold": 2})
    _recalculate(gauges, metric)

    assert [title for _, title in gauges.recorded(metric)] == [
        "Workers reached its warning threshold",
        "Workers is back to normal",
    ]


# -- failures --------------------------------------------------------------------------------------------------------


def test_a_failing_metric_has_its_own_error_and_the_others_have_values(gauges: Gauges) -> None:
    spoilt, sound = gauges.new(), gauges.new()
    gauges.spoil(spoilt)
    gauges.set(4)

    _recalculate(gauges, spoilt, sound)

    (result,) = gauges.state(spoilt).results.values()
    assert result.value is None
    assert result.error is not None
    assert "/source" in result.error
    assert gauges.values(sound) == [4]
    assert gauges.points(spoilt) == []
    assert recalculation.tick() == 0  # not retried at once


def test_an_error_is_no_change_of_status(gauges: Gauges) -> None:
    metric = gauges.new(**LIMITS)
    gauges.set(1)
    _recalculate(gauges, metric)
    sound = gauges.organization.owner.call("getMetricById", path={"id": metric}).data["query"]
    gauges.spoil(metric)
    with later(minutes=1):
        _recalculate(gauges, metric)
        shown = gauges.organization.owner.call("getMetricById", path={"id": metric}).data["result"]
        assert (shown["status"], shown["value"]) == (None, None)
        assert shown["error"]
    answer = gauges.organization.owner.call("updateDashboardMetric", path={"id": metric}, body={"color": "red"})
    assert answer.status == 200
    assert sound == HEADCOUNT | {"compare": "previous_period", "groupBy": [], "where": []}

    with later(minutes=2):
        _recalculate(gauges, metric)

    assert len(gauges.recorded(metric)) == 1


def test_a_bug_in_one_query_does_not_affect_the_others(
    gauges: Gauges, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failing, sound = gauges.new(), gauges.new()
    gauges.set(2)

    def buggy(organization: Any, queries: Any, at: Any) -> Any:
        if UUID(failing) in queries:
            raise ZeroDivisionError
        return evaluate(organization, queries, at)

    monkeypatch.setattr(results, "evaluate", buggy)
    _recalculate(gauges, failing, sound)

    (result,) = gauges.state(failing).results.values()
    assert result.error == "something went wrong on our side"
    assert gauges.values(sound) == [2]
    assert "metric not evaluated" in caplog.text


def test_a_store_failure_is_not_an_error_of_the_metric(gauges: Gauges) -> None:
    metric = gauges.new()
    with recorded() as recording:
        results.current(gauges.stored, {}, NOW)
        _recalculate(gauges, metric)
    evaluation = recording.operations.index("Query") + 1
    with later(minutes=1):
        with without_waiting(), broken(Fault(evaluation, "request lost")):
            assert failed(metrics_queue.work, _message(gauges, metric)) == ["1"]

        assert [result.error for result in gauges.state(metric).results.values()] == [None]
