"""Laws and traps of terms, day counts and repayment schedules."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.days import months_after
from chalicelib.core.errors import ActionError, ErrorCode
from chalicelib.models.loans.day_counts import DayCount
from chalicelib.models.loans.schedule import Schedule, schedule
from chalicelib.models.loans.terms import MAX_INSTALLMENTS, MAX_PRINCIPAL, Amortization, Terms, require_valid
from tests.support.hypothesis_profile import law
from tests.support.loan_terms import DATES, terms

pytestmark = pytest.mark.storeless

LOAN = Terms(
    principal=1_200_000,
    currency="EUR",
    interest_rate_bps=Decimal(600),
    start_date=date(2026, 1, 31),
    maturity_date=date(2027, 1, 31),
    installments=12,
)


def principals(computed: Schedule) -> list[int]:
    return [row.principal for row in computed]


def interests(computed: Schedule) -> list[int]:
    return [row.interest for row in computed]


# -- laws ------------------------------------------------------------------------------------------------------------


@law(500)
@given(terms(max_principal=MAX_PRINCIPAL))
def test_rows_sum_up_exactly_and_none_is_negative(loan: Terms) -> None:
    computed = schedule(loan)

    balance = loan.principal
    for row in computed:
        balance -= row.principal
        assert row.balance == balance
        assert row.payment == row.principal + row.interest
        assert min(row.principal, row.interest, row.balance) >= 0
    assert balance == 0
    assert sum(principals(computed)) == loan.principal
    assert sum(row.days for row in computed) == (loan.maturity_date - loan.start_date).days
    assert [row.number for row in computed] == list(range(1, loan.installments + 1))


@law(200)
@given(terms())
def test_schedule_is_a_pure_function_of_terms(loan: Terms) -> None:
    assert schedule(loan) == schedule(replace(loan, interest_rate_bps=loan.interest_rate_bps + Decimal("0.00")))


@law(200)
@given(terms())
def test_interest_is_of_the_rounded_balance_and_rounded_half_up_once(loan: Terms) -> None:
    balance, start = loan.principal, loan.start_date
    for row in schedule(loan):
        rate = Fraction(loan.interest_rate_bps) / 10_000
        exact = balance * rate * loan.day_count.fraction(start, row.due_date)
        assert row.interest == int(exact + Fraction(1, 2))
        balance, start = row.balance, row.due_date


@law(200)
@given(terms(), st.data())
def test_earned_interest_grows_from_nothing_to_the_whole(loan: Terms, data: st.DataObject) -> None:
    """Given two days, then no less is earned on the later one, nothing before a period and all from its due date on."""
    computed = schedule(loan)
    row = computed[data.draw(st.integers(0, len(computed) - 1))]
    start = row.due_date - timedelta(days=row.days)
    days = sorted(data.draw(st.lists(st.integers(0, row.days), min_size=2, max_size=2)))

    earlier, later = (computed.earned_interest(row, start + timedelta(days=day)) for day in days)

    assert 0 <= earlier <= later <= row.interest
    assert computed.earned_interest(row, start) == 0
    assert computed.earned_interest(row, row.due_date) == row.interest
    assert computed.earned_interest(row, row.due_date + timedelta(days=1)) == row.interest


@law(200)
@given(DATES, st.integers(0, 800), st.integers(0, 800), st.sampled_from([*DayCount]))
def test_day_counts_add_up_over_adjacent_periods(start: date, first: int, second: int, day_count: DayCount) -> None:
    middle = start + timedelta(days=first)
    end = middle + timedelta(days=second)

    assert day_count.fraction(start, middle) + day_count.fraction(middle, end) == day_count.fraction(start, end)
    assert day_count.fraction(start, start) == 0


@law(200)
@given(terms())
def test_installments_that_fit_are_valid_and_one_more_is_refused(loan: Terms) -> None:
    require_valid(loan)
    fitting = next(
        number
        for number in range(loan.installments, MAX_INSTALLMENTS + 200)
        if months_after(loan.start_date, number) >= loan.maturity_date
    )

    require_valid(replace(loan, installments=fitting))
    with pytest.raises(ActionError) as refusal:
        require_valid(replace(loan, installments=fitting + 1))

    assert refusal.value.code is ErrorCode.VALIDATION_ERROR
    assert refusal.value.details == {
        "fieldErrors": {
            "installments": [f"must be at most {fitting}, as many as fit before maturityDate, a month apart"]
        }
    }


# -- terms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("maturity", [date(2026, 1, 31), date(2026, 1, 30)])
def test_maturity_is_after_the_start(maturity: date) -> None:
    with pytest.raises(ActionError) as refusal:
        require_valid(replace(LOAN, maturity_date=maturity, grace_installments=12))

    assert refusal.value.code is ErrorCode.INVALID_DATE_RANGE
    assert refusal.value.details == {
        "fieldErrors": {
            "maturityDate": ["must be after startDate"],
            "graceInstallments": ["must be less than installments"],
        }
    }


def test_a_due_date_on_maturity_leaves_no_room_for_the_last_installment() -> None:
    """Given 28 February as maturity, on which the first of two would be due as well, then only one fits."""
    with pytest.raises(ActionError, match="installments: must be at most 1"):
        require_valid(replace(LOAN, maturity_date=date(2026, 2, 28), installments=2))


# -- due dates and day counts ----------------------------------------------------------------------------------------


def test_month_ends_are_not_sticky() -> None:
    from_31st = schedule(replace(LOAN, start_date=date(2024, 1, 31), maturity_date=date(2024, 5, 31), installments=4))
    from_28th = schedule(replace(LOAN, start_date=date(2023, 2, 28), maturity_date=date(2023, 5, 28), installments=3))

    assert [row.due_date.isoformat() for row in from_31st] == ["2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]
    assert [row.due_date.isoformat() for row in from_28th] == ["2023-03-28", "2023-04-28", "2023-05-28"]


@pytest.mark.parametrize(
    ("maturity", "days"), [(date(2026, 3, 1), 1), (date(2026, 3, 31), 31), (date(2026, 12, 31), 306)]
)
def test_last_period_is_short_or_long(maturity: date, days: int) -> None:
    computed = schedule(replace(LOAN, maturity_date=maturity, installments=2))

    assert [(row.due_date, row.days) for row in computed] == [(date(2026, 2, 28), 28), (maturity, days)]
    assert interests(computed)[1] == round(Fraction(600_000 * 6 * days, 36_500))


def test_actual_days_count_not_twelfths_of_a_year() -> None:
    """Given 6 % of 12,000.00, then 28 days of February bear 55.23, not the 60.00 of a twelfth."""
    assert interests(schedule(LOAN))[0] == 5523


@pytest.mark.parametrize(
    ("day_count", "interest"),
    [
        (DayCount.ACT_365F, 3_660_000),  # 366 days by 365
        (DayCount.ACT_360, 3_710_833),
        (DayCount.THIRTY_E_360, 3_650_000),
        (DayCount.ACT_ACT, 3_650_000),
    ],
)
def test_bullet_over_a_leap_year(day_count: DayCount, interest: int) -> None:
    """Given 3.65 % of 1,000,000.00 over the 366 days of 2024, then only the fixed 365 days bear more than a year."""
    loan = replace(
        LOAN,
        principal=100_000_000,
        interest_rate_bps=Decimal(365),
        start_date=date(2024, 1, 1),
        maturity_date=date(2025, 1, 1),
        installments=1,
        amortization=Amortization.BULLET,
        day_count=day_count,
    )

    (row,) = schedule(loan)

    assert (row.days, row.principal, row.interest) == (366, 100_000_000, interest)


# -- amortization ----------------------------------------------------------------------------------------------------


def test_share_that_rounds_up_ends_in_a_smaller_last_row_and_never_a_negative_one() -> None:
    """Given 10 in 18 rows, whose share of 0.56 rounds up to 1, then ten rows pay it and the others nothing."""
    loan = replace(LOAN, principal=10, interest_rate_bps=Decimal(0), installments=18, maturity_date=date(2027, 7, 31))

    equal, annuity = schedule(loan), schedule(replace(loan, amortization=Amortization.ANNUITY))

    assert principals(equal) == principals(annuity) == [1] * 10 + [0] * 8


def test_annuity_never_adds_to_the_balance() -> None:
    """Given a rate at which a long month's interest is more than the level payment, then no principal is negative."""
    loan = replace(
        LOAN,
        principal=100_000,
        interest_rate_bps=Decimal(100_000),
        maturity_date=date(2031, 1, 31),
        installments=60,
        amortization=Amortization.ANNUITY,
    )

    computed = schedule(loan)

    assert 0 in principals(computed)
    assert min(principals(computed)) == 0
    assert computed[59].balance == 0


