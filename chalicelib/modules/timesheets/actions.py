"""Timesheets: submit, withdraw, approve, reject and reopen a user's week; lock and unlock past time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.action.chunked_write import ChunkedWrite
from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core import clock
from chalicelib.core.contracts import CursorPage
from chalicelib.core.days import day_of, in_words, start_of
from chalicelib.core.errors import ErrorCode, forbidden, invalid_field, invalid_state, require_order
from chalicelib.core.money import Money
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models.activities.audience import EVERYONE, Group, group_of_user
from chalicelib.models.audit import AuditEvent
from chalicelib.models.time import accounts, rates, timers, timesheets, tracked
from chalicelib.models.time.accounts import TimeAccount
from chalicelib.models.time.local_calendar import Days, first_of_week
from chalicelib.models.time.pricing import Pricer
from chalicelib.models.time.timesheets import Timesheet, TimesheetState
from chalicelib.models.users import USERS, Role, StoredUser
from chalicelib.modules.analytics.summary import Sums, pieces_of
from chalicelib.modules.time_sessions.access import visible_user, whose
from chalicelib.modules.timesheets import notices
from chalicelib.modules.timesheets.contracts import (
    Difference,
    ListTimesheets,
    Locked,
    LockTimesheet,
    TimesheetDay,
    TimesheetDetails,
    WithReason,
)

MAX_USERS = 10_000
"""Users whose time is locked in one request."""
_AT_ONCE = 40
"""Accounts that one transaction locks."""


class Read(NamedTuple):
    user: StoredUser
    sheet: Timesheet
    account: TimeAccount
    timer: timers.Timer | None


@action("listTimesheets", "GET /timesheets", permission=Permission.TIME_TRACK, errors=(ErrorCode.INVALID_DATE_RANGE,))
def list_timesheets(ctx: Context, data: ListTimesheets) -> CursorPage[Timesheet]:
    """The timesheets that were submitted, by user and week: one's own, or everybody's for a time admin."""
    require_order(("from", "to"), data.from_, data.to, inclusive=True)
    page = timesheets.walk_sheets(
        ctx.organization,
        ctx.cursors,
        user=visible_user(ctx, data.user_id),
        state=data.status,
        first=data.from_,
        last=data.to,
        cursor=data.cursor,
        limit=data.limit,
    )
    if ctx.principal.sees_money:
        return page
    items = [sheet.model_copy(update={"approved_amount": None}) for sheet in page.items]
    return CursorPage[Timesheet](items=items, next_cursor=page.next_cursor)


@action("getTimesheet", "GET /timesheets/{userId}/{weekStart}", permission=Permission.TIME_TRACK)
def get_timesheet(ctx: Context, user_id: UUID, week_start: date) -> TimesheetDetails:
    """A user's week with its days, totals, state and history; also one that was never submitted."""
    whose(ctx, user_id)
    _, sheet, _, timer = _read(ctx, user_id, week_start)
    return _details(ctx, sheet, _figures(ctx, sheet, timer))


@action(
    "submitTimesheet",
    "POST /timesheets/{userId}/{weekStart}/submit",
    permission=Permission.TIME_TRACK,
    audit=AuditEvent.TIMESHEET_SUBMITTED,
)
def submit_timesheet(ctx: Context, user_id: UUID, week_start: date) -> TimesheetDetails:
    """Submits one's own week: its sessions stay as they are until it is withdrawn, rejected or reopened."""
    _, sheet, account, timer = _read(ctx, user_id, week_start)
    _require_own(ctx, user_id)
    if timer is not None and sheet.start_at <= timer.start_at < sheet.end_at:
        raise invalid_state("a timer that started in this week is running: stop it first")
    is_frozen = sheet.state in {TimesheetState.SUBMITTED, TimesheetState.APPROVED}
    if not is_frozen and account.frozen_in(sheet.start_at, sheet.end_at):
        raise invalid_state("this week overlaps one that is submitted or approved")
    after = timesheets.step(ctx.unit, account, sheet, TimesheetState.SUBMITTED, by=ctx.user.id, now=ctx.now)
    # A timer that starts meanwhile makes this run again.
    condition = Item.pk.does_not_exist() if timer is None else Item.version == timer.version
    ctx.unit.check(timers.key(ctx.organization, user_id), condition, stale)
    notices.mail_approvers(ctx, after)
    return _details(ctx, after, _figures(ctx, after, timer))


