"""Recalculation: results of metrics, written with a point of their history and the activities of a changed status.

A row, its point and its activities are written in one transaction, if the row is as it was read. So however often a
message is delivered, overlaps or is cut off, the last calculation of a row counts, and a status changes once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chalicelib.core import ids
from chalicelib.core.errors import conflict
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.collection import is_deleted
from chalicelib.dal.unit_of_work import MAX_WRITES, StaleRead, UnitOfWork, stale
from chalicelib.metrics.definitions import SYSTEM_METRICS
from chalicelib.metrics.language.periods import evaluation_instant
from chalicelib.metrics.results import MetricResult, evaluated
from chalicelib.metrics.thresholds import Status
from chalicelib.models.activities import activities
from chalicelib.models.activities.activities import Activity, ActivityType, Severity
from chalicelib.models.audit import Actor
from chalicelib.models.dashboards import metric_states
from chalicelib.models.dashboards.metric_states import SYSTEM, LastResult, MetricState
from chalicelib.models.dashboards.metrics import METRICS, Metric
from chalicelib.models.organizations import StoredOrganization

_ROUNDS = 3
_MINUTE = timedelta(minutes=1)
_PRODUCT = Actor(name="Workledger")


@dataclass(frozen=True)
class Recalculated:
    """The results that were written, by metric, and the number of changed statuses."""

    results: Mapping[UUID, MetricResult]
    changed_statuses: int


@dataclass(frozen=True)
class _Row:
    """A row as it was read, with the definitions of its metrics."""

    state: MetricState
    metrics: Mapping[UUID, Metric]


@dataclass(frozen=True)
class _Calculated:
    row: _Row
    results: Mapping[UUID, LastResult]
    activities_to_record: Sequence[Activity]

    @property
    def writes(self) -> int:
        return 2 + len(self.activities_to_record)

    def shown(self) -> dict[UUID, MetricResult]:
        return {metric.id: MetricResult.of(metric, self.results[metric.id]) for metric in self.row.metrics.values()}

    def add_to(self, unit: UnitOfWork, at: datetime) -> None:
        due_at = at - _MINUTE + timedelta(seconds=self.row.state.refresh_rate)
        metric_states.record(unit, self.row.state, self.results, as_of=at, due_at=due_at, refusal=stale)
        for activity in self.activities_to_record:
            activities.record(unit, activity)


def recalculate(
    organization: StoredOrganization, rows: Collection[str] | None, now: datetime, *, only_due: bool
) -> Recalculated:
    """Recalculate `rows` of `models.dashboards.metric_states`, all where None; deleted rows are left out.

    Rows that others change or calculate meanwhile are calculated again: if they are still due, where `only_due`.
    """
    at = evaluation_instant(now)
    results: dict[UUID, MetricResult] = {}
    changed_statuses = 0
    remaining = rows
    for _ in range(_ROUNDS):
        current = _read(organization.tenant, remaining, now, only_due=only_due)
        overtaken: list[str] = []
        for chunk in _chunks(_calculated(organization, current, at)):
            written, missed = _write(organization.tenant, chunk, at)
            overtaken += [calculated.row.state.row for calculated in missed]
            for calculated in written:
                results.update(calculated.shown())
                changed_statuses += len(calculated.activities_to_record)
        if not overtaken:
            return Recalculated(results, changed_statuses)
        remaining = overtaken
    raise conflict()


def _read(organization: OrganizationId, rows: Collection[str] | None, now: datetime, *, only_due: bool) -> list[_Row]:
    """Read the rows before their definitions: a change of a definition moves its row, which then is not written."""
    states = metric_states.read_all(organization) if rows is None else metric_states.read(organization, rows)
    if rows is None or SYSTEM in rows:
        # Organizations that are older than metrics join here.
        states.setdefault(SYSTEM, MetricState.of_system(now))
    due_states = [state for state in states.values() if not only_due or state.due_at <= now]
    rows_read = [_Row(state, SYSTEM_METRICS) for state in due_states if state.row == SYSTEM]
    own = {UUID(state.row): state for state in due_states if state.row != SYSTEM}
    for identifier, metric in METRICS.get_many(organization, own).items():
        if not is_deleted(metric):
            rows_read.append(_Row(own[identifier], {identifier: metric}))
    return rows_read


def _calculated(organization: StoredOrganization, rows: Sequence[_Row], at: datetime) -> Iterator[_Calculated]:
    metrics = {identifier: metric for row in rows for identifier, metric in row.metrics.items()}
    results = evaluated(organization, metrics, at)
    for row in rows:
        after: dict[UUID, LastResult] = {}
        crossings: list[Activity] = []
        for identifier, metric in row.metrics.items():
            result = results[identifier]
            last = row.state.results.get(identifier)
            before = Status(last.status) if last is not None and last.status is not None else None
            if result.status is None:
                # Neither an error nor a missing value means that anything got better or worse.
                result = result.model_copy(update={"status": before})
            elif result.status != (before or Status.NORMAL):
                crossings.append(_crossing(metric, before or Status.NORMAL, Status(result.status)))
            after[identifier] = result
        yield _Calculated(row, after, crossings)


_SEVERITIES = {Status.WARNING: Severity.WARNING, Status.CRITICAL: Severity.CRITICAL}


def _crossing(metric: Metric, before: Status, after: Status) -> Activity:
    """Without the value, which not everybody who sees activities may see."""
    if after.is_worse_than(before):
        severity, title = _SEVERITIES[after], f"{metric.name} is {after}"
    elif after is Status.NORMAL:
        severity, title = Severity.SUCCESS, f"{metric.name} is back to normal"
    else:
        severity, title = Severity.INFO, f"{metric.name} is no longer {before}, and still {after}"
    return Activity.happened(
        ids.new_id(),
        title=title,
        type=ActivityType.SYSTEM_EVENT,
        entity_type=METRICS.entity,
        entity_id=str(metric.id),
        action="METRIC_STATUS_CHANGED",
        metadata={"before": before, "after": after},
        severity=severity,
        actor=_PRODUCT,
    )


def _chunks(results: Iterable[_Calculated]) -> Iterator[list[_Calculated]]:
    """Yield chunks of as many as fit one transaction."""
    chunk: list[_Calculated] = []
    writes = 0
    for calculated in results:
        if writes + calculated.writes > MAX_WRITES:
            yield chunk
            chunk, writes = [], 0
        chunk.append(calculated)
        writes += calculated.writes
    if chunk:
        yield chunk


def _write(
    organization: OrganizationId, chunk: list[_Calculated], at: datetime
) -> tuple[list[_Calculated], list[_Calculated]]:
    """Return the calculations that were written, and those whose rows others had written meanwhile."""
    missed: list[_Calculated] = []
    while chunk:
        unit = UnitOfWork(organization)
        for calculated in chunk:
            calculated.add_to(unit, at)
        try:
            unit.commit()
            break
        except StaleRead:
            states = metric_states.read(organization, [calculated.row.state.row for calculated in chunk])
            still = [calculated for calculated in chunk if _is_as_read(calculated.row.state, states)]
            if len(still) == len(chunk):
                raise
            missed += [calculated for calculated in chunk if not _is_as_read(calculated.row.state, states)]
            chunk = still
    return chunk, missed


def _is_as_read(state: MetricState, states: Mapping[str, MetricState]) -> bool:
    return state.row in states and states[state.row].version == state.version
