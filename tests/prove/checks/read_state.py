"""The read and archived activities of each client, and its count of unread ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.prove.client import Account, Client, ReadState
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
        for error in _errors(client.read_state, current, archived, unread):
            world.report("read state", f"{client.name} {error}", entity=client.account.user)


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


def _errors(state: ReadState, current: list[dict[str, Any]], archived: list[dict[str, Any]], unread: int) -> list[str]:
    errors = []
    if (listed := {row["id"] for row in archived}) != state.archived:
        errors.append(f"has archived {sorted(listed ^ state.archived)} or not, other than answered")
    read = {row["id"] for row in [*current, *archived] if row["isRead"]}
    if not state.read <= read:
        errors.append(f"has not read {sorted(state.read - read)}, which it did")
    later = {row["id"] for row in current if state.read_all_until is None or row["createdAt"] > state.read_all_until}
    if extra := (read & later) - state.read:
        errors.append(f"has read {sorted(extra)}, which it did not")
    if (counted := sum(not row["isRead"] for row in current)) != unread:
        errors.append(f"has an unread count of {unread} and sees {counted} unread activities")
    return errors
