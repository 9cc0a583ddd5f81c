"""The history of a loan equals replays of its payments up to each day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.models.loans.allocation import Payment, WriteOff, allocate
from chalicelib.models.loans.arrears import Bucket, arrears
from chalicelib.models.loans.history import History
from chalicelib.models.loans.schedule import Schedule, schedule
from chalicelib.models.loans.terms import Terms
from tests.support.hypothesis_profile import law
from tests.support.loan_terms import RECORDED, payment, payments, terms

pytestmark = pytest.mark.storeless


@st.composite
def paid_loans(draw: st.DrawFn) -> tuple[Schedule, list[Payment]]:
    """Draw a loan with its payments, the last of which may settle it."""
    computed = schedule(draw(terms(max_installments=8)))
    recorded = draw(payments(computed, 4))
    day = max([computed.terms.start_date, *(past.value_date for past in recorded)])
    day += timedelta(days=draw(st.integers(0, 60)))
    amount = allocate(computed, recorded).payoff(day).amount
    return computed, [*recorded, payment(50, day, amount, settles=True)] if draw(st.booleans()) else recorded


@law(200)
@given(paid_loans(), st.lists(st.integers(-5, 500), min_size=1, max_size=5))
def test_history_of_a_day_is_the_replay_up_to_it(loan: tuple[Schedule, list[Payment]], days: list[int]) -> None:
    computed, recorded = loan
    history = History(allocate(computed, recorded))
    since = computed.terms.start_date - timedelta(days=5)
    buckets = list(history.buckets(since))

    for day in (computed.terms.start_date + timedelta(days=number) for number in days):
        replayed = allocate(computed, recorded, until=day)
        state = arrears(replayed, day)
        assert history.paid_principal(day) == replayed.paid_principal
        assert history.paid_interest(day) == replayed.paid_interest
        assert history.days_past_due(day) == state.days_past_due
        assert [bucket for start, bucket in buckets if start <= day][-1] is state.bucket


@law(200)
@given(paid_loans())
def test_buckets_begin_on_ascending_days_and_differ(loan: tuple[Schedule, list[Payment]]) -> None:
    computed, recorded = loan

    buckets = list(History(allocate(computed, recorded)).buckets(computed.terms.start_date))

    assert buckets[0] == (computed.terms.start_date, Bucket.CURRENT)
    assert all(day < later and bucket is not other for (day, bucket), (later, other) in pairwise(buckets))


def test_buckets_of_a_loan_that_nobody_pays_are_known_ahead() -> None:
    loan = schedule(Terms(300_000, "EUR", Decimal(600), date(2026, 1, 1), date(2026, 4, 1), 3))

    buckets = list(History(allocate(loan, [])).buckets(date(2026, 1, 10)))

    assert buckets == [
        (date(2026, 1, 10), Bucket.CURRENT),
        (date(2026, 2, 2), Bucket.D1_30),
        (date(2026, 3, 4), Bucket.D31_60),
        (date(2026, 4, 3), Bucket.D61_90),
        (date(2026, 5, 3), Bucket.D90_PLUS),
    ]


def test_recoveries_are_left_out() -> None:
    loan = schedule(Terms(300_000, "EUR", Decimal(600), date(2026, 1, 1), date(2026, 4, 1), 3))
    recorded = [payment(1, date(2026, 2, 1), 101_529), payment(60, date(2026, 3, 20), 5_000)]

    history = History(allocate(loan, recorded, written_off=WriteOff(date(2026, 3, 10), RECORDED)))

    assert history.value_dates == [date(2026, 2, 1)]
    assert (history.paid_principal(date(2027, 1, 1)), history.paid_interest(date(2027, 1, 1))) == (100_000, 1_529)
