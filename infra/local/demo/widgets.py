"""The dashboard of the demo organization: a widget of each type, and the metrics of its own that they show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from infra.local.demo.api import Api

_HOURS = {"version": 1, "type": "simple", "source": "assignments", "aggregate": "sum", "field": "hours"}

METRICS: tuple[dict[str, Any], ...] = (
    {
        "name": "Hours by day",
        "category": "PRODUCTIVITY",
        "query": {**_HOURS, "period": "last_30_days"},
        "unit": "h",
        "chartType": "bar",
        "icon": "clock",
        "direction": "up",
    },
    {
        "name": "Hours by client",
        "category": "OPERATIONAL",
        "query": {**_HOURS, "period": "last_30_days", "groupBy": ["clientId"]},
        "unit": "h",
        "chartType": "pie",
        "icon": "building",
        "direction": "up",
        # Coordinators plan by it.
        "permissions": ["COORDINATOR"],
    },
)


class Shown(NamedTuple):
    """A widget; `metric` by its name."""

    name: str
    type: str
    position: tuple[int, int, int, int]
    """x, y, w, h."""
    metric: str | None = None
    config: Mapping[str, Any] = {}
    more: Mapping[str, Any] = {}


WIDGETS = (
    Shown("Active assignments", "METRIC", (0, 0, 3, 2), "Active assignments"),
    Shown("Fill rate", "CHART", (3, 0, 3, 2), "Fill rate", more={"chartType": "gauge"}),
    Shown("Shortcuts", "QUICK_ACTIONS", (6, 0, 6, 2)),
    Shown("Hours by day", "CHART", (0, 2, 8, 4), "Hours by day", {"step": "day"}),
    Shown("Hours by client", "CHART", (8, 2, 4, 4), "Hours by client"),
    Shown("Clients by hours", "TABLE", (0, 6, 4, 4), "Hours by client", {"limit": 10}),
    Shown("This week and next", "CALENDAR", (4, 6, 4, 4), config={"daysBack": 1, "daysAhead": 13}),
    Shown("What happened", "ACTIVITY_FEED", (8, 6, 4, 4), config={"limit": 20}),
)


def arrange(owner: Api) -> None:
    """A metric or a widget with the name of ours is taken for ours."""
    metrics = {each["name"]: each["id"] for each in owner.get("/metrics?pageSize=100")["data"]}
    for metric in METRICS:
        if metric["name"] not in metrics:
            metrics[metric["name"]] = owner.post("/metrics", **metric)["id"]
    there = {each["name"] for each in owner.all("/widgets")}
    for widget in WIDGETS:
        if widget.name not in there:
            named = {} if widget.metric is None else {"metricId": metrics[widget.metric]}
            owner.post(
                "/widgets",
                name=widget.name,
                title=widget.name,
                type=widget.type,
                scope="ORGANIZATION",
                config={**named, **widget.config},
                position=dict(zip("xywh", widget.position, strict=True)),
                **widget.more,
            )
