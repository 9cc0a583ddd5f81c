"""Loans and schedules as the sides of a loan read them."""

from __future__ import annotations

from dataclasses import asdict

from chalicelib.action.context import Context
from chalicelib.models.loans.allocation import Allocation
from chalicelib.models.loans.arrears import installment_status
from chalicelib.models.loans.loans import LoanStatus, StoredLoan
from chalicelib.models.loans.repayments import Ledger
from chalicelib.models.loans.schedule import Schedule
from chalicelib.modules.loans.contracts import (
    LoanDetails,
    RepaymentRow,
    RepaymentSchedule,
    RepaymentTotals,
    SchedulePreview,
    ScheduleRow,
    ScheduleTotals,
)

_LENT = frozenset({LoanStatus.ACTIVE, LoanStatus.REPAID, LoanStatus.WRITTEN_OFF})


def details(ctx: Context, loan: StoredLoan) -> LoanDetails:
    """Return a loan with everything that follows from its terms, its repayments and today."""
    side = loan.side_of(ctx.organization)
    arrears = loan.arrears_at(ctx.now)
    return LoanDetails.extending(
        loan.model_copy(update={"status": loan.status_at(ctx.now)}),
        side=side,
        counterparty=loan.party(side.other),
        outstanding=loan.principal - loan.paid_principal if loan.status in _LENT else 0,
        overdue_amount=arrears.overdue_amount if arrears else 0,
        days_past_due=arrears.days_past_due if arrears else 0,
        bucket=arrears and arrears.bucket,
        next_due_date=arrears and arrears.next_due_date,
        next_payment=arrears.next_payment if arrears and arrears.next_due_date else None,
    )


def schedule(installments: Schedule) -> SchedulePreview:
    return SchedulePreview(
        currency=installments.terms.currency,
        rows=[ScheduleRow(**asdict(row)) for row in installments],
        totals=ScheduleTotals(**_totals(installments)),
    )


def repayment_schedule(ctx: Context, ledger: Ledger) -> RepaymentSchedule:
    """Return the schedule with the amounts paid of each row."""
    allocation, today = ledger.allocation(), ledger.loan.today(ctx.now)
    rows = [
        RepaymentRow(
            **asdict(row.scheduled),
            paid_principal=row.paid_principal,
            paid_interest=row.paid_interest,
            cancelled_interest=row.cancelled_interest,
            status=installment_status(row, today),
        )
        for row in allocation.installments
    ]
    return RepaymentSchedule(currency=ledger.loan.currency, rows=rows, totals=_repayment_totals(allocation))


def _totals(installments: Schedule) -> dict[str, int]:
    principal, interest = installments.terms.principal, installments.interest
    return {"principal": principal, "interest": interest, "payment": principal + interest}


def _repayment_totals(allocation: Allocation) -> RepaymentTotals:
    return RepaymentTotals(
        **_totals(allocation.schedule),
        paid_principal=allocation.paid_principal,
        paid_interest=allocation.paid_interest,
        cancelled_interest=allocation.cancelled_interest,
    )
