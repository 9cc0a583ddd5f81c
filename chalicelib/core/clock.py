"""The one source of the current instant, in UTC at millisecond precision; tests move it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class _Shift:
    by = timedelta()


def now() -> datetime:
    instant = datetime.now(UTC) + _Shift.by
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


@contextmanager
def shifted(offset: timedelta) -> Iterator[None]:
    """Everything in this process sees a time later (or earlier) by `offset`. For tests only."""
    _Shift.by += offset
    try:
        yield
    finally:
        _Shift.by -= offset


def to_text(instant: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and `Z`: sorts as text."""
    utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def milliseconds(instant: datetime) -> int:
    """Since 1970: exact, where a float of seconds is not."""
    return (instant - _EPOCH) // _MILLISECOND


def from_milliseconds(since_1970: int) -> datetime:
    """The instant in UTC. Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + since_1970 * _MILLISECOND
