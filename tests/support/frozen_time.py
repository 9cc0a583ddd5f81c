"""Frozen time, so that tests can hit boundaries to the millisecond; `clock.shifted` still shifts it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from chalicelib.core import clock


@contextlib.contextmanager
def standing_still(at: datetime) -> Iterator[None]:
    class Still(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # returns no `Still`
            return at.astimezone(tz or UTC)

    running = clock.datetime
    clock.datetime = Still  # type: ignore[misc]  # a class is no variable to mypy
    try:
        yield
    finally:
        clock.datetime = running  # type: ignore[misc]  # likewise


def later(**by: float) -> contextlib.AbstractContextManager[None]:
    """Shift the clock into the future. `by`: the arguments of `timedelta`."""
    return clock.shifted(timedelta(**by))
