"""The data of a table: a metric by group or step, or the latest assignments."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from chalicelib.action.context import Context
from chalicelib.core.clock import to_text
from chalicelib.core.days import day_of
from chalicelib.core.figures import shown
from chalicelib.metrics.language.catalogue import CATALOGUE
from chalicelib.metrics.language.outcomes import Unit
from chalicelib.metrics.language.periods import evaluation_instant
from chalicelib.metrics.language.query import sources_of
from chalicelib.models.dashboards.widgets import Widget
from chalicelib.models.staffing import assignments
from chalicelib.models.staffing.assignments import AssignmentFilter
from chalicelib.modules.assignments.details import details
from chalicelib.modules.widgets.configs import TableConfig
from chalicelib.modules.widgets.data_contracts import Column, ColumnType, TableData
from chalicelib.modules.widgets.figures import Measured, measured

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
    Column(name="status", label="Status", type=ColumnType.TEXT),
)


def table_data(ctx: Context, widget: Widget, config: TableConfig) -> TableData:
    """Raises NoFigures; FORBIDDEN for who may not see what the metric comes to."""
    if config.metric_id is None:
        return _of_assignments(ctx, widget, config.limit)
    found = measured(ctx, config.metric_id)
    if found.dimension is None:
        return _by_step(widget, found, config)
    return _by_group(widget, found, found.dimension, config.limit)


def _by_group(widget: Widget, found: Measured, dimension: str, limit: int) -> TableData:
    """The greatest first; groups with nothing to tell last."""
    figure = found.figure()
    (source,) = sources_of(found.query)
    groups = sorted(
        figure.outcome.groups, key=lambda each: (each.value is None, -(each.value or Decimal(0)), each.label)
    )
    return TableData(
        widget_id=widget.id,
        as_of=figure.as_of,
        columns=(
            Column(name="group", label=CATALOGUE[source].fields[dimension].label, type=ColumnType.TEXT),
            _values(found),
        ),
        rows=tuple({"group": each.label, "value": _shown(each.value)} for each in groups[:limit]),
    )


def _by_step(widget: Widget, found: Measured, config: TableConfig) -> TableData:
    """The latest first."""
    course = found.course(config.step, compared=False)
    zone = found.ctx.principal.organization.timezone
    latest = course.current[: -config.limit - 1 : -1]
    return TableData(
        widget_id=widget.id,
        as_of=course.as_of,
        columns=(Column(name="from", label=course.step.capitalize(), type=ColumnType.DATE), _values(found)),
        rows=tuple({"from": day_of(each.start, zone).isoformat(), "value": _shown(each.value)} for each in latest),
    )


def _values(found: Measured) -> Column:
    return Column(name="value", label=found.metric.name, type=_TYPES[found.query.unit])


def _of_assignments(ctx: Context, widget: Widget, limit: int) -> TableData:
    """The latest starts first."""
    wanted = AssignmentFilter()
    ids = assignments.find(ctx.organization, wanted, ctx.now, limit=limit, forward=False, exhaustive=True).ids
    rows: list[Row] = [
        {
            "worker": f"{each.worker.first_name} {each.worker.last_name}",
            "position": each.position.name,
            "workLocation": each.position.work_location.name,
            "client": each.position.work_location.client.name,
            "startAt": to_text(each.start_at),
            "endAt": None if each.end_at is None else to_text(each.end_at),
            "hours": each.total_hours,
            "status": each.status.value,
        }
        for each in details(ctx, assignments.read(ctx.organization, ids, wanted, ctx.now))
    ]
    return TableData(widget_id=widget.id, as_of=evaluation_instant(ctx.now), columns=_OF_ASSIGNMENTS, rows=tuple(rows))


def _shown(value: Decimal | None) -> float | None:
    return None if value is None else shown(value)
