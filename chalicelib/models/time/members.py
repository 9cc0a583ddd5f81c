"""Members of a project: users who are suggested first and may have rates of their own. Others may track time, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.contracts import Contract, CursorPage
from chalicelib.core.errors import invalid_state, not_found
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.dal.collection import is_deleted
from chalicelib.dal.cursors import Cursors, walk
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models.time import keys as time_keys
from chalicelib.models.time.projects import PROJECTS, StoredProject
from chalicelib.models.users import USERS, StoredUser

MAX_MEMBERS = 1000
"""Members of one project."""


class Member(Contract):
    """A user as the member of a project."""

    user_id: UUID
    added_at: Instant


def key(organization: OrganizationId, project: UUID, user: UUID) -> Key:
    return Key(time_keys.project_members(organization, project), str(user))


@dataclass(frozen=True)
class Membership:
    """A project and a user, as read, and the user's membership if there is one."""

    project: StoredProject
    user: StoredUser
    member: Member | None


def read(organization: OrganizationId, project: UUID, user: UUID, caller: StoredUser) -> Membership:
    """Read all three at once, but the caller. NOT_FOUND for a project that is not live, and for an unknown user."""
    project_key, user_key = PROJECTS.key(organization, project), USERS.key(organization, user)
    member_key = key(organization, project, user)
    items = table.batch_get([project_key, member_key, *([] if user == caller.id else [user_key])])
    record = PROJECTS.record.of(items.get(project_key), PROJECTS.entity)
    if is_deleted(record):
        raise not_found(PROJECTS.entity)
    member = items.get(member_key)
    return Membership(
        record,
        caller if user == caller.id else USERS.record.of(items.get(user_key), USERS.entity),
        None if member is None else _member(member),
    )


def _member(item: Item) -> Member:
    return Member.model_validate({**(item.data or {}), "userId": item.sk}, extra="ignore")


def add(unit: UnitOfWork, membership: Membership, now: datetime) -> Member:
    """Add a member; a user who is one stays one since the same instant. VALIDATION_ERROR for one too many."""
    project, user = membership.project, membership.user
    if is_deleted(user):
        raise not_found(USERS.entity)
    if membership.member is not None:
        _move(unit, membership, {}, {}, 0)
        return membership.member
    _move(unit, membership, {}, {f"members.{user.id}": True}, 1)
    stored = Item(*key(unit.organization, project.id, user.id), data={"addedAt": clock.to_text(now)})
    unit.put_new(stored, stale)
    return Member(user_id=user.id, added_at=now)


def remove(unit: UnitOfWork, membership: Membership) -> Member:
    """Remove a member. Their rates stay: they price the time that was tracked. NOT_FOUND for a user who is none."""
    project, user = membership.project, membership.user
    if membership.member is None:
        raise not_found("member")
    _move(unit, membership, {f"members.{user.id}": True}, {}, -1)
    unit.delete(key(unit.organization, project.id, user.id), Item.pk.exists(), stale)
    return membership.member


def _move(
    unit: UnitOfWork, membership: Membership, before: Mapping[str, bool], after: Mapping[str, bool], by: int
) -> None:
    """Count the members, and move the project's version: a membership that changes meanwhile runs the request again."""
    unit.require_version(membership.project.version, membership.project.updated_at)
    unit.audit_target(
        PROJECTS.entity,
        membership.project.id,
        before,
        after,
        user=membership.user.id,
        name=membership.project.name,
    )
    counter = Item.children["member"]
    PROJECTS.update(
        unit,
        membership.project,
        {},
        condition=counter.does_not_exist() | (counter < MAX_MEMBERS) if by > 0 else None,
        on_failed_condition=lambda _: invalid_state(f"a project may have at most {MAX_MEMBERS:,} members"),
        actions=[table.increment(counter, by)] if by else [],
    )


def walk_members(
    organization: OrganizationId, project: UUID, cursors: Cursors, *, cursor: str | None, limit: int
) -> CursorPage[Member]:
    return walk(
        time_keys.project_members(organization, project),
        cursors,
        CursorPage[Member],
        lambda rows: [_member(table.item_from_raw(row)) for row in rows],
        cursor=cursor,
        limit=limit,
        forward=True,
    )
