"""Metrics: definitions, results, history."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from chalicelib.action import lists
from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import PERMISSIONS, Permission
from chalicelib.core.contracts import CursorPage, Page
from chalicelib.core.errors import MAX_MESSAGES, ErrorCode, forbidden, invalid_fields, not_found, require_order
from chalicelib.dal.page_lists import JoinedRead, Rows
from chalicelib.metrics import definitions, thresholds
from chalicelib.metrics.definitions import SYSTEM_METRICS, may_see_values, require_values, row_of, shows_money
from chalicelib.metrics.engine.group_by import names_of
from chalicelib.metrics.language.catalogue_view import MetricCatalogue, catalogue_view
from chalicelib.metrics.language.errors import InvalidQuery
from chalicelib.metrics.language.query import parse, unit_of
from chalicelib.metrics.recalculation import recalculate
from chalicelib.metrics.results import current, limits, result_of, states_of
from chalicelib.models.audit import AuditEvent
from chalicelib.models.dashboards import metric_states, metrics
from chalicelib.models.dashboards.metric_enums import MetricCategory
from chalicelib.models.dashboards.metric_states import MetricPoint, MetricState
from chalicelib.models.dashboards.metrics import METRICS, Metric
from chalicelib.modules.metrics.contracts import (
    CalculatedMetrics,
    CalculateMetrics,
    CreateMetric,
    GetMetricHistory,
    GetMetrics,
    MetricQueryValidity,
    MetricWithResult,
    QueryResult,
    UpdateMetric,
    ValidateMetricQuery,
)


@action(
    "createDashboardMetric",
    "POST /metrics",
    permission=Permission.METRICS_WRITE,
    audit=AuditEvent.METRIC_CREATED,
    status=201,
)
def create_dashboard_metric(ctx: Context, data: CreateMetric) -> Metric:
    """Defines a metric of the organization's own. It is calculated within a minute, and then at its refresh rate."""
    metric = Metric.new(**_stored(dict(data)))
    _check(metric)
    return metrics.create(ctx.unit, metric, ctx.now)


@action("getDashboardMetrics", "GET /metrics", permission=Permission.WORKSPACE_READ)
def get_dashboard_metrics(ctx: Context, data: GetMetrics) -> Page[MetricWithResult] | CursorPage[MetricWithResult]:
    """The metrics, those that come with the product included. `search` looks at name and category.

    Sorted by category, and within one by name, by default. Metrics have their `result` where the caller may see it.
    """
    return _list(ctx, data, SYSTEM_METRICS, "category")


@action("getMetricsByCategory", "GET /metrics/by-category/{category}", permission=Permission.WORKSPACE_READ)
def get_metrics_by_category(
    ctx: Context, category: MetricCategory, data: GetMetrics
) -> Page[MetricWithResult] | CursorPage[MetricWithResult]:
    """The metrics of one category by name, as in getDashboardMetrics."""
    builtin = {identifier: metric for identifier, metric in SYSTEM_METRICS.items() if metric.category is category}
    return _list(ctx, data, builtin, "name", category=category.value)


@action("getMetricById", "GET /metrics/{id}", permission=Permission.WORKSPACE_READ, entity=METRICS)
def get_metric_by_id(ctx: Context, id_: UUID) -> MetricWithResult:
    """One metric, with its `result` where the caller may see it."""
    return _with_results(ctx, [definitions.get(ctx.organization, id_)])[0]


@action(
    "updateDashboardMetric",
    "PATCH /metrics/{id}",
    permission=Permission.METRICS_WRITE,
    entity=METRICS,
    audit=AuditEvent.METRIC_UPDATED,
)
def update_dashboard_metric(ctx: Context, id_: UUID, data: UpdateMetric) -> Metric:
    """Changes a metric, which is calculated again within a minute. Those that come with the product stay."""
    before = _own(ctx, id_)
    changes = _stored(data.changes())
    _check(before.model_copy(update=changes))
    return metrics.update(ctx.unit, before, changes, ctx.now)


@action(
    "deleteDashboardMetric",
    "DELETE /metrics/{id}",
    permission=Permission.METRICS_WRITE,
    entity=METRICS,
    audit=AuditEvent.METRIC_DELETED,
)
def delete_dashboard_metric(ctx: Context, id_: UUID) -> Metric:
    """Deletes a metric softly; widgets that show it say so. Those that come with the product can't be deleted."""
    return metrics.delete(ctx.unit, _own(ctx, id_))


