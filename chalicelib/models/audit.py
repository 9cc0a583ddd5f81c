"""The audit log: one entry for every successful write, in the transaction of the write."""

from __future__ import annotations

import json
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chalicelib.core import former_users, ids
from chalicelib.core.contracts import Contract, CursorPage
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.cursors import Cursors, walk
from chalicelib.dal.item import Item
from chalicelib.dal.keys import IndexPartition, Key
from chalicelib.dal.table import RawPage
from chalicelib.dal.unit_of_work import Change, UnitOfWork, stale
from chalicelib.models.users import PERSONAL_FIELDS, StoredUser


class AuditEvent(StrEnum):
    ACTIVITIES_READ = "ACTIVITIES_READ"
    ACTIVITY_ARCHIVED = "ACTIVITY_ARCHIVED"
    ACTIVITY_READ = "ACTIVITY_READ"
    ACTIVITY_RECORDED = "ACTIVITY_RECORDED"
    ACTIVITY_UNARCHIVED = "ACTIVITY_UNARCHIVED"
    ASSIGNMENT_CANCELLED = "ASSIGNMENT_CANCELLED"
    ASSIGNMENT_CREATED = "ASSIGNMENT_CREATED"
    ASSIGNMENT_DELETED = "ASSIGNMENT_DELETED"
    ASSIGNMENT_ENDED = "ASSIGNMENT_ENDED"
    ASSIGNMENT_UPDATED = "ASSIGNMENT_UPDATED"
    CLIENT_CREATED = "CLIENT_CREATED"
    CLIENT_DELETED = "CLIENT_DELETED"
    CLIENT_UPDATED = "CLIENT_UPDATED"
    EMAIL_CONFIRMATION_RESENT = "EMAIL_CONFIRMATION_RESENT"
    EMAIL_CONFIRMED = "EMAIL_CONFIRMED"
    INVITATION_ACCEPTED = "INVITATION_ACCEPTED"
    INVITATION_RESENT = "INVITATION_RESENT"
    INVITATION_WITHDRAWN = "INVITATION_WITHDRAWN"
    KPI_BREACH_WAIVED = "KPI_BREACH_WAIVED"
    KPI_CREATED = "KPI_CREATED"
    KPI_DELETED = "KPI_DELETED"
    KPI_UPDATED = "KPI_UPDATED"
    KPI_VALUE_RECORDED = "KPI_VALUE_RECORDED"
    LOAN_ACCEPTED = "LOAN_ACCEPTED"
    LOAN_CANCELLED = "LOAN_CANCELLED"
    LOAN_CREATED = "LOAN_CREATED"
    LOAN_DECLINED = "LOAN_DECLINED"
    LOAN_DELETED = "LOAN_DELETED"
    LOAN_SETTLED = "LOAN_SETTLED"
    LOAN_UPDATED = "LOAN_UPDATED"
    LOAN_WRITTEN_OFF = "LOAN_WRITTEN_OFF"
    MAIL_UNSUBSCRIBED = "MAIL_UNSUBSCRIBED"
    MEMBER_RATE_DELETED = "MEMBER_RATE_DELETED"
    MEMBER_RATE_SET = "MEMBER_RATE_SET"
    METRIC_CREATED = "METRIC_CREATED"
    METRIC_DELETED = "METRIC_DELETED"
    METRIC_UPDATED = "METRIC_UPDATED"
    ORGANIZATION_CREATED = "ORGANIZATION_CREATED"
    ORGANIZATION_RATE_DELETED = "ORGANIZATION_RATE_DELETED"
    ORGANIZATION_RATE_SET = "ORGANIZATION_RATE_SET"
    ORGANIZATION_UPDATED = "ORGANIZATION_UPDATED"
    OTHER_SESSIONS_REVOKED = "OTHER_SESSIONS_REVOKED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105  the name of an event
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105  likewise
    PASSWORD_RESET_REQUESTED = "PASSWORD_RESET_REQUESTED"  # noqa: S105  likewise
    POSITION_CREATED = "POSITION_CREATED"
    POSITION_DELETED = "POSITION_DELETED"
    POSITION_RATE_DELETED = "POSITION_RATE_DELETED"
    POSITION_RATE_SET = "POSITION_RATE_SET"
    POSITION_UPDATED = "POSITION_UPDATED"
    PREFERENCES_UPDATED = "PREFERENCES_UPDATED"
    PROFILE_UPDATED = "PROFILE_UPDATED"
    PROJECT_CREATED = "PROJECT_CREATED"
    PROJECT_DELETED = "PROJECT_DELETED"
    PROJECT_MEMBER_ADDED = "PROJECT_MEMBER_ADDED"
    PROJECT_MEMBER_RATE_DELETED = "PROJECT_MEMBER_RATE_DELETED"
    PROJECT_MEMBER_RATE_SET = "PROJECT_MEMBER_RATE_SET"
    PROJECT_MEMBER_REMOVED = "PROJECT_MEMBER_REMOVED"
    PROJECT_RATE_DELETED = "PROJECT_RATE_DELETED"
    PROJECT_RATE_SET = "PROJECT_RATE_SET"
    PROJECT_UPDATED = "PROJECT_UPDATED"
    QUICK_ACTION_CREATED = "QUICK_ACTION_CREATED"
    QUICK_ACTION_DELETED = "QUICK_ACTION_DELETED"
    QUICK_ACTION_EXECUTED = "QUICK_ACTION_EXECUTED"
    QUICK_ACTION_UPDATED = "QUICK_ACTION_UPDATED"
    REPAYMENT_RECORDED = "REPAYMENT_RECORDED"
    REPAYMENT_REVERSED = "REPAYMENT_REVERSED"
    SESSION_REVOKED = "SESSION_REVOKED"
    SIGNED_IN = "SIGNED_IN"
    SIGNED_OUT = "SIGNED_OUT"
    SUBSCRIPTION_TIER_SET = "SUBSCRIPTION_TIER_SET"
    TASK_CREATED = "TASK_CREATED"
    TASK_DELETED = "TASK_DELETED"
    TASK_UPDATED = "TASK_UPDATED"
    TIMER_DISCARDED = "TIMER_DISCARDED"
    TIMER_PAUSED = "TIMER_PAUSED"
    TIMER_RESUMED = "TIMER_RESUMED"
    TIMER_STARTED = "TIMER_STARTED"
    TIMER_STOPPED = "TIMER_STOPPED"
    TIMER_UPDATED = "TIMER_UPDATED"
    TIMESHEET_APPROVED = "TIMESHEET_APPROVED"
    TIMESHEET_REJECTED = "TIMESHEET_REJECTED"
    TIMESHEET_REOPENED = "TIMESHEET_REOPENED"
    TIMESHEET_SUBMITTED = "TIMESHEET_SUBMITTED"
    TIMESHEET_WITHDRAWN = "TIMESHEET_WITHDRAWN"
    TIME_LOCKED = "TIME_LOCKED"
    TIME_SESSIONS_DELETED = "TIME_SESSIONS_DELETED"
    TIME_SESSIONS_IMPORTED = "TIME_SESSIONS_IMPORTED"
    TIME_SESSIONS_UPDATED = "TIME_SESSIONS_UPDATED"
    TIME_SESSION_CREATED = "TIME_SESSION_CREATED"
    TIME_SESSION_DELETED = "TIME_SESSION_DELETED"
    TIME_SESSION_UPDATED = "TIME_SESSION_UPDATED"
    TIME_UNLOCKED = "TIME_UNLOCKED"
    USER_DEACTIVATED = "USER_DEACTIVATED"
    USER_DELETED = "USER_DELETED"
    USER_INVITED = "USER_INVITED"
    USER_REACTIVATED = "USER_REACTIVATED"
    USER_ROLE_CHANGED = "USER_ROLE_CHANGED"
    USER_UPDATED = "USER_UPDATED"
    WIDGET_CREATED = "WIDGET_CREATED"
    WIDGET_DELETED = "WIDGET_DELETED"
    WIDGET_UPDATED = "WIDGET_UPDATED"
    WORKERS_IMPORTED = "WORKERS_IMPORTED"
    WORKER_CREATED = "WORKER_CREATED"
    WORKER_DELETED = "WORKER_DELETED"
    WORKER_RATE_DELETED = "WORKER_RATE_DELETED"
    WORKER_RATE_SET = "WORKER_RATE_SET"
    WORKER_UPDATED = "WORKER_UPDATED"
    WORK_LOCATION_CREATED = "WORK_LOCATION_CREATED"
    WORK_LOCATION_DELETED = "WORK_LOCATION_DELETED"
    WORK_LOCATION_UPDATED = "WORK_LOCATION_UPDATED"