@action(
    "withdrawTimesheet",
    "POST /timesheets/{userId}/{weekStart}/withdraw",
    permission=Permission.TIME_TRACK,
    audit=AuditEvent.TIMESHEET_WITHDRAWN,
)
def withdraw_timesheet(ctx: Context, user_id: UUID, week_start: date) -> TimesheetDetails:
    """Takes back one's own submitted week, to change it."""
    read = _read(ctx, user_id, week_start)
    _require_own(ctx, user_id)
    sources = frozenset({TimesheetState.SUBMITTED})
    return _step(ctx, read, TimesheetState.OPEN, sources=sources)


@action(
    "approveTimesheet",
    "POST /timesheets/{userId}/{weekStart}/approve",
    permission=Permission.TIME_OF_OTHERS,
    audit=AuditEvent.TIMESHEET_APPROVED,
)
def approve_timesheet(ctx: Context, user_id: UUID, week_start: date) -> TimesheetDetails:
    """Approves a submitted week, and keeps its seconds and amount as they are now.

    Nobody approves their own, unless they are the only active OWNER.
    """
    is_only_owner = ctx.user.role is Role.OWNER and ctx.principal.organization.active_owner_count == 1
    if user_id == ctx.user.id and not is_only_owner:
        raise forbidden("nobody approves their own timesheet")
    user, sheet, account, timer = _read(ctx, user_id, week_start)
    week = _figures(ctx, sheet, timer)
    figures = week[0].totals(ctx.principal.organization.currency)
    after = timesheets.step(
        ctx.unit,
        account,
        sheet,
        TimesheetState.APPROVED,
        by=ctx.user.id,
        now=ctx.now,
        approved_seconds=figures["seconds"],
        approved_amount=figures["amount"],
    )
    notices.mail_user(ctx, user, after)
    return _details(ctx, after, week)


@action(
    "rejectTimesheet",
    "POST /timesheets/{userId}/{weekStart}/reject",
    permission=Permission.TIME_OF_OTHERS,
    audit=AuditEvent.TIMESHEET_REJECTED,
)
def reject_timesheet(ctx: Context, user_id: UUID, week_start: date, data: WithReason) -> TimesheetDetails:
    """Rejects a submitted week with a reason: its user may change and submit it again."""
    read = _read(ctx, user_id, week_start)
    return _step(ctx, read, TimesheetState.REJECTED, reason=data.reason)


@action(
    "reopenTimesheet",
    "POST /timesheets/{userId}/{weekStart}/reopen",
    permission=Permission.TIME_OF_OTHERS,
    audit=AuditEvent.TIMESHEET_REOPENED,
)
def reopen_timesheet(ctx: Context, user_id: UUID, week_start: date, data: WithReason) -> TimesheetDetails:
    """Opens an approved week again, with a reason."""
    read = _read(ctx, user_id, week_start)
    return _step(
        ctx,
        read,
        TimesheetState.OPEN,
        reason=data.reason,
        sources=frozenset({TimesheetState.APPROVED}),
        approved_seconds=None,
        approved_amount=None,
    )


@action(
    "lockTimesheet",
    "POST /timesheets/lock",
    permission=Permission.TIME_OF_OTHERS,
    audit=AuditEvent.TIME_LOCKED,
    errors=(ErrorCode.NOT_FOUND,),
)
def lock_timesheet(ctx: Context, data: LockTimesheet, parts: ChunkedWrite) -> Locked:
    """Locks all time before a local midnight: of one user, or of everybody, also of those who join later."""
    return _lock(ctx, data, parts, is_later=True)


