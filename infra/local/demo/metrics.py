"""The metrics that the demo organization has defined for itself, beside those that every organization has."""

from __future__ import annotations

from typing import Any

from infra.local.demo.api import Api

_HOURS = {"source": "assignments", "aggregate": "sum", "field": "hours"}

METRICS: tuple[dict[str, Any], ...] = (
    {
        "name": "Hours by day",
        "category": "PRODUCTIVITY",
        "query": {"type": "simple", **_HOURS, "period": "last_30_days"},
        "unit": "h",
        "chartType": "bar",
        "icon": "clock",
        "direction": "up",
    },
    {
        "name": "Hours by client",
        "category": "OPERATIONAL",
        "query": {"type": "simple", **_HOURS, "period": "last_30_days", "groupBy": ["clientId"]},
        "unit": "h",
        "chartType": "pie",
        "icon": "building",
        "direction": "up",
        # Coordinators plan by it.
        "permissions": ["COORDINATOR"],
    },
    {
        "name": "Hours today",
        "description": "Grows with every minute that somebody works",
        "category": "PRODUCTIVITY",
        "query": {"type": "simple", **_HOURS, "period": "today"},
        "unit": "h",
        "icon": "clock",
        "direction": "up",
        "targetValue": 150,
        "refreshRate": 60,
    },
    {
        "name": "Margin per hour",
        "description": "What is billed less what is paid, by the hour worked in the last 30 days",
        "category": "FINANCIAL",
        "query": {
            "type": "derived",
            "expression": {
                "type": "div",
                "left": {"source": "assignments", "aggregate": "sum", "field": "margin"},
                "right": _HOURS,
            },
            "period": "last_30_days",
        },
        "format": "currency",
        "icon": "coins",
        "direction": "up",
        "targetValue": 15,
        "warningThreshold": 14,
        "criticalThreshold": 12,
    },
    {
        "name": "Cancelled this month",
        "description": "Clients notice from the third one on",
        "category": "OPERATIONAL",
        "query": {
            "type": "simple",
            "source": "assignments",
            "aggregate": "count",
            "where": [{"field": "status", "op": "eq", "value": "cancelled"}],
            "period": "this_month",
        },
        "icon": "x-circle",
        "direction": "down",
        "warningThreshold": 1,
        "criticalThreshold": 3,
        "refreshRate": 60,
    },
)


def define(owner: Api) -> dict[str, str]:
    """The ids of all metrics by name; one with the name of ours is taken for ours."""
    metrics = {each["name"]: each["id"] for each in owner.get("/metrics?pageSize=100")["data"]}
    for metric in METRICS:
        if metric["name"] not in metrics:
            metrics[metric["name"]] = owner.post("/metrics", **metric)["id"]
    return metrics