class Actor(Contract):
    """The author of a change: a user, nobody signed in, or an operator of the service."""

    id: UUID | None = None
    name: Annotated[str, Field(examples=["Anna Berg"])]
    email: Annotated[str | None, Field(examples=["anna.berg@example.com"])] = None

    @classmethod
    def of(cls, user: StoredUser) -> Actor:
        return cls(id=user.id, name=user.full_name, email=user.email or None)


PRODUCT = Actor(name="Workledger")
"""The author of what happens by itself."""


_OF_SESSIONS = frozenset({"userAgent"})
"""Personal fields of a session."""


class FieldChange(Contract):
    before: Any = None
    after: Any = None


class AuditEntry(Contract):
    id: UUID
    at: Instant
    actor: Actor
    action: Annotated[str, Field(examples=["CLIENT_UPDATED"])]
    entity_type: Annotated[str, Field(examples=["client"])]
    entity_id: Annotated[str, Field(examples=["019a51c2-7d3e-7f00-8a6b-4c5d6e7f8091"])]
    entity_name: Annotated[
        str | None,
        Field(
            description="The name of the entity at that time. Users are named by their ids alone.",
            examples=["Hansekontor Logistik"],
        ),
    ] = None
    user_id: Annotated[
        UUID | None,
        Field(description="The user that it is about, where that is another one than the actor.", examples=[None]),
    ] = None
    request_id: Annotated[str, Field(examples=["6f1c2b9e-0d57-4c1e-9a55-3f0a7c1e2d44"])]
    changes: Annotated[dict[str, FieldChange], Field(examples=[{"phone": {"before": None, "after": "+49 30 901820"}}])]
    """The fields that differ, by name."""


