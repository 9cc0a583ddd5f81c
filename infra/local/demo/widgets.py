"""The dashboard of the demo organization: a widget of each type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from infra.local.demo.api import Api


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
    Shown("Hours today", "METRIC", (6, 0, 3, 2), "Hours today"),
    Shown("Margin per hour", "METRIC", (9, 0, 3, 2), "Margin per hour"),
    Shown("Hours by day", "CHART", (0, 2, 8, 4), "Hours by day", {"step": "day"}),
    Shown("Hours by client", "CHART", (8, 2, 4, 4), "Hours by client"),
    Shown("Clients by hours", "TABLE", (0, 6, 4, 4), "Hours by client", {"limit": 10}),
    Shown("This week and next", "CALENDAR", (4, 6, 4, 4), config={"daysBack": 1, "daysAhead": 13}),
    Shown("What happened", "ACTIVITY_FEED", (8, 6, 4, 4), config={"limit": 20}),
    Shown("Shortcuts", "QUICK_ACTIONS", (0, 10, 12, 2)),
)


def arrange(owner: Api, metrics: Mapping[str, str]) -> None:
    """With the ids of `metrics` by name. A widget with the name of ours is taken for ours."""
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
