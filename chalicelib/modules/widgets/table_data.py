"""The data of a table: a metric by group or step, or the latest assignments."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from chalicelib.action.context import Context
from chalicelib.core.days import day_of
from chalicelib.core.figures import shown
from chalicelib.metrics.language.outcomes import ranked
from chalicelib.metrics.language.periods import NamedPeriod, evaluation_instant
from chalicelib.metrics.language.query import sources_of
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.metrics.rollups.sources.fields import Unit
from chalicelib.models.dashboards.widgets import Widget
from chalicelib.models.staffing import assignment_search
from chalicelib.modules.assignments.details import detailed
from chalicelib.modules.widgets.configs import TableConfig
from chalicelib.modules.widgets.data_contracts import Column, ColumnType, TableData
from chalicelib.modules.widgets.metric_source import Measured, measured

Row = dict[str, float | str | None]

_TYPES: Mapping[Unit, ColumnType] = {
    Unit.HOURS: ColumnType.HOURS,
    Unit.MONEY: ColumnType.MONEY,
    Unit.NUMBER: ColumnType.NUMBER,
    Unit.PERCENT: ColumnType.PERCENT,
}
_OF_ASSIGNMENTS = (
    Column(name="worker", label="Worker", type=ColumnType.TEXT),
    Column(name="position", label="Position", type=ColumnType.TEXT),
    Column(name="workLocation", label="Work location", type=ColumnType.TEXT),
    Column(name="client", label="Client", type=ColumnType.TEXT),
    Column(name="startAt", label="Start", type=ColumnType.INSTANT),
    Column(name="endAt", label="End", type=ColumnType.INSTANT),
    Column(name="hours", label="Hours", type=ColumnType.HOURS),
    Column(name="scheduledHours", label="Scheduled", type=ColumnType.HOURS),
    Column(name="status", label="Status", type=ColumnType.TEXT),
)


def table_data(ctx: Context, widget: Widget, config: TableConfig, period: NamedPeriod | None) -> TableData:
    """Raises NoFigures; FORBIDDEN for callers who may not see the metric's values."""
    if config.metric_id is None:
        return _of_assignments(ctx, widget, config.limit)
    metric = measured(ctx, config.metric_id).over(period)
    if metric.dimension is None:
        return _by_step(widget, metric, config)
    return _by_group(widget, metric, metric.dimension, config.limit)


def _by_group(widget: Widget, metric: Measured, dimension: str, limit: int) -> TableData:
    """Return the rows of groups, the greatest first; groups without a value last."""
    scalar = metric.scalar()
    (source,) = sources_of(metric.query)
    groups = ranked(scalar.outcome.groups)[:limit]
    return TableData(
        widget_id=widget.id,
        as_of=scalar.as_of,
        period=metric.period,
        columns=(
            Column(name="group", label=SOURCES[source].fields[dimension].label, type=ColumnType.TEXT),
            _values(metric),
        ),
        rows=tuple({"group": group.label, "value": _shown(group.value)} for group in groups),
    )


def _by_step(widget: Widget, metric: Measured, config: TableConfig) -> TableData:
    """The latest first."""
    time_series = metric.time_series(config.step, compared=False)
    zone = metric.ctx.principal.organization.timezone
    latest = time_series.current[: -config.limit - 1 : -1]
    return TableData(
        widget_id=widget.id,
        as_of=time_series.as_of,
        period=metric.period,
        columns=(
            Column(name="from", label=time_series.step.capitalize(), type=ColumnType.DATE),
            _values(metric),
        ),
        rows=tuple({"from": day_of(step.start, zone).isoformat(), "value": _shown(step.value)} for step in latest),
    )


def _values(metric: Measured) -> Column:
    return Column(name="value", label=metric.metric.name, type=_TYPES[metric.query.unit])


def _of_assignments(ctx: Context, widget: Widget, limit: int) -> TableData:
    """The latest starts first."""
    latest = assignment_search.latest(ctx.organization, ctx.now, limit)
    rows: list[Row] = [
        {
            "worker": f"{assignment['worker']['firstName']} {assignment['worker']['lastName']}",
            "position": assignment["position"]["name"],
            "workLocation": assignment["position"]["workLocation"]["name"],
            "client": assignment["position"]["workLocation"]["client"]["name"],
            "startAt": assignment["startAt"],
            "endAt": assignment["endAt"],
            "hours": assignment["totalHours"],
            "scheduledHours": assignment["scheduledHours"],
            "status": assignment["status"],
        }
        for assignment in detailed(ctx, latest)
    ]
    return TableData(widget_id=widget.id, as_of=evaluation_instant(ctx.now), columns=_OF_ASSIGNMENTS, rows=tuple(rows))


def _shown(value: Decimal | None) -> float | None:
    return None if value is None else shown(value)
