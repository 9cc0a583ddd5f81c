"""What a recalculation costs, and what the schedule does."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from benchmarks.metrics import rollup
from benchmarks.staffing.measured import measured
from benchmarks.tables import show
from chalicelib.core import clock, ids
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.cache import MAX_AGE
from chalicelib.jobs import queues, recalculation
from chalicelib.metrics.engine.evaluate import evaluate
from chalicelib.metrics.language.periods import evaluation_instant
from chalicelib.metrics.language.query import parse
from chalicelib.metrics.recalculation import recalculate
from chalicelib.models.dashboards import metric_states
from chalicelib.models.dashboards.metric_states import MetricState
from chalicelib.models.organizations import ORGANIZATIONS, StoredOrganization
from infra.local.stack import Stack
from tests.support import store, streams
from tests.support.api import Answer, Api
from tests.support.staffing import created
from tests.support.wire import recorded
from tests.support.world import Organization, new_organization

_SIZES = (10_000, 1_000_000)
_ORGANIZATIONS = 10_000
_METRICS = 5
_DUE = 10
_REFRESHED = timedelta(seconds=300)

_LAST_SEVEN = {
    "version": 1,
    "type": "simple",
    "source": "assignments",
    "aggregate": "sum",
    "field": "hours",
    "compare": "none",
}


def run(api: Api, stack: Stack) -> None:
    # Nothing here is carried on, and dynoxide keeps all that a stream ever told.
    streams.turn_off(stack)
    _recalculations(api)
    _widgets(new_organization(api))
    _ticks(stack)


def _recalculations(api: Api) -> None:
    show(
        "All metrics that come with the product, recalculated, with their history",
        ("", "metrics", "requests", "capacity units", "CPU ms"),
        [_recalculation(new_organization(api).id, size) for size in _SIZES],
    )


def _recalculation(organization: OrganizationId, size: int) -> tuple[object, ...]:
    stored = ORGANIZATIONS.get(organization, organization)
    _check(stored, rollup.build(stored, size))
    cost = measured(lambda: recalculate(stored, None, clock.now(), only_due=False))
    results = cost.result.results.values()
    assert not [each for each in results if each.error is not None]
    return f"{size:,} assignments", len(results), cost.round_trips, cost.capacity, cost.milliseconds


def _check(organization: StoredOrganization, hours: float) -> None:
    """What the rollups tell is what was put in."""
    today = clock.now().date()
    period = {"from": str(today - timedelta(days=7)), "to": str(today - timedelta(days=1))}
    query = parse({**_LAST_SEVEN, "period": period})
    told = evaluate(organization, {0: query}, evaluation_instant(clock.now()))[0]
    assert told.value is not None, told
    assert abs(float(told.value) - hours) < 0.01, (told, hours)


def _widgets(organization: Organization) -> None:
    rollup.build(ORGANIZATIONS.get(organization.id, organization.id), _SIZES[-1])
    metric = {"name": "Hours", "category": "PRODUCTIVITY", "query": {**_LAST_SEVEN, "period": "last_30_days"}}
    metric_id = created(organization.owner, "createDashboardMetric", **metric)["id"]
    rows: list[tuple[object, ...]] = []
    for kind, config in (("METRIC", {}), ("CHART", {"step": "day"})):
        widget: dict[str, Any] = {"name": kind, "title": kind, "type": kind}
        widget |= {"config": {"metricId": metric_id, **config}, "position": {"x": 0, "y": 0, "w": 4, "h": 3}}
        path = {"id": created(organization.owner, "createDashboardWidget", **widget)["id"]}
        ages = itertools.count(1)

        def data(later: int, path: dict[str, str] = path) -> Answer:
            # What a metric came to is good until it is due again, which is longer than an answer is kept.
            with clock.shifted(max(MAX_AGE, _REFRESHED) * later):
                return organization.owner.call("getWidgetData", path=path)

        computed = measured(lambda data=data, ages=ages: data(next(ages)))
        recalculate(ORGANIZATIONS.get(organization.id, organization.id), None, clock.now(), only_due=False)
        kept = measured(lambda data=data: data(0))
        for how, cost in (("computed", computed), ("kept", kept)):
            assert cost.data["error"] is None, cost.data
            share = cost.milliseconds / computed.milliseconds
            rows.append((f"{kind}, {how}", cost.round_trips, cost.capacity, cost.milliseconds, f"{share:.2f}"))
    show(
        f"The data of a widget, of {_SIZES[-1]:,} assignments (ratio: to computing it)",
        ("getWidgetData", "round trips", "capacity units", "CPU ms", "ratio"),
        rows,
    )


def _ticks(stack: Stack) -> None:
    _put_states(stack)
    rows = []
    for name, later in ((f"{_DUE} of them due", timedelta()), ("all due", timedelta(days=2))):
        with clock.shifted(later), recorded() as recording, _sent(stack) as sent:
            found = recalculation.tick()
        capacity = sum(call.capacity for call in recording.calls)
        rows.append((name, found, len(recording.calls), capacity, f"{capacity / found:.3f}", len(sent)))
    show(
        f"A tick of the schedule, {_ORGANIZATIONS:,} organizations with {_METRICS} metrics each",
        ("", "metrics found", "reads", "RCU", "RCU a metric", "requests to SQS"),
        rows,
    )


@contextlib.contextmanager
def _sent(stack: Stack) -> Iterator[list[int]]:
    """A 1 for each request. Messages are taken as they come: those that wait make each of moto's requests slower."""
    sqs = stack.engine.client("sqs")
    sent: list[int] = []

    def take(**_: Any) -> None:
        sent.append(1)
        taken = sqs.receive_message(QueueUrl=stack.metrics_queue_url, MaxNumberOfMessages=10)["Messages"]
        entries = [{"Id": each["MessageId"], "ReceiptHandle": each["ReceiptHandle"]} for each in taken]
        sqs.delete_message_batch(QueueUrl=stack.metrics_queue_url, Entries=entries)

    events = queues._sqs().meta.events
    events.register("after-call.sqs.SendMessageBatch", take)
    try:
        yield sent
    finally:
        events.unregister("after-call.sqs.SendMessageBatch", take)


def _put_states(stack: Stack) -> None:
    """A few are due, the others tomorrow."""
    now = clock.now()
    items = []
    for number in range(_ORGANIZATIONS):
        organization = OrganizationId(ids.new_id())
        for metric in range(_METRICS):
            is_due = number * _METRICS + metric < _DUE
            state = MetricState(
                row=str(UUID(int=metric + 1)),
                refresh_rate=300,
                due_at=now - timedelta(minutes=1) if is_due else now + timedelta(days=1),
            )
            items.append(metric_states.item(organization, state).serialize())
    store.of(stack).put(items)
