"""The one source of the current instant, in UTC at millisecond precision; tests move it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta


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
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
