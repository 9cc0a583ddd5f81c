"""System metrics: built-in definitions, evaluated for each organization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chalicelib.metrics.language.query import MetricQuery, parse
from chalicelib.models.dashboards.metric_enums import ChartType, Direction, MetricCategory, MetricFormat
from chalicelib.models.dashboards.metric_states import SYSTEM_REFRESH_SECONDS

WEEKLY_HOURS = 40
"""Assumed availability of a worker, in hours a week."""


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
    """Suffix of the value; money has its currency instead."""
    direction: Direction = Direction.UP
    icon: str
    color: str
    chart_type: ChartType
    refresh_rate: int = SYSTEM_REFRESH_SECONDS


def sum_of(field: str, source: str = "assignments") -> dict[str, Any]:
    return {"type": "simple", "source": source, "aggregate": "sum", "field": field}


def count_of(source: str, *conditions: Mapping[str, Any], field: str | None = None) -> dict[str, Any]:
    return {"type": "simple", "source": source, "aggregate": "count", "field": field, "where": list(conditions)}


def current_of(aggregate: str, source: str, *conditions: Mapping[str, Any], field: str | None = None) -> dict[str, Any]:
    return {"type": "snapshot", "source": source, "aggregate": aggregate, "field": field, "where": list(conditions)}


def status_is(operator: str, value: str | list[str]) -> dict[str, Any]:
    return {"field": "status", "op": operator, "value": value}


def query_over(query: Mapping[str, Any], period: str) -> MetricQuery:
    return parse({**query, "version": 1, "period": period})


_UTILISATION = {
    "type": "mul",
    "left": {
        "type": "div",
        "left": sum_of("hours"),
        "right": {
            "type": "mul",
            "left": current_of("count", "workers"),
            "right": {"type": "constant", "value": WEEKLY_HOURS, "unit": "hours"},
        },
    },
    "right": {"type": "constant", "value": 100, "unit": "percent"},
}

_LENT = {"field": "side", "op": "eq", "value": "lender"}
_PAST_DUE = {"field": "bucket", "op": "ne", "value": "CURRENT"}

_ALL = (
    SystemMetric(
        id=UUID("ab295493-40f2-58e8-acd3-181fd3bb3dca"),
        key="revenue",
        name="Revenue",
        description="Amount billed for the hours of this month.",
        category=MetricCategory.FINANCIAL,
        query=query_over(sum_of("billed"), "this_month"),
        format=MetricFormat.CURRENCY,
        icon="banknote",
        color="green",
        chart_type=ChartType.AREA,
    ),
    SystemMetric(
        id=UUID("5e88f238-d4c6-530c-b564-0e5b520c886e"),
        key="labour_cost",
        name="Labour cost",
        description="Amount paid for the hours of this month.",
        category=MetricCategory.FINANCIAL,
        query=query_over(sum_of("paid"), "this_month"),
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
        description="Share of this month's revenue that is left after labour cost, over hours that have both rates.",
        category=MetricCategory.FINANCIAL,
        query=query_over(
            {"type": "ratio", "numerator": sum_of("margin"), "denominator": sum_of("marginBase")}, "this_month"
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
        query=query_over(current_of("count", "assignments"), "today"),
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
        query=query_over(current_of("count", "positions", {"field": "isOpen", "op": "eq", "value": True}), "today"),
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
        description="Share of the headcount of active positions that is filled.",
        category=MetricCategory.OPERATIONAL,
        query=query_over(
            {
                "type": "ratio",
                "numerator": current_of("sum", "positions", field="filled"),
                "denominator": current_of("sum", "positions", field="headcount"),
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
        query=query_over({"type": "derived", "expression": _UTILISATION}, "last_7_days"),
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
        query=query_over(sum_of("hours"), "this_week"),
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
        query=query_over(count_of("clients"), "this_month"),
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
        query=query_over(count_of("assignments", field="startAt"), "this_month"),
        format=MetricFormat.NUMBER,
        icon="handshake",
        color="green",
        chart_type=ChartType.BAR,
    ),
    SystemMetric(
        id=UUID("9a868fc6-3436-5fe9-a155-8fcb752f7a05"),
        key="placement_completion_rate",
        name="Placement completion rate",
        description="Share of the assignments ended or cancelled this month that ended.",
        category=MetricCategory.SALES,
        query=query_over(
            {
                "type": "ratio",
                "numerator": count_of("assignments", status_is("eq", "completed")),
                "denominator": count_of("assignments", status_is("in", ["completed", "cancelled"])),
            },
            "this_month",
        ),
        format=MetricFormat.PERCENTAGE,
        unit="%",
        icon="circle-check",
        color="green",
        chart_type=ChartType.LINE,
    ),
    SystemMetric(
        id=UUID("33395087-5730-5aaa-a67c-8750bf9e28cf"),
        key="active_projects",
        name="Active projects",
        description="Projects that are not archived, now.",
        category=MetricCategory.OPERATIONAL,
        query=query_over(current_of("count", "projects", status_is("eq", "ACTIVE")), "today"),
        format=MetricFormat.NUMBER,
        icon="folder",
        color="teal",
        chart_type=ChartType.NUMBER,
    ),
    SystemMetric(
        id=UUID("521b9cca-c791-5af2-b5e8-c0eaf6381330"),
        key="completed_tasks",
        name="Completed tasks",
        description="Tasks that were done this month.",
        category=MetricCategory.OPERATIONAL,
        query=query_over(count_of("tasks", field="doneAt"), "this_month"),
        format=MetricFormat.NUMBER,
        icon="list-checks",
        color="green",
        chart_type=ChartType.BAR,
    ),
    SystemMetric(
        id=UUID("9f9aea4a-5eb1-51a6-9d1f-f5b3a4411b4e"),
        key="tasks_per_day",
        name="Tasks per day",
        description="Tasks that were done in the last 7 days, a day.",
        category=MetricCategory.PRODUCTIVITY,
        query=query_over(
            {
                "type": "derived",
                "expression": {
                    "type": "div",
                    "left": count_of("tasks", field="doneAt"),
                    "right": {"type": "constant", "value": 7, "unit": "number"},
                },
            },
            "last_7_days",
        ),
        format=MetricFormat.NUMBER,
        icon="calendar-check",
        color="green",
        chart_type=ChartType.LINE,
    ),
    SystemMetric(
        id=UUID("767bef9d-b165-5027-9356-437e5e5136cf"),
        key="task_completion_rate",
        name="Task completion rate",
        description="Tasks done this month, in percent of the tasks created this month.",
        category=MetricCategory.PRODUCTIVITY,
        query=query_over(
            {
                "type": "ratio",
                "numerator": count_of("tasks", field="doneAt"),
                "denominator": count_of("tasks"),
            },
            "this_month",
        ),
        format=MetricFormat.PERCENTAGE,
        unit="%",
        icon="circle-check",
        color="teal",
        chart_type=ChartType.LINE,
    ),
    SystemMetric(
        id=UUID("017eee7c-e1cc-52b9-87cd-8c3e49d874ff"),
        key="tracked_hours_per_member_and_day",
        name="Tracked hours per member and day",
        description="Tracked hours of the last 7 days, today included, a day and active member.",
        category=MetricCategory.PRODUCTIVITY,
        query=query_over(
            {
                "type": "derived",
                "expression": {
                    "type": "div",
                    "left": {
                        "type": "div",
                        "left": sum_of("hours", "timeSessions"),
                        "right": current_of("count", "users", status_is("eq", "ACTIVE")),
                    },
                    "right": {"type": "constant", "value": 7, "unit": "number"},
                },
            },
            "last_7_days",
        ),
        format=MetricFormat.NUMBER,
        unit="h",
        icon="timer",
        color="blue",
        chart_type=ChartType.LINE,
    ),
    SystemMetric(
        id=UUID("426b17bf-10be-55ac-b052-2e2db6c86265"),
        key="loan_principal_outstanding",
        name="Loan principal outstanding",
        description="Principal of the active loans of the organization that is not paid yet.",
        category=MetricCategory.FINANCIAL,
        query=query_over(current_of("sum", "loans", _LENT, field="outstanding"), "today"),
        format=MetricFormat.CURRENCY,
        icon="landmark",
        color="blue",
        chart_type=ChartType.AREA,
    ),
    SystemMetric(
        id=UUID("55380f90-6a85-5e69-bede-c8dfccd1e686"),
        key="overdue_loans",
        name="Overdue loans",
        description="Active loans of the organization that are past due.",
        category=MetricCategory.FINANCIAL,
        query=query_over(current_of("count", "loans", _LENT, _PAST_DUE), "today"),
        format=MetricFormat.NUMBER,
        direction=Direction.DOWN,
        icon="calendar-x",
        color="red",
        chart_type=ChartType.NUMBER,
    ),
    SystemMetric(
        id=UUID("e0c44fe7-c6c5-5e6e-8498-0153b6af82ca"),
        key="loan_offers",
        name="Loan offers",
        description="Loans that the organization offered this month.",
        category=MetricCategory.SALES,
        query=query_over(count_of("loans", _LENT, field="createdAt"), "this_month"),
        format=MetricFormat.NUMBER,
        icon="file-plus",
        color="blue",
        chart_type=ChartType.BAR,
    ),
    SystemMetric(
        id=UUID("935e8793-f032-565b-805c-d5db53c27245"),
        key="offer_conversion_rate",
        name="Offer conversion rate",
        description="Share of the loans offered in the last 90 days that were accepted within 30 days.",
        category=MetricCategory.SALES,
        query=query_over(
            {"type": "conversion", "source": "loans", "from": "offered", "to": "accepted", "within": "P30D"},
            "last_90_days",
        ),
        format=MetricFormat.PERCENTAGE,
        unit="%",
        icon="handshake",
        color="green",
        chart_type=ChartType.LINE,
    ),
)

SYSTEM: Mapping[UUID, SystemMetric] = {metric.id: metric for metric in _ALL}
