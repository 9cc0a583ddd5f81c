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
    """What the level has gained meanwhile: how many edges there were."""
    FLOW = auto()
    """The level's integral over the range, in milliseconds times what it counts."""
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


def value_of(formula: Formula, curve: Levels, over: Range) -> int:
    start, end = milliseconds(over.start), milliseconds(over.end)
    total = 0
    for kind, measure, sign in formula:
        match kind:
            case Kind.AT_START:
                total += sign * curve.level(measure, start)
            case Kind.AT_END:
                total += sign * curve.level(measure, end)
            case Kind.WITHIN:
                total += sign * (curve.level(measure, end) - curve.level(measure, start))
            case Kind.FLOW:
                total += sign * (curve.integral(measure, end) - curve.integral(measure, start))
            case Kind.EVER:
                total += sign * curve.total(measure)
    return total


@dataclass(frozen=True)
class Sum:
    """Of a measure that accumulates over time. A range in which nothing is known of it has no sum."""

    formula: Formula
    unknown: Formula = ()
    """For how much of the time it is not known."""
    known: Formula = ()
    """For how much it is."""
