"""Time accounts: one item a user that every write of their time moves, so that locks and writes exclude each other.

It has the instant of the user's last change, which only grows; the instant before which their time is locked; the
weeks that are frozen by a timesheet; how often they use each tag; and, for analyses, the version of each of their
months, and whether a timer runs. One item a user, not one an organization: all writes would collide on that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.contracts import Contract
from chalicelib.core.errors import ActionError, ErrorCode, invalid_state
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models.time import keys as time_keys

MAX_TAGS = 500
"""Different tags of one user."""
LOCK = "LOCK"
_EVERYBODY = "EVERYBODY"
"""Sort key of the lock that also holds for those who have no account yet."""
_MILLISECOND = timedelta(milliseconds=1)


class Lock(NamedTuple):
    by: str
    """LOCK, or the state of a timesheet: SUBMITTED, APPROVED."""
    until: datetime


class FrozenWeek(Contract):
    """A week that a submitted or approved timesheet freezes, as two instants."""

    start_at: Instant
    end_at: Instant
    state: str


class TimeAccount(Contract):
    user_id: UUID
    version: int = 0
    """0: it is not in the table yet."""
    modified_at: Instant | None = None
    locked_before: Instant | None = None
    frozen: tuple[FrozenWeek, ...] = ()
    tags: Mapping[str, int] = {}
    """Uses by the tag's folded form."""
    months: Mapping[str, int] = {}
    """Months that have sessions, by their start, with the account's version of their last change."""
    has_timer: bool = False

    def lock_of(self, start: datetime, end: datetime) -> Lock | None:
        """Return the lock of the first instant of [start, end) that has one."""
        if self.locked_before is not None and start < self.locked_before:
            return Lock(LOCK, self.locked_before)
        weeks = self.frozen_in(start, end)
        return Lock(weeks[0].state, weeks[0].end_at) if weeks else None

    def frozen_in(self, start: datetime, end: datetime) -> list[FrozenWeek]:
        """Return the frozen weeks that overlap [start, end)."""
        return [week for week in self.frozen if start < week.end_at and week.start_at < end]

    def require_unlocked(self, start: datetime, end: datetime, field: str = "startAt") -> None:
        """Refuse a span with a locked or frozen instant: VALIDATION_ERROR with `lockedBy` and `lockedUntil`."""
        lock = self.lock_of(start, end)
        if lock is not None:
            raise _locked(field, lock)

    def next_change(self, now: datetime) -> datetime:
        """Return the instant of the user's next change: now, but later than all before."""
        return now if self.modified_at is None else max(now, self.modified_at + _MILLISECOND)


def _locked(field: str, lock: Lock) -> ActionError:
    until = clock.to_text(lock.until)
    message = f"is in time that is locked until {until}"
    if lock.by != LOCK:
        message = f"is in a week whose timesheet is {lock.by}"
    details = {"fieldErrors": {field: [message]}, "lockedBy": lock.by, "lockedUntil": until}
    return ActionError(ErrorCode.VALIDATION_ERROR, f"{field}: {message}", details=details)


def key(organization: OrganizationId, user: UUID) -> Key:
    return Key(time_keys.time_accounts(organization), str(user))


def everybody(organization: OrganizationId) -> Key:
    """Key of the lock of the whole organization."""
    return Key(time_keys.time_accounts(organization), _EVERYBODY)


def of(user: UUID, items: Mapping[Key, Item], organization: OrganizationId) -> TimeAccount:
    """Return the account from items that were read: the user's own and the organization's lock."""
    item = items.get(key(organization, user))
    if item is not None:
        return TimeAccount.model_validate(
            {**(item.data or {}), "userId": user, "version": item.version}, extra="ignore"
        )
    lock = items.get(everybody(organization))
    locked_before = None if lock is None or lock.data is None else lock.data.get("lockedBefore")
    return TimeAccount(user_id=user, locked_before=locked_before)


def lock_of_everybody(organization: OrganizationId) -> datetime | None:
    """Return the lock that holds for those who have no account yet."""
    item = table.get(everybody(organization))
    return of(organization, {} if item is None else {item.key: item}, organization).locked_before


def read(organization: OrganizationId, user: UUID) -> TimeAccount:
    return of(user, table.batch_get([key(organization, user), everybody(organization)]), organization)


def read_all(organization: OrganizationId) -> Iterable[TimeAccount]:
    """Yield the accounts of all users who have one."""
    for row in table.query_all(time_keys.time_accounts(organization)):
        item = table.item_from_raw(row)
        if item.sk != _EVERYBODY:
            yield of(UUID(item.sk), {item.key: item}, organization)


