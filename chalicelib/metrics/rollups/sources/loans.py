"""Loans of both sides, from their offer to their end, with the money that is outstanding and the days past due.

All of it follows from time and from repayments by their value dates: the past is known as of today's repayments, and
the days on which a loan will be past due are known ahead. Amounts are levels in the loan's own currency.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from chalicelib.auth.permissions import Permission
from chalicelib.core.clock import milliseconds
from chalicelib.core.days import start_of
from chalicelib.core.ids import OrganizationId
from chalicelib.core.money import minor_digits
from chalicelib.dal.collection import Collection
from chalicelib.metrics.language.periods import local_today
from chalicelib.metrics.rollups.formulas import CURRENCY, Formula, Sum, at_end, at_start, within
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.base import (
    ENDED,
    PRESENT,
    STARTED,
    Inputs,
    Row,
    Source,
    Split,
    States,
    Value,
    conversion,
    converted,
    instants_in,
)
from chalicelib.metrics.rollups.sources.fields import (
    FieldType,
    TimeBinding,
    enum_field,
    fields,
    instant_field,
    measure_field,
    text_field,
)
from chalicelib.models.loans import repayments
from chalicelib.models.loans.arrears import Bucket, bucket_of
from chalicelib.models.loans.history import History
from chalicelib.models.loans.loans import LOANS, LoanStatus, Side, StoredLoan
from chalicelib.models.organizations import ORGANIZATIONS
from chalicelib.models.rollups.buckets import Contribution, LevelChange

ACCEPTED = "a"
STATUS = {
    LoanStatus.OFFERED: "f",
    LoanStatus.ACTIVE: "l",
    LoanStatus.REPAID: "r",
    LoanStatus.WRITTEN_OFF: "w",
    LoanStatus.DECLINED: "d",
    LoanStatus.CANCELLED: "x",
    LoanStatus.EXPIRED: "z",
}
"""Levels: the number of loans in each status."""
BUCKET = {bucket: f"b{number}" for number, bucket in enumerate(Bucket)}
"""Levels: the number of active loans in each bucket."""
OFFERS = {Side.LENDER: "g", Side.BORROWER: "h"}
"""Offers made, offers received: those that conversions go from."""
SIDES = Split(field="side", suffixes={Side.LENDER: "", Side.BORROWER: "B"})
KNOWN, KNOWN_ENDED = f"n{CURRENCY}", f"m{CURRENCY}"
"""Starts and ends of the loans in a currency."""
PRINCIPAL, PRINCIPAL_ENDED = f"p{CURRENCY}", f"q{CURRENCY}"
OUTSTANDING, INTEREST = f"o{CURRENCY}", f"i{CURRENCY}"

MAX_ROWS = 1_000
"""Loans of a row scan, which reads the repayments of each."""


@dataclass(frozen=True)
class Life:
    """The instants at which the status of a loan changes."""

    created: datetime
    accepted: datetime | None
    ended: datetime | None
    """The end of an offer that nobody accepts is known ahead: it expires."""
    last: LoanStatus
    """The status after the end."""

    @classmethod
    def of(cls, loan: StoredLoan) -> Life:
        if loan.status is LoanStatus.OFFERED:
            return cls(loan.created_at, None, loan.expires_at, LoanStatus.EXPIRED)
        return cls(loan.created_at, loan.accepted_at, loan.closed_at, loan.status)

    def status_before(self, end: datetime) -> LoanStatus:
        """Return the status at the end of a range, just before the instant."""
        if self.ended is not None and self.ended < end:
            return self.last
        return LoanStatus.ACTIVE if self.accepted is not None and self.accepted < end else LoanStatus.OFFERED


def contribution_of(loan: StoredLoan, inputs: Inputs) -> Contribution:
    organization, history = inputs
    side, life = loan.side_of(organization.tenant), Life.of(loan)
    changes = [*status_changes(loan, life, OFFERS[side])]
    if life.accepted is not None:
        changes += paid(loan, life.accepted, history)
        changes += buckets(loan, life.accepted, life.ended, history)
    if life.last is LoanStatus.WRITTEN_OFF and life.ended is not None:
        loss = loan.principal - history.paid_principal(loan.today(life.ended))
        changes.append((life.ended, {OUTSTANDING: -loss}))
    return tuple(
        LevelChange(
            milliseconds(at),
            tuple(
                (f"{measure.replace(CURRENCY, loan.currency)}{SIDES.suffixes[side]}", delta)
                for measure, delta in deltas.items()
                if delta
            ),
        )
        for at, deltas in changes
        if any(deltas.values())
    )


Changes = Iterator[tuple[datetime, dict[str, int]]]
"""Changes of levels; measures of money do not name their currency yet."""


def status_changes(loan: StoredLoan, life: Life, offers: str) -> Changes:
    offered, active = STATUS[LoanStatus.OFFERED], STATUS[LoanStatus.ACTIVE]
    reached = {"a": life.accepted, "d": life.ended if life.last is LoanStatus.DECLINED else None}
    soon = converted(offers, life.created, reached)
    yield life.created, {STARTED: 1, offered: 1, KNOWN: 1, PRINCIPAL: loan.principal, offers: 1, **soon}
    if life.accepted is not None:
        yield life.accepted, {ACCEPTED: 1, offered: -1, active: 1, OUTSTANDING: loan.principal}
    if life.ended is not None:
        before = offered if life.accepted is None else active
        over = {ENDED: 1, KNOWN_ENDED: 1, PRINCIPAL_ENDED: loan.principal}
        yield life.ended, {**over, before: -1, STATUS[life.last]: 1}


def paid(loan: StoredLoan, accepted: datetime, history: History) -> Changes:
    """Yield the amounts paid, at the start of each value date; those dated before the acceptance, at that."""
    principal = interest = 0
    for day in dict.fromkeys(history.value_dates):
        deltas = {OUTSTANDING: principal - history.paid_principal(day), INTEREST: history.paid_interest(day) - interest}
        principal, interest = history.paid_principal(day), history.paid_interest(day)
        yield max(start_of(day, loan.timezone), accepted), deltas


def buckets(loan: StoredLoan, accepted: datetime, ended: datetime | None, history: History) -> Changes:
    last: Bucket | None = None
    for day, bucket in history.buckets(loan.today(accepted)):
        at = max(start_of(day, loan.timezone), accepted)
        if ended is not None and at >= ended:
            break
        yield at, {BUCKET[bucket]: 1, **({} if last is None else {BUCKET[last]: -1})}
        last = bucket
    if ended is not None and last is not None:
        yield ended, {BUCKET[last]: -1}


def row_of(loan: StoredLoan, inputs: Inputs, over: Range) -> Row:
    organization, history = inputs
    life = Life.of(loan)
    status, today = life.status_before(over.end), local_today(over.end, loan.timezone)
    is_active = status is LoanStatus.ACTIVE
    days_past_due = history.days_past_due(today) if is_active else 0
    earned = 0
    if life.accepted is not None and life.accepted < over.end:
        earned = history.paid_interest(today)
        if life.accepted < over.start:
            earned -= history.paid_interest(local_today(over.start, loan.timezone))
    outstanding = loan.principal - history.paid_principal(today) if is_active else 0
    is_known = loan.currency == organization.currency
    amounts = {"principal": loan.principal, "outstanding": outstanding, "interestPaid": earned}
    scale = 10 ** minor_digits(loan.currency)
    values: dict[str, Value] = {
        "side": loan.side_of(organization.tenant).value,
        "status": status.value,
        "bucket": bucket_of(days_past_due).value if is_active else None,
        "currency": loan.currency,
        "createdAt": loan.created_at,
        "acceptedAt": loan.accepted_at,
        "closedAt": loan.closed_at,
        "daysPastDue": Fraction(days_past_due),
        **{name: Fraction(amount, scale) if is_known else None for name, amount in amounts.items()},
    }
    has_begun = life.created < over.end
    states = {"status", "bucket"} if is_active else {"status"}
    overlaps = has_begun and (life.ended is None or life.ended >= over.start)
    return Row(
        values=values,
        in_period=overlaps,
        in_snapshot=has_begun and (life.ended is None or life.ended >= over.end),
        states=frozenset(states if overlaps else ()),
        snapshot_states=frozenset(states if has_begun else ()),
        instants=instants_in(values, over),
    )


def read_histories(organization: OrganizationId, loans: Sequence[StoredLoan]) -> dict[UUID, list[History | None]]:
    """Read the repayments of each loan that has any; an offer that nobody has accepted has no history."""
    return {
        loan.id: [None if loan.accepted_at is None else History(repayments.read(organization, loan).allocation())]
        for loan in loans
    }


def dependencies_of(organization: OrganizationId, _: StoredLoan) -> list[tuple[Collection[Any], UUID]]:
    """Name the organization, whose currency tells which amounts are known."""
    return [(ORGANIZATIONS, organization)]


_OVERLAPPING: Formula = (at_end(STARTED), at_start(ENDED, -1))
_OVERLAPPING_KNOWN: Formula = (at_end(KNOWN), at_start(KNOWN_ENDED, -1))
_PRESENT_KNOWN: Formula = (at_end(KNOWN), at_end(KNOWN_ENDED, -1))


def negative(formula: Formula) -> Formula:
    return tuple(term._replace(sign=-term.sign) for term in formula)


def over_range(formula: Formula) -> Sum:
    return Sum(formula, unknown=(*_OVERLAPPING, *negative(_OVERLAPPING_KNOWN)), known=_OVERLAPPING_KNOWN)


def at_instant(formula: Formula) -> Sum:
    return Sum(formula, unknown=(*PRESENT, *negative(_PRESENT_KNOWN)), known=_PRESENT_KNOWN)


_CLOSED = (LoanStatus.REPAID, LoanStatus.WRITTEN_OFF, LoanStatus.DECLINED, LoanStatus.CANCELLED)
_BY_STATUS = {status.value: (at_end(measure),) for status, measure in STATUS.items()}
_BY_BUCKET = {bucket.value: (at_end(measure),) for bucket, measure in BUCKET.items()}

LOAN_SOURCE = Source(
    name="loans",
    label="Loans",
    permission=Permission.LOANS_MANAGE,
    time=TimeBinding.INTERVAL,
    time_field="createdAt",
    fields=fields(
        enum_field("side", "Side of the organization", tuple(Side)),
        enum_field("status", "Status", tuple(LoanStatus)),
        enum_field("bucket", "Days past due, of active loans", tuple(Bucket)),
        text_field("currency", "Currency"),
        instant_field("createdAt", "Offered"),
        instant_field("acceptedAt", "Accepted", nullable=True),
        instant_field("closedAt", "Declined, cancelled, repaid or written off", nullable=True),
        measure_field("principal", FieldType.MONEY, "Principal", is_level=True),
        measure_field("outstanding", FieldType.MONEY, "Principal outstanding, of active loans", is_level=True),
        measure_field("interestPaid", FieldType.MONEY, "Interest paid"),
        measure_field("daysPastDue", FieldType.NUMBER, "Days past due", is_level=True),
    ),
    collection=LOANS,
    contribution=contribution_of,
    row=row_of,
    dependencies=dependencies_of,
    further=read_histories,
    max_rows=MAX_ROWS,
    counts={
        "": _OVERLAPPING,
        "createdAt": (within(STARTED),),
        "acceptedAt": (within(ACCEPTED),),
        "closedAt": tuple(within(STATUS[status]) for status in _CLOSED),
    },
    snapshot_sums={
        "principal": at_instant((at_end(PRINCIPAL), at_end(PRINCIPAL_ENDED, -1))),
        "outstanding": at_instant((at_end(OUTSTANDING),)),
    },
    sums={
        "principal": over_range((at_end(PRINCIPAL), at_start(PRINCIPAL_ENDED, -1))),
        "outstanding": over_range((at_end(OUTSTANDING),)),
        "interestPaid": over_range((within(INTEREST),)),
    },
    states={
        "status": States(
            in_period={
                **{status.value: (within(measure),) for status, measure in STATUS.items()},
                **{status.value: (at_end(STATUS[status]),) for status in (LoanStatus.OFFERED, LoanStatus.ACTIVE)},
            },
            snapshots=_BY_STATUS,
            accumulating=frozenset(LoanStatus),
        ),
        "bucket": States(in_period=_BY_BUCKET, snapshots=_BY_BUCKET),
    },
    split=SIDES,
    conversions={
        (name, reached): conversion(OFFERS[side], letter)
        for name, side in (("offered", Side.LENDER), ("received", Side.BORROWER))
        for reached, letter in (("accepted", "a"), ("declined", "d"))
    },
)
