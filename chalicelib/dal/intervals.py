"""Timelines: what has a time span, found by when it is, at a cost that follows what is found.

An index can sort by start or by end, not by both, so "what runs at t" would read everything that ever started before t.
Here every span lies on a lane by its length, and on a lane where nothing is longer than a day only the starts of the
day before t matter. A list is the merge of its lanes in order of start; what never takes place lies on a lane apart.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
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
    return next((lane for lane, longest in _LONGEST.items() if end - start <= longest), LengthClass.LONGER)


def place(lane: LengthClass, start: datetime, identifier: UUID) -> str:
    """The sort key `at`: lane, start, id."""
    return f"{lane}#{position(start, identifier)}"


def position(start: datetime, identifier: UUID) -> str:
    """Where in a merge of lanes a span lies."""
    return f"{clock.to_text(start)}#{identifier}"


@dataclass(frozen=True)
class IntervalQuery:
    """Which spans. Each condition is exact; together they are anded."""

    lanes: Sequence[LengthClass] = (*RUNNING, LengthClass.CANCELLED)
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

    @property
    def is_filtered(self) -> bool:
        return self.condition is not None or self.ends_after is not None or self.ends_until is not None

    def filter(self) -> Condition | None:
        end, ends = Item.facets[END], []
        if self.ends_after is not None:
            ends.append(end.does_not_exist() | (end > clock.to_text(self.ends_after)))
        if self.ends_until is not None:
            ends.append(end <= clock.to_text(self.ends_until))
        return all_of([*ends, self.condition])

    def bounds(self, lane: LengthClass) -> tuple[str, str]:
        """The range of `at` on a lane that can hold what is wanted."""
        low, high = f"{lane}#", f"{lane}#~"
        after = self.starts_after
        longest = _LONGEST.get(lane)
        if self.ends_after is not None and longest is not None and self.ends_after - _BEFORE_ALL >= longest:
            # What ends later than t and lasts a day at most has started later than a day before t.
            earliest = self.ends_after - longest
            after = earliest if after is None else max(after, earliest)
        if after is not None:
            low = f"{lane}#{clock.to_text(after)}#~"
        if self.starts_until is not None:
            high = f"{lane}#{clock.to_text(self.starts_until)}#~"
        if self.starts_before is not None:
            high = min(high, f"{lane}#{clock.to_text(self.starts_before)}")
        return low, high


class Slice(NamedTuple):
    """Consecutive spans of a timeline, and where to go on: a position, None at the end."""

    found: list[UUID]
    last: str | None


def read(
    partition: IndexPartition,
    wanted: IntervalQuery,
    *,
    after: str | None,
    limit: int,
    forward: bool,
    queries: int | None,
) -> Slice:
    """The next spans in order of start, at most `limit`; fewer, though there are more, when it took `queries`.

    `queries` None: as many as it takes.
    """
    lanes = [_Reader(partition, lane, wanted, after=after, limit=limit, forward=forward) for lane in wanted.lanes]
    found: list[str] = []
    boundary: str | None = None
    while len(found) <= limit:
        # One query a lane at a time: each page gets further on every lane, so a list always comes to its end.
        while unread := [lane for lane in lanes if not lane.rows and not lane.is_done]:
            if queries is not None and queries <= 0:
                boundary = (min if forward else max)(lane.position for lane in unread)
                break
            for lane in unread:
                lane.read_on()
            queries = queries and queries - len(unread)
        heads = [lane for lane in lanes if lane.rows]
        first = (min if forward else max)(heads, key=lambda lane: lane.rows[0], default=None)
        if first is None or (boundary is not None and _is_behind(first.rows[0], boundary, forward=forward)):
            break
        found.append(first.rows.popleft())
    if len(found) > limit:
        boundary = found[limit - 1]
    return Slice([UUID(position.partition("#")[2]) for position in found[:limit]], boundary)


def _is_behind(position: str, boundary: str, *, forward: bool) -> bool:
    return position > boundary if forward else position < boundary


class _Reader:
    """Reads one lane. Positions are sort keys without the lane: `<start>#<id>`."""

    def __init__(
        self,
        partition: IndexPartition,
        lane: LengthClass,
        wanted: IntervalQuery,
        *,
        after: str | None,
        limit: int,
        forward: bool,
    ) -> None:
        self._partition = partition
        self._lane = lane
        self._forward = forward
        self._condition = wanted.filter()
        self._limit = max(limit + 1, _ROWS_A_FILTERED_QUERY) if wanted.is_filtered else limit + 1
        self._low, self._high = wanted.bounds(lane)
        self._after = None if after is None else f"{lane}#{after}"
        self.rows: deque[str] = deque()
        self.is_done = self._low >= self._high

    @property
    def position(self) -> str:
        """Up to where it has read, or, before it has, where it would begin."""
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
        )
        self.rows.extend(at[2:] for row in page.items if (at := row["at"]["S"]) != self._after)
        self._after = page.last
        self.is_done = page.last is None
