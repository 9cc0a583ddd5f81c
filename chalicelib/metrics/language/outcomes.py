"""Results of an evaluation: values, groups and points of a series, with their unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from chalicelib.metrics.rollups.sources.fields import Unit


@dataclass(frozen=True)
class Group:
    """One value of the dimension of `groupBy`."""

    key: str
    """The id of the entity, or the value itself."""
    label: str
    value: Decimal | None


def ranked(groups: Iterable[Group]) -> list[Group]:
    """Sort groups, the greatest first, those without a value last; equal ones by name."""
    return sorted(groups, key=lambda group: (group.value is None, -(group.value or Decimal(0)), group.label))


@dataclass(frozen=True)
class Point:
    """A point of a time series: the value of one day, week or month."""

    start: datetime
    end: datetime
    value: Decimal | None


@dataclass(frozen=True)
class Outcome:
    """The result of a query. Values are None if unknown: a division by 0, hours without a rate."""

    unit: Unit
    value: Decimal | None = None
    previous: Decimal | None = None
    groups: tuple[Group, ...] = ()
    error: str | None = None
    """The reason why this query could not be evaluated; others of the same evaluation could."""


class CannotTell(Exception):
    """A valid query cannot be answered; the message is shown to the caller."""
