"""Packed months: a user's sessions of one month (UTC, by their start) as bytes, 8 a span, for analyses.

A month is its groups one after the other. A group is what its sessions have in common (project, task, billable, tags)
as JSON behind its length (2 bytes), the number of spans (4), and for each span start and end in seconds from the
beginning of the month (4 and 4). The high bit of an end says that the next span is of the same session: a pause lies
between. All big-endian.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from chalicelib.core.errors import ActionError, invalid_state
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.keys import Key
from chalicelib.models.time import keys as time_keys
from chalicelib.models.time.spans import LONGEST, Seconds

MAX_BYTES = 300_000
"""Limit of one month of one user, some 30,000 sessions; an item may have 400 KB."""

_HEADER, _COUNT = struct.Struct(">H"), struct.Struct(">I")
_CONTINUES = 1 << 31


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


def pack(month: str, sessions: Sessions) -> bytes:
    """The same sessions always make the same bytes. VALIDATION_ERROR for more than a month can hold."""
    first = _beginning(month)
    packed = bytearray()
    for group in sorted(sessions, key=_header):
        numbers: list[int] = []
        for spans in sorted(sessions[group]):
            for low, high in spans[:-1]:
                numbers += (low - first, high - first | _CONTINUES)
            low, high = spans[-1]
            numbers += (low - first, high - first)
        if numbers:
            header = _header(group)
            packed += _HEADER.pack(len(header)) + header + _COUNT.pack(len(numbers) // 2)
            packed += struct.pack(f">{len(numbers)}I", *numbers)
    if len(packed) > MAX_BYTES:
        raise is_full()
    return bytes(packed)


def size(sessions: Sessions, *, is_new_group: bool = True) -> int:
    """Return the bytes of sessions as they are packed; of a group that is there already, only those of the spans."""
    spans = sum(len(spans) for sessions_of_group in sessions.values() for spans in sessions_of_group)
    headers = sum(_HEADER.size + len(_header(group)) + _COUNT.size for group in sessions) if is_new_group else 0
    return 8 * spans + headers


def is_full() -> ActionError:
    return invalid_state(f"a user's month may have at most {MAX_BYTES:,} bytes of time sessions")


def unpack(month: str, packed: bytes) -> dict[Group, list[Seconds]]:
    return {group: list(sessions) for group, sessions in groups(month, packed)}


def groups(month: str, packed: bytes) -> Iterator[tuple[Group, Iterator[Seconds]]]:
    """Yield each group with the spans of its sessions."""
    first, offset = _beginning(month), 0
    while offset < len(packed):
        (length,) = _HEADER.unpack_from(packed, offset)
        offset += _HEADER.size
        project, task, billable, tags = json.loads(packed[offset : offset + length])
        offset += length
        (count,) = _COUNT.unpack_from(packed, offset)
        offset += _COUNT.size
        numbers = struct.unpack_from(f">{2 * count}I", packed, offset)
        offset += 8 * count
        group = Group(_id(project), _id(task), bool(billable), tuple(tags))
        yield group, _sessions(first, numbers)


def _sessions(first: int, numbers: tuple[int, ...]) -> Iterator[Seconds]:
    spans: Seconds = []
    for low, high in zip(numbers[::2], numbers[1::2], strict=True):
        spans.append((first + low, first + (high & ~_CONTINUES)))
        if not high & _CONTINUES:
            yield spans
            spans = []


def _header(group: Group) -> bytes:
    texts = [None if id_ is None else id_.hex for id_ in (group.project, group.task)]
    return json.dumps([*texts, int(group.billable), group.tags], separators=(",", ":"), ensure_ascii=False).encode()


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


def _beginning(month: str) -> int:
    year, _, number = month.partition("-")
    return int(datetime(int(year), int(number), 1, tzinfo=UTC).timestamp())
