"""The life of a loan: offered, changed, accepted, declined, cancelled, written off. Each act writes both sides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from chalicelib.core.errors import ActionError, ErrorCode, invalid_field, invalid_state, not_found
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.loans import sides
from chalicelib.models.loans.loans import LOANS, LoanStatus, Party, Side, StoredLoan, both_sides, schedule_of, write
from chalicelib.models.loans.terms import require_valid
from chalicelib.models.organizations import StoredOrganization


def offer(
    unit: UnitOfWork, lender: StoredOrganization, borrower: UUID, now: datetime, fields: Mapping[str, Any]
) -> StoredLoan:
    """Offer a loan. NOT_FOUND unless the caller's organization lends and the other one borrows."""
    if lender.loan_role not in sides.LENDERS:
        raise ActionError(ErrorCode.NOT_FOUND, "this organization is no lender: an OWNER sets its loanRole")
    if borrower == lender.id:
        raise invalid_field("borrowerOrganizationId", "must be another organization")
    name = sides.borrower_name(borrower)
    if name is None:
        raise not_found("borrower")
    loan = StoredLoan.new(
        lender=Party.of(lender.id, lender.name),
        borrower=Party.of(borrower, name),
        currency=lender.currency,
        timezone=lender.timezone,
        **fields,
    )
    _require_valid_offer(loan, now)
    other = sides.other_side(unit, borrower, lender.name)
    sides.require_roles(unit, other)
    LOANS.create(unit, loan)
    LOANS.create(other, loan.shown_to(Side.BORROWER))
    return loan


def change_offer(
    unit: UnitOfWork, lender: StoredOrganization, loan: StoredLoan, now: datetime, changes: Mapping[str, Any]
) -> StoredLoan:
    """Change an offer: the borrower accepts the new terms or none."""
    require_status(loan, now, "changed", LoanStatus.OFFERED)
    _require_valid_offer(loan.model_copy(update=dict(changes)), now)
    return write(unit, lender, loan, **changes, terms_version=loan.terms_version + 1)


def accept(
    unit: UnitOfWork, borrower: StoredOrganization, loan: StoredLoan, now: datetime, terms_version: int
) -> StoredLoan:
    """Accept an offer. CONFLICT if its terms are not those that the borrower has seen."""
    require_status(loan, now, "accepted", LoanStatus.OFFERED)
    if terms_version != loan.terms_version:
        message = f"the terms have changed: read termsVersion {loan.terms_version} before you accept it"
        raise ActionError(ErrorCode.CONFLICT, message)
    first = next(row.due_date for row in schedule_of(loan.terms) if row.payment)
    return write(unit, borrower, loan, status=LoanStatus.ACTIVE, accepted_at=now, oldest_due=first)


def decline(unit: UnitOfWork, borrower: StoredOrganization, loan: StoredLoan, now: datetime) -> StoredLoan:
    require_status(loan, now, "declined", LoanStatus.OFFERED)
    return write(unit, borrower, loan, status=LoanStatus.DECLINED, closed_at=now)


def cancel(unit: UnitOfWork, lender: StoredOrganization, loan: StoredLoan, now: datetime) -> StoredLoan:
    require_status(loan, now, "cancelled", LoanStatus.OFFERED)
    return write(unit, lender, loan, status=LoanStatus.CANCELLED, closed_at=now)


def write_off(unit: UnitOfWork, lender: StoredOrganization, loan: StoredLoan, now: datetime, reason: str) -> StoredLoan:
    """Give up the rest of a loan. The claim stays: repayments that come in later are recorded as recoveries."""
    require_status(loan, now, "written off", LoanStatus.ACTIVE)
    end: dict[str, Any] = {
        "status": LoanStatus.WRITTEN_OFF,
        "closed_at": now,
        "write_off_reason": reason,
        "oldest_due": None,
    }
    return write(unit, lender, loan, **end)


def delete(unit: UnitOfWork, lender: StoredOrganization, loan: StoredLoan, now: datetime) -> StoredLoan:
    """Delete a loan that never came about, for both sides. The items below it go, too."""
    require_status(loan, now, "deleted", LoanStatus.DECLINED, LoanStatus.CANCELLED, LoanStatus.EXPIRED)
    for side, writer in both_sides(unit, loan, lender.name):
        LOANS.erase(writer, loan.shown_to(side))
    return loan


def require_status(loan: StoredLoan, now: datetime, verb: str, *allowed: LoanStatus) -> None:
    """Refuse an act that the loan's state does not allow, in words that name the state."""
    status = loan.status_at(now)
    if status not in allowed:
        raise invalid_state(f"a loan that is {status} cannot be {verb}")


def _require_valid_offer(loan: StoredLoan, now: datetime) -> None:
    require_valid(loan.terms)
    if loan.expires_at <= now:
        raise invalid_field("expiresAt", "must be ahead")
