"""Terms of a loan, and the rules that tie them to one another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from chalicelib.core.days import months_after
from chalicelib.core.errors import ErrorCode, invalid_fields
from chalicelib.models.loans.day_counts import DayCount

MAX_INSTALLMENTS = 600
MAX_PRINCIPAL = 10_000_000_000_000
"""Minor units."""
MAX_INTEREST_RATE_BPS = 100_000
"""1000 % a year."""


class Amortization(StrEnum):
    EQUAL_PRINCIPAL = "EQUAL_PRINCIPAL"
    ANNUITY = "ANNUITY"
    BULLET = "BULLET"


@dataclass(frozen=True)
class Terms:
    principal: int
    """Minor units."""
    currency: str
    interest_rate_bps: Decimal
    """Hundredths of a percent a year, with up to two decimals of their own."""
    start_date: date
    maturity_date: date
    installments: int
    amortization: Amortization = Amortization.EQUAL_PRINCIPAL
    day_count: DayCount = DayCount.ACT_365F
    grace_installments: int = 0
    """The first ones, which pay interest only."""

    def due_date(self, number: int) -> date:
        """Return the due date of an installment, counted from 1: on the start's day of the month; the last at maturity.

        Month ends are not sticky: after 31 January come 28 February and 31 March. 0 is the start.
        """
        return self.maturity_date if number == self.installments else months_after(self.start_date, number)


def terms_errors(terms: Terms) -> dict[str, list[str]]:
    """Return the errors of values that do not fit together, by field. Ranges of single fields are the contract's."""
    errors: dict[str, list[str]] = {}
    if terms.maturity_date <= terms.start_date:
        errors["maturityDate"] = ["must be after startDate"]
    elif terms.installments > (fitting := _fitting_installments(terms)):
        errors["installments"] = [f"must be at most {fitting}, as many as fit before maturityDate, a month apart"]
    if terms.grace_installments >= terms.installments:
        errors["graceInstallments"] = ["must be less than installments"]
    return errors


def require_valid(terms: Terms) -> None:
    """Refuse terms that do not fit together: INVALID_DATE_RANGE if the end is not after the start."""
    errors = terms_errors(terms)
    if errors:
        code = ErrorCode.INVALID_DATE_RANGE if "maturityDate" in errors else ErrorCode.VALIDATION_ERROR
        raise invalid_fields(errors, code)


def _fitting_installments(terms: Terms) -> int:
    """Return the greatest number of installments whose last but one is due before maturity."""
    start, maturity = terms.start_date, terms.maturity_date
    months = (maturity.year - start.year) * 12 + maturity.month - start.month
    return months + 1 if months_after(start, months) < maturity else months
