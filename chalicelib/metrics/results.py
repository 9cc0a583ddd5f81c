"""Results of metrics for users: the value with its unit, change, status and progress."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Contract
from chalicelib.core.errors import ActionError
from chalicelib.core.field_types import Instant
from chalicelib.core.figures import exactly, shown
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import log_error
from chalicelib.metrics import thresholds
from chalicelib.metrics.definitions import row_of
from chalicelib.metrics.engine.evaluate import evaluate
from chalicelib.metrics.language.errors import InvalidQuery
from chalicelib.metrics.language.outcomes import Group, Outcome, ranked
from chalicelib.metrics.language.periods import evaluation_instant
from chalicelib.metrics.language.query import MetricQuery, adds_up, dimension_of, parse
from chalicelib.metrics.rollups.sources.fields import Unit
from chalicelib.metrics.thresholds import Status
from chalicelib.models.dashboards import metric_states
from chalicelib.models.dashboards.metric_enums import MetricCategory, MetricFormat
from chalicelib.models.dashboards.metric_states import Groups, LastResult, MetricState, ResultGroup
from chalicelib.models.dashboards.metrics import Metric
from chalicelib.models.organizations import StoredOrganization

_UNITS = {Unit.HOURS: "h", Unit.NUMBER: None, Unit.PERCENT: "%"}
"""Suffix of a value by unit. Money has its currency."""

MAX_RESULT_GROUPS = 20
"""Groups of a result. It is stored with each calculation, so it stays small; tables and charts show more."""


NO_METRIC = UUID(int=0)
"""Key of a query that is evaluated alone, without a metric."""


class MetricResult(Contract):
    id: UUID
    name: Annotated[str, Field(examples=["Hours this week"])]
    category: MetricCategory
    value: Annotated[float | None, Field(description="Null if there is no data.", examples=[37.5])]
    unit: Annotated[str | None, Field(examples=["h"])]
    format: MetricFormat
    previous: Annotated[float | None, Field(description="The value of the compared period.", examples=[30.0])]
    change: Annotated[float | None, Field(examples=[7.5])]
    change_percent: Annotated[
        float | None, Field(description="The change in percent; null if the previous value is 0.", examples=[25.0])
    ]
    status: Annotated[Status | None, Field(description="Null if there is no value.")]
    target: Annotated[float | None, Field(examples=[40.0])]
    progress: Annotated[float | None, Field(description="Share of the target, in percent.", examples=[93.75])]
    as_of: Annotated[Instant, Field(description="The end of the minute in which it was calculated.")]
    groups: Annotated[Groups | None, Field(exclude_if=lambda groups: groups is None)] = None
    error: Annotated[
        str | None,
        Field(
            description="The reason why the metric could not be calculated.",
            exclude_if=lambda error: error is None,
            examples=["needs a scan of more than 10,000 activities: use one dimension, and sums, counts or averages"],
        ),
    ] = None

    @classmethod
    def of(cls, metric: Metric, last: LastResult) -> MetricResult:
        """Build the result with the metric's current thresholds, which may be newer than the value."""
        value, previous, target = (_exactly(number) for number in (last.value, last.previous, metric.target_value))
        return cls(
            id=metric.id,
            name=metric.name,
            category=metric.category,
            value=last.value,
            unit=metric.unit or last.unit,
            format=metric.format,
            previous=last.previous,
            change=_shown(thresholds.change(value, previous)),
            change_percent=_shown(thresholds.change_percent(value, previous)),
            status=status(metric, value),
            target=metric.target_value,
            progress=_shown(thresholds.progress(value, target)),
            as_of=last.as_of,
            groups=last.groups,
            error=last.error,
        )


def status(metric: Metric, value: Decimal | None) -> Status | None:
    return thresholds.status_of(value, direction=metric.direction, **limits(metric))


def limits(metric: Metric) -> dict[str, Any]:
    """Return the metric's thresholds and target as arguments of the `thresholds` functions."""
    return {
        "warning": _exactly(metric.warning_threshold),
        "critical": _exactly(metric.critical_threshold),
        "target": _exactly(metric.target_value),
    }


def states_of(organization: OrganizationId, metrics: Iterable[UUID]) -> dict[str, MetricState]:
    """Return the rows that hold the last results of metrics, by name."""
    return metric_states.read(organization, {row_of(identifier) for identifier in metrics})


