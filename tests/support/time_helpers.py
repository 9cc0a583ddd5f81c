"""Tracked time for tests: instants of one worked day, timers and sessions of a member."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.core import clock
from tests.support.api import Answer
from tests.support.factories import Member
from tests.support.frozen_time import later, standing_still

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
"""A Monday."""


def at(minutes: float) -> str:
    """Return the instant so many minutes after noon."""
    return clock.to_text(NOON + timedelta(minutes=minutes))


@contextmanager
def at_noon() -> Iterator[None]:
    with standing_still(NOON):
        yield


@contextmanager
def minutes_later(minutes: float) -> Iterator[None]:
    """Within a frozen noon: run the block so many minutes later."""
    with later(minutes=minutes):
        yield


def tracked(member: Member, start: float, end: float, **fields: Any) -> dict[str, Any]:
    """Create a session between two minutes from noon."""
    answer = attempt(member, start, end, **fields)
    assert answer.status == 201, answer.text
    data: dict[str, Any] = answer.data
    return data


def attempt(member: Member, start: float, end: float, **fields: Any) -> Answer:
    return member.post("createTimeSession", startAt=at(start), endAt=at(end), **fields)


def pauses(*spans: tuple[float, float]) -> list[dict[str, str]]:
    return [{"startAt": at(low), "endAt": at(high)} for low, high in spans]
