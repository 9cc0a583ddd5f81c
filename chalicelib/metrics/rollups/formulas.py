"""Formulas: numbers over a range, as sums of levels and integrals of rollups."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from chalicelib.core.clock import milliseconds
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.models.rollups.levels import Levels


class Kind(Enum):
    AT_START = auto()
    """The level at the start of the range."""
    AT_END = auto()
    """The level at the end of the range."""
    WITHIN = auto()
    """The rise of the level within the range: for a count, how many level changes there were."""
    FLOW = auto()
    """The integral of the level over the range, in milliseconds times the level's unit."""
    EVER = auto()
    """The sum of all level changes, past and future."""


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


CURRENCY = "$"
"""Stands for the organization's currency in measures of money that are levels, each in its own currency."""


@dataclass(frozen=True)
class Sum:
    """Sum of a measure; None for a range in which no part is known."""

    formula: Formula
    unknown: Formula = ()
    """The time for which the measure is unknown, or the number of entities of which it is."""
    known: Formula = ()
    """The time for which the measure is known, or the number of entities of which it is."""
    only: frozenset[str] | None = None
    """Values of the source's split field whose entities count; None for all."""

    @property
    def is_integral(self) -> bool:
        """It adds up over time: its unit is that of the level times milliseconds."""
        return any(term.kind is Kind.FLOW for term in self.formula)


def in_currency(formula: Formula, currency: str) -> Formula:
    """Return a formula of the measures in one currency."""
    return tuple(term._replace(measure=term.measure.replace(CURRENCY, currency)) for term in formula)
