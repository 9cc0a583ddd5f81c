"""Quick actions for tests, made, listed and run by their own actions."""

from __future__ import annotations

from typing import Any

from tests.support.api import Answer
from tests.support.factories import Member, unique
from tests.support.staffing import created

GOING = {"actionType": "NAVIGATION", "targetUrl": "/clients/new"}
CLIENT_FORM = {
    "actionType": "FORM",
    "apiAction": "createClient",
    "formConfig": {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 40}, "phone": {"type": "string"}},
        "required": ["name"],
    },
}


def calling(action: str) -> dict[str, Any]:
    return {"actionType": "API_CALL", "apiAction": action}


def define(member: Member, *parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    definition: dict[str, Any] = {"name": unique("Quick action")}
    for part in (*parts, fields):
        definition |= part
    return created(member, "createQuickAction", **definition)


def execute(member: Member, quick_action: dict[str, Any], payload: Any = None, **parts: Any) -> Answer:
    body = None if payload is None else {"payload": payload}
    return member.call("executeQuickAction", path={"id": quick_action["id"]}, body=body, **parts)


def run(member: Member, quick_action: dict[str, Any], payload: Any = None, **parts: Any) -> Any:
    """Run a quick action and return its target's answer."""
    answer = execute(member, quick_action, payload, **parts)
    assert answer.status == 200, answer.text
    return answer.data["result"]


def listed(member: Member, **query: Any) -> list[dict[str, Any]]:
    answer = member.call("getQuickActions", query=query)
    assert answer.status == 200, answer.text
    items: list[dict[str, Any]] = answer.data["items"]
    return items


def own_names(member: Member, **query: Any) -> list[str]:
    """Without the product's."""
    return [value["name"] for value in listed(member, **query) if not value["isSystem"]]


def faults(answer: Answer) -> dict[str, list[str]]:
    """Return the field errors of refused input."""
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), answer.text
    errors: dict[str, list[str]] = answer.error["details"]["fieldErrors"]
    return errors
