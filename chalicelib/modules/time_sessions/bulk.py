"""Changes of many sessions: each is a chunk of its own, with the checks of a single one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from chalicelib.action.chunked_write import ChunkedWrite
from chalicelib.action.context import Context
from chalicelib.action.row_import import error_of
from chalicelib.auth.permissions import Permission
from chalicelib.core.errors import ActionError
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models import audit
from chalicelib.models.audit import AuditEvent
from chalicelib.models.time.sessions import TIME_SESSIONS, SessionWriter, TimeSession, read_context
from chalicelib.modules.time_sessions.changing import changed
from chalicelib.modules.time_sessions.contracts import BulkOutcome, BulkResult


def update(ctx: Context, parts: ChunkedWrite, identifier: UUID, changes: Mapping[str, Any]) -> BulkResult:
    def perform(unit: UnitOfWork, session: TimeSession) -> BulkOutcome:
        change = changed(ctx, session, changes)
        if session.model_copy(update=change.fields) == session:
            return BulkOutcome.UNCHANGED
        writer = SessionWriter(unit, change.context, ctx.now)
        writer.update(session, change.fields)
        writer.flush()
        audit.record_change(unit, AuditEvent.TIME_SESSION_UPDATED, ctx.actor, ctx.request.id)
        return BulkOutcome.UPDATED

    return _run(ctx, parts, identifier, perform)


def delete(ctx: Context, parts: ChunkedWrite, identifier: UUID) -> BulkResult:
    def perform(unit: UnitOfWork, session: TimeSession) -> BulkOutcome:
        spans = [(session.start_at, session.end_at)]
        writer = SessionWriter(unit, read_context(ctx.organization, session.user_id, spans, session.tags), ctx.now)
        writer.delete(session)
        writer.flush()
        audit.record_change(unit, AuditEvent.TIME_SESSION_DELETED, ctx.actor, ctx.request.id)
        return BulkOutcome.DELETED

    return _run(ctx, parts, identifier, perform)


def _run(
    ctx: Context,
    parts: ChunkedWrite,
    identifier: UUID,
    perform: Callable[[UnitOfWork, TimeSession], BulkOutcome],
) -> BulkResult:
    def chunk(unit: UnitOfWork) -> dict[str, Any]:
        try:
            session = TIME_SESSIONS.get(ctx.organization, identifier)
            if session.user_id != ctx.user.id:
                ctx.principal.require(Permission.TIME_OF_OTHERS)
            result = BulkResult(id=identifier, result=perform(unit, session))
        except ActionError as error:
            unit.discard()
            result = BulkResult(id=identifier, result=BulkOutcome.ERROR, **error_of(error))
        return result.model_dump(mode="json")

    return BulkResult.model_validate(parts.run(chunk))