@action(
    "unlockTimesheet",
    "POST /timesheets/unlock",
    permission=Permission.TIME_OF_OTHERS,
    audit=AuditEvent.TIME_UNLOCKED,
    errors=(ErrorCode.NOT_FOUND,),
)
def unlock_timesheet(ctx: Context, data: LockTimesheet, parts: ChunkedWrite) -> Locked:
    """Moves the lock back: time from the local midnight on may change again."""
    return _lock(ctx, data, parts, is_later=False)


# -- shared by the actions -------------------------------------------------------------------------------------------


def _require_own(ctx: Context, user: UUID) -> None:
    if user != ctx.user.id:
        raise forbidden("only its user submits or withdraws a timesheet")


def _read(ctx: Context, user_id: UUID, week_start: date) -> Read:
    """Read a timesheet, or make the one of a week that was never submitted. VALIDATION_ERROR for no first day."""
    organization = ctx.principal.organization
    own = timesheets.key(ctx.organization, user_id, week_start)
    keys = [
        own,
        accounts.key(ctx.organization, user_id),
        accounts.everybody(ctx.organization),
        timers.key(ctx.organization, user_id),
    ]
    if user_id != ctx.user.id:
        keys.append(USERS.key(ctx.organization, user_id))
    items = table.batch_get(keys)
    user = ctx.user
    if user_id != ctx.user.id:
        user = USERS.record.of(items.get(USERS.key(ctx.organization, user_id)), USERS.entity)
    sheet = timesheets.of(items.get(own))
    if sheet is None or sheet.state in {TimesheetState.OPEN, TimesheetState.REJECTED}:
        zone = user.preferences.timezone or organization.timezone
        first = first_of_week(week_start, user.preferences.week_start or organization.week_start)
        if sheet is None and first != week_start:
            raise invalid_field("weekStart", f"must be the first day of a week, such as {first}")
        start, end = start_of(week_start, zone), start_of(week_start + timedelta(days=7), zone)
        if sheet is None:
            sheet = Timesheet(user_id=user_id, week_start=week_start, start_at=start, end_at=end, timezone=zone)
        else:
            sheet = sheet.model_copy(update={"start_at": start, "end_at": end, "timezone": zone})
    account = accounts.of(user_id, items, ctx.organization)
    return Read(user, sheet, account, timers.of(items.get(timers.key(ctx.organization, user_id))))


def _step(ctx: Context, read: Read, state: TimesheetState, **fields: Any) -> TimesheetDetails:
    after = timesheets.step(ctx.unit, read.account, read.sheet, state, by=ctx.user.id, now=ctx.now, **fields)
    notices.mail_user(ctx, read.user, after)
    return _details(ctx, after, _figures(ctx, after, read.timer))


def _figures(ctx: Context, sheet: Timesheet, timer: timers.Timer | None) -> tuple[Sums, dict[date, int]]:
    """Return the totals of the week, and its seconds by day."""
    days = Days(sheet.week_start, sheet.week_start + timedelta(days=6), sheet.timezone)
    pricer = Pricer(ctx.principal.organization, rates.read_all(ctx.organization))
    groups = tracked.of_user(ctx.organization, sheet.user_id, days.start, days.end, ctx.now, timer=(timer,))
    sums, by_day = Sums(), dict.fromkeys(days.dates(), 0)
    for pieces in pieces_of(tracked.sessions_of(groups), days, pricer):
        for piece in pieces:
            sums.add(piece)
            by_day[piece.day] += piece.seconds
    return sums, by_day


def _details(ctx: Context, sheet: Timesheet, week: tuple[Sums, dict[date, int]]) -> TimesheetDetails:
    sums, by_day = week
    sees_money = ctx.principal.sees_money
    figures = sums.totals(ctx.principal.organization.currency)
    differs_by = None
    if sheet.approved_seconds is not None:
        seconds = figures["seconds"] - sheet.approved_seconds
        amount = _difference(ctx, figures["amount"], sheet.approved_amount)
        if seconds or amount.amount:
            differs_by = Difference(seconds=seconds, amount=amount if sees_money else None)
    fields = dict(sheet) | ({} if sees_money else {"approved_amount": None})
    return TimesheetDetails(
        **fields,
        days=[TimesheetDay(day=day, seconds=seconds) for day, seconds in by_day.items()],
        seconds=figures["seconds"],
        billable_seconds=figures["billable_seconds"],
        amount=figures["amount"] if sees_money else None,
        differs_by=differs_by,
    )


