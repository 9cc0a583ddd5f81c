"""After every write, its activities are read by those whom the audience table names, and say what happened to what."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from chalicelib.action.registry import REGISTRY
from chalicelib.auth.audiences import AUDIENCES, EVERYONE, GROUPS, Readers
from chalicelib.auth.permissions import PERMISSIONS, Permission
from chalicelib.core.entity_names import EntityName
from chalicelib.core.ids import OrganizationId
from chalicelib.jobs import activity_feed
from chalicelib.models import users
from chalicelib.models.activities.audience import Group
from chalicelib.models.audit import AuditEvent
from chalicelib.models.users import Role
from tests.support.activity_helpers import walked
from tests.support.api import Api
from tests.support.arrange import WRITES, arrange, prepare
from tests.support.factories import Member, Organization, new_organization
from tests.support.store import Snapshot, Store, plain

Entry = dict[str, Any]


@pytest.fixture(scope="module")
def house(api: Api, _fresh_table: None, _cheap_hashes: None) -> Organization:
    """Return an organization with a member of each role, and another OWNER who sends the requests."""
    organization = new_organization(api)
    for role in Role:
        organization.member(role)
    prepare(organization)
    return organization


def _entries(store: Store, before: Snapshot) -> Iterator[tuple[OrganizationId, UUID, Entry]]:
    """Yield the audit entries of a write: their organization, id and content."""
    for (pk, sk), change in store.changes(before).items():
        if pk.endswith("#AUDIT"):
            yield OrganizationId(UUID(pk.split("#")[1])), UUID(sk), plain(change.after or {})["data"]


@pytest.mark.parametrize("action", WRITES)
def test_an_activity_is_read_by_its_audience_and_nobody_else(house: Organization, store: Store, action: str) -> None:
    arranged = arrange(action, house)
    before = store.items()
    assert arranged.send().status == arranged.action.status
    entries = list(_entries(store, before))
    assert entries
    for organization, identifier, _ in entries:
        activity_feed.record(organization, [identifier])
    members = [house.member(role) for role in Role]
    if arranged.sender:
        # The write may have ended their session.
        user = users.get(house.id, arranged.sender.user.id)
        members.append(Member(house.api, user, house.session(user)))
    for organization, identifier, entry in entries:
        _hold_permission(entry)
        if organization == house.id:
            for member in members:
                activity = _seen(member, identifier, entry)
                assert (activity is not None) == _may_see(store, member, entry), (
                    f"{member.user.role} and the activity of {entry['action']}"
                )
                if activity is not None:
                    _hold_title(activity["title"], entry)


NAMED = {*EntityName} - {"activity", "session", "timeSession", "timer", "user"}
"""Entities that have names. Users have theirs when an activity is read."""
NAMELESS = {"TIME_LOCKED", "TIME_UNLOCKED", "TIME_SESSIONS_IMPORTED", "WORKERS_IMPORTED"}
"""Events about much at once."""


def _hold_title(title: str, entry: Entry) -> None:
    """Hold that a title names its target, in words that people use."""
    if entry["entityType"] in NAMED and entry["action"] not in NAMELESS:
        assert entry["entityName"] in title
    assert len(title) <= 255
    words = title.replace(entry.get("entityName", "\0"), "X")
    assert not re.search(r"[0-9a-f]{8}-|[a-z][A-Z]|[{}_\x00-\x1f]|\d{4}-\d\d|  ", words), title
    changed = json.loads(entry["changes"]).keys() - {"termsVersion"}
    assert "nothing" not in title or not changed, title


def _seen(member: Member, identifier: UUID, entry: Entry) -> dict[str, Any] | None:
    """Return an activity as a member sees it: in all lists and by all actions, or in none."""
    of_entity = {"entityType": entry["entityType"], "entityId": entry["entityId"]}
    recent = {row["id"]: row for row in walked(member, query={"limit": "100"})}
    listed = {
        str(identifier) in recent,
        str(identifier) in {row["id"] for row in walked(member, "getActivitiesByEntity", path=of_entity)},
    }
    unread = sum(not row["isRead"] for row in recent.values())
    assert member.call("getUnreadCount").data == {"count": unread, "isExact": True}
    for mark in ("markActivityAsRead", "archiveActivity", "unarchiveActivity"):
        status = member.call(mark, path={"id": identifier}).status
        assert status in {200, 404}
        listed.add(status == 200)
    assert len(listed) == 1
    return recent.get(str(identifier))


def _may_see(store: Store, member: Member, entry: Entry) -> bool:
    """Return what the table says, worked out from roles."""
    readers = AUDIENCES[AuditEvent(entry["action"])]
    if readers.entity:
        return _may_see_entity(store, member, entry)
    return member.user.role in _roles(readers) or (readers.subject and str(member.user.id) == _subject(entry))


def _hold_permission(entry: Entry) -> None:
    """Hold that everyone may read what an activity for everyone is about."""
    if AUDIENCES[AuditEvent(entry["action"])] == EVERYONE:
        entity = entry["entityType"][0].upper() + entry["entityType"][1:]
        reads = [REGISTRY[name] for name in (f"get{entity}", f"get{entity}ById") if name in REGISTRY]
        assert {read.permission for read in reads} == {Permission.WORKSPACE_READ}, f"who may read a {entity}?"


def _roles(readers: Readers) -> set[Role]:
    return {role for role in Role for group in readers.groups if GROUPS[group] in PERMISSIONS[role]}


def _subject(entry: Entry) -> str | None:
    subject: str | None = entry.get("userId")
    if subject is None:
        subject = entry["entityId"] if entry["entityType"] == "user" else entry["actor"].get("id")
    return subject


def _may_see_entity(store: Store, member: Member, entry: Entry) -> bool:
    """Return True for a member who may see what an entry is about."""
    if entry["entityType"] == "widget":
        (widget,) = (plain(item)["data"] for (_, sk), item in store.items().items() if sk == entry["entityId"])
        return widget["scope"] == "ORGANIZATION" or widget["createdById"] == str(member.user.id)
    is_own = entry["entityId"] == str(member.user.id)
    assert entry["action"] in {"TIME_LOCKED", "TIME_UNLOCKED"}, f"who may see {entry}?"
    return is_own or entry["entityType"] == "organization" or member.user.role in {Role.OWNER, Role.ADMIN}


def test_every_group_is_one_of_the_table() -> None:
    assert {*GROUPS} == {*Group}
    assert {*AUDIENCES} == {*AuditEvent}
    used = {group for readers in AUDIENCES.values() for group in readers.groups}
    # Metrics and widgets decide for themselves.
    assert used == {*Group} - {Group.METRICS, Group.WIDGETS}
