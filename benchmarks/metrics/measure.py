"""The cost of recalculations, widgets and the schedule."""

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
from tests.support.client_hooks import recorded
from tests.support.factories import Organization, new_organization
from tests.support.staffing import created

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
    # No consumer reads the stream here, and dynoxide keeps all of its records.
    streams.turn_off(stack)
    measure_recalculations(api)
    measure_widgets(new_organization(api))
    measure_ticks(stack)


def measure_recalculations(api: Api) -> None:
    show(
        "All built-in metrics recalculated, with their history",
        ("", "metrics", "requests", "capacity units", "CPU ms"),
        [recalculation_row(new_organization(api).id, size) for size in _SIZES],
    )


def recalculation_row(organization: OrganizationId, size: int) -> tuple[object, ...]:
    stored = ORGANIZATIONS.get(organization, organization)
    check_hours(stored, rollup.build(stored, size))
    cost = measured(lambda: recalculate(stored, None, clock.now(), only_due=False))
    results = cost.result.results.values()
    assert not [result for result in results if result.error is not None]
    return f"{size:,} assignments", len(results), cost.round_trips, cost.capacity, cost.milliseconds


def check_hours(organization: StoredOrganization, hours: float) -> None:
    """Assert that the rollups give the hours that were written."""
    today = clock.now().date()
    period = {"from": str(today - timedelta(days=7)), "to": str(today - timedelta(days=1))}
    query = parse({**_LAST_SEVEN, "period": period})
    result = evaluate(organization, {0: query}, evaluation_instant(clock.now()))[0]
    assert result.value is not None, result
    assert abs(float(result.value) - hours) < 0.01, (result, hours)


def measure_widgets(organization: Organization) -> None:
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
            # A result is valid until the metric is due again, which is longer than a cached answer lives.
            with clock.shifted(max(MAX_AGE, _REFRESHED) * later):
                return organization.owner.call("getWidgetData", path=path)

        computed = measured(lambda data=data, ages=ages: data(next(ages)))
        recalculate(ORGANIZATIONS.get(organization.id, organization.id), None, clock.now(), only_due=False)
        stored = measured(lambda data=data: data(0))
        for origin, cost in (("computed", computed), ("stored", stored)):
            assert cost.data["error"] is None, cost.data
            share = cost.milliseconds / computed.milliseconds
            rows.append((f"{kind}, {origin}", cost.round_trips, cost.capacity, cost.milliseconds, f"{share:.2f}"))
    show(
        f"The data of a widget, of {_SIZES[-1]:,} assignments (ratio: to computing it)",
        ("getWidgetData", "round trips", "capacity units", "CPU ms", "ratio"),
        rows,
    )


def measure_ticks(stack: Stack) -> None:
    _put_states(stack)
    rows = []
    for name, later in ((f"{_DUE} of them due", timedelta()), ("all due", timedelta(days=2))):
        with clock.shifted(later), recorded() as recording, _sent_requests(stack) as sent:
            due = recalculation.tick()
        capacity = sum(call.capacity for call in recording.calls)
        rows.append((name, due, len(recording.calls), capacity, f"{capacity / due:.3f}", len(sent)))
    show(
        f"A tick of the schedule, {_ORGANIZATIONS:,} organizations with {_METRICS} metrics each",
        ("", "due metrics", "reads", "RCU", "RCU per metric", "requests to SQS"),
        rows,
    )


@contextlib.contextmanager
def _sent_requests(stack: Stack) -> Iterator[list[int]]:
    """Yield a list that gets a 1 for each request to SQS.

    Messages are received at once, because waiting ones slow down moto.
    """
    sqs = stack.engine.client("sqs")
    sent: list[int] = []

    def receive(**_: Any) -> None:
        sent.append(1)
        messages = sqs.receive_message(QueueUrl=stack.metrics_queue_url, MaxNumberOfMessages=10)["Messages"]
        entries = [{"Id": row["MessageId"], "ReceiptHandle": row["ReceiptHandle"]} for row in messages]
        sqs.delete_message_batch(QueueUrl=stack.metrics_queue_url, Entries=entries)

    events = queues._sqs().meta.events
    events.register("after-call.sqs.SendMessageBatch", receive)
    try:
        yield sent
    finally:
        events.unregister("after-call.sqs.SendMessageBatch", receive)


def _put_states(stack: Stack) -> None:
    """Write the states of all metrics: a few are due, the others tomorrow."""
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
