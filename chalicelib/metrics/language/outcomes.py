"""Results of queries: values, series and groups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

MONEY_UNIT = "money"


class Unit(StrEnum):
    """The unit of a number. Money is in the organization's currency, in major units."""

    NUMBER = "number"
    HOURS = "hours"
    MONEY = MONEY_UNIT
    PERCENT = "percent"


@dataclass(frozen=True)
class Group:
    """One value of the dimension of `groupBy`."""

    key: str
    """The id, or the value itself."""
    label: str
    value: Decimal | None


@dataclass(frozen=True)
class Point:
    """The value of one day, week or month of a time series."""

    start: datetime
    end: datetime
    value: Decimal | None


@dataclass(frozen=True)
class Outcome:
    """`value` and `previous` are None where there is no value: a division by 0, hours without a rate."""

    unit: Unit
    value: Decimal | None = None
    previous: Decimal | None = None
    groups: tuple[Group, ...] = ()
    error: str | None = None
    """Why this one could not be evaluated; the others could."""


class CannotTell(Exception):
    """A valid query that cannot be answered; the message is for the caller."""
