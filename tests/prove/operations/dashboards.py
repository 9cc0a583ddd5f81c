"""Widgets, metrics and quick actions."""

from __future__ import annotations

from typing import Any

from tests.prove.client import Client
from tests.prove.history import About
from tests.prove.operations.staffing import COMMON_NAMES, if_match

_HEADCOUNT = {"version": 1, "type": "snapshot", "source": "workers", "aggregate": "count", "period": "today"}
_HOURS = {
    "version": 1,
    "type": "simple",
    "source": "assignments",
    "aggregate": "sum",
    "field": "hours",
    "period": "this_month",
}


def _update(client: Client, action: str, entity: str, body: dict[str, Any], otherwise: Any) -> None:
    data = client.pick(entity)
    if data is None:
        otherwise(client)
        return
    about = (entity, data["id"])
    client.keep(entity, client.write(action, about, path={"id": data["id"]}, body=body, **if_match(client, data)))


def _delete(client: Client, action: str, entity: str, otherwise: Any) -> None:
    data = client.pick(entity)
    if data is None:
        otherwise(client)
        return
    client.keep(entity, client.write(action, (entity, data["id"]), path={"id": data["id"]}))


# -- widgets ---------------------------------------------------------------------------------------------------------


def create_widget(client: Client) -> None:
    body = {
        "name": client.unique("widget"),
        "type": "CALENDAR",
        "scope": client.rng.choice(("ORGANIZATION", "PERSONAL")),
        "config": {"daysAhead": client.rng.randint(1, 20)},
        "position": {"x": client.rng.randrange(8), "y": client.rng.randrange(50), "w": 4, "h": 2},
    }
    client.keep("widget", client.write("createDashboardWidget", ("widget", None), body=body))


def update_widget(client: Client) -> None:
    """Change the title of a widget, and sometimes its scope."""
    body = {"title": client.unique("Title")}
    if client.chance(0.5):
        body["scope"] = client.rng.choice(("ORGANIZATION", "PERSONAL"))
    _update(client, "updateDashboardWidget", "widget", body, create_widget)


def delete_widget(client: Client) -> None:
    _delete(client, "deleteDashboardWidget", "widget", create_widget)


# -- metrics ---------------------------------------------------------------------------------------------------------


def create_metric(client: Client) -> None:
    query = client.rng.choice((_HEADCOUNT, _HOURS))
    body = {"name": client.unique("Metric"), "category": "OPERATIONAL", "query": query, "refreshRate": 60}
    client.keep("metric", client.write("createDashboardMetric", ("metric", None), body=body))


def update_metric(client: Client) -> None:
    body: dict[str, Any] = {"name": client.unique("Metric")}
    if client.chance(0.5):
        body["query"] = client.rng.choice((_HEADCOUNT, _HOURS))
    _update(client, "updateDashboardMetric", "metric", body, create_metric)


def delete_metric(client: Client) -> None:
    _delete(client, "deleteDashboardMetric", "metric", create_metric)


# -- quick actions ---------------------------------------------------------------------------------------------------


def create_quick_action(client: Client) -> None:
    action = client.rng.choice(("createClient", "recordActivity"))
    body = {"name": client.unique("Button"), "actionType": "API_CALL", "apiAction": action}
    client.keep("quickAction", client.write("createQuickAction", ("quickAction", None), body=body))


def update_quick_action(client: Client) -> None:
    body = {"name": client.unique("Button"), "sortOrder": client.rng.randint(0, 9)}
    _update(client, "updateQuickAction", "quickAction", body, create_quick_action)


def delete_quick_action(client: Client) -> None:
    _delete(client, "deleteQuickAction", "quickAction", create_quick_action)


def execute_quick_action(client: Client) -> None:
    data = client.pick("quickAction")
    if data is None:
        create_quick_action(client)
        return
    allowed: frozenset[str] = frozenset()
    target: About = ("activity", None)
    payload = activity(client)
    if data["apiAction"] == "createClient":
        payload, target = {"name": client.unique("Client")}, ("client", None)
        if client.in_common(0.3):
            payload, allowed = {"name": client.rng.choice(COMMON_NAMES)}, frozenset({"DUPLICATE_ENTRY"})
    client.write(
        "executeQuickAction",
        ("quickAction", data["id"]),
        path={"id": data["id"]},
        body={"payload": payload},
        allowed=allowed,
        runs=(data["apiAction"], target),
    )


def activity(client: Client) -> dict[str, Any]:
    """Return the input of a new activity."""
    return {
        "title": client.unique("Payroll exported"),
        "type": "INTEGRATION_EVENT",
        "entityType": "organization",
        "entityId": client.account.organization,
        "action": "PAYROLL_EXPORTED",
        "metadata": {"batch": client.requests},
    }
