"""The timer: start, switch, pause, resume, change, stop and discard it. A user has one at most."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.action.registry import Named, action
from chalicelib.auth.permissions import Permission
from chalicelib.core.errors import ErrorCode, forbidden, invalid_field, invalid_state, not_found, require_order
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.models import audit
from chalicelib.models.audit import AuditEvent
from chalicelib.models.time import accounts, timers
from chalicelib.models.time.projects import PROJECTS
from chalicelib.models.time.sessions import TIME_SESSIONS, SessionWriter, TimeSession, WriteContext, read_context
from chalicelib.models.time.spans import LONGEST, whole_seconds
from chalicelib.models.time.timers import StoredTimer
from chalicelib.models.users import USERS
from chalicelib.modules.time_sessions import work
from chalicelib.modules.time_sessions.views import details, overlaps, price_keys
from chalicelib.modules.time_sessions.work import Work
from chalicelib.modules.timer.contracts import (
    At,
    CurrentTimer,
    StartedTimer,
    StartTimer,
    StoppedTimer,
    StopTimer,
    TimerDetails,
    TimerWarning,
    UpdateTimer,
)


def _own(named: Named) -> list[Key]:
    return [timers.key(named.organization, named.user)]


def _own_context(named: Named) -> list[Key]:
    """The timer, and the locks of its user and of everybody, which each of its changes needs."""
    return [*_own(named), accounts.key(named.organization, named.user), accounts.everybody(named.organization)]


def _context_to_start(named: Named) -> list[Key]:
    """The same, and the task, which says its project."""
    data: StartTimer | None = named.data()
    return [*_own_context(named), *work.keys_of(named.organization, None, None if data is None else data.task_id)]


@action("getCurrentTimer", "GET /timer", permission=Permission.TIME_TRACK, ahead=_own)
def get_current_timer(ctx: Context) -> CurrentTimer:
    """The caller's timer, and the server's time, from which clients count on."""
    timer = _running(ctx)
    if timer is None or timer.project_id is None:
        return _current(ctx, timer, None)
    project = PROJECTS.get_many(ctx.organization, [timer.project_id]).get(timer.project_id)
    return _current(ctx, timer, None if project is None else project.client_id)


@action(
    "startTimer",
    "POST /timer/start",
    permission=Permission.TIME_TRACK,
    ahead=_context_to_start,
    audit=AuditEvent.TIMER_STARTED,
    status=201,
    errors=(ErrorCode.INVALID_DATE_RANGE, ErrorCode.NOT_FOUND),
)
def start_timer(ctx: Context, data: StartTimer) -> StartedTimer:
    """Starts the caller's timer; with `stopRunning` in place of the one that runs, without gap or overlap."""
    start = whole_seconds(ctx.now) if data.start_at is None else data.start_at
    _require_start(ctx, start)
    default = None if "project_id" in data.model_fields_set else ctx.user.preferences.default_project_id
    default = None if data.task_id is not None else default
    task = table.batch_get(work.keys_of(ctx.organization, None, data.task_id))
    project_id = data.project_id or work.project_of_task(task) or default
    running = _running(ctx)
    spans, tags = [(start, ctx.now)], {*data.tags}
    if running is not None:
        # The session that it becomes may be of an earlier month, and has tags of its own.
        spans.append((running.start_at, running.start_at + LONGEST))
        tags |= {*running.tags}
    further = work.keys_of(ctx.organization, project_id, None)
    context = read_context(ctx.organization, ctx.user.id, spans, tags, further)
    if default is not None:
        item = context.items.get(PROJECTS.key(ctx.organization, default))
        is_active = item is not None and PROJECTS.record.of(item).is_active
        project_id = default if is_active else None
    chosen = work.chosen(ctx.organization, {**context.items, **task}, project_id, data.task_id)
    context.account.require_unlocked(start, ctx.now)
    writer = SessionWriter(ctx.unit, context, ctx.now)
    stopped = None if running is None else _switch(ctx, writer, running, data, start)
    timer = timers.new_timer(
        ctx.user.id,
        project_id=chosen.project_id,
        task_id=chosen.task_id,
        description=data.description,
        billable=chosen.is_billable if data.billable is None else data.billable,
        tags=context.spelled(data.tags),
        start_at=start,
        external_id=data.external_id,
    )
    timer = timers.start(writer, timer, running)
    # The user may be deactivated meanwhile, which ends their timer: none starts behind it.
    ctx.unit.check(
        USERS.key(ctx.organization, ctx.user.id),
        Item.data["isActive"] == True,  # noqa: E712  an expression
        lambda _: forbidden("this user is deactivated"),
    )
    _flush(writer, stopped)
    shown = _current(ctx, timer, _client_of(chosen))
    session = None if stopped is None else details(ctx, [stopped], context)[0]
    return StartedTimer(**dict(shown), stopped=session)


