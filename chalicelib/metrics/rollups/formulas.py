"""Formulas: how numbers about a range of time follow from the levels and integrals of rollups."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from chalicelib.core.clock import milliseconds
from chalicelib.metrics.language.periods import Range
from chalicelib.models.rollups.levels import Levels


class Kind(Enum):
    AT_START = auto()
    """The level when the range begins, …"""
    AT_END = auto()
    """… and when it ends."""
    WITHIN = auto()
    """Change of the level over the range: how many level changes there were."""
    FLOW = auto()
    """The level's integral over the range, in milliseconds times its unit."""
    EVER = auto()
    """The sum of all edges there are."""


class Term(NamedTuple):
    kind: Kind
    measure: str
    sign: int = 1


Formula = tuple[Term, ...]


def at_start(measure: str, sign: int = 1) -> Term:
    return Term(Kind.AT_START, measure, sign)


def at_end(measure: str, sign: int = 1) -> Term:
    return Term(Kind.AT_END, measure, sign)


def within(measure: str, sign: int = 1) -> Term:
    return Term(Kind.WITHIN, measure, sign)


def flow(measure: str, sign: int = 1) -> Term:
    return Term(Kind.FLOW, measure, sign)


def ever(measure: str, sign: int = 1) -> Term:
    return Term(Kind.EVER, measure, sign)


def value_of(formula: Formula, levels: Levels, over: Range) -> int:
    start, end = milliseconds(over.start), milliseconds(over.end)
    total = 0
    for kind, measure, sign in formula:
        match kind:
            case Kind.AT_START:
                total += sign * levels.level(measure, start)
            case Kind.AT_END:
                total += sign * levels.level(measure, end)
            case Kind.WITHIN:
                total += sign * (levels.level(measure, end) - levels.level(measure, start))
            case Kind.FLOW:
                total += sign * (levels.integral(measure, end) - levels.integral(measure, start))
            case Kind.EVER:
                total += sign * levels.total(measure)
    return total


@dataclass(frozen=True)
class Sum:
    """The sum of a measure that accumulates over time; None over a range in which it is unknown throughout."""

    formula: Formula
    unknown: Formula = ()
    """Time for which it is unknown."""
    known: Formula = ()
    """Time for which it is known."""
