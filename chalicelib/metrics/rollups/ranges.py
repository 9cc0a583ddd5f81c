"""Ranges of time that numbers are computed over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Range:
    """A half-open range of time in UTC: [start, end)."""

    start: datetime
    end: datetime
    is_running: bool
    """The period is not over: `end` is the instant of evaluation, or `start` if the period has not begun."""