def test_annuity_without_interest_is_the_share() -> None:
    loan = replace(
        LOAN, principal=100_000, interest_rate_bps=Decimal(0), amortization=Amortization.ANNUITY, installments=6
    )

    assert principals(schedule(loan)) == [16_667] * 5 + [16_665]


@pytest.mark.parametrize("amortization", [Amortization.EQUAL_PRINCIPAL, Amortization.ANNUITY])
def test_grace_pays_interest_only_and_the_others_share_the_principal(amortization: Amortization) -> None:
    loan = replace(LOAN, interest_rate_bps=Decimal(0), amortization=amortization, grace_installments=4)

    assert principals(schedule(loan)) == [0] * 4 + [150_000] * 8
    assert interests(schedule(replace(loan, interest_rate_bps=Decimal(600))))[:2] == [5523, 6115]


def test_bullet_pays_interest_each_period_and_principal_last() -> None:
    computed = schedule(replace(LOAN, amortization=Amortization.BULLET))

    assert principals(computed) == [0] * 11 + [1_200_000]
    assert interests(computed)[:3] == [5523, 6115, 5918]


@pytest.mark.parametrize(
    ("currency", "principal", "payment"),
    [("JPY", 100_000, 34_155), ("EUR", 10_000_000, 3_415_492), ("BHD", 100_000_000, 34_154_923)],
)
def test_currencies_round_to_their_own_minor_unit(currency: str, principal: int, payment: int) -> None:
    """Given 100,000 of a currency with no, two or three digits, then the same annuity is rounded to each."""
    loan = replace(
        LOAN,
        principal=principal,
        currency=currency,
        interest_rate_bps=Decimal("1493.25"),
        start_date=date(2026, 1, 1),
        maturity_date=date(2026, 4, 1),
        installments=3,
        amortization=Amortization.ANNUITY,
    )

    computed = schedule(loan)

    assert [row.payment for row in computed][:2] == [payment, payment]
    assert sum(principals(computed)) == principal


def test_half_a_minor_unit_rounds_up_where_a_float_would_not() -> None:
    """Given 30 days' interest of exactly 72.5, which is less as a float, then it is 73, and not the even 72 either."""
    loan = replace(
        LOAN,
        principal=12_000,
        interest_rate_bps=Decimal(725),
        start_date=date(2026, 1, 1),
        maturity_date=date(2026, 1, 31),
        installments=1,
        day_count=DayCount.ACT_360,
    )

    assert interests(schedule(loan)) == [73]
    assert 12_000 * (725 / 10_000) * (30 / 360) < 72.5


@pytest.mark.parametrize("day_count", [*DayCount])
def test_six_hundred_installments_are_fast(day_count: DayCount) -> None:
    """Given an annuity of 600 different periods, then its exact schedule takes some milliseconds of CPU."""
    loan = replace(
        LOAN,
        principal=MAX_PRINCIPAL,
        interest_rate_bps=Decimal("612.57"),
        maturity_date=date(2076, 1, 31),
        installments=600,
        amortization=Amortization.ANNUITY,
        day_count=day_count,
    )

    started = time.process_time()
    computed = schedule(loan)

    assert time.process_time() - started < 0.05
    assert computed[599].balance == 0
