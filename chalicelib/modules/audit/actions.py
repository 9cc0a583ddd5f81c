"""The audit log: authors, targets, times and changes of all writes."""

from __future__ import annotations

from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import CursorPage
from chalicelib.core.errors import ErrorCode, require_order
from chalicelib.models import audit
from chalicelib.models.audit import AuditEntry, AuditFilter
from chalicelib.modules.audit.contracts import GetAuditLog


@action(
    "getAuditLog",
    "GET /audit-log",
    permission=Permission.AUDIT_READ,
    errors=(ErrorCode.INVALID_DATE_RANGE,),
)
def get_audit_log(ctx: Context, data: GetAuditLog) -> CursorPage[AuditEntry]:
    """Every successful write of the organization, newest first. `from` and `to` are inclusive.

    With filters a page may hold fewer entries than `limit`; the list ends only where `nextCursor` is null.
    """
    require_order(("from", "to"), data.from_, data.to, inclusive=True)
    criteria = AuditFilter(
        actor_id=data.actor_id,
        action=data.action,
        entity_type=data.entity_type,
        entity_id=data.entity_id,
        since=data.from_,
        until=data.to,
    )
    return audit.entries(
        ctx.organization,
        ctx.cursors,
        criteria,
        former=ctx.principal.organization.erasing,
        cursor=data.cursor,
        limit=data.limit,
    )