@action(
    "pauseTimer",
    "POST /timer/pause",
    permission=Permission.TIME_TRACK,
    audit=AuditEvent.TIMER_PAUSED,
    ahead=_own_context,
)
def pause_timer(ctx: Context, data: At) -> CurrentTimer:
    """Pauses the caller's timer: time does not count until it is resumed."""
    context, timer = _require_timer(ctx)
    if timer.paused_at is not None:
        raise invalid_state("the timer is paused already")
    at = timers.clamp(data.at and whole_seconds(data.at), ctx.now, timer.changed_at, "at")
    return _update(ctx, context, timer, timer.paused(at))


@action(
    "resumeTimer",
    "POST /timer/resume",
    permission=Permission.TIME_TRACK,
    audit=AuditEvent.TIMER_RESUMED,
    ahead=_own_context,
)
def resume_timer(ctx: Context, data: At) -> CurrentTimer:
    """Resumes the caller's paused timer."""
    context, timer = _require_timer(ctx)
    if timer.paused_at is None:
        raise invalid_state("the timer is not paused")
    at = timers.clamp(data.at and whole_seconds(data.at), ctx.now, timer.changed_at, "at")
    return _update(ctx, context, timer, timer.resumed(at))


@action(
    "updateTimer",
    "PATCH /timer",
    permission=Permission.TIME_TRACK,
    audit=AuditEvent.TIMER_UPDATED,
    ahead=_own_context,
)
def update_timer(ctx: Context, data: UpdateTimer) -> CurrentTimer:
    """Changes the caller's timer: project, task, description, tags or start."""
    changes = data.changes()
    before = timers.require_running(_running(ctx))
    if "start_at" in changes:
        _require_start(ctx, changes["start_at"])
        first = before.pauses[0].start_at if before.pauses else before.paused_at
        if first is not None and changes["start_at"] > first:
            raise invalid_field("startAt", "must not be after the first pause")
    if "project_id" in changes and changes["project_id"] is None and "task_id" not in changes:
        changes["task_id"] = None
    after = before.model_copy(update=changes)
    further = work.keys_of(ctx.organization, after.project_id, after.task_id)
    context = read_context(ctx.organization, ctx.user.id, [], after.tags, further)
    if "start_at" in changes:
        context.account.require_unlocked(after.start_at, ctx.now)
    chosen = work.chosen(
        ctx.organization, context.items, after.project_id, after.task_id, unchanged_project=before.project_id
    )
    after = after.model_copy(
        update={
            "project_id": chosen.project_id,
            "task_id": chosen.task_id,
            "tags": context.spelled(after.tags),
        }
    )
    return _update(ctx, context, before, after, chosen)


@action(
    "stopTimer",
    "POST /timer/stop",
    permission=Permission.TIME_TRACK,
    ahead=_own_context,
    audit=AuditEvent.TIMER_STOPPED,
    errors=(ErrorCode.DUPLICATE_ENTRY, ErrorCode.INVALID_DATE_RANGE, ErrorCode.NOT_FOUND),
)
def stop_timer(ctx: Context, data: StopTimer) -> StoppedTimer:
    """Stops the caller's timer: it becomes a session with its id.

    With the `sessionId` of one that has stopped before, the answer is that session, and a newer timer runs on.
    """
    timer = _running(ctx)
    if data.session_id is not None and (timer is None or timer.id != data.session_id):
        return _already_stopped(ctx, data.session_id)
    timer = timers.require_running(timer)
    session = timer.stopped(data.end_at, ctx.now)
    further = [
        *work.keys_of(ctx.organization, session.project_id, None),
        *price_keys(ctx, session.user_id, session.project_id),
    ]
    spans = [(session.start_at, session.end_at)]
    context = read_context(ctx.organization, ctx.user.id, spans, session.tags, further)
    writer = SessionWriter(ctx.unit, context, ctx.now)
    ctx.unit.require_version(timer.version)
    session = writer.create(session)
    audit.record_change(ctx.unit, AuditEvent.TIME_SESSION_CREATED, ctx.actor, ctx.request.id)
    timers.end(writer, timer)
    writer.flush()
    warnings = overlaps(ctx, context, session)
    shown = details(ctx, [session], context)[0]
    return StoppedTimer(**dict(shown), warnings=warnings, already_stopped=False)


