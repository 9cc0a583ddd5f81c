"""The data of a widget of any type."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from chalicelib.action.context import Context
from chalicelib.auth.audiences import reader_of
from chalicelib.core.days import day_of, span_of
from chalicelib.metrics.language.periods import NamedPeriod, evaluation_instant
from chalicelib.models.activities import feed
from chalicelib.models.activities.feed import ActivityFilter
from chalicelib.models.dashboards.widgets import Widget
from chalicelib.models.staffing import assignment_search
from chalicelib.models.staffing.assignment_search import AssignmentFilter
from chalicelib.modules.assignments.details import details
from chalicelib.modules.quick_actions import availability
from chalicelib.modules.widgets import configs
from chalicelib.modules.widgets.chart_data import chart_data
from chalicelib.modules.widgets.configs import (
    ActivityFeedConfig,
    CalendarConfig,
    ChartConfig,
    MetricConfig,
    QuickActionsConfig,
    TableConfig,
)
from chalicelib.modules.widgets.data_contracts import (
    ActivityFeedData,
    CalendarData,
    ChartData,
    MetricData,
    QuickActionsData,
    TableData,
    WidgetData,
)
from chalicelib.modules.widgets.metric_source import NoFigures, metric_data
from chalicelib.modules.widgets.table_data import table_data


def data_of(ctx: Context, widget: Widget, period: NamedPeriod | None = None) -> WidgetData:
    """Return the data of a widget. FORBIDDEN for callers who may not see the metric's values."""
    match configs.stored(widget.type, widget.config):
        case MetricConfig() | ChartConfig() | TableConfig() as config:
            return _of_metric(ctx, widget, config, period)
        case ActivityFeedConfig() as config:
            return _activities(ctx, widget, config)
        case QuickActionsConfig() as config:
            return _quick_actions(ctx, widget, config)
        case CalendarConfig() as config:
            return _calendar(ctx, widget, config)


def _of_metric(
    ctx: Context, widget: Widget, config: MetricConfig | ChartConfig | TableConfig, period: NamedPeriod | None
) -> MetricData | ChartData | TableData:
    try:
        match config:
            case MetricConfig():
                return metric_data(ctx, widget, config)
            case ChartConfig():
                return chart_data(ctx, widget, config, period)
            case TableConfig():
                return table_data(ctx, widget, config, period)
    except NoFigures as fault:
        return _EMPTY[type(config)](widget_id=widget.id, as_of=evaluation_instant(ctx.now), error=fault.error)


_EMPTY: Mapping[type[MetricConfig | ChartConfig | TableConfig], type[MetricData | ChartData | TableData]] = {
    MetricConfig: MetricData,
    ChartConfig: ChartData,
    TableConfig: TableData,
}


def _activities(ctx: Context, widget: Widget, config: ActivityFeedConfig) -> ActivityFeedData:
    criteria = ActivityFilter(type=config.activity_type)
    page = feed.find(ctx.organization, reader_of(ctx.principal), ctx.cursors, criteria, cursor=None, limit=config.limit)
    return ActivityFeedData(widget_id=widget.id, as_of=ctx.now, activities=page.items)


def _quick_actions(ctx: Context, widget: Widget, config: QuickActionsConfig) -> QuickActionsData:
    """Return the offered quick actions, in the order of the config where it names some."""
    offered = availability.offered(ctx.principal)
    if config.quick_action_ids is not None:
        by_id = {offer.id: offer for offer in offered}
        offered = [by_id[offer] for offer in config.quick_action_ids if offer in by_id]
    return QuickActionsData(widget_id=widget.id, as_of=ctx.now, quick_actions=offered[: config.limit])


def _calendar(ctx: Context, widget: Widget, config: CalendarConfig) -> CalendarData:
    zone = ctx.principal.organization.timezone
    today = day_of(ctx.now, zone)
    first, last = today - timedelta(days=config.days_back), today + timedelta(days=config.days_ahead)
    since, until = span_of(first, last, zone)
    criteria = AssignmentFilter(
        worker_id=config.worker_id,
        position_id=config.position_id,
        work_location_id=config.work_location_id,
        client_id=config.client_id,
        status=config.status,
        since=since,
        until=until,
    )
    enough = config.limit + 1  # one row beyond the limit shows that there are more
    if config.status is None:
        shown = assignment_search.in_the_way(ctx.organization, criteria, ctx.now, maximum=enough)
    else:
        shown = assignment_search.of_status(ctx.organization, criteria, ctx.now, maximum=enough)
    return CalendarData(
        widget_id=widget.id,
        as_of=ctx.now,
        from_=first,
        to=last,
        timezone=zone,
        assignments=details(ctx, shown[: config.limit]),
        is_complete=len(shown) <= config.limit,
    )
