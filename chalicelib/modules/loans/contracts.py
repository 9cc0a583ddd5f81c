"""Contracts of loans."""

from __future__ import annotations

import dataclasses
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Body, Contract, CursorQuery, Patch, Query, optional
from chalicelib.core.days import Day
from chalicelib.core.field_types import CurrencyCode, Instant
from chalicelib.models.loans.arrears import Bucket, InstallmentStatus
from chalicelib.models.loans.day_counts import DayCount
from chalicelib.models.loans.fields import (
    Amount,
    GraceInstallments,
    Installments,
    InterestRate,
    MaturityDate,
    Note,
    Principal,
    Reason,
    StartDate,
)
from chalicelib.models.loans.loans import Loan, LoanStatus, Party, Side
from chalicelib.models.loans.terms import Amortization, Terms

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

    def terms(self, currency: str) -> Terms:
        fields = (field.name for field in dataclasses.fields(Terms) if field.name != "currency")
        return Terms(currency=currency, **{name: getattr(self, name) for name in fields})


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
    bucket: Bucket | None = None


class LoanDetails(Loan):
    side: Annotated[Side, Field(description="The caller's side.")]
    counterparty: Annotated[Party, Field(description="The other side.")]
    outstanding: Annotated[
        Amount, Field(description="Principal that is not repaid, since the acceptance.", examples=[10750000])
    ]
    overdue_amount: Annotated[Amount, Field(description="Unpaid of installments due before today.", examples=[0])]
    days_past_due: Annotated[int, Field(examples=[0])]
    bucket: Annotated[Bucket | None, Field(description="Null unless the loan is ACTIVE.")]
    next_due_date: Annotated[
        Day | None, Field(description="Of the first installment due today or later with anything unpaid.")
    ]
    next_payment: Annotated[Amount | None, Field(description="Unpaid of that installment.", examples=[562466])]


# -- schedules -------------------------------------------------------------------------------------------------------


class ScheduleRow(Contract):
    number: Annotated[int, Field(examples=[1])]
    due_date: Annotated[Day, Field(examples=["2026-03-01"])]
    days: Annotated[int, Field(description="Since the due date before, or the start.", examples=[28])]
    principal: Annotated[Amount, Field(examples=[500000])]
    interest: Annotated[Amount, Field(examples=[56384])]
    payment: Annotated[Amount, Field(description="Principal and interest.", examples=[556384])]
    balance: Annotated[Amount, Field(description="Principal that is left after it.", examples=[11500000])]


class ScheduleTotals(Contract):
    principal: Annotated[Amount, Field(examples=[12000000])]
    interest: Annotated[Amount, Field(examples=[766335])]
    payment: Annotated[Amount, Field(examples=[12766335])]


class SchedulePreview(Contract):
    currency: CurrencyCode
    rows: list[ScheduleRow]
    totals: ScheduleTotals


class RepaymentRow(ScheduleRow):
    paid_principal: Annotated[Amount, Field(examples=[500000])]
    paid_interest: Annotated[Amount, Field(examples=[56384])]
    cancelled_interest: Annotated[
        Amount, Field(description="Interest that a settlement or a write-off cancelled.", examples=[0])
    ]
    status: InstallmentStatus


class RepaymentTotals(ScheduleTotals):
    paid_principal: Annotated[Amount, Field(examples=[500000])]
    paid_interest: Annotated[Amount, Field(examples=[56384])]
    cancelled_interest: Annotated[Amount, Field(examples=[0])]


class RepaymentSchedule(Contract):
    currency: CurrencyCode
    rows: list[RepaymentRow]
    totals: RepaymentTotals


# -- the end ---------------------------------------------------------------------------------------------------------


class GetPayoff(Query):
    on: Annotated[Day | None, Field(description="By default today.", examples=["2096-03-01"])] = None


class SettleLoan(Body):
    on: Annotated[Day | None, Field(description="By default today.", examples=[None])] = None


class Payoff(Contract):
    """The amount that ends a loan on a day."""

    on: Day
    currency: CurrencyCode
    principal: Annotated[Amount, Field(examples=[11500000])]
    due_interest: Annotated[Amount, Field(description="Unpaid, of installments that are due.", examples=[0])]
    accrued_interest: Annotated[Amount, Field(description="Since the last due date.", examples=[3860])]
    amount: Annotated[Amount, Field(description="All of it.", examples=[11503860])]
