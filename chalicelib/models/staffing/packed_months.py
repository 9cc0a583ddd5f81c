"""Packed months: the spans of one worker in one month (UTC) as bytes, 8 a span, so that a report can read them all.

A month is its groups one after the other: position id (16 bytes), number of spans (2), and for each span start and end
in milliseconds from the beginning of the month (4 and 4), clipped to the month. All big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table

_GROUP = struct.Struct(">16sH")
_BYTES_A_SPAN = 8
_MILLISECOND = timedelta(milliseconds=1)

MAX_PAGES = 20
"""Pages of 1 MB that one read may take: some 600,000 assignments."""

Spans = list[tuple[int, int]]
"""Start and end in milliseconds from the beginning of the month."""


class Piece(NamedTuple):
    """The part of an interval that is in one month, as `YYYY-MM`."""

    month: str
    start: int
    end: int


class WorkerMonth(NamedTuple):
    worker: UUID
    start: int
    """Beginning of the month, in milliseconds since 1970."""
    end: int
    packed: bytes


class TooManyHours(Exception):
    """More assignments than one request can read."""


def split(start: datetime, end: datetime) -> list[Piece]:
    """The span by month; nothing of an empty one."""
    pieces: list[Piece] = []
    low, high = clock.milliseconds(start), clock.milliseconds(end)
    month = label_of(start)
    while low < high:
        first, beyond = bounds(month)
        pieces.append(Piece(month, low - first, min(high, beyond) - first))
        low, month = beyond, _next(month)
    return pieces


def label_of(instant: datetime) -> str:
    return f"{instant.year:04}-{instant.month:02}"


@lru_cache(maxsize=1024)
def bounds(month: str) -> tuple[int, int]:
    """When it begins and when it is over, in milliseconds since 1970."""
    return _beginning(month), _beginning(_next(month))


def _beginning(month: str) -> int:
    year, _, number = month.partition("-")
    if year == "10000":  # where the calendar ends
        return clock.milliseconds(datetime.max.replace(tzinfo=UTC)) + 1
    return clock.milliseconds(datetime(int(year), int(number), 1, tzinfo=UTC))


def _next(month: str) -> str:
    year, _, number = month.partition("-")
    return f"{int(year) + 1:04}-01" if number == "12" else f"{year}-{int(number) + 1:02}"


def pack(groups: Mapping[UUID, Iterable[tuple[int, int]]]) -> bytes:
    """The same spans always make the same bytes."""
    packed = bytearray()
    for position in sorted(groups):
        spans = sorted(groups[position])
        if spans:
            packed += _GROUP.pack(position.bytes, len(spans))
            packed += struct.pack(f">{2 * len(spans)}I", *(edge for span in spans for edge in span))
    return bytes(packed)


def groups(packed: bytes) -> Iterator[tuple[bytes, tuple[int, ...]]]:
    """Yield each position's id, as bytes, with its intervals as start, end, start, end, …"""
    offset = 0
    while offset < len(packed):
        position, count = _GROUP.unpack_from(packed, offset)
        offset += _GROUP.size
        yield position, struct.unpack_from(f">{2 * count}I", packed, offset)
        offset += count * _BYTES_A_SPAN


def unpack(packed: bytes) -> dict[UUID, Spans]:
    return {UUID(bytes=position): list(zip(edges[::2], edges[1::2], strict=True)) for position, edges in groups(packed)}


def read(organization: OrganizationId, start: datetime, end: datetime) -> Iterator[WorkerMonth]:
    """The months of all workers that overlap [start, end), in a few reads. Raises `TooManyHours`.

    Eventually consistent, at half the price: a report names the instant that it is as of.
    """
    if start >= end:  # a day that the zone skips
        return
    bounds_of_months = f"{label_of(start)}#", f"{label_of(end - _MILLISECOND)}#~"
    after: str | None = None
    for _ in range(MAX_PAGES):
        page = table.query(keys.packed_months(organization), between=bounds_of_months, after=after, consistent=False)
        for row in page.items:
            month, _, worker = row["sk"]["S"].partition("#")
            yield WorkerMonth(UUID(worker), *bounds(month), row["spans"]["B"])
        after = page.last
        if after is None:
            return
    raise TooManyHours


def of_workers(organization: OrganizationId, month: str, workers: Iterable[UUID]) -> dict[UUID, bytes]:
    """Return a month of some workers as it was a moment ago, by key."""
    month_keys = {keys.packed_month(organization, month, worker): worker for worker in workers}
    rows = table.raw_batch(month_keys)
    return {month_keys[key]: row["spans"]["B"] for key, row in rows.items()}


def of_neighbours(
    organization: OrganizationId, month: str, workers: Sequence[UUID], limit: int
) -> dict[UUID, bytes] | None:
    """Return a month of workers whose ids are close to each other, as a range; None if more than `limit` are there."""
    first, last = (keys.packed_month(organization, month, worker).sk for worker in (min(workers), max(workers)))
    page = table.query(keys.packed_months(organization), between=(first, last), limit=limit, consistent=False)
    if page.last is not None and page.last < last:
        return None
    by_id = {UUID(row["sk"]["S"].partition("#")[2]): row["spans"]["B"] for row in page.items}
    return {worker: by_id[worker] for worker in workers if worker in by_id}
