"""Days past due, buckets and due amounts, and the days on which they change."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.models.loans.allocation import Payment, WriteOff, allocate
from chalicelib.models.loans.arrears import (
    NO_ARREARS,
    Bucket,
    InstallmentStatus,
    arrears,
    bucket_of,
    installment_status,
)
from chalicelib.models.loans.schedule import Schedule, schedule
from chalicelib.models.loans.terms import Terms
from tests.support.hypothesis_profile import law
from tests.support.loan_terms import RECORDED, payment, payments, terms

pytestmark = pytest.mark.storeless

SCHEDULE = schedule(
    Terms(
        principal=300_000,
        currency="EUR",
        interest_rate_bps=Decimal(600),
        start_date=date(2026, 1, 1),
        maturity_date=date(2026, 4, 1),
        installments=3,
    )
)
"""Due on 1 February, 1 March and 1 April: 1,015.29, 1,009.21 and 1,005.10."""
UNPAID = allocate(SCHEDULE, [])


@pytest.mark.parametrize(
    ("today", "days", "bucket", "changes_on"),
    [
        (date(2026, 1, 1), 0, Bucket.CURRENT, date(2026, 2, 2)),
        (date(2026, 2, 1), 0, Bucket.CURRENT, date(2026, 2, 2)),  # the due day itself is not past due
        (date(2026, 2, 2), 1, Bucket.D1_30, date(2026, 3, 4)),
        (date(2026, 3, 3), 30, Bucket.D1_30, date(2026, 3, 4)),
        (date(2026, 3, 4), 31, Bucket.D31_60, date(2026, 4, 3)),
        (date(2026, 4, 2), 60, Bucket.D31_60, date(2026, 4, 3)),
        (date(2026, 4, 3), 61, Bucket.D61_90, date(2026, 5, 3)),
        (date(2026, 5, 2), 90, Bucket.D61_90, date(2026, 5, 3)),
        (date(2026, 5, 3), 91, Bucket.D90_PLUS, None),
        (date(2030, 1, 1), 1430, Bucket.D90_PLUS, None),
    ],
)
def test_bucket_follows_the_oldest_unpaid_due_date(
    today: date, days: int, bucket: Bucket, changes_on: date | None
) -> None:
    state = arrears(UNPAID, today)

    assert (state.days_past_due, state.bucket, state.bucket_changes_on) == (days, bucket, changes_on)


def test_due_and_overdue_amounts_and_the_next_payment() -> None:
    """Given the first installment half paid on the second's due day, then one is overdue, both are due."""
    allocation = allocate(SCHEDULE, [payment(1, date(2026, 2, 1), 50_000)])

    state = arrears(allocation, date(2026, 3, 1))

    assert (state.overdue_amount, state.overdue_installments) == (51_529, 1)
    assert state.due_amount == 51_529 + 100_921
    assert (state.next_due_date, state.next_payment) == (date(2026, 3, 1), 100_921)


def test_next_payment_of_an_installment_paid_in_part_is_the_rest() -> None:
    allocation = allocate(SCHEDULE, [payment(1, date(2026, 1, 15), 101_529 + 921)])

    state = arrears(allocation, date(2026, 1, 15))

    assert (state.next_due_date, state.next_payment) == (date(2026, 3, 1), 100_000)


def test_nothing_comes_next_after_maturity() -> None:
    state = arrears(UNPAID, date(2026, 4, 2))

    assert (state.next_due_date, state.next_payment, state.overdue_installments) == (None, 0, 3)


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2026, 2, 2), date(2027, 1, 1)])
def test_loan_that_is_repaid_or_written_off_has_no_arrears(today: date) -> None:
    repaid = allocate(SCHEDULE, [payment(1, date(2026, 1, 1), UNPAID.maximum)])
    written_off = allocate(SCHEDULE, [], written_off=WriteOff(date(2026, 2, 10), RECORDED))

    assert arrears(repaid, today) == arrears(written_off, today) == NO_ARREARS


def test_installments_have_a_status_on_each_day() -> None:
    allocation = allocate(SCHEDULE, [payment(1, date(2026, 2, 1), 101_529)])

    statuses = [installment_status(installment, date(2026, 3, 1)) for installment in allocation.installments]
    day_after = [installment_status(installment, date(2026, 3, 2)) for installment in allocation.installments]

    assert statuses == [InstallmentStatus.PAID, InstallmentStatus.DUE, InstallmentStatus.UPCOMING]
    assert day_after == [InstallmentStatus.PAID, InstallmentStatus.OVERDUE, InstallmentStatus.UPCOMING]


def test_past_due_is_a_matter_of_the_day_alone() -> None:
    """Given one instant that is two dates in two zones, then each date has one answer: the loan's zone chooses."""
    tokyo, new_york = date(2026, 2, 2), date(2026, 2, 1)

    assert (arrears(UNPAID, tokyo).days_past_due, arrears(UNPAID, new_york).days_past_due) == (1, 0)


@st.composite
def paid_loans(draw: st.DrawFn) -> tuple[Schedule, list[Payment]]:
    computed = schedule(draw(terms(max_installments=6)))
    return computed, draw(payments(computed, 4))


@law(200)
@given(paid_loans(), st.integers(-5, 400))
def test_bucket_changes_on_the_day_that_was_foretold_and_not_before(
    loan: tuple[Schedule, list[Payment]], after_start: int
) -> None:
    computed, recorded = loan
    allocation = allocate(computed, recorded)
    today = computed.terms.start_date + timedelta(days=after_start)

    state = arrears(allocation, today)

    assert state.bucket is bucket_of(state.days_past_due)
    if state.bucket_changes_on is None:
        assert arrears(allocation, today + timedelta(days=1000)).bucket is state.bucket
    else:
        assert state.bucket_changes_on > today
        assert arrears(allocation, state.bucket_changes_on - timedelta(days=1)).bucket is state.bucket
        assert arrears(allocation, state.bucket_changes_on).bucket is not state.bucket


@law(200)
@given(paid_loans(), st.integers(0, 400))
def test_overdue_amount_is_what_would_have_to_be_paid_to_be_current(
    loan: tuple[Schedule, list[Payment]], after_start: int
) -> None:
    """Given a loan past due, when exactly the overdue amount is paid, then it is current; with one less it is not."""
    computed, recorded = loan
    today = computed.terms.start_date + timedelta(days=after_start)
    overdue = arrears(allocate(computed, recorded), today).overdue_amount

    for paid, is_overdue in ((overdue, False), (overdue - 1, True)):
        if paid > 0:
            state = arrears(allocate(computed, [*recorded, payment(99, today, paid)]), today)
            assert (state.days_past_due > 0) is (state.bucket is not Bucket.CURRENT) is is_overdue
            assert state.overdue_amount == overdue - paid
