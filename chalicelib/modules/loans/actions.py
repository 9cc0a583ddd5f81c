"""Loans: offer, change, accept, decline, cancel, write off."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import CursorPage
from chalicelib.core.errors import ErrorCode
from chalicelib.models.audit import AuditEvent
from chalicelib.models.loans import loans
from chalicelib.models.loans.loans import Side
from chalicelib.modules.loans.contracts import (
    AcceptLoan,
    CreateLoan,
    ListLoans,
    LoanDetails,
    UpdateLoan,
    WriteOffLoan,
)
from chalicelib.modules.loans.views import details

_OFFER_LASTS = timedelta(days=30)


@action(
    "createLoan",
    "POST /loans",
    permission=Permission.LOANS_MANAGE,
    audit=AuditEvent.LOAN_CREATED,
    status=201,
    errors=(ErrorCode.INVALID_DATE_RANGE, ErrorCode.NOT_FOUND),
)
def create_loan(ctx: Context, data: CreateLoan) -> LoanDetails:
    """Offers a loan to an organization that borrows, which then sees it, too.

    Amounts are in the lender's currency and days are those of its time zone, both as they are now. A borrower's id is
    the one that its own `getOrganization` shows: there is no directory of organizations.
    """
    fields = {**dict(data), "expires_at": data.expires_at or ctx.now + _OFFER_LASTS}
    borrower = fields.pop("borrower_organization_id")
    return details(ctx, loans.offer(ctx.unit, ctx.principal.organization, borrower, ctx.now, fields))


@action("getLoan", "GET /loans/{id}", permission=Permission.LOANS_MANAGE)
def get_loan(ctx: Context, id_: UUID) -> LoanDetails:
    """One loan that the organization has lent or borrowed."""
    return details(ctx, loans.get(ctx.organization, id_))


@action("listLoans", "GET /loans", permission=Permission.LOANS_MANAGE)
def list_loans(ctx: Context, data: ListLoans) -> CursorPage[LoanDetails]:
    """The loans that the organization has lent and borrowed, newest first.

    With filters a page may hold fewer than `limit`; the list ends only where `nextCursor` is null.
    """
    page = loans.walk_loans(
        ctx.organization,
        ctx.cursors,
        side=data.side,
        status=data.status,
        now=ctx.now,
        cursor=data.cursor,
        limit=data.limit,
    )
    return CursorPage[LoanDetails](items=[details(ctx, loan) for loan in page.items], next_cursor=page.next_cursor)


@action(
    "updateLoan",
    "PATCH /loans/{id}",
    permission=Permission.LOANS_MANAGE,
    audit=AuditEvent.LOAN_UPDATED,
    errors=(ErrorCode.INVALID_DATE_RANGE,),
)
def update_loan(ctx: Context, id_: UUID, data: UpdateLoan) -> LoanDetails:
    """Changes an offer of the organization. Its `termsVersion` moves: the borrower accepts the new terms or none."""
    loan = loans.get(ctx.organization, id_, Side.LENDER)
    return details(ctx, loans.change_offer(ctx.unit, ctx.principal.organization, loan, ctx.now, data.changes()))


@action("acceptLoan", "POST /loans/{id}/accept", permission=Permission.LOANS_MANAGE, audit=AuditEvent.LOAN_ACCEPTED)
def accept_loan(ctx: Context, id_: UUID, data: AcceptLoan) -> LoanDetails:
    """Accepts an offer to the organization in the terms that it has read.

    CONFLICT if they have changed since: `termsVersion` is the version that is accepted.
    """
    loan = loans.get(ctx.organization, id_, Side.BORROWER)
    return details(ctx, loans.accept(ctx.unit, ctx.principal.organization, loan, ctx.now, data.terms_version))


@action("declineLoan", "POST /loans/{id}/decline", permission=Permission.LOANS_MANAGE, audit=AuditEvent.LOAN_DECLINED)
def decline_loan(ctx: Context, id_: UUID) -> LoanDetails:
    """Declines an offer to the organization."""
    loan = loans.get(ctx.organization, id_, Side.BORROWER)
    return details(ctx, loans.decline(ctx.unit, ctx.principal.organization, loan, ctx.now))


@action("cancelLoan", "POST /loans/{id}/cancel", permission=Permission.LOANS_MANAGE, audit=AuditEvent.LOAN_CANCELLED)
def cancel_loan(ctx: Context, id_: UUID) -> LoanDetails:
    """Takes back an offer of the organization."""
    loan = loans.get(ctx.organization, id_, Side.LENDER)
    return details(ctx, loans.cancel(ctx.unit, ctx.principal.organization, loan, ctx.now))


@action(
    "writeOffLoan",
    "POST /loans/{id}/write-off",
    permission=Permission.LOANS_MANAGE,
    audit=AuditEvent.LOAN_WRITTEN_OFF,
)
def write_off_loan(ctx: Context, id_: UUID, data: WriteOffLoan) -> LoanDetails:
    """Gives up the rest of a loan, with a reason. Repayments that come in later are recorded as recoveries."""
    loan = loans.get(ctx.organization, id_, Side.LENDER)
    return details(ctx, loans.write_off(ctx.unit, ctx.principal.organization, loan, ctx.now, data.reason))