class StoredAuditEntry(AuditEntry):
    """An entry with what its activity needs."""

    words: Annotated[dict[str, str], Field(default_factory=dict)]
    """Further words for its title, by their places."""
    readers: tuple[str, ...] = ()
    """The audience that the write named; see `models.activities.audience`."""


class AuditFilter(Contract):
    actor_id: UUID | None = None
    action: str | None = None
    entity_type: str | None = None
    entity_id: str | None = None
    since: Instant | None = None
    until: Instant | None = None


def record_change(unit: UnitOfWork, event: AuditEvent, actor: Actor, request_id: str) -> None:
    """Add the entry for the change of the unit's target; a unit without a target is a bug of its action.

    A unit with several targets declares and records one after the other. Where the change is another organization's,
    too, its log gets an entry that names the actor's organization instead of a person.
    """
    change, unit.change = unit.change, None
    if change is None:
        raise AssertionError(f"{event} without an audit target")
    _record(unit, change, event, actor, request_id)
    other = unit.counterpart
    if other is not None and other.change is not None and other.signature is not None:
        change, other.change = other.change, None
        _record(other, change, event, Actor(name=other.signature), request_id)


def _record(unit: UnitOfWork, change: Change, event: AuditEvent, actor: Actor, request_id: str) -> None:
    fields = sorted({*change.before, *change.after})
    identifier = ids.new_id()
    entry = StoredAuditEntry(
        id=identifier,
        at=ids.created_at(identifier),
        actor=actor,
        action=event,
        entity_type=change.entity_type,
        entity_id=change.entity_id,
        entity_name=change.name,
        user_id=None if change.user == actor.id else change.user,
        request_id=request_id,
        words=dict(change.words),
        readers=tuple(sorted(change.readers)),
        changes={
            name: FieldChange(before=change.before.get(name), after=change.after.get(name))
            for name in fields
            if change.before.get(name) != change.after.get(name)
        },
    )
    data = entry.model_dump(mode="json", exclude={"id", "changes"}, exclude_none=True)
    for name in ("readers", "words"):
        if not data[name]:
            del data[name]
    data["changes"] = _changes_text(entry)
    if unit.answer is not None:
        data["answer"] = unit.answer
    item = Item(keys.audit(unit.organization), str(entry.id), data=data)
    # The main consumer's filter drops it: activities are another function's.
    item.derived = 1
    item.enter(keys.audit_of_entity(unit.organization, change.entity_type, change.entity_id))
    if actor.id:
        item.enter(keys.audit_of_actor(unit.organization, actor.id))
    unit.put_new(item, stale)


def _changes_text(entry: AuditEntry) -> str:
    """Return the changes as one text: the values may be anything, and nothing ever looks inside them here."""
    return json.dumps(entry.model_dump(mode="json", include={"changes"})["changes"])


def former_actor(actor: Actor) -> Actor:
    return Actor(id=actor.id, name=former_users.NAME)


def masked(entry: AuditEntry, former: AbstractSet[UUID]) -> AuditEntry:
    """Return an entry without the personal data of former users."""
    if not former:
        return entry
    ids_of_former = {str(user) for user in former}
    hidden: AbstractSet[str] = frozenset()
    if entry.entity_type == "user" and entry.entity_id in ids_of_former:
        hidden = PERSONAL_FIELDS
    elif entry.entity_type == "session" and entry.actor.id in former:
        hidden = _OF_SESSIONS
    changes = {
        name: FieldChange()
        if name in hidden
        else FieldChange(
            before=former_users.mask(change.before, ids_of_former), after=former_users.mask(change.after, ids_of_former)
        )
        for name, change in entry.changes.items()
    }
    actor = former_actor(entry.actor) if entry.actor.id in former else entry.actor
    return entry.model_copy(update={"actor": actor, "changes": changes})


