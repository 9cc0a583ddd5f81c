"""Rounding of tracked time for reports and bills. What is stored stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple


class RoundingMode(StrEnum):
    UP = "UP"
    DOWN = "DOWN"
    NEAREST = "NEAREST"


class RoundPer(StrEnum):
    SESSION = "SESSION"
    DAY_PROJECT = "DAY_PROJECT"


class Rounding(NamedTuple):
    mode: RoundingMode
    minutes: int

    def seconds(self, seconds: int) -> int:
        """Round to whole steps; a value on a boundary stays. NEAREST rounds a half up."""
        step = self.minutes * 60
        match self.mode:
            case RoundingMode.UP:
                return -(-seconds // step) * step
            case RoundingMode.DOWN:
                return seconds // step * step
            case RoundingMode.NEAREST:
                return (seconds + step // 2) // step * step

    def distribute(self, parts: Sequence[int]) -> list[int]:
        """Return the parts of a whole so that they sum to the rounded whole: the difference falls to the last ones."""
        rounded = list(parts)
        difference = self.seconds(sum(parts)) - sum(parts)
        if difference > 0:
            rounded[-1] += difference
        for place in reversed(range(len(rounded))):
            taken = min(rounded[place], max(-difference, 0))
            rounded[place] -= taken
            difference += taken
        return rounded