@action(
    "calculateMetrics",
    "POST /metrics/calculate",
    permission=Permission.WORKSPACE_READ,
    errors=(ErrorCode.NOT_FOUND,),
)
def calculate_metrics(ctx: Context, data: CalculateMetrics) -> CalculatedMetrics:
    """Calculates metrics now. Without `metricIds`, all whose values the caller may see.

    One that fails has its own `error`, the others have their values.
    """

    def permitted(metrics: Mapping[UUID, Metric]) -> Collection[UUID]:
        if data.metric_ids is None:
            visible = [metric.id for metric in metrics.values() if may_see_values(ctx.principal, metric)]
            if not visible:
                ctx.principal.require(Permission.METRICS_VALUES_READ)
            return visible
        for identifier in data.metric_ids:
            if identifier not in metrics:
                raise not_found(METRICS.entity)
            require_values(ctx.principal, metrics[identifier])
        return data.metric_ids

    rows = None if data.metric_ids is None else {row_of(identifier) for identifier in data.metric_ids}
    results = recalculate(ctx.principal.organization, rows, ctx.now, only_due=False, permitted=permitted).results
    requested = results if data.metric_ids is None else dict.fromkeys(data.metric_ids)
    return CalculatedMetrics(metrics=[results[metric] for metric in requested if metric in results])


@action("validateMetricQuery", "POST /metrics/validate", permission=Permission.METRICS_WRITE)
def validate_metric_query(ctx: Context, data: ValidateMetricQuery) -> MetricQueryValidity:
    """Checks a query, calculates it if `calculate` says so, and saves nothing.

    Errors say where they are: a JSON pointer into the query.
    """
    try:
        query = parse(data.query)
    except InvalidQuery as fault:
        errors = fault.errors[:MAX_MESSAGES]
        return MetricQueryValidity(
            is_valid=False, errors=errors, omitted_errors=len(fault.errors) - len(errors), unit=None
        )
    result = None
    if data.calculate:
        ctx.principal.require(Permission.METRICS_VALUES_READ)
        result = QueryResult.model_validate(result_of(ctx.principal.organization, query, ctx.now), from_attributes=True)
    return MetricQueryValidity(is_valid=True, errors=[], omitted_errors=0, unit=unit_of(query), result=result)


@action("getMetricCatalogue", "GET /metrics/catalogue", permission=Permission.WORKSPACE_READ)
def get_metric_catalogue(ctx: Context) -> MetricCatalogue:
    """The sources, fields, units and operators that queries may use."""
    return catalogue_view()


@action(
    "getMetricHistory",
    "GET /metrics/{id}/history",
    permission=Permission.WORKSPACE_READ,
    entity=METRICS,
    errors=(ErrorCode.INVALID_DATE_RANGE,),
)
def get_metric_history(ctx: Context, id_: UUID, data: GetMetricHistory) -> CursorPage[MetricPoint]:
    """The results of a metric, newest first, for 400 days. `from` and `to` are inclusive.

    Groups have the names of today.
    """
    require_order(("from", "to"), data.from_, data.to, inclusive=True)
    metric = definitions.get(ctx.organization, id_)
    require_values(ctx.principal, metric)
    return metric_states.history(
        ctx.organization,
        ctx.cursors,
        row_of(id_),
        id_,
        since=data.from_,
        until=data.to,
        cursor=data.cursor,
        limit=data.limit,
        forward=data.sort_order == "asc",
        names=partial(names_of, ctx.organization),
    )


def _stored(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields as they are stored: a query as JSON values."""
    query = fields.get("query")
    return {**fields, "query": query.model_dump(mode="json")} if query is not None else dict(fields)


def _check(metric: Metric) -> None:
    errors = thresholds.errors(direction=metric.direction, **limits(metric))
    poor = [role for role in metric.permissions if Permission.RATES_MANAGE not in PERMISSIONS[role]]
    if poor and shows_money(metric):
        errors["permissions"] = [f"{' and '.join(poor)} may not see money"]
    if errors:
        raise invalid_fields(errors)


def _own(ctx: Context, identifier: UUID) -> Metric:
    if identifier in SYSTEM_METRICS:
        raise forbidden("metrics that come with the product can't be changed")
    return METRICS.get(ctx.organization, identifier)


def _list(
    ctx: Context, data: GetMetrics, builtin: Mapping[UUID, Metric], default_sort: str, **facets: str
) -> Page[MetricWithResult] | CursorPage[MetricWithResult]:
    joined: dict[str, JoinedRead] = {}
    if Permission.METRICS_VALUES_READ in ctx.principal.permissions:
        # Whoever sees the values of all metrics needs the states of a page's, which its ids name.
        joined["states"] = lambda organization, listed: states_of(organization, [UUID(row.sk) for row in listed.page])
    rows = Rows(MetricWithResult, partial(_with_results, ctx), joined)
    return lists.answer(ctx, METRICS, data, default_sort=default_sort, facets=facets, rows=rows, builtin=builtin)


def _with_results(
    ctx: Context, metrics: Sequence[Metric], states: Mapping[str, MetricState] | None = None
) -> list[MetricWithResult]:
    visible = {metric.id: metric for metric in metrics if may_see_values(ctx.principal, metric)}
    results = current(ctx.principal.organization, visible, ctx.now, states) if visible else {}
    return [MetricWithResult.extending(metric, result=results.get(metric.id)) for metric in metrics]
