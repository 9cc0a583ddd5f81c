"""Timers: sessions that run. A timer has its session's id from the start, and its user's key: there is one a user.

The put on a free key is the whole rule that a user has one timer, also under concurrent starts. While it runs it is
in a due index, by the instant when it will have run for so long that its user is reminded, until they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from chalicelib.core import clock, ids
from chalicelib.core.contracts import Contract
from chalicelib.core.errors import ActionError, ErrorCode, invalid_field, invalid_state, require_order
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.dal.due_index import DueIndex
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models.time import keys as time_keys
from chalicelib.models.time.sessions import (
    ExternalId,
    SessionDescription,
    SessionSource,
    SessionWriter,
    Tag,
    TimeSession,
)
from chalicelib.models.time.spans import LONGEST, MAX_PAUSES, Pause, net_seconds, whole_seconds

ENTITY = "timer"
KIND = ENTITY.upper()
"""The part of a timer's key that names its kind."""
LONG_RUNNING = timedelta(hours=12)
"""Net time after which a timer is likely to have been forgotten: its user is reminded once."""
DUE = DueIndex("TIMERDUE")


class Timer(Contract):
    """A running or paused timer."""

    id: UUID
    """That of the session that it becomes."""
    user_id: UUID
    project_id: UUID | None = None
    task_id: UUID | None = None
    description: SessionDescription | None = None
    billable: bool
    tags: tuple[Tag, ...] = ()
    start_at: Instant
    pauses: tuple[Pause, ...] = ()
    """Pauses that are over."""
    paused_at: Instant | None = None
    external_id: ExternalId | None = None
    version: int = 1

    @property
    def changed_at(self) -> datetime:
        """The instant of the last start, pause or resumption."""
        if self.paused_at is not None:
            return self.paused_at
        return self.pauses[-1].end_at if self.pauses else self.start_at

    def elapsed(self, now: datetime) -> int:
        """Return the seconds that it has run, net of pauses."""
        end = min(now, self.paused_at) if self.paused_at is not None else now
        return net_seconds(self.start_at, max(end, self.start_at), self.pauses) if end > self.start_at else 0

    def is_long_running(self, now: datetime) -> bool:
        return self.elapsed(now) > LONG_RUNNING.total_seconds()

    def paused(self, at: datetime) -> Self:
        return self.model_copy(update={"paused_at": at})

    def resumed(self, at: datetime) -> Self:
        """Close the pause. One of 0 s vanishes; one that touches the pause before it is merged with it."""
        pauses = self.pauses
        if self.paused_at is not None and self.paused_at < at:
            if pauses and pauses[-1].end_at == self.paused_at:
                pauses = (*pauses[:-1], Pause(start_at=pauses[-1].start_at, end_at=at))
            else:
                pauses = (*pauses, Pause(start_at=self.paused_at, end_at=at))
        return self.model_copy(update={"pauses": pauses, "paused_at": None})

    def stopped(self, end: datetime | None, now: datetime, field: str = "endAt") -> TimeSession:
        """Return the session that ends at `end`, by default now, or, of a paused one, at the start of its pause.

        Pauses after the end are cut. INVALID_DATE_RANGE for an end that is not after the start, VALIDATION_ERROR for
        one that is ahead, and for none where the timer started more than 24 hours ago.
        """
        if end is None:
            if now - self.start_at > LONGEST:
                raise invalid_field(field, "is required: the timer started more than 24 hours ago")
            end = now if self.paused_at is None else self.paused_at
        elif end > now:
            raise invalid_field(field, "must not be ahead")
        require_order(("startAt", field), self.start_at, end)
        if end - self.start_at > LONGEST:
            raise invalid_field(field, "must be at most 24 hours after startAt")
        closed = self.resumed(max(end, self.paused_at)) if self.paused_at is not None else self
        pauses = tuple(
            pause.model_copy(update={"end_at": min(pause.end_at, end)})
            for pause in closed.pauses
            if pause.start_at < end
        )
        if net_seconds(self.start_at, end, pauses) < 1:
            raise invalid_field(field, "must leave at least one second that is no pause")
        return TimeSession.new(
            id=self.id,
            user_id=self.user_id,
            project_id=self.project_id,
            task_id=self.task_id,
            description=self.description,
            billable=self.billable,
            tags=self.tags,
            start_at=self.start_at,
            end_at=end,
            pauses=pauses,
            duration_seconds=net_seconds(self.start_at, end, pauses),
            source=SessionSource.TIMER,
            external_id=self.external_id,
        )


