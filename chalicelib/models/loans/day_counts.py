"""Day counts: conventions that turn the time between two dates into a fraction of a year."""

from __future__ import annotations

import calendar
from datetime import date
from enum import StrEnum
from fractions import Fraction


class DayCount(StrEnum):
    ACT_365F = "ACT_365F"
    """Actual days by 365, in leap years too."""
    ACT_360 = "ACT_360"
    THIRTY_E_360 = "30E_360"
    """Months of 30 days: a 31st counts as the 30th (Eurobond basis)."""
    ACT_ACT = "ACT_ACT"
    """The days within each calendar year by that year's length (ISDA)."""

    def fraction(self, start: date, end: date) -> Fraction:
        """Return the exact fraction of a year from `start` to `end`, which is not earlier."""
        match self:
            case DayCount.ACT_365F:
                return Fraction((end - start).days, 365)
            case DayCount.ACT_360:
                return Fraction((end - start).days, 360)
            case DayCount.THIRTY_E_360:
                months = (end.year - start.year) * 12 + end.month - start.month
                return Fraction(30 * months + min(end.day, 30) - min(start.day, 30), 360)
            case DayCount.ACT_ACT:
                return end.year - start.year + _elapsed(end) - _elapsed(start)


def _elapsed(day: date) -> Fraction:
    """Return the fraction of its calendar year before `day`."""
    return Fraction((day - date(day.year, 1, 1)).days, 366 if calendar.isleap(day.year) else 365)
