"""Recalculation: what metrics come to now, written with a point of their history and what there is to tell of it.

A row, its point and its activities are written in one transaction, if the row is as it was read. So whatever is
delivered twice, overlaps or is cut off, the last calculation of a row stands, and a status is told of once.
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
    """What was written: results by metric, and how many of them say that a status changed."""

    results: Mapping[UUID, MetricResult]
    told: int


@dataclass(frozen=True)
class _Row:
    """A state as it was read, with the definitions that it tells of."""

    state: MetricState
    metrics: Mapping[UUID, Metric]


@dataclass(frozen=True)
class _Calculated:
    row: _Row
    results: Mapping[UUID, LastResult]
    told: Sequence[Activity]

    @property
    def writes(self) -> int:
        return 2 + len(self.told)

    def shown(self) -> dict[UUID, MetricResult]:
        return {metric.id: MetricResult.of(metric, self.results[metric.id]) for metric in self.row.metrics.values()}

    def add_to(self, unit: UnitOfWork, at: datetime) -> None:
        due_at = at - _MINUTE + timedelta(seconds=self.row.state.refresh_rate)
        metric_states.record(unit, self.row.state, self.results, as_of=at, due_at=due_at, refusal=stale)
        for activity in self.told:
            activities.record(unit, activity)


def recalculate(
    organization: StoredOrganization, rows: Collection[str] | None, now: datetime, *, only_due: bool
) -> Recalculated:
    """`rows`: of `models.dashboards.metric_states`, None for all. What is deleted meanwhile is left out.

    What others change or calculate meanwhile is calculated again: if it is still due, where only that is wanted.
    """
    at = evaluation_instant(now)
    results: dict[UUID, MetricResult] = {}
    told = 0
    wanted = rows
    for _ in range(_ROUNDS):
        found = _read(organization.tenant, wanted, now, only_due=only_due)
        overtaken: list[str] = []
        for chunk in _chunks(_calculated(organization, found, at)):
            written, missed = _write(organization.tenant, chunk, at)
            overtaken += [each.row.state.row for each in missed]
            for each in written:
                results.update(each.shown())
                told += len(each.told)
        if not overtaken:
            return Recalculated(results, told)
        wanted = overtaken
    raise conflict()


def _read(organization: OrganizationId, rows: Collection[str] | None, now: datetime, *, only_due: bool) -> list[_Row]:
    """The rows before their definitions, a change of which moves its row: of an older one nothing can be written."""
    states = metric_states.read_all(organization) if rows is None else metric_states.read(organization, rows)
    if rows is None or SYSTEM in rows:
        # Organizations that are older than metrics join here.
        states.setdefault(SYSTEM, MetricState.of_system(now))
    wanted = [state for state in states.values() if not only_due or state.due_at <= now]
    found = [_Row(state, SYSTEM_METRICS) for state in wanted if state.row == SYSTEM]
    own = {UUID(state.row): state for state in wanted if state.row != SYSTEM}
    for identifier, metric in METRICS.get_many(organization, own).items():
        if not is_deleted(metric):
            found.append(_Row(own[identifier], {identifier: metric}))
    return found


def _calculated(organization: StoredOrganization, rows: Sequence[_Row], at: datetime) -> Iterator[_Calculated]:
    metrics = {identifier: metric for row in rows for identifier, metric in row.metrics.items()}
    results = evaluated(organization, metrics, at)
    for row in rows:
        after: dict[UUID, LastResult] = {}
        told: list[Activity] = []
        for identifier, metric in row.metrics.items():
            result = results[identifier]
            last = row.state.results.get(identifier)
            before = Status(last.status) if last is not None and last.status is not None else None
            if result.status is None:
                # Neither an error nor a value that is not there says that anything got better or worse.
                result = result.model_copy(update={"status": before})
            elif result.status != (before or Status.NORMAL):
                told.append(_crossing(metric, before or Status.NORMAL, Status(result.status)))
            after[identifier] = result
        yield _Calculated(row, after, told)


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


def _chunks(calculated: Iterable[_Calculated]) -> Iterator[list[_Calculated]]:
    """Each as many as fit one transaction."""
    chunk: list[_Calculated] = []
    writes = 0
    for each in calculated:
        if writes + each.writes > MAX_WRITES:
            yield chunk
            chunk, writes = [], 0
        chunk.append(each)
        writes += each.writes
    if chunk:
        yield chunk


def _write(
    organization: OrganizationId, chunk: list[_Calculated], at: datetime
) -> tuple[list[_Calculated], list[_Calculated]]:
    """Those that were written, and those whose rows others had written meanwhile."""
    missed: list[_Calculated] = []
    while chunk:
        unit = UnitOfWork(organization)
        for each in chunk:
            each.add_to(unit, at)
        try:
            unit.commit()
            break
        except StaleRead:
            states = metric_states.read(organization, [each.row.state.row for each in chunk])
            still = [each for each in chunk if _is_as_read(each.row.state, states)]
            if len(still) == len(chunk):
                raise
            missed += [each for each in chunk if not _is_as_read(each.row.state, states)]
            chunk = still
    return chunk, missed


def _is_as_read(state: MetricState, states: Mapping[str, MetricState]) -> bool:
    return state.row in states and states[state.row].version == state.version
