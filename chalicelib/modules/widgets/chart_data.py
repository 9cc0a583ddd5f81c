"""The data of a chart, and the spec that draws it: the requested chart, or the nearest for data of its form."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from chalicelib.action.context import Context
from chalicelib.core.days import day_of
from chalicelib.core.figures import shown
from chalicelib.metrics.charts import charts, gauge
from chalicelib.metrics.charts.charts import Moment, Series
from chalicelib.metrics.charts.vega import Subject
from chalicelib.metrics.language.outcomes import Group, Point
from chalicelib.metrics.language.periods import NamedPeriod, Step
from chalicelib.metrics.language.query import DerivedQuery, MetricQuery, SimpleQuery, adds_up
from chalicelib.metrics.results import limits
from chalicelib.metrics.rollups.sources.fields import ADDITIVE, Aggregate
from chalicelib.models.dashboards.metric_enums import ChartType
from chalicelib.models.dashboards.widgets import Widget
from chalicelib.modules.widgets.configs import ChartConfig
from chalicelib.modules.widgets.data_contracts import ChartData, ChartGroup, ChartPoint
from chalicelib.modules.widgets.metric_source import Measured, measured

_MILLISECOND = timedelta(milliseconds=1)
_DRAWN_OVER_TIME: dict[ChartType, Literal["area", "bar", "line"]] = {
    ChartType.AREA: "area",
    ChartType.BAR: "bar",
    ChartType.LINE: "line",
    ChartType.PIE: "bar",
}
_WHOLE_STEPS = {
    Step.DAY: frozenset({NamedPeriod.TODAY, NamedPeriod.YESTERDAY}),
    Step.WEEK: frozenset({NamedPeriod.THIS_WEEK, NamedPeriod.LAST_WEEK}),
    Step.MONTH: frozenset({NamedPeriod.THIS_MONTH, NamedPeriod.LAST_MONTH}),
}


def chart_data(ctx: Context, widget: Widget, config: ChartConfig, period: NamedPeriod | None) -> ChartData:
    """Raises NoFigures; FORBIDDEN for callers who may not see the metric's values."""
    metric = measured(ctx, config.metric_id)
    subject = Subject.of(
        metric.metric,
        metric.query.unit,
        ctx.principal.organization.currency,
        limits(metric.metric),
        widget.title or metric.metric.name,
    )
    kind = widget.chart_type or metric.metric.chart_type or ChartType.LINE
    if metric.dimension is not None:
        return _grouped(widget, metric.over(period), subject, kind)
    if kind in _DRAWN_OVER_TIME:
        return _over_time(widget, config, metric.over(period), subject, _DRAWN_OVER_TIME[kind])
    return _whole(widget, metric, subject, kind)


# -- the forms -------------------------------------------------------------------------------------------------------


def _grouped(widget: Widget, metric: Measured, subject: Subject, kind: ChartType) -> ChartData:
    scalar = metric.scalar()
    groups = scalar.outcome.groups
    is_ring = kind is ChartType.PIE and _are_shares(metric.query, groups)
    return ChartData(
        widget_id=widget.id,
        as_of=scalar.as_of,
        period=metric.period,
        unit=metric.query.unit,
        chart_type=ChartType.PIE if is_ring else ChartType.BAR,
        groups=tuple(ChartGroup(key=group.key, label=group.label, value=_shown(group.value)) for group in groups),
        spec=charts.shares(subject, groups) if is_ring else charts.by_group(subject, groups),
    )


def _whole(widget: Widget, metric: Measured, subject: Subject, kind: ChartType) -> ChartData:
    scalar = metric.scalar()
    value, previous = scalar.outcome.value, scalar.outcome.previous
    is_gauge = kind is ChartType.GAUGE
    return ChartData(
        widget_id=widget.id,
        as_of=scalar.as_of,
        unit=metric.query.unit,
        chart_type=kind,
        value=_shown(value),
        previous=_shown(previous),
        spec=gauge.gauge(subject, value) if is_gauge else gauge.figure(subject, value, previous),
    )


def _over_time(
    widget: Widget,
    config: ChartConfig,
    metric: Measured,
    subject: Subject,
    kind: Literal["area", "bar", "line"],
) -> ChartData:
    zone = metric.ctx.principal.organization.timezone
    time_series = metric.time_series(config.step, compared=config.show_previous)
    spec = charts.over_time(
        subject,
        kind,
        time_series.step,
        _series(time_series.current, time_series.current, zone),
        _series(time_series.previous, time_series.current, zone) if _has_values(time_series.previous) else None,
        with_limits=config.show_thresholds and _is_held_against_limits(metric, time_series.step),
    )
    return ChartData(
        widget_id=widget.id,
        as_of=time_series.as_of,
        period=metric.period,
        unit=metric.query.unit,
        chart_type=ChartType(kind),
        step=time_series.step,
        points=_points(time_series.current, zone),
        previous_points=_points(time_series.previous, zone),
        spec=spec,
    )


# -- their parts -----------------------------------------------------------------------------------------------------


def _are_shares(query: MetricQuery, groups: Sequence[Group]) -> bool:
    """Return True if each group is a share of a whole."""
    return adds_up(query) and all(group.value is None or group.value >= 0 for group in groups)


def _is_held_against_limits(metric: Measured, step: Step) -> bool:
    """Return True if a point is of the metric's own kind: a level or a share is, one day of a week's hours is not."""
    query = metric.query
    if isinstance(query, SimpleQuery):
        is_total = query.aggregate in ADDITIVE | {Aggregate.COUNT_DISTINCT}
    else:
        is_total = isinstance(query, DerivedQuery)
    return not is_total or (metric.period is None and query.period in _WHOLE_STEPS[step])


def _series(points: Sequence[Point], attributes: Sequence[Point], zone: str) -> Series:
    """Return the series, named by its days and drawn at the points that it is compared with."""
    moments = [Moment(day_of(place.start, zone), point.value) for point, place in zip(points, attributes, strict=False)]
    if not points:
        return Series("", moments)
    first, last = day_of(points[0].start, zone), day_of(points[-1].end - _MILLISECOND, zone)
    return Series(_named(first, last), moments)


def _named(first: date, last: date) -> str:
    end = f"{last.day} {last:%b %Y}"
    if first == last:
        return end
    if first.year != last.year:
        return f"{first.day} {first:%b %Y} – {end}"
    return f"{first.day} – {end}" if first.month == last.month else f"{first.day} {first:%b} – {end}"


def _has_values(points: Sequence[Point]) -> bool:
    """False where a line would say nothing: before the first records, along the zero."""
    return any(point.value for point in points)


def _points(points: Sequence[Point], zone: str) -> tuple[ChartPoint, ...]:
    return tuple(
        ChartPoint(start=point.start, end=point.end, day=day_of(point.start, zone), value=_shown(point.value))
        for point in points
    )


def _shown(value: Decimal | None) -> float | None:
    return None if value is None else shown(value)
