"""Loans: an offer of a lender to a borrower, and the loan that it becomes, as both sides have it. See docs/loans.md."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chalicelib.core import clock
from chalicelib.core.contracts import Contract, CursorPage
from chalicelib.core.days import Day, day_of, start_of
from chalicelib.core.errors import not_found
from chalicelib.core.field_types import STORED, CurrencyCode, Instant, Timezone
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.dal.collection import Collection
from chalicelib.dal.cursors import Cursors, walk
from chalicelib.dal.due_index import DueIndex
from chalicelib.dal.expressions import Condition
from chalicelib.dal.item import Item
from chalicelib.dal.records import INTERNAL, Record
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.loans import keys, sides
from chalicelib.models.loans.allocation import Payment, WriteOff, allocate
from chalicelib.models.loans.arrears import BUCKETS_FROM, NO_ARREARS, Arrears, Bucket, arrears
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
from chalicelib.models.loans.schedule import Schedule, schedule
from chalicelib.models.loans.terms import Amortization, Terms
from chalicelib.models.organizations import OrganizationName, StoredOrganization

_FOREVER = "9999"
"""Sorts after every day."""

BeforeAndAfter = tuple[Mapping[str, Any], Mapping[str, Any]]
"""Fields before and after."""


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
        """Return the party with a name as it is stored: today's rules for names may be others."""
        return cls.model_validate({"organization_id": organization, "name": name}, context=STORED)


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
    paid_principal: Amount = 0
    paid_interest: Amount = 0

    @property
    def terms(self) -> Terms:
        return Terms(**{field.name: getattr(self, field.name) for field in dataclasses.fields(Terms)})

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

    @property
    def write_off(self) -> WriteOff | None:
        if self.status is not LoanStatus.WRITTEN_OFF or self.closed_at is None:
            return None
        return WriteOff(day_of(self.closed_at, self.timezone), self.closed_at)


class StoredLoan(Loan):
    repayment_count: Annotated[int, INTERNAL] = 0
    """Number of those recorded, also of those that were reversed."""
    kpi_count: Annotated[int, INTERNAL] = 0
    kpi_deadline: Annotated[Instant | None, INTERNAL] = None
    """The next instant at which a test of a KPI is missed, unless a value comes."""
    reported_bucket: Annotated[Bucket, INTERNAL] = Bucket.CURRENT
    """The worst bucket that was reported to both sides, and that it has not left since."""
    check_at: Annotated[Instant | None, INTERNAL] = None
    """The instant at which the daily job has something to report, unless the loan changes before."""
    oldest_due: Annotated[Day | None, INTERNAL] = None
    """The due date of the oldest installment with anything unpaid, of a loan that is ACTIVE."""

    def shown_to(self, side: Side) -> StoredLoan:
        """Return the loan as one side has it: the note is the lender's."""
        return self if side is Side.LENDER else self.model_copy(update={"note": None})

    def arrears_at(self, now: datetime) -> Arrears | None:
        """Return the arrears; None unless the loan is ACTIVE.

        Of such a loan no interest is cancelled, so they follow from the sum of its repayments alone.
        """
        if self.status is not LoanStatus.ACTIVE:
            return None
        paid = Payment("all", self.start_date, self.created_at, self.paid_principal + self.paid_interest)
        return arrears(allocate(schedule_of(self.terms), [paid]), self.today(now))

    def watched(self, now: datetime) -> StoredLoan:
        """Return the loan with the instant of the next check: a bucket that it enters, or a test that is missed."""
        arrears = self.arrears_at(now)
        if arrears is None:
            return self.model_copy(update={"reported_bucket": Bucket.CURRENT, "check_at": None})
        reported = min(self.reported_bucket, arrears.bucket, key=[*Bucket].index)
        changes_on = arrears.bucket_changes_on
        enters = None if changes_on is None else start_of(changes_on, self.timezone)
        ahead = [now if reported is not arrears.bucket else enters, self.kpi_deadline]
        check_at = min((instant for instant in ahead if instant is not None), default=None)
        return self.model_copy(update={"reported_bucket": reported, "check_at": check_at})


@lru_cache(maxsize=512)
def schedule_of(terms: Terms) -> Schedule:
    """Return the schedule of terms, which is the same on every read, so that it is calculated once."""
    return schedule(terms)


