"""Repayments of loans: record, list, reverse."""

from __future__ import annotations

from uuid import UUID

from chalicelib.action import lists
from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import CursorPage, CursorQuery
from chalicelib.models.audit import AuditEvent
from chalicelib.models.loans import loans, repayments
from chalicelib.models.loans.allocation import Allocation
from chalicelib.models.loans.loans import Side
from chalicelib.models.loans.repayments import RepaymentEffect, StoredRepayment
from chalicelib.modules.loans.views import details
from chalicelib.modules.repayments.contracts import RecordRepayment, RepaymentDetails, RepaymentResult, ReverseRepayment


@action(
    "recordRepayment",
    "POST /loans/{id}/repayments",
    permission=Permission.LOANS_MANAGE,
    entity=loans.LOANS,
    audit=AuditEvent.REPAYMENT_RECORDED,
    status=201,
)
def record_repayment(ctx: Context, id_: UUID, data: RecordRepayment) -> RepaymentResult:
    """Records money that came in. It pays the oldest installment first, in it interest, then principal.

    One with an earlier `valueDate` than others takes its place before them; `reallocated` names those that now pay
    something else. More than all that is unpaid is refused, with `details.maximum`.
    """
    ledger = repayments.read(ctx.organization, loans.get(ctx.organization, id_, Side.LENDER))
    return _result(ctx, repayments.record(ctx.unit, ctx.principal.organization, ledger, ctx.now, dict(data)))


@action("listRepayments", "GET /loans/{id}/repayments", permission=Permission.LOANS_MANAGE, entity=loans.LOANS)
def list_repayments(ctx: Context, id_: UUID, data: CursorQuery) -> CursorPage[RepaymentDetails]:
    """The repayments of a loan with their allocation, the last recorded first; reversed ones, too."""
    ledger = repayments.read(ctx.organization, loans.get(ctx.organization, id_))
    allocation = ledger.allocation()
    after = None if data.cursor is None else ctx.cursors.decode(data.cursor)
    left = [row for row in reversed(ledger.repayments) if after is None or str(row.id) < after]
    rows = [_details(row, allocation) for row in left[: data.limit]]
    last = str(rows[-1].id) if len(left) > data.limit else None
    return lists.cursor_page(ctx, CursorPage[RepaymentDetails], rows, last, lambda row: str(row.id))


@action(
    "reverseRepayment",
    "POST /loans/{id}/repayments/{repaymentId}/reverse",
    permission=Permission.LOANS_MANAGE,
    entity=loans.LOANS,
    audit=AuditEvent.REPAYMENT_REVERSED,
)
def reverse_repayment(ctx: Context, id_: UUID, repayment_id: UUID, data: ReverseRepayment) -> RepaymentResult:
    """Takes a repayment back, with a reason. It stays visible, and what it paid is unpaid again."""
    ledger = repayments.read(ctx.organization, loans.get(ctx.organization, id_, Side.LENDER))
    reversal = repayments.reverse(ctx.unit, ctx.principal.organization, ledger, repayment_id, ctx.now, data.reason)
    return _result(ctx, reversal)


def _result(ctx: Context, effect: RepaymentEffect) -> RepaymentResult:
    return RepaymentResult.extending(
        _details(effect.repayment, effect.ledger.allocation()),
        reallocated=list(effect.reallocated),
        loan=details(ctx, effect.ledger.loan),
    )


def _details(repayment: StoredRepayment, allocation: Allocation) -> RepaymentDetails:
    portions = allocation.portions.get(str(repayment.id), ())
    return RepaymentDetails.extending(
        repayment,
        principal=sum(portion.principal for portion in portions),
        interest=sum(portion.interest for portion in portions),
    )
