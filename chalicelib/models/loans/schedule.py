"""Repayment schedules: a pure function of terms.

Exact until interest, share and annuity are each rounded once, half up. Rates of periods are integers over one
denominator, not `Fraction`, whose reductions would make an annuity of 600 installments several times slower.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from chalicelib.core.money import rounded_half_up
from chalicelib.models.loans.terms import Amortization, Terms


@dataclass(frozen=True, slots=True)
class Installment:
    number: int
    """Counted from 1."""
    due_date: date
    days: int
    """Days of the calendar since the due date before, or the start."""
    principal: int
    interest: int
    payment: int
    """Principal and interest."""
    balance: int
    """Principal still to be paid after it."""


@dataclass(frozen=True)
class Schedule:
    """The installments of a loan, oldest first."""

    terms: Terms
    installments: tuple[Installment, ...]

    def __iter__(self) -> Iterator[Installment]:
        return iter(self.installments)

    def __len__(self) -> int:
        return len(self.installments)

    def __getitem__(self, place: int) -> Installment:
        return self.installments[place]

    @property
    def interest(self) -> int:
        """Interest of all installments."""
        return sum(installment.interest for installment in self.installments)

    def earned_interest(self, installment: Installment, on: date) -> int:
        """Return the part of an installment's interest that is due, or has accrued since the due date before it."""
        if installment.due_date <= on:
            return installment.interest
        start = installment.due_date - timedelta(days=installment.days)
        if on <= start:
            return 0
        balance = installment.balance + installment.principal
        accrued = balance * _annual_rate(self.terms) * self.terms.day_count.fraction(start, on)
        return rounded_half_up(*accrued.as_integer_ratio())


@dataclass(frozen=True)
class _PeriodRates:
    """Interest of one unit of principal in each period: numerators over one denominator."""

    numerators: Sequence[int]
    denominator: int

    @classmethod
    def of(cls, terms: Terms, due_dates: Sequence[date]) -> _PeriodRates:
        annual = _annual_rate(terms)
        rates = [annual * terms.day_count.fraction(start, end) for start, end in pairwise(due_dates)]
        denominator = math.lcm(*(rate.denominator for rate in rates))
        return cls([rate.numerator * (denominator // rate.denominator) for rate in rates], denominator)


def schedule(terms: Terms) -> Schedule:
    """Return the schedule of terms that are valid: rows without a negative amount, whose principal sums up exactly."""
    due_dates = [terms.due_date(number) for number in range(terms.installments + 1)]
    rates = _PeriodRates.of(terms, due_dates)
    level = _level_amount(terms, rates)
    rows: list[Installment] = []
    balance = terms.principal
    for number, rate in enumerate(rates.numerators, start=1):
        interest = rounded_half_up(balance * rate, rates.denominator)
        if number == terms.installments:
            principal = balance
        elif number <= terms.grace_installments:
            principal = 0
        elif terms.amortization is Amortization.ANNUITY:
            # Where a long period's interest alone is more than the level payment, that interest is the payment.
            principal = min(max(level - interest, 0), balance)
        else:
            principal = min(level, balance)
        balance -= principal
        start, due = due_dates[number - 1], due_dates[number]
        rows.append(Installment(number, due, (due - start).days, principal, interest, principal + interest, balance))
    return Schedule(terms, tuple(rows))


def _level_amount(terms: Terms, rates: _PeriodRates) -> int:
    """Return the amount that installments after grace have in common: of principal, or of an annuity's payment."""
    match terms.amortization:
        case Amortization.EQUAL_PRINCIPAL:
            return rounded_half_up(terms.principal, terms.installments - terms.grace_installments)
        case Amortization.BULLET:
            return 0
        case Amortization.ANNUITY:
            # P·Π(1+fᵢ) / Σₖ Π_{i>k}(1+fᵢ); numerator and denominator both times the n-th power of the denominator.
            product, total, power = 1, 0, 1
            for rate in rates.numerators[terms.grace_installments :]:
                growth = rates.denominator + rate
                power *= rates.denominator
                product, total = product * growth, total * growth + power
            return rounded_half_up(terms.principal * product, total)


def _annual_rate(terms: Terms) -> Fraction:
    """Return the interest of one unit of principal in a year."""
    return Fraction(terms.interest_rate_bps) / 10_000
