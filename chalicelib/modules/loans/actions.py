"""Loans: offers and their answers, schedules, payoff, and the end of a loan."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import CursorPage
from chalicelib.core.errors import ErrorCode
from chalicelib.models.audit import AuditEvent
from chalicelib.models.loans import lifecycle, loans, repayments
from chalicelib.models.loans.loans import Side, schedule_of
from chalicelib.models.loans.terms import require_valid
from chalicelib.modules.loans.contracts import (
    AcceptLoan,
    CreateLoan,
    GetPayoff,
    ListLoans,
    LoanDetails,
    LoanTerms,
    Payoff,
    RepaymentSchedule,
    SchedulePreview,
    SettleLoan,
    UpdateLoan,
    WriteOffLoan,
)
from chalicelib.modules.loans.views import details, repayment_schedule, schedule

_OFFER_LASTS = timedelta(days=30)


@action(
    "previewSchedule",
    "POST /loans/schedule",
    permission=Permission.LOANS_MANAGE,
    errors=(ErrorCode.INVALID_DATE_RANGE,),
)
def preview_schedule(ctx: Context, data: LoanTerms) -> SchedulePreview:
    """The schedule that a loan with such terms would have, in the organization's currency. Nothing is stored."""
    terms = data.terms(ctx.principal.organization.currency)
    require_valid(terms)
    return schedule(schedule_of(terms))


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
    return details(ctx, lifecycle.offer(ctx.unit, ctx.principal.organization, borrower, ctx.now, fields))


@action("getLoan", "GET /loans/{id}", permission=Permission.LOANS_MANAGE, entity=loans.LOANS)
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
        bucket=data.bucket,
        now=ctx.now,
        cursor=data.cursor,
        limit=data.limit,
    )
    return CursorPage[LoanDetails](items=[details(ctx, loan) for loan in page.items], next_cursor=page.next_cursor)


@action(
    "updateLoan",
    "PATCH /loans/{id}",
    permission=Permission.LOANS_MANAGE,
    entity=loans.LOANS,
    audit=AuditEvent.LOAN_UPDATED,
    errors=(ErrorCode.INVALID_DATE_RANGE,),
)
def update_loan(ctx: Context, id_: UUID, data: UpdateLoan) -> LoanDetails:
    """Changes an offer of the organization. Its `termsVersion` moves: the borrower accepts the new terms or none."""
    loan = loans.get(ctx.organization, id_, Side.LENDER)
    return details(ctx, lifecycle.change_offer(ctx.unit, ctx.principal.organization, loan, ctx.now, data.changes()))


@action(
    "acceptLoan",
    "POST /loans/{id}/accept",
    permission=Permission.LOANS_MANAGE,
    entity=loans.LOANS,
    audit=AuditEvent.LOAN_ACCEPTED,
)
def accept_loan(ctx: Context, id_: UUID, data: AcceptLoan) -> LoanDetails:
    """Accepts an offer to the organization in the terms that it has read.

    CONFLICT if they have changed since: `termsVersion` is the version that is accepted.
    """
    loan = loans.get(ctx.organization, id_, Side.BORROWER)
    return details(ctx, lifecycle.accept(ctx.unit, ctx.principal.organization, loan, ctx.now, data.terms_version))


@action(
    "declineLoan",
    "POST /loans/{id}/decline",
    permission=Permission.LOANS_MANAGE,
    entity=loans.LOANS,
    audit=AuditEvent.LOAN_DECLINED,
)
def decline_loan(ctx: Context, id_: UUID) -> LoanDetails:
    """Declines an offer to the organization."""
    loan = loans.get(ctx.organization, id_, Side.BORROWER)
    return details(ctx, lifecycle.decline(ctx.unit, ctx.principal.organization, loan, ctx.now))


@action(
    "cancelLoan",
    "POST /loans/{id}/cancel",
    permission=Permission.LOANS_MANAGE,
    entity=loans.LOANS,
    audit=AuditEvent.LOAN_CANCELLED,
)
def cancel_loan(ctx: Context, id_: UUID) -> LoanDetails:
    """Takes back an offer of the organization."""
    loan = loans.get(ctx.organization, id_, Side.LENDER)
    return details(ctx, lifecycle.cancel(ctx.unit, ctx.principal.organization, loan, ctx.now))


@action(
    "writeOffLoan",
    "POST /loans/{id}/write-off",
    permission=Permission.LOANS_MANAGE,
    entity=loans.LOANS,
    audit=AuditEvent.LOAN_WRITTEN_OFF,
)
def write_off_loan(ctx: Context, id_: UUID, data: WriteOffLoan) -> LoanDetails:
    """Gives up the rest of a loan, with a reason. Repayments that come in later are recorded as recoveries."""
    loan = loans.get(ctx.organization, id_, Side.LENDER)
    return details(ctx, lifecycle.write_off(ctx.unit, ctx.principal.organization, loan, ctx.now, data.reason))


@action(
    "deleteLoan",
    "DELETE /loans/{id}",
    permission=Permission.LOANS_MANAGE,
    entity=loans.LOANS,
    audit=AuditEvent.LOAN_DELETED,
)
def delete_loan(ctx: Context, id_: UUID) -> LoanDetails:
    """Deletes a loan that was declined or cancelled or has expired, with its KPIs, for both sides."""
    loan = loans.get(ctx.organization, id_, Side.LENDER)
    return details(ctx, lifecycle.delete(ctx.unit, ctx.principal.organization, loan, ctx.now))


@action("getRepaymentSchedule", "GET /loans/{id}/schedule", permission=Permission.LOANS_MANAGE, entity=loans.LOANS)
def get_repayment_schedule(ctx: Context, id_: UUID) -> RepaymentSchedule:
    """The installments of a loan, with the amounts paid of each."""
    return repayment_schedule(ctx, repayments.read(ctx.organization, loans.get(ctx.organization, id_)))


@action("getPayoff", "GET /loans/{id}/payoff", permission=Permission.LOANS_MANAGE, entity=loans.LOANS)
def get_payoff(ctx: Context, id_: UUID, data: GetPayoff) -> Payoff:
    """The amount that ends a loan on a day: all that is unpaid, with the interest accrued by then."""
    loan = loans.get(ctx.organization, id_)
    on = data.on or loan.today(ctx.now)
    payoff = repayments.payoff(repayments.read(ctx.organization, loan), ctx.now, on)
    return Payoff(
        on=on,
        currency=loan.currency,
        principal=payoff.principal,
        due_interest=payoff.due_interest,
        accrued_interest=payoff.accrued_interest,
        amount=payoff.amount,
    )


@action(
    "settleLoan",
    "POST /loans/{id}/settle",
    permission=Permission.LOANS_MANAGE,
    entity=loans.LOANS,
    audit=AuditEvent.LOAN_SETTLED,
)
def settle_loan(ctx: Context, id_: UUID, data: SettleLoan) -> LoanDetails:
    """Records the payoff of a day as repaid, and cancels the rest of the interest."""
    ledger = repayments.read(ctx.organization, loans.get(ctx.organization, id_, Side.LENDER))
    settled = repayments.settle(ctx.unit, ctx.principal.organization, ledger, ctx.now, data.on)
    return details(ctx, settled.ledger.loan)
