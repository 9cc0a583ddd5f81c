"""Recalculation: evaluates metrics and writes their results, history points and activities of status changes.

A state row, its history point and its activities are written in one transaction, if the row is still unchanged.
Duplicate, overlapping or aborted runs are therefore safe: the last calculation wins, a status change is recorded once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chalicelib.core import ids
from chalicelib.core.errors import conflict
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.collection import is_deleted
from chalicelib.dal.unit_of_work import MAX_WRITES, StaleRead, UnitOfWork, stale
from chalicelib.metrics.definitions import SYSTEM_METRICS, shows_money
from chalicelib.metrics.language.periods import evaluation_instant
from chalicelib.metrics.results import MetricResult, evaluated
from chalicelib.metrics.thresholds import Status
from chalicelib.models.activities import activities
from chalicelib.models.activities.activities import ActivityType, Severity, StoredActivity
from chalicelib.models.activities.audience import Group, groups_of_roles
from chalicelib.models.audit import PRODUCT
from chalicelib.models.dashboards import metric_states
from chalicelib.models.dashboards.metric_enums import Direction
from chalicelib.models.dashboards.metric_states import SYSTEM, LastResult, MetricState
from chalicelib.models.dashboards.metrics import METRICS, Metric
from chalicelib.models.organizations import StoredOrganization

_ROUNDS = 3
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Recalculated:
    """The written results by metric, and the number of status changes recorded."""

    results: Mapping[UUID, MetricResult]
    changed_statuses: int


@dataclass(frozen=True)
class _Row:
    """A state as it was read, with the definitions of its metrics."""

    state: MetricState
    metrics: Mapping[UUID, Metric]


@dataclass(frozen=True)
class _Calculated:
    row: _Row
    results: Mapping[UUID, LastResult]
    activities: Sequence[StoredActivity]

    @property
    def writes(self) -> int:
        return 2 + len(self.activities)

    def metric_results(self) -> dict[UUID, MetricResult]:
        return {metric.id: MetricResult.of(metric, self.results[metric.id]) for metric in self.row.metrics.values()}

    def add_to(self, unit: UnitOfWork, at: datetime) -> None:
        due_at = at - _MINUTE + timedelta(seconds=self.row.state.refresh_rate)
        metric_states.record(unit, self.row.state, self.results, as_of=at, due_at=due_at, on_failed_condition=stale)
        for activity in self.activities:
            activities.record(unit, activity)


Permitted = Callable[[Mapping[UUID, Metric]], Collection[UUID]]
"""Returns the metrics, of those by id, that the caller may see; raises FORBIDDEN or NOT_FOUND."""


def recalculate(
    organization: StoredOrganization,
    rows: Collection[str] | None,
    now: datetime,
    *,
    only_due: bool,
    permitted: Permitted = lambda metrics: metrics.keys(),
) -> Recalculated:
    """Recalculate rows of `models.dashboards.metric_states`, all if None; with `only_due`, those that are due.

    Rows that change meanwhile are calculated again, if they are still due; deleted ones are skipped. Definitions are
    read once, so `permitted` judges them here. Raises what it raises, before anything is calculated.
    """
    at = evaluation_instant(now)
    results: dict[UUID, MetricResult] = {}
    status_changes = 0
    pending = rows
    for round_ in range(_ROUNDS):
        states = read_rows(organization.tenant, pending, now, only_due=only_due)
        if round_ == 0:
            allowed = permitted({identifier: metric for row in states for identifier, metric in row.metrics.items()})
            states = [row for row in states if not row.metrics.keys().isdisjoint(allowed)]
        overtaken: list[str] = []
        for chunk in chunks_of(calculate(organization, states, at)):
            written, stale_rows = write(organization.tenant, chunk, at)
            overtaken += [calculated.row.state.row for calculated in stale_rows]
            for calculated in written:
                results.update(calculated.metric_results())
                status_changes += len(calculated.activities)
        if not overtaken:
            return Recalculated(results, status_changes)
        pending = overtaken
    raise conflict()


def read_rows(
    organization: OrganizationId, rows: Collection[str] | None, now: datetime, *, only_due: bool
) -> list[_Row]:
    # The race: a definition changes meanwhile. States are read before definitions, and a change of a definition bumps
    # the version of its state, so a result of an outdated definition fails its condition.
    states = metric_states.read_all(organization) if rows is None else metric_states.read(organization, rows)
    if rows is None or SYSTEM in rows:
        # Organizations created before metrics existed have no row yet.
        states.setdefault(SYSTEM, MetricState.of_system(now))
    due = [state for state in states.values() if not only_due or state.due_at <= now]
    result = [_Row(state, SYSTEM_METRICS) for state in due if state.row == SYSTEM]
    own = {UUID(state.row): state for state in due if state.row != SYSTEM}
    for identifier, metric in METRICS.get_many(organization, own).items():
        if not is_deleted(metric):
            result.append(_Row(own[identifier], {identifier: metric}))
    return result


def calculate(organization: StoredOrganization, rows: Sequence[_Row], at: datetime) -> Iterator[_Calculated]:
    metrics = {identifier: metric for row in rows for identifier, metric in row.metrics.items()}
    results = evaluated(organization, metrics, at)
    for row in rows:
        after: dict[UUID, LastResult] = {}
        crossings: list[StoredActivity] = []
        for identifier, metric in row.metrics.items():
            result = results[identifier]
            last = row.state.results.get(identifier)
            before = Status(last.status) if last is not None and last.status is not None else None
            if result.status is None:
                # An error or a missing value is no evidence of a change: the last status stays.
                result = result.model_copy(update={"status": before})
            elif result.status != (before or Status.NORMAL):
                crossings.append(status_activity(metric, before or Status.NORMAL, Status(result.status), result.value))
            after[identifier] = result
        yield _Calculated(row, after, crossings)


_SEVERITIES = {Status.WARNING: Severity.WARNING, Status.CRITICAL: Severity.CRITICAL}


def _crossing(metric: Metric, status: Status, value: float | None) -> str:
    """Return how a value has come to a worse status."""
    threshold = metric.critical_threshold if status is Status.CRITICAL else metric.warning_threshold
    if metric.direction is Direction.BAND:
        return f"{metric.name} is farther from its target than its {status} threshold"
    if value == threshold:
        return f"{metric.name} reached its {status} threshold"
    return f"{metric.name} {'fell below' if metric.direction is Direction.UP else 'rose above'} its {status} threshold"


def status_activity(metric: Metric, before: Status, after: Status, value: float | None) -> StoredActivity:
    # For those who may see the value.
    roles = () if shows_money(metric) else metric.permissions
    if after.is_worse_than(before):
        severity, title = _SEVERITIES[after], _crossing(metric, after, value)
    elif after is Status.NORMAL:
        severity, title = Severity.SUCCESS, f"{metric.name} is back to normal"
    else:
        severity, title = Severity.INFO, f"{metric.name} has left the {before} range, and is still in the {after} range"
    return StoredActivity.happened(
        ids.new_id(),
        title=title,
        type=ActivityType.SYSTEM_EVENT,
        entity_type=METRICS.entity,
        entity_id=str(metric.id),
        action="METRIC_STATUS_CHANGED",
        metadata={"before": before, "after": after},
        severity=severity,
        actor=PRODUCT,
        readers=groups_of_roles(roles) | {Group.METRICS},
    )


def chunks_of(calculated: Iterable[_Calculated]) -> Iterator[list[_Calculated]]:
    """Yield chunks that fit one transaction."""
    chunk: list[_Calculated] = []
    writes = 0
    for row in calculated:
        if writes + row.writes > MAX_WRITES:
            yield chunk
            chunk, writes = [], 0
        chunk.append(row)
        writes += row.writes
    if chunk:
        yield chunk


def write(
    organization: OrganizationId, chunk: list[_Calculated], at: datetime
) -> tuple[list[_Calculated], list[_Calculated]]:
    """Write a chunk; return the written rows, and those that others have changed since they were read."""
    stale_rows: list[_Calculated] = []
    while chunk:
        unit = UnitOfWork(organization)
        for calculated in chunk:
            calculated.add_to(unit, at)
        try:
            unit.commit()
            break
        except StaleRead:
            states = metric_states.read(organization, [calculated.row.state.row for calculated in chunk])
            unchanged = [calculated for calculated in chunk if _is_unchanged(calculated.row.state, states)]
            if len(unchanged) == len(chunk):
                raise
            stale_rows += [calculated for calculated in chunk if not _is_unchanged(calculated.row.state, states)]
            chunk = unchanged
    return chunk, stale_rows


def _is_unchanged(state: MetricState, states: Mapping[str, MetricState]) -> bool:
    return state.row in states and states[state.row].version == state.version
