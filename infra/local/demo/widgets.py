"""The dashboard of the demo organization: a widget of each type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from infra.local.demo.api import Api


class Widget(NamedTuple):
    """A widget. `metric`: the name of its metric."""

    name: str
    type: str
    position: tuple[int, int, int, int]
    """x, y, width, height."""
    metric: str | None = None
    config: Mapping[str, Any] = {}
    more: Mapping[str, Any] = {}


WIDGETS = (
    Widget("Active assignments", "METRIC", (0, 0, 3, 2), "Active assignments"),
    Widget("Worker utilisation", "CHART", (3, 0, 3, 2), "Worker utilisation", more={"chartType": "gauge"}),
    Widget("Hours today", "METRIC", (6, 0, 3, 2), "Hours today"),
    Widget("Margin per hour", "METRIC", (9, 0, 3, 2), "Margin per hour"),
    Widget("Hours by day", "CHART", (0, 2, 7, 4), "Hours by day", {"step": "day"}),
    Widget("Hours by client", "CHART", (7, 2, 5, 4), "Hours by client"),
    Widget("Clients by hours", "TABLE", (0, 6, 4, 4), "Hours by client", {"limit": 10}),
    Widget("This week and next", "CALENDAR", (4, 6, 4, 4), config={"daysAhead": 13}),
    Widget("Latest activities", "ACTIVITY_FEED", (8, 6, 4, 4), config={"limit": 20}),
    Widget("Tracked hours by project", "CHART", (0, 10, 6, 4), "Tracked hours by project"),
    Widget("Billable share by day", "CHART", (6, 10, 6, 4), "Billable share", {"step": "day"}),
    Widget("Shortcuts", "QUICK_ACTIONS", (0, 14, 12, 2)),
)


def seed_widgets(owner: Api, metrics: Mapping[str, str]) -> None:
    """Create the widgets. `metrics`: name to id. An existing widget is recognized by its name."""
    existing = {row["name"] for row in owner.all("/widgets")}
    for widget in WIDGETS:
        if widget.name not in existing:
            owner.post("/widgets", **body_of(widget, metrics))


def body_of(widget: Widget, metrics: Mapping[str, str]) -> dict[str, Any]:
    named = {} if widget.metric is None else {"metricId": metrics[widget.metric]}
    return {
        "name": widget.name,
        "title": widget.name,
        "type": widget.type,
        "scope": "ORGANIZATION",
        "config": {**named, **widget.config},
        "position": dict(zip("xywh", widget.position, strict=True)),
        **widget.more,
    }
