"""Contracts of loans."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Body, CursorQuery, Patch, optional
from chalicelib.core.field_types import Instant
from chalicelib.models.loans.day_counts import DayCount
from chalicelib.models.loans.loans import (
    GraceInstallments,
    Installments,
    InterestRate,
    Loan,
    LoanStatus,
    MaturityDate,
    Note,
    Party,
    Principal,
    Reason,
    Side,
    StartDate,
)
from chalicelib.models.loans.terms import Amortization

_AHEAD = "2096-03-01T08:30:00.000Z"


class LoanTerms(Body):
    """Terms of a loan, in the lender's currency and days of its time zone."""

    principal: Principal
    interest_rate_bps: InterestRate
    start_date: StartDate
    maturity_date: MaturityDate
    installments: Installments
    amortization: Annotated[Amortization, Field(strict=False)] = Amortization.EQUAL_PRINCIPAL
    day_count: Annotated[DayCount, Field(strict=False)] = DayCount.ACT_365F
    grace_installments: GraceInstallments = 0


class CreateLoan(LoanTerms):
    borrower_organization_id: UUID
    expires_at: Annotated[
        Instant | None,
        Field(description="The offer can be accepted before; by default 30 days.", examples=[_AHEAD]),
    ] = None
    note: Note | None = None


class UpdateLoan(Patch, of=CreateLoan, without={"borrower_organization_id"}):
    expires_at: Annotated[Instant, Field(examples=[_AHEAD])] = optional()


class AcceptLoan(Body):
    terms_version: Annotated[int, Field(ge=1, le=1_000_000_000, description="The version that is accepted.")]


class WriteOffLoan(Body):
    reason: Reason


class ListLoans(CursorQuery):
    side: Side | None = None
    status: LoanStatus | None = None


class LoanDetails(Loan):
    side: Annotated[Side, Field(description="The caller's side.")]
    counterparty: Annotated[Party, Field(description="The other side.")]