class StoredTimer(Timer):
    """A timer with its internal fields."""

    reminded_at: Instant | None = None

    @property
    def due_at(self) -> datetime | None:
        """Return when its user is to be reminded of it; None for a paused one, and for one that was."""
        if self.paused_at is not None or self.reminded_at is not None:
            return None
        pauses = sum((pause.end_at - pause.start_at for pause in self.pauses), timedelta())
        return self.start_at + pauses + LONG_RUNNING

    def shown(self) -> dict[str, Any]:
        """Return the fields that the audit log compares."""
        return self.model_dump(mode="json", exclude={"id", "version", "reminded_at"})


def key(organization: OrganizationId, user: UUID) -> Key:
    return Key(time_keys.timers(organization), str(user))


def of(item: Item | None) -> StoredTimer | None:
    if item is None:
        return None
    return StoredTimer.model_validate({**(item.data or {}), "userId": item.sk, "version": item.version}, extra="ignore")


def require_running(timer: StoredTimer | None) -> StoredTimer:
    if timer is None:
        raise invalid_state("no timer is running")
    return timer


def running(timer: Mapping[str, Any]) -> ActionError:
    """Return the error of a start while a timer runs, which is shown."""
    return ActionError(
        ErrorCode.VALIDATION_ERROR,
        "a timer is running: stop it first, or start with stopRunning",
        details={"timer": timer},
    )


def new_timer(user: UUID, **fields: Any) -> StoredTimer:
    return StoredTimer(id=ids.new_id(), user_id=user, **fields)


# -- write: the writer's account guards them against locks and other changes of the user's time -----------------------


def start(writer: SessionWriter, timer: StoredTimer, before: Timer | None) -> StoredTimer:
    """Start a timer, in the place of one that the same unit stops."""
    timer = timer.model_copy(update={"version": 1 if before is None else before.version + 1})
    writer.count(ENTITY, 1, timer.project_id, timer.task_id)
    writer.has_timer = True
    item = _item(writer.unit.organization, timer)
    if before is None:
        writer.unit.put_new(item, stale)
    else:
        writer.unit.put(item, Item.version == before.version, stale)
    writer.unit.audit_target(ENTITY, timer.id, {}, timer.shown(), user=timer.user_id)
    return timer


def update(writer: SessionWriter, before: StoredTimer, after: StoredTimer) -> StoredTimer:
    writer.unit.require_version(before.version)
    after = after.model_copy(update={"version": before.version + 1})
    if (before.project_id, before.task_id) != (after.project_id, after.task_id):
        writer.count(ENTITY, -1, before.project_id, before.task_id)
        writer.count(ENTITY, 1, after.project_id, after.task_id)
    if len(after.pauses) > MAX_PAUSES:
        raise invalid_state(f"a timer has at most {MAX_PAUSES} pauses: stop it and start anew")
    unchanged = Item.version == before.version
    if before.reminded_at is None:
        # The mark moves no version: it is no change of the user's, and they may hold the timer's version for hours.
        unchanged &= _UNREMINDED
    writer.unit.put(_item(writer.unit.organization, after), unchanged, stale)
    writer.unit.audit_target(ENTITY, after.id, before.shown(), after.shown(), user=after.user_id)
    return after


def end(writer: SessionWriter, timer: StoredTimer) -> None:
    """Take the timer away: its session is written in the same unit, or it is discarded."""
    writer.unit.require_version(timer.version)
    writer.unit.audit_target(ENTITY, timer.id, timer.shown(), {}, user=timer.user_id)
    writer.count(ENTITY, -1, timer.project_id, timer.task_id)
    writer.has_timer = False
    writer.unit.delete(key(writer.unit.organization, timer.user_id), Item.version == timer.version, stale)


def mark_reminded(unit: UnitOfWork, timer: StoredTimer, now: datetime) -> None:
    """Mark a timer as one whose user was reminded, if it is as it was read: once, however many try."""
    own = key(unit.organization, timer.user_id)
    actions = [
        table.assign("remindedAt", clock.to_text(now)),
        table.entry(DUE.partition_of(unit.organization, own.sk)).remove(),
    ]
    unit.update(own, actions, (Item.version == timer.version) & _UNREMINDED, stale)


_UNREMINDED = Item.data["remindedAt"].does_not_exist()


def _item(organization: OrganizationId, timer: StoredTimer) -> Item:
    data = timer.model_dump(mode="json", exclude={"user_id", "version"}, exclude_none=True)
    item = Item(*key(organization, timer.user_id), version=timer.version, data=data)
    if timer.due_at is not None:
        item.enter(DUE.partition_of(organization, item.sk))
        item.at = DUE.place(organization, item.sk, timer.due_at)
    return item


def clamp(instant: datetime | None, now: datetime, earliest: datetime, field: str) -> datetime:
    """Return the instant of a pause or resumption, by default now: not ahead, not before the last change."""
    at = max(whole_seconds(now), earliest) if instant is None else instant
    if at > now:
        raise invalid_field(field, "must not be ahead")
    if at < earliest:
        raise invalid_field(field, "must not be before the timer's last change")
    return at
