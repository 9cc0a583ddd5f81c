"""Loans: an offer of a lender to a borrower, and the loan that it becomes. See docs/loans.md for the rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from chalicelib.core import clock
from chalicelib.core.contracts import Contract, CursorPage
from chalicelib.core.days import Day, day_of
from chalicelib.core.errors import ActionError, ErrorCode, invalid_field, invalid_state, not_found
from chalicelib.core.field_types import STORED, CurrencyCode, Instant, Lines, Timezone
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.dal.collection import Collection
from chalicelib.dal.cursors import Cursors, walk
from chalicelib.dal.expressions import Condition
from chalicelib.dal.item import Item
from chalicelib.dal.records import Record
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.loans import keys, sides
from chalicelib.models.loans.day_counts import DayCount
from chalicelib.models.loans.terms import (
    MAX_INSTALLMENTS,
    MAX_INTEREST_RATE_BPS,
    MAX_PRINCIPAL,
    Amortization,
    Terms,
    require_valid,
)
from chalicelib.models.organizations import OrganizationName, StoredOrganization

_RATE_PLACES = Decimal("0.01")


class LoanStatus(StrEnum):
    OFFERED = "OFFERED"
    ACTIVE = "ACTIVE"
    REPAID = "REPAID"
    WRITTEN_OFF = "WRITTEN_OFF"
    DECLINED = "DECLINED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    """Derived: an offer whose time is over."""


class Side(StrEnum):
    LENDER = "lender"
    BORROWER = "borrower"

    @property
    def other(self) -> Side:
        return Side.BORROWER if self is Side.LENDER else Side.LENDER


class Party(Contract):
    """One side of a loan."""

    organization_id: UUID
    name: Annotated[
        OrganizationName, Field(description="As of the side's last act on the loan.", examples=["Nordhafen Kredit AG"])
    ]

    @classmethod
    def of(cls, organization: UUID, name: str) -> Party:
        """Return the party with a name as it is stored, whatever names may be today."""
        return cls.model_validate({"organization_id": organization, "name": name}, context=STORED)


# -- fields ----------------------------------------------------------------------------------------------------------


def _decimal(value: Any) -> Decimal:
    """Read a JSON number exactly as it is written."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("number", "must be a number")
    return Decimal(str(value))


def _two_places(rate: Decimal) -> Decimal:
    if rate != rate.quantize(_RATE_PLACES):
        raise PydanticCustomError("rate_places", "must have at most 2 decimal places")
    return rate


InterestRate = Annotated[
    Decimal,
    Field(ge=0, le=MAX_INTEREST_RATE_BPS, strict=False),
    BeforeValidator(_decimal),
    AfterValidator(_two_places),
    PlainSerializer(lambda rate: int(rate) if rate == int(rate) else float(rate), return_type=float, when_used="json"),
    WithJsonSchema(
        {
            "type": "number",
            "minimum": 0,
            "maximum": MAX_INTEREST_RATE_BPS,
            "description": "Hundredths of a percent a year, with up to two decimal places: 612.5 is 6.125 %.",
            "examples": [612.5],
        }
    ),
]
Principal = Annotated[
    int, Field(ge=1, le=MAX_PRINCIPAL, description="In minor units of the loan's currency.", examples=[12000000])
]
Amount = Annotated[int, Field(description="In minor units of the loan's currency.", examples=[1250000])]
Installments = Annotated[int, Field(ge=1, le=MAX_INSTALLMENTS, examples=[24])]
GraceInstallments = Annotated[
    int, Field(ge=0, le=MAX_INSTALLMENTS, description="The first installments, which pay interest only.", examples=[2])
]
StartDate = Annotated[Day, Field(examples=["2026-02-01"])]
MaturityDate = Annotated[Day, Field(examples=["2028-02-01"])]
Note = Annotated[Lines, Field(max_length=2000, examples=["Zweite Linie, Bürgschaft liegt vor."])]
Reason = Annotated[Lines, Field(max_length=1000, examples=["Insolvenzverfahren eröffnet."])]


