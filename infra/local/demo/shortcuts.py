"""The quick actions of the demo organization, one of each type."""

from __future__ import annotations

from typing import Any

from infra.local.demo.api import Api

SHORTCUTS: tuple[dict[str, Any], ...] = (
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
                "title": {"type": "string", "title": "What was it about?", "minLength": 1, "maxLength": 255},
                "description": {"type": "string", "title": "What was agreed?", "maxLength": 2000},
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
        "name": "Public holidays",
        "description": "When Hamburg does not work",
        "icon": "calendar",
        "color": "orange",
        "sortOrder": 30,
        "actionType": "NAVIGATION",
        "targetUrl": "https://www.hamburg.de/feiertage",
        "requiredRole": ["OWNER", "ADMIN", "COORDINATOR"],
    },
)


def furnish(owner: Api) -> None:
    """What has the name of one of ours is taken for ours."""
    known = {each["name"] for each in owner.get("/quick-actions?includeDisabled=true")["items"]}
    for shortcut in SHORTCUTS:
        if shortcut["name"] not in known:
            owner.post("/quick-actions", **shortcut)