DUE = DueIndex("LOANDUE")


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Loans(Collection[StoredLoan]):
    def index(self, organization: OrganizationId, record: StoredLoan) -> dict[str, Any]:
        """List the loan in the due index on the lender's side alone: one check reports to both."""
        if record.side_of(organization) is Side.BORROWER:
            return {}
        row, due_at = str(record.id), record.check_at
        partition = DUE.partition_of(organization, row)
        return {
            partition.attribute: None if due_at is None else partition.pk,
            "at": None if due_at is None else DUE.place(organization, row, due_at),
        }

    def _audit(self, unit: UnitOfWork, record: StoredLoan, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        _declare(unit, record, before, after)


def _declare(unit: UnitOfWork, loan: Loan, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Declare a loan as the audit target on one of its sides, by the name of the other one."""
    side = loan.side_of(unit.organization)
    unit.audit_target("loan", loan.id, before, after, name=loan.party(side.other).name)
    unit.describe_target(loan=f"loan {'to' if side is Side.LENDER else 'of'} {loan.party(side.other).name}")


LOANS = _Loans(entity="loan", record=StoredLoan)


def get(organization: OrganizationId, identifier: UUID, side: Side | None = None) -> StoredLoan:
    """Return a loan of either side, or of one. NOT_FOUND for another organization's, and for the other side."""
    loan = LOANS.get(organization, identifier)
    require_side(loan, organization, side)
    return loan


def require_side(loan: Loan, organization: OrganizationId, side: Side | None) -> None:
    """Refuse the other side of a loan, as if it did not exist; None: either."""
    if side not in {None, loan.side_of(organization)}:
        raise not_found(LOANS.entity)


def walk_loans(
    organization: OrganizationId,
    cursors: Cursors,
    *,
    side: Side | None,
    status: LoanStatus | None,
    bucket: Bucket | None,
    now: datetime,
    cursor: str | None,
    limit: int,
) -> CursorPage[StoredLoan]:
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
    if bucket is not None:
        conditions.append(_may_be_in(bucket, now))

    def read(rows: list[dict[str, Any]]) -> list[StoredLoan]:
        page = [StoredLoan.of(table.item_from_raw(row), LOANS.entity) for row in rows]
        # The condition is a day wider than the bucket: each loan has the days of its own zone.
        return [loan for loan in page if bucket in {None, (loan.arrears_at(now) or NO_ARREARS).bucket}]

    return walk(
        keys.loans(organization),
        cursors,
        CursorPage[StoredLoan],
        read,
        cursor=cursor,
        limit=limit,
        forward=False,
        condition=table.all_of(conditions),
    )


def _may_be_in(bucket: Bucket, now: datetime) -> Condition:
    """Return the condition that the days past due are those of a bucket, give or take a day."""
    starts = {Bucket.CURRENT: 0} | {bucket: days for days, bucket in BUCKETS_FROM.items()}
    ends = dict(zip(starts, [*starts.values()][1:], strict=False))
    latest = now.date() - timedelta(days=starts[bucket] - 1)
    condition: Condition = Item.data["oldestDue"] <= (_FOREVER if bucket is Bucket.CURRENT else latest.isoformat())
    if bucket in ends:
        condition &= Item.data["oldestDue"] >= (now.date() - timedelta(days=ends[bucket])).isoformat()
    return condition


# -- write: in both partitions, at the same version --------------------------------------------------------------------


def write(
    unit: UnitOfWork,
    own: StoredOrganization,
    loan: StoredLoan,
    *,
    below: Callable[[Side], BeforeAndAfter] = lambda _: ({}, {}),
    **changes: Any,
) -> StoredLoan:
    """Change a loan for both sides, on condition that it is as it was read: of two at once, one reads it again.

    Everything below a loan is written with it. `below`: fields that the audit log of a side shows of that, before and
    after. The side that acts leaves its present name.
    """
    acting = loan.side_of(own.tenant)
    after = loan.changed(**{acting.value: Party.of(own.id, own.name)}, **changes).watched(clock.now())
    unit.require_version(loan.version, loan.updated_at)
    for side, writer in both_sides(unit, loan, own.name):
        # The differences are written: a note that this side does not see stays as it is.
        before_there, after_there = loan.shown_to(side), after.shown_to(side)
        old, new = below(side)
        _declare(writer, loan, {**before_there.shown(), **old}, {**after_there.shown(), **new})
        LOANS.update_to(writer, before_there, after_there)
    return after


def both_sides(unit: UnitOfWork, loan: Loan, signature: str) -> list[tuple[Side, UnitOfWork]]:
    """Return the units that write on the unit's own side and on the other one, in one transaction."""
    side = loan.side_of(unit.organization)
    return [(side, unit), (side.other, sides.other_side(unit, loan.party(side.other).organization_id, signature))]