def current(
    organization: StoredOrganization,
    metrics: Mapping[UUID, Metric],
    now: datetime,
    states: Mapping[str, MetricState] | None = None,
) -> dict[UUID, MetricResult]:
    """Return the last results, and newly calculated ones where they are due. Writes nothing.

    `states`: those of `states_of`, if they were read before.
    """
    if states is None:
        states = states_of(organization.tenant, metrics)
    results: dict[UUID, LastResult] = {}
    for identifier in metrics:
        state = states.get(row_of(identifier))
        if state is not None and state.due_at > now and identifier in state.results:
            results[identifier] = state.results[identifier]
    missing = {identifier: metric for identifier, metric in metrics.items() if identifier not in results}
    if missing:
        results |= evaluated(organization, missing, evaluation_instant(now))
    return {identifier: MetricResult.of(metric, results[identifier]) for identifier, metric in metrics.items()}


def evaluated(organization: StoredOrganization, metrics: Mapping[UUID, Metric], at: datetime) -> dict[UUID, LastResult]:
    """Evaluate metrics at `at`, an `evaluation_instant`. A metric that fails has an error; the others have values."""
    results: dict[UUID, LastResult] = {}
    queries: dict[UUID, MetricQuery] = {}
    for identifier, metric in metrics.items():
        try:
            queries[identifier] = parse(metric.query)
        except InvalidQuery as error:  # valid when it was saved: the catalogue has changed since
            results[identifier] = LastResult(as_of=at, error=f"the query is no longer valid: {error}")
    for identifier, outcome in evaluate_safely(organization, queries, at).items():
        results[identifier] = last_result(organization, metrics[identifier], queries[identifier], outcome, at)
    return results


def evaluate_safely(
    organization: StoredOrganization, queries: Mapping[UUID, MetricQuery], at: datetime
) -> dict[UUID, Outcome]:
    try:
        return evaluate(organization, queries, at)
    except ActionError:
        raise
    except Exception as error:  # noqa: BLE001  a bug in one query must not cost the others their values
        log_error("metrics could not be evaluated together", error)
    outcomes: dict[UUID, Outcome] = {}
    for identifier, query in queries.items():
        try:
            outcomes |= evaluate(organization, {identifier: query}, at)
        except ActionError:
            raise
        except Exception as error:  # noqa: BLE001  logged, and shown as the error of this metric
            log_error("metric not evaluated", error, metric_id=str(identifier))
            outcomes[identifier] = Outcome(query.unit, error="something went wrong on our side")
    return outcomes


def result_of(organization: StoredOrganization, query: MetricQuery, now: datetime) -> LastResult:
    """Return the result of a query that is of no metric, so it has no status."""
    at = evaluation_instant(now)
    return last_result(organization, None, query, evaluate_safely(organization, {NO_METRIC: query}, at)[NO_METRIC], at)


def last_result(
    organization: StoredOrganization, metric: Metric | None, query: MetricQuery, outcome: Outcome, at: datetime
) -> LastResult:
    unit = organization.currency if outcome.unit is Unit.MONEY else _UNITS[outcome.unit]
    if outcome.error is not None:
        return LastResult(as_of=at, unit=unit, error=outcome.error)
    return LastResult(
        as_of=at,
        value=_shown(outcome.value),
        previous=_shown(outcome.previous),
        unit=unit,
        status=None if metric is None else status(metric, outcome.value),
        groups=None if dimension_of(query) is None else result_groups(query, outcome.groups),
    )


def result_groups(query: MetricQuery, groups: Sequence[Group]) -> tuple[ResultGroup, ...]:
    """Return the greatest groups, and the others as one, whose value is known where the values add up."""
    greatest, rest = ranked(groups)[:MAX_RESULT_GROUPS], ranked(groups)[MAX_RESULT_GROUPS:]
    result = [ResultGroup(key=group.key, name=group.label, value=_shown(group.value)) for group in greatest]
    if rest:
        known = [group.value for group in rest if group.value is not None]
        total = sum(known, Decimal(0)) if known and adds_up(query) else None
        result.append(metric_states.others(len(rest), _shown(total)))
    return tuple(result)


def _exactly(figure: float | None) -> Decimal | None:
    return None if figure is None else exactly(figure)


def _shown(value: Decimal | None) -> float | None:
    return None if value is None else shown(value)
