"""Loans as one of their sides reads them."""

from __future__ import annotations

from chalicelib.action.context import Context
from chalicelib.models.loans.loans import Loan
from chalicelib.modules.loans.contracts import LoanDetails


def details(ctx: Context, loan: Loan) -> LoanDetails:
    """Return a loan with everything that follows from its terms, its repayments and today."""
    side = loan.side_of(ctx.organization)
    return LoanDetails.extending(
        loan.model_copy(update={"status": loan.status_at(ctx.now)}), side=side, counterparty=loan.party(side.other)
    )
