"""Repayments: facts that never change, and their allocation, which is replayed from all of them.

A write of one is conditional on the loan's version, so that repayments at the same time are one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chalicelib.core.days import Day
from chalicelib.core.errors import ActionError, ErrorCode, invalid_field, invalid_state, not_found
from chalicelib.core.field_types import CurrencyCode, Instant, Line
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.records import INTERNAL, Record
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models.loans import keys, loans
from chalicelib.models.loans.allocation import Allocation, Payment, Payoff, allocate
from chalicelib.models.loans.fields import Amount, Note, Reason
from chalicelib.models.loans.lifecycle import require_status
from chalicelib.models.loans.loans import BeforeAndAfter, LoanStatus, Side, StoredLoan, schedule_of
from chalicelib.models.organizations import StoredOrganization

ENTITY = "repayment"
MAX_REPAYMENTS = 1_000
"""Repayments of one loan: all of them are read at once, in one query of less than 1 MB."""

Reference = Annotated[Line, Field(max_length=140, examples=["RF18 5390 0754 7034"])]


class Repayment(Record):
    amount: Amount
    currency: CurrencyCode
    value_date: Annotated[Day, Field(description="The day on which the money counts.", examples=["2026-03-02"])]
    reference: Annotated[Reference | None, Field(examples=["RF18 5390 0754 7034"])] = None
    note: Annotated[Note | None, Field(description="The lender's own: the borrower never sees it.")] = None
    is_settlement: Annotated[bool, Field(description="It was recorded as the payoff of its day.")] = False
    reversed_at: Annotated[Instant | None, Field(examples=[None])] = None
    reversal_reason: Annotated[Reason | None, Field(examples=[None])] = None


class StoredRepayment(Repayment):
    loan_id: Annotated[UUID, INTERNAL]

    def payment(self) -> Payment:
        return Payment(str(self.id), self.value_date, self.created_at, self.amount, self.is_settlement)

    def shown_to(self, side: Side) -> StoredRepayment:
        return self if side is Side.LENDER else self.model_copy(update={"note": None})


@dataclass(frozen=True)
class Ledger:
    """A loan with all its repayments."""

    loan: StoredLoan
    repayments: tuple[StoredRepayment, ...]
    """In the order of recording, those that were reversed too."""

    def allocation(self, until: date | None = None) -> Allocation:
        payments = (repayment.payment() for repayment in self.repayments if repayment.reversed_at is None)
        return allocate(schedule_of(self.loan.terms), payments, until=until, written_off=self.loan.write_off)


@dataclass(frozen=True)
class RepaymentEffect:
    """A repayment that was recorded or reversed, and its effect on the others."""

    repayment: StoredRepayment
    ledger: Ledger
    """The loan after it."""
    reallocated: tuple[UUID, ...]
    """Other repayments that now pay something else."""


def read(organization: OrganizationId, loan: StoredLoan) -> Ledger:
    """Return a loan with its repayments, as one side has them."""
    if not loan.repayment_count:
        return Ledger(loan, ())
    rows = table.query_all(keys.repayments(organization, loan.id))
    return Ledger(loan, tuple(StoredRepayment.of(table.item_from_raw(row), ENTITY) for row in rows))


def record(
    unit: UnitOfWork, lender: StoredOrganization, ledger: Ledger, now: datetime, fields: Mapping[str, Any]
) -> RepaymentEffect:
    """Record a repayment; the recovery of a loan that was written off, too. VALIDATION_ERROR for more than is owed."""
    require_status(ledger.loan, now, "repaid", LoanStatus.ACTIVE, LoanStatus.WRITTEN_OFF)
    repayment = _new(ledger, now, **{**fields, "value_date": fields["value_date"] or ledger.loan.today(now)})
    maximum = ledger.allocation().maximum
    if repayment.amount > maximum:
        message = f"must be at most {maximum}, all that is unpaid"
        details = {"fieldErrors": {"amount": [message]}, "maximum": maximum}
        raise ActionError(ErrorCode.VALIDATION_ERROR, f"amount: {message}", details=details)
    return _write(unit, lender, ledger, repayment, now)


def settle(
    unit: UnitOfWork, lender: StoredOrganization, ledger: Ledger, now: datetime, on: date | None
) -> RepaymentEffect:
    """End a loan early: record exactly the payoff of a day, and cancel the rest of the interest."""
    require_status(ledger.loan, now, "settled", LoanStatus.ACTIVE)
    allocation = ledger.allocation()
    day = on or ledger.loan.today(now)
    if allocation.last_value_date is not None and day < allocation.last_value_date:
        raise invalid_field("on", f"must not be before the last repayment, {allocation.last_value_date}")
    amount = allocation.payoff(day).amount
    repayment = _new(ledger, now, "on", amount=amount, value_date=day, is_settlement=True)
    return _write(unit, lender, ledger, repayment, now)


def payoff(ledger: Ledger, now: datetime, on: date) -> Payoff:
    """Return the payoff of a day, by the repayments up to it. VALIDATION_ERROR before the loan begins."""
    require_status(ledger.loan, now, "paid off", LoanStatus.ACTIVE, LoanStatus.WRITTEN_OFF, LoanStatus.REPAID)
    if on < ledger.loan.start_date:
        raise invalid_field("on", "must not be before startDate")
    return ledger.allocation(until=on).payoff(on)


def reverse(
    unit: UnitOfWork, lender: StoredOrganization, ledger: Ledger, identifier: UUID, now: datetime, reason: str
) -> RepaymentEffect:
    """Take a repayment back. It stays, with the reason; what it paid is unpaid again."""
    repayment = next((repayment for repayment in ledger.repayments if repayment.id == identifier), None)
    if repayment is None:
        raise not_found(ENTITY)
    if repayment.reversed_at is not None:
        raise invalid_state("this repayment was reversed before")
    after = repayment.changed(reversed_at=now, reversal_reason=reason)
    return _write(unit, lender, ledger, after, now, before=repayment)


def _new(ledger: Ledger, now: datetime, day_field: str = "valueDate", **fields: Any) -> StoredRepayment:
    """Make a repayment, with an id and an instant after those of all before: at one moment, they are in one order."""
    loan = ledger.loan
    if len(ledger.repayments) >= MAX_REPAYMENTS:
        raise invalid_state(f"a loan has at most {MAX_REPAYMENTS:,} repayments")
    if fields["value_date"] < loan.start_date:
        raise invalid_field(day_field, "must not be before startDate")
    if fields["value_date"] > loan.today(now):
        raise invalid_field(day_field, "must not be ahead")
    return StoredRepayment.new(loan_id=loan.id, currency=loan.currency, **fields)


def _write(
    unit: UnitOfWork,
    lender: StoredOrganization,
    ledger: Ledger,
    repayment: StoredRepayment,
    now: datetime,
    before: StoredRepayment | None = None,
) -> RepaymentEffect:
    """Write a repayment and its effect on the loan, on both sides."""
    others = [other for other in ledger.repayments if other.id != repayment.id]
    after = replace(ledger, repayments=(*others, repayment))
    old, new = ledger.allocation(), after.allocation()
    loan = loans.write(
        unit, lender, ledger.loan, below=lambda side: _audited(side, before, repayment), **_effect(after, new, now)
    )
    for side, writer in loans.both_sides(unit, loan, lender.name):
        _put(writer, repayment.shown_to(side), before)
    reallocated = [UUID(other) for other in new.reallocated_since(old) if other != str(repayment.id)]
    return RepaymentEffect(repayment, replace(after, loan=loan), tuple(reallocated))


def _effect(ledger: Ledger, allocation: Allocation, now: datetime) -> dict[str, Any]:
    """Return the fields of the loan that follow from its repayments."""
    loan = ledger.loan
    status, closed_at = loan.status, loan.closed_at
    if status is not LoanStatus.WRITTEN_OFF:
        status = LoanStatus.ACTIVE if allocation.maximum else LoanStatus.REPAID
        closed_at = None if status is LoanStatus.ACTIVE else now
    unpaid = (row.scheduled.due_date for row in allocation.installments if row.unpaid)
    return {
        "status": status,
        "closed_at": closed_at,
        "paid_principal": allocation.paid_principal,
        "paid_interest": allocation.paid_interest,
        "oldest_due": next(unpaid, None) if status is LoanStatus.ACTIVE else None,
        "repayment_count": len(ledger.repayments),
    }


def _audited(side: Side, before: StoredRepayment | None, after: StoredRepayment) -> BeforeAndAfter:
    field = f"repayments.{after.id}"
    old = {} if before is None else {field: before.shown_to(side).shown()}
    return old, {field: after.shown_to(side).shown()}


def _put(unit: UnitOfWork, repayment: StoredRepayment, before: StoredRepayment | None) -> None:
    key = Key(keys.repayments(unit.organization, repayment.loan_id), str(repayment.id))
    if before is None:
        unit.put_new(repayment.item(key), stale)
        return
    reversal = {"reversedAt": repayment.data()["reversedAt"], "reversalReason": repayment.reversal_reason}
    actions = [table.assign(name, value) for name, value in reversal.items()]
    actions += [table.assign("updatedAt", repayment.data()["updatedAt"]), Item.version.set(repayment.version)]
    unit.update(key, actions, Item.version == before.version, stale)