def _difference(ctx: Context, now: Money | None, approved: Money | None) -> Money:
    difference = (now.amount if now else 0) - (approved.amount if approved else 0)
    return Money(amount=difference, currency=ctx.principal.organization.currency)


def _lock(ctx: Context, data: LockTimesheet, parts: ChunkedWrite, *, is_later: bool) -> Locked:
    """Move locks to the local midnight of each user: later to lock, back to unlock."""
    lock_users = partial(_lock_users, ctx, before=data.before, is_later=is_later)
    if data.user_id is not None:
        user = ctx.user if data.user_id == ctx.user.id else USERS.get(ctx.organization, data.user_id)
        [moved] = parts.run(partial(lock_users, [user], is_one=True))
        ctx.unit.audit_target(USERS.entity, user.id, *_lock_fields(moved))
        ctx.unit.describe_target(readers={Group.TIME, group_of_user(user.id)}, **_words(ctx, data.before))
        return Locked(before=data.before, users=1)
    # Everybody first: an account that is made from here on has it, and the others are locked below.
    moved = parts.run(partial(_lock_everybody, ctx, before=data.before, is_later=is_later))
    users = USERS.all_of(ctx.organization, MAX_USERS)
    if users is None:
        raise invalid_state(f"there are more than {MAX_USERS:,} users: lock the time of one after the other")
    for start in range(0, len(users), _AT_ONCE):
        parts.run(partial(lock_users, users[start : start + _AT_ONCE]))
    ctx.unit.audit_target("organization", ctx.organization, *_lock_fields(moved))
    ctx.unit.describe_target(readers=EVERYONE, **_words(ctx, data.before))
    return Locked(before=data.before, users=len(users))


def _words(ctx: Context, before: date) -> dict[str, str]:
    """Return the words of a lock's day, for the title of its activity."""
    day = in_words(before, day_of(ctx.now, ctx.principal.organization.timezone))
    return {"before": f"before {day}", "since": f"from {day} on"}


def _lock_fields(moved: Sequence[str | None]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields for the audit log, before and after."""
    before, after = ({} if instant is None else {"lockedBefore": instant} for instant in moved)
    return before, after


def _lock_users(
    ctx: Context,
    users: Sequence[StoredUser],
    unit: UnitOfWork,
    *,
    before: date,
    is_later: bool,
    is_one: bool = False,
) -> list[list[str | None]]:
    """Lock accounts; return the instants before and after. Users without an account have the lock of everybody."""
    own = [accounts.key(ctx.organization, user.id) for user in users]
    items = table.batch_get([*own, accounts.everybody(ctx.organization)])
    moved: list[list[str | None]] = []
    for user in users:
        account = accounts.of(user.id, items, ctx.organization)
        if account.version == 0 and not is_one:
            continue
        until = start_of(before, user.preferences.timezone or ctx.principal.organization.timezone)
        after = _moved(account.locked_before, until, is_later=is_later)
        if after != account.locked_before:
            accounts.lock(unit, account, after)
        moved.append([_text(account.locked_before), _text(after)])
    return moved


def _lock_everybody(ctx: Context, unit: UnitOfWork, *, before: date, is_later: bool) -> list[str | None]:
    current = accounts.lock_of_everybody(ctx.organization)
    after = _moved(current, start_of(before, ctx.principal.organization.timezone), is_later=is_later)
    if after != current:
        accounts.lock_everybody(unit, after)
    return [_text(current), _text(after)]


def _moved(current: datetime | None, until: datetime, *, is_later: bool) -> datetime | None:
    """Return the instant of a lock after it was moved: later to lock, back to unlock, else as it is."""
    if is_later:
        return until if current is None else max(current, until)
    return None if current is None else min(current, until)


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else clock.to_text(instant)
