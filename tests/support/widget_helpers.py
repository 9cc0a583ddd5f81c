"""A dashboard in tests: widgets of any type, their metrics, and the work of the stream."""

from __future__ import annotations

from typing import Any

from chalicelib.metrics.rollups.apply import sync_entity
from chalicelib.metrics.rollups.sources import SOURCES
from tests.support.api import Answer
from tests.support.factories import Member, Organization
from tests.support.staffing import created

PLACE = {"x": 0, "y": 0, "w": 4, "h": 2}
HOURS = {"type": "simple", "source": "assignments", "aggregate": "sum", "field": "hours", "period": "last_7_days"}
BY_CLIENT = {**HOURS, "groupBy": ["clientId"]}
ACTIVE = {"type": "snapshot", "source": "assignments", "aggregate": "count"}


def new_widget(member: Member, kind: str = "CALENDAR", **fields: Any) -> dict[str, Any]:
    return created(member, "createDashboardWidget", **{"type": kind, "position": PLACE, **fields})


def new_metric(member: Member, query: dict[str, Any] = HOURS, **fields: Any) -> str:
    named = {"name": "Hours", "category": "OPERATIONAL", "query": {"version": 1, **query}}
    return str(created(member, "createDashboardMetric", **{**named, **fields})["id"])


def chart_of(member: Member, metric: str, **fields: Any) -> str:
    config = {"metricId": metric, **fields.pop("config", {})}
    return str(new_widget(member, "CHART", config=config, **fields)["id"])


def ask(member: Member, widget: Any, **query: Any) -> Answer:
    return member.call("getWidgetData", path={"id": widget}, query=query)


def data(member: Member, widget: Any, **query: Any) -> Any:
    answer = ask(member, widget, **query)
    assert answer.status == 200, answer.text
    return answer.data


def names(member: Member, action: str = "getDashboardWidgets", **parts: Any) -> list[str]:
    answer = member.call(action, **parts)
    assert answer.status == 200, answer.text
    return [row["name"] for row in answer.data["items"]]


def carry(organization: Organization, *sources: str) -> None:
    """Do the work of the stream."""
    for source in sources or ("assignments",):
        for record in SOURCES[source].collection.all_of(organization.id, 1000) or []:
            sync_entity(organization.id, source, record.id)
