"""Packed months: a user's sessions of one month (UTC, by their start) as bytes, 6 a span, for analyses.

A month is its groups one after the other. A group is its header behind its length (2 bytes), the number of spans (4),
the starts in seconds from the beginning of the month, the lengths in seconds, and the spans that the next one
continues behind a pause: their number (4), and their places (4 each). Starts and lengths have 3 bytes: all upper bytes,
then all lower ones (2). All big-endian. The header is what the sessions of a group have in common: flags, project and
task (16 bytes each, if any), and tags, a line each.
"""

from __future__ import annotations

import operator
import struct
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from chalicelib.core.errors import ActionError, invalid_state
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.keys import Key
from chalicelib.models.time import keys as time_keys
from chalicelib.models.time.spans import LONGEST, Seconds

MAX_BYTES = 300_000
"""Limit of one month of one user, some 40,000 sessions; an item may have 400 KB."""

_HEADER, _COUNT = struct.Struct(">H"), struct.Struct(">I")
_BILLABLE, _PROJECT, _TASK = 1, 2, 4
_LOWER = 0xFFFF


class Group(NamedTuple):
    """The fields by which analyses group sessions."""

    project: UUID | None
    task: UUID | None
    billable: bool
    tags: tuple[str, ...]


Sessions = Mapping[Group, list[Seconds]]
"""The spans of each session by group, in seconds since 1970."""


def label_of(instant: datetime) -> str:
    return f"{instant:%Y-%m}"


def labels_of(start: datetime, end: datetime) -> list[str]:
    """Return the months whose sessions can overlap [start, end): one that began the day before may reach into it."""
    labels = []
    month = (start - LONGEST).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while month < end:
        labels.append(label_of(month))
        month = (month + timedelta(days=32)).replace(day=1)
    return labels


def key(organization: OrganizationId, month: str, user: UUID) -> Key:
    return Key(time_keys.time_months(organization), f"{month}#{user}")


class GroupSpans(NamedTuple):
    """The spans of all sessions of a group, in seconds since 1970."""

    group: Group
    starts: Sequence[int]
    ends: Sequence[int]
    continued: frozenset[int]
    """Places of the spans that the next one continues."""

    def sessions(self) -> Iterator[Seconds]:
        spans: Seconds = []
        for place, span in enumerate(zip(self.starts, self.ends, strict=True)):
            spans.append(span)
            if place not in self.continued:
                yield spans
                spans = []


def pack(month: str, sessions: Sessions) -> bytes:
    """The same sessions always make the same bytes. VALIDATION_ERROR for more than a month can hold."""
    first = _beginning(month)
    packed = bytearray()
    for group in sorted(sessions, key=_header):
        starts: list[int] = []
        lengths: list[int] = []
        continued: list[int] = []
        for spans in sorted(sessions[group]):
            continued += range(len(starts), len(starts) + len(spans) - 1)
            starts += (low - first for low, _ in spans)
            lengths += (high - low for low, high in spans)
        if starts:
            header = _header(group)
            packed += _HEADER.pack(len(header)) + header + _COUNT.pack(len(starts))
            packed += _column(starts) + _column(lengths)
            packed += _COUNT.pack(len(continued)) + struct.pack(f">{len(continued)}I", *continued)
    if len(packed) > MAX_BYTES:
        raise is_full()
    return bytes(packed)


def size(sessions: Sessions, *, is_new_group: bool = True) -> int:
    """Return the bytes of sessions as they are packed; of a group that is there already, only those of the spans."""
    lengths = [len(spans) for sessions_of_group in sessions.values() for spans in sessions_of_group]
    headers = sum(_HEADER.size + len(_header(group)) + 2 * _COUNT.size for group in sessions) if is_new_group else 0
    return 6 * sum(lengths) + 4 * sum(length - 1 for length in lengths) + headers


def is_full() -> ActionError:
    return invalid_state(f"a user's month may have at most {MAX_BYTES:,} bytes of time sessions")


def unpack(month: str, packed: bytes) -> dict[Group, list[Seconds]]:
    return {spans.group: list(spans.sessions()) for spans in groups(month, packed)}


def groups(month: str, packed: bytes) -> Iterator[GroupSpans]:
    first, offset = _beginning(month), 0
    while offset < len(packed):
        (length,) = _HEADER.unpack_from(packed, offset)
        offset += _HEADER.size
        group = _group(packed[offset : offset + length])
        offset += length
        (count,) = _COUNT.unpack_from(packed, offset)
        offset += _COUNT.size
        starts = [first + start for start in _numbers(packed, offset, count)]
        ends = list(map(operator.add, starts, _numbers(packed, offset + 3 * count, count)))
        offset += 6 * count
        (more,) = _COUNT.unpack_from(packed, offset)
        offset += _COUNT.size
        yield GroupSpans(group, starts, ends, frozenset(struct.unpack_from(f">{more}I", packed, offset)))
        offset += 4 * more


def _column(numbers: Sequence[int]) -> bytes:
    lower = struct.pack(f">{len(numbers)}H", *(number & _LOWER for number in numbers))
    return bytes(number >> 16 for number in numbers) + lower


def _numbers(packed: bytes, offset: int, count: int) -> list[int]:
    lower = struct.unpack_from(f">{count}H", packed, offset + count)
    return [high << 16 | low for high, low in zip(packed[offset : offset + count], lower, strict=True)]


def _header(group: Group) -> bytes:
    project, task, billable, tags = group
    flags = _BILLABLE * billable | _PROJECT * (project is not None) | _TASK * (task is not None)
    identifiers = b"".join(identifier.bytes for identifier in (project, task) if identifier is not None)
    return bytes([flags]) + identifiers + "\n".join(tags).encode()


@lru_cache(maxsize=4096)
def _group(header: bytes) -> Group:
    flags, offset = header[0], 1
    identifiers: list[UUID | None] = []
    for flag in (_PROJECT, _TASK):
        identifiers.append(UUID(bytes=header[offset : offset + 16]) if flags & flag else None)
        offset += 16 * bool(flags & flag)
    project, task = identifiers
    tags = header[offset:].decode()
    return Group(project, task, bool(flags & _BILLABLE), tuple(tags.split("\n")) if tags else ())


def _beginning(month: str) -> int:
    year, _, number = month.partition("-")
    return int(datetime(int(year), int(number), 1, tzinfo=UTC).timestamp())
