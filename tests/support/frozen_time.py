"""Frozen time, so that tests can hit boundaries to the millisecond; `clock.shifted` still shifts it."""

from __future__ import annotations

import contextlib
import itertools
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


@contextlib.contextmanager
def passing_fast(since: datetime, seconds: float) -> Iterator[None]:
    """Let so many seconds pass with every look at the clock, in all threads together."""
    looks = itertools.count()

    class Fast(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  datetime's own return type is Self
            return (since + timedelta(seconds=seconds) * next(looks)).astimezone(tz or UTC)

    running = clock.datetime
    clock.datetime = Fast  # type: ignore[misc]  a class in the place of another
    try:
        yield
    finally:
        clock.datetime = running  # type: ignore[misc]  a class in the place of another
