"""The metrics that the demo organization defined itself, in addition to the built-in ones."""

from __future__ import annotations

from typing import Any

from infra.local.demo.api import Api

_HOURS = {"source": "assignments", "aggregate": "sum", "field": "hours"}
_TRACKED = {"source": "timeSessions", "aggregate": "sum", "field": "hours"}

METRICS: tuple[dict[str, Any], ...] = (
    {
        "name": "Hours by day",
        "category": "PRODUCTIVITY",
        "query": {"type": "simple", **_HOURS, "period": "last_30_days"},
        "unit": "h",
        "chartType": "bar",
        "icon": "clock",
        "direction": "up",
        # How busy everybody is, is no secret in the house.
        "permissions": ["COORDINATOR", "MEMBER", "VIEWER"],
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
        "description": "Grows with every minute worked",
        "category": "PRODUCTIVITY",
        "query": {"type": "simple", **_HOURS, "period": "today"},
        "unit": "h",
        "icon": "clock",
        "direction": "up",
        "targetValue": 90,
        "refreshRate": 60,
        "permissions": ["COORDINATOR"],
    },
    {
        "name": "Margin per hour",
        "description": "Billed minus paid, per hour worked in the last 30 days",
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
        "description": "Clients notice three or more",
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
    {
        "name": "Tracked hours by project",
        "description": "What the office works on",
        "category": "PRODUCTIVITY",
        "query": {"type": "simple", **_TRACKED, "period": "last_30_days", "groupBy": ["projectId"]},
        "unit": "h",
        "chartType": "bar",
        "icon": "folder",
        "direction": "up",
        # Those whose time it is.
        "permissions": ["COORDINATOR", "MEMBER"],
    },
    {
        "name": "Billable share",
        "description": "Of the office's tracked hours; the rest is recruiting, the portal, and paperwork",
        "category": "PRODUCTIVITY",
        "query": {
            "type": "ratio",
            "numerator": {**_TRACKED, "field": "billableHours"},
            "denominator": _TRACKED,
            "period": "last_30_days",
        },
        "format": "percentage",
        "unit": "%",
        "chartType": "line",
        "icon": "percent",
        "direction": "up",
        "targetValue": 60,
        "warningThreshold": 50,
        "criticalThreshold": 40,
    },
)


def seed_metrics(owner: Api) -> dict[str, str]:
    """Create the metrics; return name to id of all metrics. An existing one is recognized by its name."""
    metrics = {row["name"]: row["id"] for row in owner.get("/metrics?pageSize=100")["data"]}
    for metric in METRICS:
        if metric["name"] not in metrics:
            metrics[metric["name"]] = owner.post("/metrics", **metric)["id"]
    return metrics
