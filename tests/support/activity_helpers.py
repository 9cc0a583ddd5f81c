"""Activities for tests, made and read by their own actions."""

from __future__ import annotations

from typing import Any

from tests.support.api import Answer
from tests.support.factories import Member

ACTIVITY = {
    "title": "Payroll exported",
    "type": "INTEGRATION_EVENT",
    "entityType": "payrollRun",
    "entityId": "2026-03",
    "action": "PAYROLL_EXPORTED",
}


def record(member: Member, title: str = ACTIVITY["title"], **fields: Any) -> dict[str, Any]:
    answer = member.call("recordActivity", body={**ACTIVITY, "title": title, **fields})
    assert answer.status == 201, answer.text
    data: dict[str, Any] = answer.data
    return data


def listed(member: Member, action: str = "getRecentActivities", **parts: Any) -> list[dict[str, Any]]:
    """On the first page."""
    answer = member.call(action, **parts)
    assert answer.status == 200, answer.text
    items: list[dict[str, Any]] = answer.data["items"]
    return items


def walked(member: Member, action: str = "getRecentActivities", **parts: Any) -> list[dict[str, Any]]:
    """On all pages."""
    query = parts.pop("query", {})
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = member.call(action, query={**query, **cursor}, **parts)
        assert answer.status == 200, answer.text
        items += answer.data["items"]
        if answer.data["nextCursor"] is None:
            return items
        cursor = {"cursor": answer.data["nextCursor"]}


def mark(member: Member, action: str, identifier: str) -> Answer:
    answer = member.call(action, path={"id": identifier})
    assert answer.status == 200, answer.text
    return answer


def read_all(member: Member) -> None:
    assert member.call("markAllActivitiesAsRead").status == 200


def unread(member: Member) -> int:
    answer = member.call("getUnreadCount").data
    assert answer["isExact"] is True
    return int(answer["count"])


def unread_titles(member: Member) -> list[str]:
    """Return the titles that the lists show as unread."""
    return [activity["title"] for activity in walked(member) if not activity["isRead"]]
