"""The summary of tracked time: totals, and groups by up to two dimensions.

A session stands under each of its tags; totals count it once, and are the same whatever the groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.core.errors import invalid_field
from chalicelib.core.money import Money
from chalicelib.core.pricing import HOUR
from chalicelib.models.organizations import WeekDay
from chalicelib.models.time.local_calendar import Days, first_of_week
from chalicelib.models.time.packed_months import Group
from chalicelib.models.time.pricing import Pricer
from chalicelib.models.time.rounding import Rounding, RoundPer
from chalicelib.models.time.tracked import Tracked
from chalicelib.modules.analytics.contracts import Dimension, SummaryGroup

MAX_GROUPS = 5_000

Exact = int | Fraction
"""A whole number, or, of rounded time, a fraction: fractions cost the processor ten times as much."""

Names = Mapping[str | None, str | None]


class Piece(NamedTuple):
    """The part of a session in one local day."""

    user: UUID
    group: Group
    day: date
    seconds: int
    product: Exact
    """Price in minor units × milliseconds."""
    unpriced: Exact
    """Billable seconds without a rate."""


@dataclass
class Sums:
    seconds: int = 0
    billable: int = 0
    product: Exact = 0
    unpriced: Exact = 0

    def add(self, piece: Piece) -> None:
        self.seconds += piece.seconds
        if piece.group.billable:
            self.billable += piece.seconds
            self.product += piece.product
            self.unpriced += piece.unpriced

    def totals(self, currency: str | None) -> dict[str, Any]:
        """Return the fields of `Totals`; the amount, rounded half up once, only with a currency."""
        amount = None
        if currency is not None and self.unpriced < self.billable:
            amount = Money(amount=int(Fraction(self.product) / HOUR + Fraction(1, 2)), currency=currency)
        return {
            "seconds": self.seconds,
            "billable_seconds": self.billable,
            "amount": amount,
            "unpriced_seconds": round(self.unpriced),
        }


def pieces_of(tracked: Iterable[Tracked], days: Days, pricer: Pricer) -> Iterator[list[Piece]]:
    """Yield the pieces of each session that has time in these days."""
    for user, group, spans in tracked:
        pieces = []
        for day, parts in days.split(spans):
            product, unpriced = pricer.price(user, group.project, parts) if group.billable else (0, 0)
            seconds = sum(high - low for low, high in parts)
            pieces.append(Piece(user, group, day, seconds, product, unpriced))
        if pieces:
            yield pieces


def rounded(sessions: Iterable[list[Piece]], rounding: Rounding, per: RoundPer) -> Iterator[list[Piece]]:
    """Round sessions, or the time of a user on a project in a day; amounts follow the rounded time."""
    wholes: Iterable[list[Piece]] = sessions
    if per is RoundPer.DAY_PROJECT:
        by_day: dict[tuple[UUID, date, UUID | None], list[Piece]] = {}
        for pieces in sessions:
            for piece in pieces:
                by_day.setdefault((piece.user, piece.day, piece.group.project), []).append(piece)
        wholes = by_day.values()
    for pieces in wholes:
        shares = rounding.distribute([piece.seconds for piece in pieces])
        yield [
            piece._replace(
                seconds=share,
                product=Fraction(piece.product * share) / piece.seconds,
                unpriced=Fraction(piece.unpriced * share) / piece.seconds,
            )
            for piece, share in zip(pieces, shares, strict=True)
        ]


class Grouping:
    """Groups of pieces by up to two dimensions."""

    def __init__(self, dimensions: tuple[Dimension, ...], week_start: WeekDay, clients: Mapping[UUID, UUID]) -> None:
        """Begin empty groups. `clients`: client by project."""
        self._dimensions = dimensions
        self._week_start = week_start
        self._clients = clients
        self._sums: dict[tuple[str | None, ...], Sums] = {}
        self._below: dict[tuple[str | None, ...], set[str | None]] = {}
        """The keys of the next dimension under those of the ones before it."""

    def add(self, piece: Piece) -> None:
        keys: list[tuple[str | None, ...]] = [()]
        for dimension in self._dimensions:
            values = self._keys(dimension, piece)
            keys = [(*key, value) for key in keys for value in values]
            for key in {*keys}:
                if key not in self._sums:
                    self._sums[key] = Sums()
                    self._below.setdefault(key[:-1], set()).add(key[-1])
                self._sums[key].add(piece)
        if len(self._sums) > MAX_GROUPS:
            raise invalid_field("groupBy", f"makes more than {MAX_GROUPS:,} groups: choose fewer days or dimensions")

    def keys(self, dimension: Dimension) -> set[str | None]:
        """Return the keys that pieces have in a dimension."""
        place = self._dimensions.index(dimension)
        return {key[place] for key in self._sums if len(key) > place}

    def _keys(self, dimension: Dimension, piece: Piece) -> list[str | None]:
        match dimension:
            case Dimension.DAY | Dimension.WEEK | Dimension.MONTH:
                return [self.label(dimension, piece.day)]
            case Dimension.TAG:
                return [*piece.group.tags] or [None]
            case Dimension.BILLABLE:
                return ["true" if piece.group.billable else "false"]
            case Dimension.USER:
                return [str(piece.user)]
        value = {
            Dimension.PROJECT: piece.group.project,
            Dimension.TASK: piece.group.task,
            Dimension.CLIENT: self._clients.get(piece.group.project) if piece.group.project else None,
        }[dimension]
        return [None if value is None else str(value)]

    def label(self, dimension: Dimension, day: date) -> str:
        if dimension is Dimension.DAY:
            return day.isoformat()
        if dimension is Dimension.WEEK:
            return first_of_week(day, self._week_start).isoformat()
        return f"{day:%Y-%m}"

    def groups(self, days: Days, names: Mapping[Dimension, Names], currency: str | None) -> list[SummaryGroup]:
        if not self._dimensions:
            return []
        return self._groups((), days, names, currency)

    def _groups(
        self, prefix: tuple[str | None, ...], days: Days, names: Mapping[Dimension, Names], currency: str | None
    ) -> list[SummaryGroup]:
        depth = len(prefix)
        dimension = self._dimensions[depth]
        keys = {*self._below.get(prefix, ())}
        if dimension in {Dimension.DAY, Dimension.WEEK, Dimension.MONTH}:
            keys |= {self.label(dimension, day) for day in days.dates()}
        named = {key: names.get(dimension, {}).get(key, key) for key in keys}
        is_last = depth + 1 == len(self._dimensions)
        return [
            SummaryGroup(
                key=key,
                name=named[key],
                **self._sums.get((*prefix, key), Sums()).totals(currency),
                groups=None if is_last else self._groups((*prefix, key), days, names, currency),
            )
            for key in sorted(keys, key=lambda key: (key is None, (named[key] or "").casefold(), key or ""))
        ]


def previous_days(days: Days) -> Days:
    """Return as many days just before."""
    length = timedelta(days=(days.last - days.first).days + 1)
    return Days(days.first - length, days.last - length, days.zone)
