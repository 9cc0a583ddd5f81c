"""Identifiers: UUID version 7 (RFC 9562), which sort by creation time."""

from __future__ import annotations

import secrets
import threading
from datetime import datetime
from typing import NewType
from uuid import UUID

from chalicelib.core import clock

OrganizationId = NewType("OrganizationId", UUID)
"""The tenant a caller belongs to. Minted only by `auth` from a verified session, and by `dal` from a stored key."""

NO_ORGANIZATION = OrganizationId(UUID(int=0))
"""The organization of a request that concerns none; no key is ever built from it."""

_RANDOM_BITS = 62
_SEQUENCE_BITS = 12
_MAX_LEAD_MILLISECONDS = 1000


class _Last:
    """The newest id's millisecond and sequence."""

    lock = threading.Lock()
    millisecond = 0
    sequence = 0


def new_id() -> UUID:
    """A UUIDv7 that is greater than every earlier one of this process."""
    with _Last.lock:
        millisecond, sequence = _millisecond_of(clock.now()), secrets.randbits(_SEQUENCE_BITS - 1)
        # Behind the last one by a little: the sequence ran over. By a lot: the clock was set back.
        if 0 <= _Last.millisecond - millisecond <= _MAX_LEAD_MILLISECONDS:
            millisecond, sequence = _Last.millisecond, _Last.sequence + 1
            if sequence >> _SEQUENCE_BITS:
                millisecond, sequence = millisecond + 1, 0
        _Last.millisecond, _Last.sequence = millisecond, sequence
    return _uuid7(millisecond, sequence, secrets.randbits(_RANDOM_BITS))


def first_id_at(instant: datetime) -> UUID:
    """The smallest id that can have been made at `instant` (milliseconds): a bound for ranges of ids."""
    return _uuid7(_millisecond_of(instant), 0, 0)


def last_id_at(instant: datetime) -> UUID:
    """The greatest id that can have been made at `instant` (milliseconds)."""
    return _uuid7(_millisecond_of(instant), (1 << _SEQUENCE_BITS) - 1, (1 << _RANDOM_BITS) - 1)


def created_at(identifier: UUID) -> datetime:
    """The instant in a UUIDv7."""
    return clock.from_milliseconds(identifier.int >> 80)


def _millisecond_of(instant: datetime) -> int:
    """Return the lowest id of an instant. There are no ids before 1970, so the beginning serves for all of it."""
    return max(0, clock.milliseconds(instant))


def _uuid7(millisecond: int, sequence: int, random: int) -> UUID:
    return UUID(int=millisecond << 80 | 0x7 << 76 | sequence << 64 | 0b10 << _RANDOM_BITS | random)
