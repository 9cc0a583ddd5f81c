"""Time sessions as they are read: with their client, amount and lock; and the warnings about overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.core.money import Money
from chalicelib.core.pricing import amount_of
from chalicelib.dal import intervals, keys, table
from chalicelib.dal.intervals import IntervalQuery, LengthClass
from chalicelib.dal.keys import Key
from chalicelib.models.time import accounts, timers
from chalicelib.models.time.pricing import Pricer, levels_of
from chalicelib.models.time.projects import PROJECTS
from chalicelib.models.time.rates import rates_in
from chalicelib.models.time.sessions import TIME_SESSIONS, TimeSession, WriteContext
from chalicelib.models.time.timers import Timer
from chalicelib.modules.time_sessions.contracts import OverlapWarning, TimeSessionDetails

_SHOWN = 20
OVERLAP_MESSAGE = "the user has other time then"


def details(
    ctx: Context, sessions: Sequence[TimeSession], context: WriteContext | None = None
) -> list[TimeSessionDetails]:
    """One read for all that they need. `context`: the data that a write has read, which is not read again."""
    organization = ctx.organization
    users = {session.user_id for session in sessions}
    projects = {session.project_id for session in sessions if session.project_id is not None}
    sees_money = ctx.principal.sees_money
    needed: set[Key] = {PROJECTS.key(organization, project) for project in projects}
    if sessions:
        needed |= {accounts.everybody(organization), *(accounts.key(organization, user) for user in users)}
    if sees_money:
        pairs = {(session.user_id, session.project_id) for session in sessions if session.billable}
        needed |= {level.key(organization) for pair in pairs for level in levels_of(organization, *pair)}
    items = {} if context is None else dict(context.items)
    items |= table.batch_get(needed if context is None else needed - context.requested)
    clients = {
        project: PROJECTS.record.of(items.get(PROJECTS.key(organization, project))).client_id for project in projects
    }
    locks = {user: accounts.of(user, items, organization) for user in users}
    pricer = Pricer(ctx.principal.organization, rates_in(organization, items)) if sees_money else None
    shown = []
    for session in sessions:
        lock = locks[session.user_id].lock_of(session.start_at, session.end_at)
        shown.append(
            TimeSessionDetails(
                **dict(session),
                client_id=None if session.project_id is None else clients[session.project_id],
                amount=None if pricer is None else _amount(ctx, pricer, session),
                locked_by=None if lock is None else lock.by,
            )
        )
    return shown


def price_keys(ctx: Context, user: UUID, project: UUID | None) -> list[Key]:
    """Return the keys of the rates that price a session, for a write that reads them with the rest."""
    if not ctx.principal.sees_money:
        return []
    return [level.key(ctx.organization) for level in levels_of(ctx.organization, user, project)]


def _amount(ctx: Context, pricer: Pricer, session: TimeSession) -> Money | None:
    if not session.billable:
        return None
    product, unpriced = pricer.price(session.user_id, session.project_id, session.spans)
    if unpriced == session.duration_seconds:
        return None
    return Money(amount=amount_of(product), currency=ctx.principal.organization.currency)


def overlaps(
    ctx: Context, context: WriteContext, session: TimeSession, before: TimeSession | None = None
) -> list[OverlapWarning]:
    """Return the warning about a session as it will be. The index is read only if the packed months show an overlap.

    A running timer, if the context has read it, counts as up to now.
    """
    ids: list[UUID] = []
    if context.overlapping(session.start_at, session.end_at, before):
        ids = _overlapping_ids(ctx, session)
    timer = timers.of(context.items.get(timers.key(ctx.organization, session.user_id)))
    if timer is not None and timer.id != session.id and overlaps_timer(timer, session, ctx.now):
        ids = [timer.id, *ids][:_SHOWN]
    return [OverlapWarning(code="OVERLAP", message=OVERLAP_MESSAGE, session_ids=ids)] if ids else []


def _overlapping_ids(ctx: Context, session: TimeSession) -> list[UUID]:
    partition = keys.timeline(ctx.organization, TIME_SESSIONS.kind, "USER", session.user_id)
    query = IntervalQuery(classes=(LengthClass.DAY,), ends_after=session.start_at, starts_before=session.end_at)
    ids = intervals.read(partition, query, after=None, limit=_SHOWN + 1, forward=True, queries=None).ids
    others = [id_ for id_ in ids if id_ != session.id][:_SHOWN]
    records = TIME_SESSIONS.get_many(ctx.organization, others)
    return [
        id_
        for id_ in others
        if id_ in records
        and records[id_].deleted_at is None
        and records[id_].start_at < session.end_at
        and session.start_at < records[id_].end_at
    ]


def overlaps_timer(timer: Timer, session: TimeSession, now: datetime) -> bool:
    return timer.start_at < session.end_at and session.start_at < max(now, timer.start_at)
