"""Contracts of repayments."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Body
from chalicelib.core.days import Day
from chalicelib.models.loans.fields import Amount, Note, Reason
from chalicelib.models.loans.repayments import Reference, Repayment
from chalicelib.models.loans.terms import MAX_PRINCIPAL
from chalicelib.modules.loans.contracts import LoanDetails


class RecordRepayment(Body):
    amount: Annotated[
        int, Field(ge=1, le=2 * MAX_PRINCIPAL, description="In minor units of the loan's currency.", examples=[556384])
    ]
    value_date: Annotated[
        Day | None,
        Field(description="The day on which the money counts; by default today in the loan's zone.", examples=[None]),
    ] = None
    reference: Reference | None = None
    note: Note | None = None


class ReverseRepayment(Body):
    reason: Annotated[Reason, Field(examples=["Die Lastschrift kam zurück."])]


class RepaymentDetails(Repayment):
    principal: Annotated[Amount, Field(description="Its part that pays principal.", examples=[500000])]
    interest: Annotated[Amount, Field(description="Its part that pays interest.", examples=[56384])]


class RepaymentResult(RepaymentDetails):
    """A repayment that was recorded or reversed."""

    reallocated: Annotated[
        list[UUID], Field(description="Other repayments that now pay something else.", examples=[[]])
    ]
    loan: LoanDetails