def move(
    unit: UnitOfWork,
    account: TimeAccount,
    modified_at: datetime,
    tags: Counter[str],
    months: Mapping[str, int],
    *,
    has_timer: bool,
) -> None:
    """Write a change of the user's time, on condition that the account is as it was read.

    `tags`: changes of their uses; `months`: those that have sessions now. VALIDATION_ERROR for one tag too many.
    """
    after = require_tags(account, tags)
    changes: dict[str, Any] = {"modifiedAt": clock.to_text(modified_at), "tags": after, "months": dict(months)}
    if has_timer != account.has_timer:
        changes["hasTimer"] = has_timer or None
    _write(unit, account, changes)


def require_tags(account: TimeAccount, tags: Counter[str]) -> dict[str, int]:
    """Return the uses of tags after changes of them. VALIDATION_ERROR for one tag too many."""
    uses = Counter(account.tags)
    uses.update(tags)
    after = {tag: count for tag, count in sorted(uses.items()) if count > 0}
    if len(after) > MAX_TAGS and len(after) > len(account.tags):
        raise invalid_state(f"a user can have {MAX_TAGS} different tags: use one that there is")
    return after


def _write(unit: UnitOfWork, account: TimeAccount, changes: dict[str, Any]) -> None:
    """Change the account, or make it, on condition that it is as it was read."""
    own = key(unit.organization, account.user_id)
    if account.version:
        actions = [table.assign(name, value) for name, value in changes.items()]
        actions.append(Item.version.set(account.version + 1))
        unit.update(own, actions, Item.version == account.version, stale)
        return
    if account.locked_before is not None:
        changes = {"lockedBefore": clock.to_text(account.locked_before), **changes}
    data = {name: value for name, value in changes.items() if value is not None}
    unit.put_new(Item(*own, version=1, data=data), stale)
    # A request that locks everybody's time meanwhile does not see this account.
    if account.locked_before is None:
        unit.check(everybody(unit.organization), Item.data["lockedBefore"].does_not_exist(), stale)
    else:
        lock = Item.data["lockedBefore"] == clock.to_text(account.locked_before)
        unit.check(everybody(unit.organization), lock, stale)


def freeze(unit: UnitOfWork, account: TimeAccount, week: tuple[datetime, datetime], state: str | None) -> None:
    """Freeze a week in the state of its timesheet, or release it (None), on condition that nothing has moved.

    Adjacent weeks of one state are one range, so that the account does not grow with the weeks that are approved.
    """
    start, end = week
    ranges: list[tuple[datetime, datetime, str]] = []
    for frozen in account.frozen:
        ranges += [
            (low, high, frozen.state)
            for low, high in ((frozen.start_at, min(frozen.end_at, start)), (max(frozen.start_at, end), frozen.end_at))
            if low < high
        ]
    if state is not None:
        ranges.append((start, end, state))
    merged: list[tuple[datetime, datetime, str]] = []
    for low, high, of_state in sorted(ranges):
        if merged and merged[-1][1] == low and merged[-1][2] == of_state:
            merged[-1] = (merged[-1][0], high, of_state)
        else:
            merged.append((low, high, of_state))
    weeks = [FrozenWeek(start_at=low, end_at=high, state=of_state) for low, high, of_state in merged]
    _write(unit, account, {"frozen": [week.model_dump(mode="json") for week in weeks]})


def lock(unit: UnitOfWork, account: TimeAccount, before: datetime | None) -> None:
    """Lock the user's time before an instant; None unlocks all of it."""
    _write(unit, account, {"lockedBefore": None if before is None else clock.to_text(before)})


def lock_everybody(unit: UnitOfWork, before: datetime | None) -> None:
    """Lock the time of those who have no account yet; those who have one are locked one by one."""
    key_of_all = everybody(unit.organization)
    unit.put(
        Item(*key_of_all, version=1, data={} if before is None else {"lockedBefore": clock.to_text(before)}),
        None,
        stale,
    )


def note_timer(unit: UnitOfWork, account: TimeAccount, *, has_timer: bool) -> None:
    """Note that a timer starts, or ends without a session; as `require_unmoved` where that is noted already."""
    if has_timer == account.has_timer:
        require_unmoved(unit, account)
    else:
        _write(unit, account, {"hasTimer": has_timer or None})


def require_unmoved(unit: UnitOfWork, account: TimeAccount) -> None:
    """Let the commit fail if the user's time or its locks change meanwhile."""
    condition = Item.version == account.version if account.version else Item.pk.does_not_exist()
    unit.check(key(unit.organization, account.user_id), condition, stale)