# -- the record ------------------------------------------------------------------------------------------------------


class Loan(Record):
    lender: Party
    borrower: Party
    status: LoanStatus = LoanStatus.OFFERED
    principal: Principal
    currency: CurrencyCode
    timezone: Timezone
    interest_rate_bps: InterestRate
    start_date: StartDate
    maturity_date: MaturityDate
    installments: Installments
    amortization: Amortization = Amortization.EQUAL_PRINCIPAL
    day_count: DayCount = DayCount.ACT_365F
    grace_installments: GraceInstallments = 0
    terms_version: Annotated[int, Field(description="Moves with each change of the offer.", examples=[1])] = 1
    expires_at: Annotated[Instant, Field(description="The offer can be accepted before.")]
    note: Annotated[Note | None, Field(description="The lender's own: the borrower never sees it.")] = None
    accepted_at: Annotated[Instant | None, Field(examples=[None])] = None
    closed_at: Annotated[
        Instant | None,
        Field(description="When it was declined, cancelled, repaid or written off.", examples=[None]),
    ] = None
    write_off_reason: Annotated[Reason | None, Field(examples=[None])] = None

    @property
    def terms(self) -> Terms:
        fields = (name for name in Terms.__dataclass_fields__)
        return Terms(**{name: getattr(self, name) for name in fields})

    def side_of(self, organization: OrganizationId) -> Side:
        return Side.LENDER if self.lender.organization_id == organization else Side.BORROWER

    def party(self, side: Side) -> Party:
        return self.lender if side is Side.LENDER else self.borrower

    def status_at(self, now: datetime) -> LoanStatus:
        is_over = self.status is LoanStatus.OFFERED and self.expires_at <= now
        return LoanStatus.EXPIRED if is_over else self.status

    def today(self, now: datetime) -> date:
        """Return the day on which both sides look at it."""
        return day_of(now, self.timezone)

    def shown_to(self, side: Side) -> Loan:
        """Return the loan as one side has it: the note is the lender's."""
        return self if side is Side.LENDER else self.model_copy(update={"note": None})


LOANS = Collection(entity="loan", record=Loan)


def get(organization: OrganizationId, identifier: UUID, side: Side | None = None) -> Loan:
    """Return a loan of either side, or of one. NOT_FOUND for another organization's, and for the other side."""
    loan = LOANS.get(organization, identifier)
    if side not in {None, loan.side_of(organization)}:
        raise not_found(LOANS.entity)
    return loan


def walk_loans(
    organization: OrganizationId,
    cursors: Cursors,
    *,
    side: Side | None,
    status: LoanStatus | None,
    now: datetime,
    cursor: str | None,
    limit: int,
) -> CursorPage[Loan]:
    """Return a page of an organization's loans, newest first."""
    conditions: list[Condition | None] = []
    if side is not None:
        conditions.append(Item.data[side.value]["organizationId"] == str(organization))
    if status is not None:
        stored = LoanStatus.OFFERED if status is LoanStatus.EXPIRED else status
        conditions.append(Item.data["status"] == stored.value)
    if status is LoanStatus.EXPIRED:
        conditions.append(Item.data["expiresAt"] <= clock.to_text(now))
    if status is LoanStatus.OFFERED:
        conditions.append(Item.data["expiresAt"] > clock.to_text(now))
    return walk(
        keys.loans(organization),
        cursors,
        CursorPage[Loan],
        lambda rows: [Loan.of(table.item_from_raw(row), LOANS.entity) for row in rows],
        cursor=cursor,
        limit=limit,
        forward=False,
        condition=table.all_of(conditions),
    )


# -- write: in both partitions, at the same version --------------------------------------------------------------------