def mask_stored(unit: UnitOfWork, entry: AuditEntry, former: AbstractSet[UUID]) -> None:
    """Mask an entry where it is stored, if it has personal data of former users."""
    after = masked(entry, former)
    if after != entry:
        actions = [
            table.assign("actor", after.actor.model_dump(mode="json", exclude_none=True)),
            table.assign("changes", _changes_text(after)),
        ]
        unit.update(Key(keys.audit(unit.organization), str(entry.id)), actions, None, stale)


def entries(
    organization: OrganizationId,
    cursors: Cursors,
    criteria: AuditFilter,
    *,
    former: AbstractSet[UUID],
    cursor: str | None,
    limit: int,
    forward: bool = False,
) -> CursorPage[AuditEntry]:
    """Newest first, unless `forward`. The narrowest index is walked, the other filters apply to its rows.

    `former`: the users whose data is being erased.
    """
    filters = [
        (Item.data["action"], criteria.action),
        (Item.data["actor"]["id"], criteria.actor_id and str(criteria.actor_id)),
        (Item.data["entityType"], criteria.entity_type),
        (Item.data["entityId"], criteria.entity_id),
    ]
    partition: str | IndexPartition = keys.audit(organization)
    if criteria.entity_type and criteria.entity_id:
        partition = keys.audit_of_entity(organization, criteria.entity_type, criteria.entity_id)
    elif criteria.actor_id:
        partition = keys.audit_of_actor(organization, criteria.actor_id)
    return walk(
        partition,
        cursors,
        CursorPage[AuditEntry],
        lambda rows: [masked(read(row), former) for row in rows],
        cursor=cursor,
        limit=limit,
        forward=forward,
        between=_bounds(criteria),
        condition=table.all_of(field == value for field, value in filters if value is not None),
    )


def stored(organization: OrganizationId, identifiers: Iterable[UUID]) -> list[dict[str, Any]]:
    """Return entries as they are stored, by id; strongly consistent. `read_stored` reads one."""
    rows = table.raw_batch((Key(keys.audit(organization), str(entry)) for entry in identifiers), consistent=True)
    return list(rows.values())


def answer_of(row: dict[str, Any]) -> str | None:
    """Return the digest of the idempotency record that was written with an entry, as it is stored; None for none."""
    digest: str | None = table.plain(row, "data").get("answer")
    return digest


def page_between(
    organization: OrganizationId, since: datetime, until: datetime, *, after: str | None, limit: int
) -> RawPage:
    """Entries of a range of time as they are stored, oldest first; `read_stored` reads one."""
    return table.query(keys.audit(organization), between=_span(since, until), after=after, limit=limit)


def has_entries(organization: OrganizationId, since: datetime, until: datetime) -> bool:
    """Return True if there are entries; eventually consistent, for half a unit."""
    between = _span(since, until)
    return bool(table.query(keys.audit(organization), between=between, limit=1, consistent=False).items)


def newest_at(organization: OrganizationId) -> datetime | None:
    """The instant of the newest entry."""
    rows = table.query(keys.audit(organization), forward=False, limit=1).items
    return ids.created_at(UUID(rows[0]["sk"]["S"])) if rows else None


def _bounds(criteria: AuditFilter) -> tuple[str, str] | None:
    if criteria.since is None and criteria.until is None:
        return None
    return _span(criteria.since, criteria.until)


def _span(since: datetime | None, until: datetime | None) -> tuple[str, str]:
    """Return the bounds of ids; `until` is inclusive."""
    low = str(ids.first_id_at(since)) if since else " "
    high = str(ids.last_id_at(until)) if until else "\uffff"
    return low, high


def read(row: dict[str, Any]) -> AuditEntry:
    """An entry as it is shown, from the attributes of its item."""
    return AuditEntry.model_validate(_fields(row), extra="ignore")


def read_stored(row: dict[str, Any]) -> StoredAuditEntry:
    return StoredAuditEntry.model_validate(_fields(row), extra="ignore")


def _fields(row: dict[str, Any]) -> dict[str, Any]:
    item = table.item_from_raw(row)
    data = item.data or {}
    return {**data, "id": item.sk, "changes": json.loads(data["changes"])}
