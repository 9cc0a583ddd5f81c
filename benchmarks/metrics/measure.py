"""What a recalculation costs, and what the schedule does."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from benchmarks.metrics import rolled_up
from benchmarks.staffing.measured import measured
from benchmarks.tables import show
from chalicelib.core import clock, ids
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import metric_states
from chalicelib.dal.metric_states import MetricState
from chalicelib.dal.organizations import ORGANIZATIONS, StoredOrganization
from chalicelib.jobs import recalculation
from chalicelib.metrics.evaluate import evaluate
from chalicelib.metrics.periods import evaluation_instant
from chalicelib.metrics.query import parse
from chalicelib.metrics.recalculation import recalculate
from infra.local.stack import Stack
from tests.support import store
from tests.support.api import Api
from tests.support.wire import recorded
from tests.support.world import new_organization

_SIZES = (10_000, 1_000_000)
_ORGANIZATIONS = 10_000
_METRICS = 5
_DUE = 10

_LAST_SEVEN = {
    "version": 1,
    "type": "simple",
    "source": "assignments",
    "aggregate": "sum",
    "field": "hours",
    "compare": "none",
}


def run(api: Api, stack: Stack) -> None:
    _recalculations(api)
    _ticks(stack)


def _recalculations(api: Api) -> None:
    show(
        "All metrics that come with the product, recalculated, with their history",
        ("", "metrics", "requests", "capacity units", "CPU ms"),
        [_recalculation(new_organization(api).id, size) for size in _SIZES],
    )


def _recalculation(organization: OrganizationId, size: int) -> tuple[object, ...]:
    stored = ORGANIZATIONS.get(organization, organization)
    _check(stored, rolled_up.build(stored, size))
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


def _ticks(stack: Stack) -> None:
    _put_states(stack)
    rows = []
    for name, later in ((f"{_DUE} of them due", timedelta()), ("all due", timedelta(days=2))):
        with clock.shifted(later), recorded() as recording:
            found = recalculation.tick()
        capacity = sum(call.capacity for call in recording.calls)
        rows.append((name, found, len(recording.calls), capacity, f"{capacity / found:.3f}"))
    show(
        f"A tick of the schedule, {_ORGANIZATIONS:,} organizations with {_METRICS} metrics each",
        ("", "metrics found", "reads", "RCU", "RCU a metric"),
        rows,
    )


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
