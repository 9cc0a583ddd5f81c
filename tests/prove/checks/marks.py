"""What each client has read and archived of the activities, and how many it is told are unread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.prove.client import Account, Client, Marks
from tests.prove.world import World
from tests.support.api import Api


def check(world: World, clients: Sequence[Client]) -> None:
    api = Api(source="203.0.113.201")
    for client in clients:
        if not client.account.tokens:
            continue
        current = _listed(api, client.account, archived=False)
        archived = _listed(api, client.account, archived=True)
        unread = api.call("getUnreadCount", client.account.tokens[0]).data["count"]
        for fault in _faults(client.marks, current, archived, unread):
            world.report("mark", f"{client.name} {fault}", entity=client.account.user)


def _listed(api: Api, account: Account, *, archived: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        query = {"limit": 100, "archived": str(archived).lower(), **cursor}
        page = api.call("getRecentActivities", account.tokens[0], query=query).data
        rows += page["items"]
        if page["nextCursor"] is None:
            return rows
        cursor = {"cursor": page["nextCursor"]}


def _faults(marks: Marks, current: list[dict[str, Any]], archived: list[dict[str, Any]], unread: int) -> list[str]:
    faults = []
    if (listed := {row["id"] for row in archived}) != marks.archived:
        faults.append(f"has archived {sorted(listed ^ marks.archived)} or not, other than it was answered")
    read = {row["id"] for row in [*current, *archived] if row["isRead"]}
    if not marks.read <= read:
        faults.append(f"has not read {sorted(marks.read - read)}, which it did")
    later = {row["id"] for row in current if marks.read_all_until is None or row["createdAt"] > marks.read_all_until}
    if extra := (read & later) - marks.read:
        faults.append(f"has read {sorted(extra)}, which it did not")
    if (counted := sum(not row["isRead"] for row in current)) != unread:
        faults.append(f"is told of {unread} unread activities and sees {counted}")
    return faults
