"""The metrics that come with the product: the same definitions everywhere, each organization's own values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chalicelib.metrics.language.query import MetricQuery, parse
from chalicelib.models.dashboards.metric_enums import ChartType, Direction, MetricCategory, MetricFormat
from chalicelib.models.dashboards.metric_states import SYSTEM_REFRESH_SECONDS

WEEKLY_HOURS = 40
"""Hours a week for which a worker is assumed to be available."""


@dataclass(frozen=True, kw_only=True)
class SystemMetric:
    id: UUID
    key: str
    name: str
    description: str
    category: MetricCategory
    query: MetricQuery
    format: MetricFormat
    unit: str | None = None
    """Text behind the value; a currency has its own sign."""
    direction: Direction = Direction.UP
    icon: str
    color: str
    chart_type: ChartType
    refresh_rate: int = SYSTEM_REFRESH_SECONDS


def _sum_of(field: str) -> dict[str, Any]:
    return {"type": "simple", "source": "assignments", "aggregate": "sum", "field": field}


def _count_of(source: str, *conditions: Mapping[str, Any], field: str | None = None) -> dict[str, Any]:
    return {"type": "simple", "source": source, "aggregate": "count", "field": field, "where": list(conditions)}


def _now(aggregate: str, source: str, *conditions: Mapping[str, Any], field: str | None = None) -> dict[str, Any]:
    return {"type": "snapshot", "source": source, "aggregate": aggregate, "field": field, "where": list(conditions)}


def _status(operator: str, value: str | list[str]) -> dict[str, Any]:
    return {"field": "status", "op": operator, "value": value}


def _query(query: Mapping[str, Any], period: str) -> MetricQuery:
    return parse({**query, "version": 1, "period": period})


_UTILISATION = {
    "type": "mul",
    "left": {
        "type": "div",
        "left": _sum_of("hours"),
        "right": {
            "type": "mul",
            "left": _now("count", "workers"),
            "right": {"type": "constant", "value": WEEKLY_HOURS, "unit": "hours"},
        },
    },
    "right": {"type": "constant", "value": 100, "unit": "percent"},
}

_ALL = (
    SystemMetric(
        id=UUID("ab295493-40f2-58e8-acd3-181fd3bb3dca"),
        key="revenue",
        name="Revenue",
        description="The hours of this month at their bill rates.",
        category=MetricCategory.FINANCIAL,
        query=_query(_sum_of("billed"), "this_month"),
        format=MetricFormat.CURRENCY,
        icon="banknote",
        color="green",
        chart_type=ChartType.AREA,
    ),
    SystemMetric(
        id=UUID("5e88f238-d4c6-530c-b564-0e5b520c886e"),
        key="labour_cost",
        name="Labour cost",
        description="The hours of this month at their pay rates.",
        category=MetricCategory.FINANCIAL,
        query=_query(_sum_of("paid"), "this_month"),
        format=MetricFormat.CURRENCY,
        direction=Direction.DOWN,
        icon="wallet",
        color="orange",
        chart_type=ChartType.AREA,
    ),
    SystemMetric(
        id=UUID("796c59d0-296c-520a-93cc-14cc0446cbb1"),
        key="gross_margin",
        name="Gross margin",
        description="This month's revenue less labour cost, of hours that have both rates.",
        category=MetricCategory.FINANCIAL,
        query=_query(
            {"type": "ratio", "numerator": _sum_of("margin"), "denominator": _sum_of("marginBase")}, "this_month"
        ),
        format=MetricFormat.PERCENTAGE,
        unit="%",
        icon="percent",
        color="green",
        chart_type=ChartType.LINE,
    ),
    SystemMetric(
        id=UUID("32644800-5984-5b7f-9409-8f6a037607d1"),
        key="active_assignments",
        name="Active assignments",
        description="Assignments that are active now.",
        category=MetricCategory.OPERATIONAL,
        query=_query(_now("count", "assignments"), "today"),
        format=MetricFormat.NUMBER,
        icon="users",
        color="blue",
        chart_type=ChartType.LINE,
    ),
    SystemMetric(
        id=UUID("08bb3607-9174-5adf-a532-9537a5e01626"),
        key="open_positions",
        name="Open positions",
        description="Active positions with fewer active assignments than their headcount.",
        category=MetricCategory.OPERATIONAL,
        query=_query(_now("count", "positions", {"field": "isOpen", "op": "eq", "value": True}), "today"),
        format=MetricFormat.NUMBER,
        direction=Direction.DOWN,
        icon="door-open",
        color="orange",
        chart_type=ChartType.NUMBER,
    ),
    SystemMetric(
        id=UUID("04363659-47e5-50c4-a389-cb253b8dcc8c"),
        key="fill_rate",
        name="Fill rate",
        description="How much of the headcount of active positions is filled.",
        category=MetricCategory.OPERATIONAL,
        query=_query(
            {
                "type": "ratio",
                "numerator": _now("sum", "positions", field="filled"),
                "denominator": _now("sum", "positions", field="headcount"),
            },
            "today",
        ),
        format=MetricFormat.PERCENTAGE,
        unit="%",
        icon="gauge",
        color="blue",
        chart_type=ChartType.NUMBER,
    ),
    SystemMetric(
        id=UUID("ad405e6a-4f08-5ddb-8222-bf12207471de"),
        key="worker_utilisation",
        name="Worker utilisation",
        description=f"Hours of the last 7 days, today included, in percent of {WEEKLY_HOURS} hours for each worker.",
        category=MetricCategory.OPERATIONAL,
        query=_query({"type": "derived", "expression": _UTILISATION}, "last_7_days"),
        format=MetricFormat.PERCENTAGE,
        unit="%",
        icon="activity",
        color="purple",
        chart_type=ChartType.LINE,
    ),
    SystemMetric(
        id=UUID("6e64dcb1-3111-5b25-9cb8-08af89dc3f75"),
        key="hours_this_week",
        name="Hours this week",
        description="Hours of assignments since the week began.",
        category=MetricCategory.PRODUCTIVITY,
        query=_query(_sum_of("hours"), "this_week"),
        format=MetricFormat.NUMBER,
        unit="h",
        icon="clock",
        color="blue",
        chart_type=ChartType.BAR,
    ),
    SystemMetric(
        id=UUID("ee1b8e78-3f4d-5bf9-8737-9020ac221ba0"),
        key="new_clients",
        name="New clients",
        description="Clients that were added this month.",
        category=MetricCategory.SALES,
        query=_query(_count_of("clients"), "this_month"),
        format=MetricFormat.NUMBER,
        icon="building",
        color="blue",
        chart_type=ChartType.BAR,
    ),
    SystemMetric(
        id=UUID("be735829-114b-5b20-9ac9-199614fb0c9c"),
        key="placements",
        name="Placements",
        description="Assignments that started this month.",
        category=MetricCategory.SALES,
        query=_query(_count_of("assignments", field="startAt"), "this_month"),
        format=MetricFormat.NUMBER,
        icon="handshake",
        color="green",
        chart_type=ChartType.BAR,
    ),
    SystemMetric(
        id=UUID("9a868fc6-3436-5fe9-a155-8fcb752f7a05"),
        key="placement_completion_rate",
        name="Placement completion rate",
        description="Of the assignments that ended or were cancelled this month, the share that ended.",
        category=MetricCategory.SALES,
        query=_query(
            {
                "type": "ratio",
                "numerator": _count_of("assignments", _status("eq", "completed")),
                "denominator": _count_of("assignments", _status("in", ["completed", "cancelled"])),
            },
            "this_month",
        ),
        format=MetricFormat.PERCENTAGE,
        unit="%",
        icon="circle-check",
        color="green",
        chart_type=ChartType.LINE,
    ),
)

SYSTEM: Mapping[UUID, SystemMetric] = {metric.id: metric for metric in _ALL}
