"""The quick actions of the demo organization, one of each type."""

from __future__ import annotations

from typing import Any

from infra.local.demo.api import Api

QUICK_ACTIONS: tuple[dict[str, Any], ...] = (
    {
        "name": "Log a call",
        "description": "After each call with a client",
        "icon": "phone",
        "color": "green",
        "sortOrder": 10,
        "actionType": "FORM",
        "apiAction": "recordActivity",
        "formConfig": {
            "type": "object",
            "properties": {
                "title": {"type": "string", "title": "Subject", "minLength": 1, "maxLength": 255},
                "description": {"type": "string", "title": "Agreement", "maxLength": 2000},
                "type": {"const": "USER_ACTION", "default": "USER_ACTION"},
                "entityType": {"const": "client", "default": "client"},
                "entityId": {"type": "string", "format": "uuid", "title": "Client"},
                "action": {"const": "CLIENT_CALLED", "default": "CLIENT_CALLED"},
            },
            "required": ["title", "type", "entityType", "entityId", "action"],
            "additionalProperties": False,
        },
    },
    {
        "name": "Mark everything as read",
        "icon": "check",
        "sortOrder": 20,
        "actionType": "API_CALL",
        "apiAction": "markAllActivitiesAsRead",
    },
    {
        "name": "Start the timer",
        "description": "On your default project",
        "icon": "play",
        "color": "teal",
        "sortOrder": 5,
        "actionType": "API_CALL",
        "apiAction": "startTimer",
    },
    {
        "name": "Stop the timer",
        "icon": "stop",
        "color": "red",
        "sortOrder": 6,
        "actionType": "API_CALL",
        "apiAction": "stopTimer",
    },
    {
        "name": "Public holidays",
        "description": "In Hamburg",
        "icon": "calendar",
        "color": "orange",
        "sortOrder": 30,
        "actionType": "NAVIGATION",
        "targetUrl": "https://www.hamburg.de/feiertage",
        "requiredRole": ["OWNER", "ADMIN", "COORDINATOR"],
    },
)


def seed_quick_actions(owner: Api) -> None:
    """Create the quick actions. An existing one is recognized by its name."""
    existing = {row["name"] for row in owner.get("/quick-actions?includeDisabled=true")["items"]}
    for quick_action in QUICK_ACTIONS:
        if quick_action["name"] not in existing:
            owner.post("/quick-actions", **quick_action)