def offer(
    unit: UnitOfWork, lender: StoredOrganization, borrower: UUID, now: datetime, fields: Mapping[str, Any]
) -> Loan:
    """Offer a loan. NOT_FOUND unless the caller's organization lends and the other one borrows."""
    if lender.loan_role not in sides.LENDERS:
        raise ActionError(ErrorCode.NOT_FOUND, "this organization is no lender: an OWNER sets its loanRole")
    if borrower == lender.id:
        raise invalid_field("borrowerOrganizationId", "must be another organization")
    name = sides.borrower_name(borrower)
    if name is None:
        raise not_found("borrower")
    loan = Loan.new(
        lender=Party.of(lender.id, lender.name),
        borrower=Party.of(borrower, name),
        currency=lender.currency,
        timezone=lender.timezone,
        **fields,
    )
    _require_valid_offer(loan, now)
    other = sides.other_side(unit, lender, borrower)
    sides.require_roles(unit, other)
    LOANS.create(unit, loan)
    LOANS.create(other, loan.shown_to(Side.BORROWER))
    return loan


def change_offer(
    unit: UnitOfWork, lender: StoredOrganization, loan: Loan, now: datetime, changes: Mapping[str, Any]
) -> Loan:
    """Change an offer: the borrower accepts the new terms or none."""
    require_status(loan, now, "changed", LoanStatus.OFFERED)
    _require_valid_offer(loan.model_copy(update=dict(changes)), now)
    return write(unit, lender, loan, **changes, terms_version=loan.terms_version + 1)


def accept(unit: UnitOfWork, borrower: StoredOrganization, loan: Loan, now: datetime, terms_version: int) -> Loan:
    """Accept an offer. CONFLICT if its terms are not those that the borrower has seen."""
    require_status(loan, now, "accepted", LoanStatus.OFFERED)
    if terms_version != loan.terms_version:
        message = f"the terms have changed: read termsVersion {loan.terms_version} before you accept it"
        raise ActionError(ErrorCode.CONFLICT, message)
    return write(unit, borrower, loan, status=LoanStatus.ACTIVE, accepted_at=now)


def decline(unit: UnitOfWork, borrower: StoredOrganization, loan: Loan, now: datetime) -> Loan:
    require_status(loan, now, "declined", LoanStatus.OFFERED)
    return write(unit, borrower, loan, status=LoanStatus.DECLINED, closed_at=now)


def cancel(unit: UnitOfWork, lender: StoredOrganization, loan: Loan, now: datetime) -> Loan:
    require_status(loan, now, "cancelled", LoanStatus.OFFERED)
    return write(unit, lender, loan, status=LoanStatus.CANCELLED, closed_at=now)


def write_off(unit: UnitOfWork, lender: StoredOrganization, loan: Loan, now: datetime, reason: str) -> Loan:
    """Give up the rest of a loan. The claim stays: repayments that come in later are recorded as recoveries."""
    require_status(loan, now, "written off", LoanStatus.ACTIVE)
    return write(unit, lender, loan, status=LoanStatus.WRITTEN_OFF, closed_at=now, write_off_reason=reason)


def require_status(loan: Loan, now: datetime, verb: str, *allowed: LoanStatus) -> None:
    """Refuse an act that the loan's state does not allow, in words that name the state."""
    status = loan.status_at(now)
    if status not in allowed:
        raise invalid_state(f"a loan that is {status} cannot be {verb}")


def _require_valid_offer(loan: Loan, now: datetime) -> None:
    require_valid(loan.terms)
    if loan.expires_at <= now:
        raise invalid_field("expiresAt", "must be ahead")


def write(unit: UnitOfWork, own: StoredOrganization, loan: Loan, **changes: Any) -> Loan:
    """Change a loan for both sides, on condition that it is as it was read: of two at once, one reads it again.

    The side that acts leaves its present name.
    """
    side = loan.side_of(own.tenant)
    after = loan.changed(**{side.value: Party.of(own.id, own.name)}, **changes)
    LOANS.update_to(unit, loan, after)
    other = sides.other_side(unit, own, loan.party(side.other).organization_id)
    # The differences are written: a note that this side does not see stays as it is.
    LOANS.update_to(other, loan.shown_to(side.other), after.shown_to(side.other))
    return after
