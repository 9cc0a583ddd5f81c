"""Activities: recorded, read and archived."""

from __future__ import annotations

from typing import Any

from chalicelib.core import clock
from tests.prove.client import Client
from tests.prove.operations.dashboards import activity


def record_activity(client: Client) -> None:
    client.write("recordActivity", ("activity", None), body=activity(client))


def read_activity(client: Client) -> None:
    _mark(client, "markActivityAsRead")


def archive_activity(client: Client) -> None:
    _mark(client, "archiveActivity")


def unarchive_activity(client: Client) -> None:
    archived = sorted(client.read_state.archived)
    if not archived:
        archive_activity(client)
        return
    identifier = client.rng.choice(archived)
    if client.write("unarchiveActivity", ("activity", identifier), path={"id": identifier}) is not None:
        client.read_state.archived.discard(identifier)


def read_all_activities(client: Client) -> None:
    known = _listed(client)
    if client.write("markAllActivitiesAsRead", ("user", client.account.user)) is not None:
        client.read_state.read |= {row["id"] for row in known}
        client.read_state.read_all_until = clock.to_text(clock.now())


def _mark(client: Client, action: str) -> None:
    listed = _listed(client)
    if not listed:
        record_activity(client)
        return
    identifier = client.rng.choice(listed)["id"]
    if client.write(action, ("activity", identifier), path={"id": identifier}) is not None:
        identifiers = client.read_state.read if action == "markActivityAsRead" else client.read_state.archived
        identifiers.add(identifier)


def _listed(client: Client) -> list[dict[str, Any]]:
    """Return the newest activities that the client has not archived."""
    page = client.read("getRecentActivities", query={"limit": 20})
    return [] if page is None else list(page["items"])
