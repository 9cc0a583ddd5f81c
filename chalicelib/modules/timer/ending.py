"""The end of a timer with its user: a user who is deactivated tracks no more time."""

from __future__ import annotations

from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.core.errors import ActionError
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.dal.unit_of_work import stale
from chalicelib.models import audit
from chalicelib.models.audit import AuditEvent
from chalicelib.models.time import timers
from chalicelib.models.time.sessions import SessionWriter, TimeSession, read_context
from chalicelib.models.time.spans import LONGEST
from chalicelib.models.time.timers import Timer


def end_with_user(ctx: Context, user: UUID) -> None:
    """Stop the user's timer in the unit that deactivates them, a day after its start at the latest.

    It is discarded where no session can be: after no time, and in locked time.
    """
    key = timers.key(ctx.organization, user)
    timer = timers.of(table.get(key))
    if timer is None:
        ctx.unit.check(key, Item.pk.does_not_exist(), stale)
        return
    # `If-Match` is about the user.
    expected, ctx.unit.expected_tags = ctx.unit.expected_tags, None
    spans = [(timer.start_at, timer.start_at + LONGEST)]
    writer = SessionWriter(ctx.unit, read_context(ctx.organization, user, spans, timer.tags), ctx.now)
    session = _session_of(ctx, writer, timer)
    if session is not None:
        writer.create(session)
        audit.record_change(ctx.unit, AuditEvent.TIME_SESSION_CREATED, ctx.actor, ctx.request.id)
    timers.end(writer, timer)
    event = AuditEvent.TIMER_DISCARDED if session is None else AuditEvent.TIMER_STOPPED
    audit.record_change(ctx.unit, event, ctx.actor, ctx.request.id)
    if session is None:
        writer.flush_unmoved()
    else:
        writer.flush()
    ctx.unit.expected_tags = expected


def _session_of(ctx: Context, writer: SessionWriter, timer: Timer) -> TimeSession | None:
    end = min(ctx.now.replace(microsecond=0), timer.start_at + LONGEST)
    if timer.paused_at is not None:
        end = min(end, timer.paused_at)
    try:
        session = timer.stopped(end, ctx.now)
        writer.context.account.require_unlocked(session.start_at, session.end_at)
    except ActionError:
        return None
    return session
