"""Merged pieces: the time of many sessions that a summary need not tell apart, added up before it is priced.

A piece a session and day costs some 50 µs of the processor, and an organization has 200,000 sessions a year. So the
spans of all sessions of a group fall into cells, in each of which local day and price are the same. See
docs/decisions/analytics.md.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from chalicelib.models.time.local_calendar import Days
from chalicelib.models.time.packed_months import Group
from chalicelib.models.time.pricing import Pricer
from chalicelib.models.time.tracked import TrackedGroup
from chalicelib.modules.analytics.contracts import Dimension
from chalicelib.modules.analytics.summary import Piece

_BY_TIME = frozenset({Dimension.DAY, Dimension.WEEK, Dimension.MONTH})
_MILLISECONDS = 1000


class Prices(NamedTuple):
    """The price of an hour from each instant on, in seconds since 1970; None without a rate."""

    starts: tuple[int, ...]
    amounts: tuple[int | None, ...]


class Kind(NamedTuple):
    """All that is the same of sessions that are merged; fields that no dimension tells apart are None."""

    user: UUID | None
    project: UUID | None
    task: UUID | None
    tags: tuple[str, ...]
    prices: int | None
    """Place among the different prices; None for time that is not billable."""


@dataclass
class Cells:
    """Half-open cells of time, and the seconds of each."""

    edges: list[int]
    """One more than there are cells."""
    seconds: list[int]

    def add(self, starts: Iterable[int], ends: Iterable[int]) -> None:
        edges, seconds, last = self.edges, self.seconds, len(self.seconds)
        for low, high in zip(starts, ends, strict=True):
            place = bisect_right(edges, low) - 1
            if 0 <= place < last and high <= edges[place + 1]:
                seconds[place] += high - low
                continue
            place = max(place, 0)
            while place < last and edges[place] < high:
                if (part := min(high, edges[place + 1]) - max(low, edges[place])) > 0:
                    seconds[place] += part
                place += 1


class Merging:
    """Merges groups of sessions over some days."""

    def __init__(self, days: Days, first: date, pricer: Pricer, dimensions: Collection[Dimension]) -> None:
        """Begin empty. `first`: the day that parts the range before from the range itself, which are never merged."""
        self._days, self._first, self._pricer = days, first, pricer
        self._dimensions = {*dimensions}
        self._starts = days.starts
        self._prices: list[Prices] = []
        self._places: dict[tuple[UUID, UUID | None], int] = {}
        self._cells: dict[Kind, tuple[Cells, TrackedGroup]] = {}

    def add(self, tracked: TrackedGroup) -> None:
        kind = self._kind(tracked.user, tracked.group)
        if kind not in self._cells:
            edges = self._starts
            if kind.prices is not None:
                changes = self._prices[kind.prices].starts
                edges = sorted({*edges, *(at for at in changes if edges[0] < at < edges[-1])})
            self._cells[kind] = Cells(edges, [0] * (len(edges) - 1)), tracked
        self._cells[kind][0].add(tracked.spans.starts, tracked.spans.ends)

    def pieces(self) -> Iterator[Piece]:
        is_by_time = bool(_BY_TIME & self._dimensions)
        for kind, (cells, example) in self._cells.items():
            merged: dict[date, list[int]] = {}
            for edge, seconds in zip(cells.edges, cells.seconds, strict=False):
                if not seconds:
                    continue
                day = self._days.day_at(edge)
                key = day if is_by_time else self._first if day >= self._first else self._days.first
                sums = merged.setdefault(key, [0, 0, 0])
                sums[0] += seconds
                if kind.prices is not None:
                    starts, amounts = self._prices[kind.prices]
                    amount = amounts[bisect_right(starts, edge) - 1]
                    if amount is None:
                        sums[2] += seconds
                    else:
                        sums[1] += amount * seconds * _MILLISECONDS
            for day, (seconds, product, unpriced) in merged.items():
                yield Piece(example.user, example.group, day, seconds, product, unpriced)

    def _kind(self, user: UUID, group: Group) -> Kind:
        dimensions = self._dimensions
        needs_project = Dimension.PROJECT in dimensions or Dimension.CLIENT in dimensions
        return Kind(
            user if Dimension.USER in dimensions else None,
            group.project if needs_project else None,
            group.task if Dimension.TASK in dimensions else None,
            group.tags if Dimension.TAG in dimensions else (),
            self._place_of_prices(user, group.project) if group.billable else None,
        )

    def _place_of_prices(self, user: UUID, project: UUID | None) -> int:
        if (user, project) not in self._places:
            first, last = self._starts[0] * _MILLISECONDS, self._starts[-1] * _MILLISECONDS
            starts, amounts = zip(*self._pricer.changes(user, project, first, last), strict=True)
            prices = Prices(tuple(at // _MILLISECONDS for at in starts), amounts)
            if prices not in self._prices:
                self._prices.append(prices)
            self._places[user, project] = self._prices.index(prices)
        return self._places[user, project]


def merged(
    groups: Iterable[TrackedGroup], before: Days, days: Days, pricer: Pricer, dimensions: Collection[Dimension]
) -> Iterator[Piece]:
    """Yield the pieces of the days, and of those just before, that a summary by these dimensions tells apart."""
    merging = Merging(Days(before.first, days.last, days.zone), days.first, pricer, dimensions)
    for group in groups:
        merging.add(group)
    yield from merging.pieces()
