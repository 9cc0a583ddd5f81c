"""The interval index: intervals found by time, at a cost that follows the matches.

An index can sort by start or by end, not by both, so "active at t" would read everything that ever started before t.
Here every interval has a length class, and in a class where nothing is longer than a day only the starts of the
day before t matter. A list merges the classes in order of start; intervals that never take place have their own class.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from pynamodb.expressions.condition import Condition

from chalicelib.core import clock
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import IndexPartition
from chalicelib.dal.table import all_of


class LengthClass(StrEnum):
    DAY = "D"
    FORTNIGHT = "F"
    HALF_YEAR = "H"
    LONGER = "L"
    """Longer, or without an end."""
    CANCELLED = "X"


RUNNING = (LengthClass.DAY, LengthClass.FORTNIGHT, LengthClass.HALF_YEAR, LengthClass.LONGER)

_LONGEST = {
    LengthClass.DAY: timedelta(days=1),
    LengthClass.FORTNIGHT: timedelta(days=14),
    LengthClass.HALF_YEAR: timedelta(days=184),
}

END = "endAt"
"""The facet that holds the end, absent while there is none."""

QUERIES_A_PAGE = 16
"""Filters that match little end a page early instead of reading on without end."""
_ROWS_A_FILTERED_QUERY = 100
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


def length_class_of(start: datetime, end: datetime | None, *, cancelled: bool = False) -> LengthClass:
    if cancelled:
        return LengthClass.CANCELLED
    if end is None:
        return LengthClass.LONGER
    return next(
        (length_class for length_class, longest in _LONGEST.items() if end - start <= longest), LengthClass.LONGER
    )


def place(length_class: LengthClass, start: datetime, identifier: UUID) -> str:
    """The sort key `at`: lane, start, id."""
    return f"{length_class}#{position(start, identifier)}"


def position(start: datetime, identifier: UUID) -> str:
    """Return the place of an interval in a merge of length classes."""
    return f"{clock.to_text(start)}#{identifier}"


@dataclass(frozen=True)
class IntervalQuery:
    """A query for intervals. Each condition is exact; all must hold."""

    classes: Sequence[LengthClass] = (*RUNNING, LengthClass.CANCELLED)
    starts_after: datetime | None = None
    starts_until: datetime | None = None
    """Inclusive."""
    starts_before: datetime | None = None
    ends_after: datetime | None = None
    """No end is after everything."""
    ends_until: datetime | None = None
    """Inclusive."""
    condition: Condition | None = None
    """On facets."""
    accepts: Callable[[Mapping[str, str]], bool] | None = None
    """On facets, too: for a choice among more values than a condition can name."""

    @property
    def is_filtered(self) -> bool:
        return self.accepts is not None or self.filter() is not None

    def filter(self) -> Condition | None:
        end, ends = Item.facets[END], []
        if self.ends_after is not None:
            ends.append(end.does_not_exist() | (end > clock.to_text(self.ends_after)))
        if self.ends_until is not None:
            ends.append(end <= clock.to_text(self.ends_until))
        return all_of([*ends, self.condition])

    def bounds(self, length_class: LengthClass) -> tuple[str, str]:
        """Return the range of `at` in a length class that can hold matches."""
        low, high = f"{length_class}#", f"{length_class}#~"
        after = self.starts_after
        longest = _LONGEST.get(length_class)
        if self.ends_after is not None and longest is not None and self.ends_after - _BEFORE_ALL >= longest:
            # An interval that ends after t and lasts a day at most started less than a day before t.
            earliest = self.ends_after - longest
            after = earliest if after is None else max(after, earliest)
        if after is not None:
            low = f"{length_class}#{clock.to_text(after)}#~"
        if self.starts_until is not None:
            high = f"{length_class}#{clock.to_text(self.starts_until)}#~"
        if self.starts_before is not None:
            high = min(high, f"{length_class}#{clock.to_text(self.starts_before)}")
        return low, high


class Slice(NamedTuple):
    """Consecutive intervals of an index partition, and the position to go on after; None at the end."""

    positions: list[str]
    """`<start>#<id>` of each."""
    last: str | None
    rows: list[dict[str, Any]]
    """The rows of the index, one for each, or for each of those that were to be held."""

    @property
    def ids(self) -> list[UUID]:
        return [UUID(position.partition("#")[2]) for position in self.positions]


class _Row(NamedTuple):
    """Ordered by the position, which no two rows share."""

    position: str
    row: dict[str, Any]


def read(
    partition: IndexPartition,
    request: IntervalQuery,
    *,
    after: str | None,
    limit: int,
    forward: bool,
    queries: int | None,
    held: range | None = None,
) -> Slice:
    """Return the next intervals in order of start, at most `limit`; fewer, though there are more, after `queries`.

    `queries` None: without a bound. `held`: the numbers of those whose rows are returned, by default all: of
    ten thousands of intervals, positions need a tenth of the memory.
    """
    readers = [
        _Reader(partition, length_class, request, after=after, limit=limit, forward=forward)
        for length_class in request.classes
    ]
    matching: list[_Row] = []
    boundary: str | None = None
    while len(matching) <= limit:
        # One query per class at a time: each page gets further in every class, so a list always ends.
        while unread := [reader for reader in readers if not reader.rows and not reader.is_done]:
            if queries is not None and queries <= 0:
                boundary = (min if forward else max)(reader.position for reader in unread)
                break
            table.together([reader.read_on for reader in unread])
            queries = queries and queries - len(unread)
        heads = [reader for reader in readers if reader.rows]
        first = (min if forward else max)(heads, key=lambda reader: reader.rows[0].position, default=None)
        if first is None or (boundary is not None and _is_behind(first.rows[0].position, boundary, forward=forward)):
            break
        # All of its rows up to the next one of another class.
        ends = [reader.rows[0].position for reader in heads if reader is not first]
        end = (min if forward else max)([*ends, *([] if boundary is None else [boundary])], default=None)
        while first.rows and len(matching) <= limit:
            if end is not None and _is_behind(first.rows[0].position, end, forward=forward):
                break
            row = first.rows.popleft()
            matching.append(row if held is None or len(matching) in held else _Row(row.position, {}))
    if len(matching) > limit:
        boundary = matching[limit - 1].position
    matching = matching[:limit]
    shown = matching if held is None else matching[held.start : held.stop]
    return Slice([position for position, _ in matching], boundary, [row for _, row in shown])


def _is_behind(position: str, boundary: str, *, forward: bool) -> bool:
    return position > boundary if forward else position < boundary


class _Reader:
    """Reads one lane. Positions are sort keys without the lane: `<start>#<id>`."""

    def __init__(
        self,
        partition: IndexPartition,
        length_class: LengthClass,
        request: IntervalQuery,
        *,
        after: str | None,
        limit: int,
        forward: bool,
    ) -> None:
        self._partition = partition
        self._lane = length_class
        self._forward = forward
        self._condition = request.filter()
        self._accepts = request.accepts
        self._limit = max(limit + 1, _ROWS_A_FILTERED_QUERY) if request.is_filtered else limit + 1
        self._low, self._high = request.bounds(length_class)
        self._after = None if after is None else f"{length_class}#{after}"
        self.rows: deque[_Row] = deque()
        self.is_done = self._low >= self._high

    @property
    def position(self) -> str:
        """The position up to which it has read, or where it would begin."""
        return (self._after or (self._low if self._forward else self._high))[2:]

    def read_on(self) -> None:
        low, high = self._low, self._high
        if self._after is not None:
            low, high = (max(low, self._after), high) if self._forward else (low, min(high, self._after))
        if low > high:
            self.is_done = True
            return
        page = table.query(
            self._partition,
            between=(low, high),
            forward=self._forward,
            limit=self._limit,
            condition=self._condition,
            attributes=("facets",),
        )
        self.rows.extend(
            _Row(at[2:], row)
            for row in page.items
            if (at := row["at"]["S"]) != self._after
            and (self._accepts is None or self._accepts(table.plain(row, "facets")))
        )
        self._after = page.last
        self.is_done = page.last is None
