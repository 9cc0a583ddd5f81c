"""Schedules against QuantLib: due dates, day counts, interest and balances of random terms."""

from __future__ import annotations

import math
from datetime import date
from fractions import Fraction
from itertools import pairwise

import pytest
import QuantLib as ql  # noqa: N813  its own short name
from hypothesis import given

from chalicelib.models.loans.day_counts import DayCount
from chalicelib.models.loans.schedule import Schedule, schedule
from chalicelib.models.loans.terms import Amortization, Terms
from tests.support.hypothesis_profile import law
from tests.support.loan_terms import terms

pytestmark = pytest.mark.storeless

DAY_COUNTERS = {
    DayCount.ACT_365F: ql.Actual365Fixed(),
    DayCount.ACT_360: ql.Actual360(),
    DayCount.THIRTY_E_360: ql.Thirty360(ql.Thirty360.EurobondBasis),
    DayCount.ACT_ACT: ql.ActualActual(ql.ActualActual.ISDA),
}
YEARS = {DayCount.ACT_365F: 365, DayCount.ACT_360: 360, DayCount.THIRTY_E_360: 360}
"""Days by which the day counts with a fixed year divide."""

FLOAT_ERROR = 1e-5
"""A bound of the error in QuantLib's amounts, in minor units: of a billion, floats have seven decimals."""


def quantlib_date(day: date) -> ql.Date:
    return ql.Date(day.day, day.month, day.year)


def quantlib_dates(loan: Terms) -> list[ql.Date]:
    """Return the start and the due dates: steps of a month on a calendar without holidays, then maturity."""
    start, maturity = quantlib_date(loan.start_date), quantlib_date(loan.maturity_date)
    monthly = ql.Schedule(
        start,
        maturity,
        ql.Period(ql.Monthly),
        ql.NullCalendar(),
        ql.Unadjusted,
        ql.Unadjusted,
        ql.DateGeneration.Forward,
        False,  # month ends are not sticky
    )
    return [*list(monthly)[: loan.installments], maturity]


def annuity(loan: Terms, dates: list[ql.Date]) -> float:
    """Return the level payment from discount factors, which is another way to it than the product's growth factors."""
    rate = ql.InterestRate(float(loan.interest_rate_bps) / 10_000, DAY_COUNTERS[loan.day_count], ql.Simple, ql.Annual)
    discount, total = 1.0, 0.0
    for start, end in pairwise(dates[loan.grace_installments :]):
        discount *= rate.discountFactor(start, end)
        total += discount
    return loan.principal / total


def assert_is_nearest(amount: int, exact: float) -> None:
    assert abs(amount - exact) <= 0.5 + FLOAT_ERROR


def check_principal(computed: Schedule, dates: list[ql.Date]) -> None:
    """Check the level amount, and that every row but the last pays it as far as it can."""
    loan, balance = computed.terms, computed.terms.principal
    exact = annuity(loan, dates)
    level: int | None = None
    for row in computed.installments[:-1]:
        if loan.amortization is Amortization.BULLET or row.number <= loan.grace_installments:
            assert row.principal == 0
        elif loan.amortization is Amortization.EQUAL_PRINCIPAL:
            share = math.floor(loan.principal / (loan.installments - loan.grace_installments) + 0.5)
            assert row.principal == min(share, balance)
        elif row.balance and row.principal:
            level = level or row.payment
            assert row.payment == level
            assert_is_nearest(row.payment, exact)
        balance -= row.principal


@law(10_000, default=300)
@given(terms())
def test_schedule_is_that_of_quantlib(loan: Terms) -> None:
    counter = DAY_COUNTERS[loan.day_count]
    dates = quantlib_dates(loan)

    computed = schedule(loan)

    balance = loan.principal
    assert [quantlib_date(row.due_date) for row in computed] == dates[1:]
    for row, start, end in zip(computed, dates, dates[1:], strict=False):
        fraction = loan.day_count.fraction(start.to_date(), end.to_date())
        assert row.days == end - start
        assert abs(float(fraction) - counter.yearFraction(start, end)) < 1e-12
        if loan.day_count in YEARS:
            assert fraction == Fraction(counter.dayCount(start, end), YEARS[loan.day_count])
        coupon = ql.FixedRateCoupon(end, balance, float(loan.interest_rate_bps) / 10_000, counter, start, end)
        assert_is_nearest(row.interest, coupon.amount())
        balance -= row.principal
        assert row.balance == balance
    assert balance == 0
    check_principal(computed, dates)
