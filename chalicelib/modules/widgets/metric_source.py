"""The metric behind a widget: loaded, if it exists and the caller may see its values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.metrics import definitions
from chalicelib.metrics.engine import cached
from chalicelib.metrics.engine.cached import Scalar, TimeSeries
from chalicelib.metrics.language.errors import InvalidQuery
from chalicelib.metrics.language.periods import NamedPeriod, Step, evaluation_instant
from chalicelib.metrics.language.query import MetricQuery, dimension_of, parse
from chalicelib.metrics.results import current
from chalicelib.models.dashboards.metrics import Metric
from chalicelib.models.dashboards.widgets import Widget
from chalicelib.modules.widgets.configs import MetricConfig
from chalicelib.modules.widgets.data_contracts import MetricData, WidgetError, WidgetFault


class NoFigures(Exception):
    """There is nothing to show, and nothing wrong with the request."""

    def __init__(self, code: WidgetFault, message: str) -> None:
        super().__init__(message)
        self.error = WidgetError(code=code, message=message)


@dataclass(frozen=True)
class Measured:
    ctx: Context
    metric: Metric
    query: MetricQuery
    period: NamedPeriod | None = None
    """The requested period, where the query is over it."""

    def over(self, period: NamedPeriod | None) -> Measured:
        """Return the metric over another period than its own; a cumulative one looks back by itself."""
        if period is None or "period" not in type(self.query).model_fields:
            return self
        return replace(self, query=self.query.model_copy(update={"period": period}), period=period)

    @property
    def dimension(self) -> str | None:
        """The dimension it is grouped by."""
        return dimension_of(self.query)

    def scalar(self) -> Scalar:
        """Raises NoFigures."""
        result = cached.scalar(self.ctx.principal.organization, self.query, self.ctx.now)
        if result.outcome.error is not None:
            raise NoFigures(WidgetFault.METRIC_FAILED, result.outcome.error)
        return result

    def time_series(self, step: Step, *, compared: bool) -> TimeSeries:
        """Raises NoFigures."""
        result = cached.time_series(self.ctx.principal.organization, self.query, step, self.ctx.now, compared=compared)
        if result.error is not None:
            raise NoFigures(WidgetFault.METRIC_FAILED, result.error)
        return result


def measured(ctx: Context, identifier: UUID) -> Measured:
    """Raises NoFigures; FORBIDDEN for callers who may not see the metric's values."""
    metric = _visible(ctx, identifier)
    try:
        return Measured(ctx, metric, parse(metric.query))
    except InvalidQuery as fault:  # it was valid when it was saved: the catalogue has changed since
        raise NoFigures(WidgetFault.METRIC_FAILED, f"the query is no longer valid: {fault}") from None


def metric_data(ctx: Context, widget: Widget, config: MetricConfig) -> MetricData:
    """Return the last result, or one evaluated now where that is due."""
    metric = _visible(ctx, config.metric_id)
    result = current(ctx.principal.organization, {metric.id: metric}, ctx.now)[metric.id]
    error = None if result.error is None else WidgetError(code=WidgetFault.METRIC_FAILED, message=result.error)
    return MetricData(widget_id=widget.id, as_of=evaluation_instant(ctx.now), metric=result, error=error)


def _visible(ctx: Context, identifier: UUID) -> Metric:
    metric = definitions.get_many(ctx.organization, [identifier]).get(identifier)
    if metric is None:
        raise NoFigures(WidgetFault.METRIC_DELETED, "this metric is deleted: choose another one")
    definitions.require_values(ctx.principal, metric)
    return metric
