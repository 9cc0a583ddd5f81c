"""The level changes of loans give the numbers that their rows do, at any instants: checked without a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.clock import milliseconds
from chalicelib.core.days import day_of, months_after, start_of
from chalicelib.metrics.engine.nodes import RowScan
from chalicelib.metrics.engine.plan import Planner
from chalicelib.metrics.engine.scan import Entities
from chalicelib.metrics.language.query import parse
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.loans import LOAN_SOURCE, SIDES, STATUS
from chalicelib.models.loans.allocation import Payment, allocate
from chalicelib.models.loans.history import History
from chalicelib.models.loans.loans import LoanStatus, Party, StoredLoan
from chalicelib.models.loans.schedule import schedule
from chalicelib.models.organizations import new_organization
from tests.support.hypothesis_profile import law
from tests.support.loan_queries import QUERIES

pytestmark = pytest.mark.storeless

NOON = datetime(2026, 2, 10, 12, tzinfo=UTC)
OWN = new_organization(name="Nordhafen Kredit AG", timezone="Europe/Berlin", currency="EUR")
OTHER = new_organization(name="Berg Staffing GmbH")
ENDED_OFFERS = (LoanStatus.DECLINED, LoanStatus.CANCELLED)
hours = st.integers(1, 24 * 100).map(lambda number: timedelta(hours=number))


class InMemory:
    """Levels of loans, added up from all their changes."""

    def __init__(self, loans: Sequence[tuple[StoredLoan, list[Any]]]) -> None:
        self._changes = [change for loan, inputs in loans for change in LOAN_SOURCE.contribution(loan, inputs)]

    def levels(self, _: str) -> InMemory:
        return self

    def level(self, measure: str, at: int) -> int:
        return sum(
            delta for change in self._changes if change.at < at for name, delta in change.deltas if name == measure
        )


class Given(Entities):
    def __init__(self, loans: Sequence[tuple[StoredLoan, list[Any]]]) -> None:
        self._rollup = LOAN_SOURCE
        self._rows = list(loans)


@st.composite
def loans(draw: st.DrawFn) -> tuple[StoredLoan, list[Any]]:
    """Draw an offer, or a loan after some repayments, recoveries or settlements, with its inputs."""
    created = NOON + draw(hours)
    own, other = (Party.of(organization.id, organization.name) for organization in (OWN, OTHER))
    lends, zone = draw(st.booleans()), draw(st.sampled_from(("Europe/Berlin", "Asia/Tokyo", "America/New_York")))
    start = day_of(created, zone) + timedelta(days=draw(st.integers(-60, 20)))
    offer = StoredLoan.new(
        created_at=created,
        lender=own if lends else other,
        borrower=other if lends else own,
        principal=draw(st.integers(1, 300_000)),
        currency=draw(st.sampled_from(("EUR", "EUR", "JPY"))),
        timezone=zone,
        interest_rate_bps=Decimal(900),
        start_date=start,
        maturity_date=months_after(start, 3),
        installments=3,
        expires_at=created + timedelta(days=30),
    )
    accepted = created + draw(hours)
    if accepted >= offer.expires_at or not draw(st.integers(0, 4)):
        if draw(st.booleans()):
            closed = {"status": draw(st.sampled_from(ENDED_OFFERS)), "closed_at": min(accepted, offer.expires_at)}
            offer = offer.model_copy(update=closed)
        return offer, [OWN, None]
    loan = offer.model_copy(update={"status": LoanStatus.ACTIVE, "accepted_at": accepted})
    loan, payments = lived(draw, loan, accepted)
    allocation = allocate(schedule(loan.terms), payments, written_off=loan.write_off)
    return loan, [OWN, History(allocation)]


def lived(draw: st.DrawFn, loan: StoredLoan, now: datetime) -> tuple[StoredLoan, list[Payment]]:
    payments: list[Payment] = []
    for number in range(draw(st.integers(0, 5))):
        now += draw(hours)
        today = day_of(now, loan.timezone)
        allocation = allocate(schedule(loan.terms), payments, written_off=loan.write_off)
        if loan.status is LoanStatus.ACTIVE and not draw(st.integers(0, 3)):
            loan = loan.model_copy(update={"status": LoanStatus.WRITTEN_OFF, "closed_at": now})
            continue
        settles = loan.status is LoanStatus.ACTIVE and not draw(st.integers(0, 4))
        day = today if settles else max(loan.start_date, today - timedelta(days=draw(st.integers(0, 60))))
        if day > today or day < loan.start_date or not allocation.maximum:
            continue
        amount = allocation.payoff(day).amount if settles else draw(st.integers(1, allocation.maximum))
        payments.append(Payment(f"{number}", day, now, amount, settles))
        after = allocate(schedule(loan.terms), payments, written_off=loan.write_off)
        if not after.maximum and loan.status is LoanStatus.ACTIVE:
            loan = loan.model_copy(update={"status": LoanStatus.REPAID, "closed_at": now})
            break
    return loan, payments


def instants(loan: StoredLoan) -> Iterator[datetime]:
    """Yield the instants of a loan, and the midnights at which it becomes due and past due."""
    yield from (loan.created_at, loan.expires_at)
    yield from (instant for instant in (loan.accepted_at, loan.closed_at) if instant is not None)
    for row in schedule(loan.terms):
        yield from (start_of(row.due_date + timedelta(days=days), loan.timezone) for days in (0, 1, 31))


@law(1000)
@given(st.lists(loans(), min_size=1, max_size=3), st.data())
def test_levels_give_what_rows_do(made: list[tuple[StoredLoan, list[Any]]], data: st.DataObject) -> None:
    known = sorted({instant for loan, _ in made for instant in instants(loan)})
    edge = st.sampled_from(known) | st.integers(0, 24 * 250).map(lambda number: NOON + timedelta(hours=number))
    shift = st.sampled_from((0, 0, 1, -1)).map(lambda number: timedelta(milliseconds=number))
    start, end = sorted(data.draw(edge) + data.draw(shift) for _ in range(2))
    over = Range(start, end, is_running=False)

    for written in QUERIES:
        query: Any = parse({"version": 1, "type": "simple", "period": "today", **written})
        node = Planner(OWN, end).aggregation(query)
        assert not isinstance(node, RowScan), written
        assert node.value(over, InMemory(made)) == Given(made).aggregate(query, over), written  # type: ignore[arg-type]  loans in memory


@law(300)
@given(loans())
def test_no_level_is_negative_and_all_end_at_nothing_but_what_is_left(loan: tuple[StoredLoan, list[Any]]) -> None:
    """Given all changes of a loan, then at each instant no level but its interest has been more than there was."""
    stored, _ = loan
    levels = InMemory([loan])
    suffix = "" if stored.lender.organization_id == OWN.id else "B"
    measures = [*(f"{name}{suffix}" for name in "flrwdxz"), *(f"b{number}{suffix}" for number in range(5))]
    outstanding = f"o{stored.currency}{suffix}"

    for at in sorted(
        {milliseconds(instant) for instant in instants(stored)} | {change.at for change in levels._changes}
    ):
        states = [levels.level(measure, at + 1) for measure in measures]
        assert min(states) == 0
        assert sum(states[:7]) == (at >= milliseconds(stored.created_at))
        assert sum(states[7:]) == states[1]
        assert 0 <= levels.level(outstanding, at + 1) <= (stored.principal if states[1] else 0)


@law(200)
@given(loans())
def test_status_at_last_is_the_one_that_is_stored_or_follows_from_time(loan: tuple[StoredLoan, list[Any]]) -> None:
    """Given an instant after everything that happens to a loan, then its row and its levels have its present status."""
    stored, inputs = loan
    end = NOON + timedelta(days=5000)
    status = stored.status_at(end)
    measure = f"{STATUS[status]}{SIDES.suffixes[stored.side_of(OWN.tenant)]}"

    row = LOAN_SOURCE.row(stored, inputs, Range(NOON, end, is_running=False))

    assert row.values["status"] == status.value
    assert InMemory([loan]).level(measure, milliseconds(end)) == 1