@action(
    "discardTimer",
    "DELETE /timer",
    permission=Permission.TIME_TRACK,
    audit=AuditEvent.TIMER_DISCARDED,
    ahead=_own_context,
)
def discard_timer(ctx: Context) -> CurrentTimer:
    """Discards the caller's timer without a session; the audit log keeps its fields."""
    context, timer = _require_timer(ctx)
    writer = SessionWriter(ctx.unit, context, ctx.now)
    timers.end(writer, timer)
    writer.flush_unmoved()
    return _current(ctx, None, None)


# -- shared by the actions -------------------------------------------------------------------------------------------


def _running(ctx: Context) -> StoredTimer | None:
    return timers.of(table.get(timers.key(ctx.organization, ctx.user.id)))


def _require_timer(ctx: Context) -> tuple[WriteContext, StoredTimer]:
    """Read the caller's timer together with their account."""
    own = timers.key(ctx.organization, ctx.user.id)
    context = read_context(ctx.organization, ctx.user.id, [], (), [own])
    return context, timers.require_running(timers.of(context.items.get(own)))


def _require_start(ctx: Context, start: datetime) -> None:
    if start > ctx.now:
        raise invalid_field("startAt", "must not be ahead")
    if start < ctx.now - LONGEST:
        raise invalid_field("startAt", "must be at most 24 hours ago")


def _switch(
    ctx: Context, writer: SessionWriter, running: StoredTimer, data: StartTimer, start: datetime
) -> TimeSession:
    """Stop the running timer in the unit that starts the next one."""
    if not data.stop_running:
        raise timers.running(_timer(ctx, running, None).model_dump(mode="json", by_alias=True))
    end = data.running_end_at
    if end is None:
        if start - running.start_at > LONGEST:
            raise invalid_field("runningEndAt", "is required: the running timer started more than 24 hours before")
        require_order(("the running timer's startAt", "startAt"), running.start_at, start)
        end = min(start, running.paused_at) if running.paused_at is not None else start
    elif end > start:
        raise invalid_field("runningEndAt", "must not be after startAt")
    session = running.stopped(end, ctx.now, "startAt" if data.running_end_at is None else "runningEndAt")
    writer.count(timers.ENTITY, -1, running.project_id, running.task_id)
    session = writer.create(session)
    audit.record_change(ctx.unit, AuditEvent.TIME_SESSION_CREATED, ctx.actor, ctx.request.id)
    ctx.unit.audit_target(timers.ENTITY, running.id, running.shown(), {})
    audit.record_change(ctx.unit, AuditEvent.TIMER_STOPPED, ctx.actor, ctx.request.id)
    return session


def _flush(writer: SessionWriter, stopped: TimeSession | None) -> None:
    if stopped is None:
        writer.flush_unmoved()
    else:
        writer.flush()


def _update(
    ctx: Context, context: WriteContext, before: StoredTimer, after: StoredTimer, chosen: Work | None = None
) -> CurrentTimer:
    writer = SessionWriter(ctx.unit, context, ctx.now)
    timer = timers.update(writer, before, after)
    writer.flush_unmoved()
    if chosen is not None:
        return _current(ctx, timer, _client_of(chosen))
    if timer.project_id is None:
        return _current(ctx, timer, None)
    project = PROJECTS.get_many(ctx.organization, [timer.project_id]).get(timer.project_id)
    return _current(ctx, timer, None if project is None else project.client_id)


def _already_stopped(ctx: Context, session_id: UUID) -> StoppedTimer:
    session = TIME_SESSIONS.get(ctx.organization, session_id)
    if session.user_id != ctx.user.id:
        raise not_found(TIME_SESSIONS.entity)
    ctx.unit.audit_target(TIME_SESSIONS.entity, session.id, {}, {})
    return StoppedTimer(**dict(details(ctx, [session])[0]), warnings=[], already_stopped=True)


def _client_of(chosen: Work) -> UUID | None:
    return None if chosen.project is None else chosen.project.client_id


def _current(ctx: Context, timer: StoredTimer | None, client: UUID | None) -> CurrentTimer:
    return CurrentTimer(timer=None if timer is None else _timer(ctx, timer, client), server_time=ctx.now)


def _timer(ctx: Context, timer: StoredTimer, client: UUID | None) -> TimerDetails:
    warnings = []
    if timer.is_long_running(ctx.now):
        warnings.append(TimerWarning(code="LONG_RUNNING", message="the timer has run for more than 12 hours"))
    fields: dict[str, Any] = {
        **dict(timer),
        "client_id": client,
        "elapsed_seconds": timer.elapsed(ctx.now),
        "is_paused": timer.paused_at is not None,
        "warnings": warnings,
    }
    return TimerDetails.model_validate(fields, extra="ignore")
