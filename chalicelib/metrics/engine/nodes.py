"""Nodes of a plan: each names its reads over a range without data, and computes its number from the data read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple, Protocol

from chalicelib.core.clock import milliseconds
from chalicelib.metrics.engine.scan import Entities
from chalicelib.metrics.language.aggregation import Aggregation
from chalicelib.metrics.language.units import Operation
from chalicelib.metrics.rollups.formulas import Formula, value_of
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.models.rollups.levels import Levels


class LevelsRead(NamedTuple):
    """The levels of one rollup partition at both ends of a range, in milliseconds since 1970."""

    partition: str
    start: int
    end: int


class ScanRead(NamedTuple):
    """All entities of a source."""

    source: str


Read = LevelsRead | ScanRead


class Data(Protocol):
    """The data of all reads of an evaluation."""

    def levels(self, partition: str) -> Levels: ...

    def entities(self, source: str) -> Entities:
        """Raises CannotTell if there are too many."""


class Node(Protocol):
    """One number over any range; None where it is not known."""

    def reads(self, over: Range) -> Iterator[Read]: ...

    def value(self, over: Range, data: Data) -> Fraction | None: ...


@dataclass(frozen=True)
class Constant:
    number: Fraction

    def reads(self, over: Range) -> Iterator[Read]:  # noqa: ARG002  a constant reads nothing, over any range
        yield from ()

    def value(self, over: Range, data: Data) -> Fraction | None:  # noqa: ARG002  every node takes them
        return self.number


@dataclass(frozen=True)
class Linear:
    """A formula over the levels of rollup partitions, added up by sign."""

    partitions: tuple[tuple[int, str], ...]
    formula: Formula

    def reads(self, over: Range) -> Iterator[Read]:
        for _, partition in self.partitions:
            yield LevelsRead(partition, milliseconds(over.start), milliseconds(over.end))

    def value(self, over: Range, data: Data) -> Fraction:
        return Fraction(
            sum(sign * value_of(self.formula, data.levels(partition), over) for sign, partition in self.partitions)
        )


@dataclass(frozen=True)
class Accumulated:
    """A sum over time in the measure's unit; None for a range in which no part of it is known."""

    total: Linear
    unknown: Linear
    known: Linear
    scale: int

    def reads(self, over: Range) -> Iterator[Read]:
        for node in (self.total, self.unknown, self.known):
            yield from node.reads(over)

    def value(self, over: Range, data: Data) -> Fraction | None:
        if self.unknown.value(over, data) and not self.known.value(over, data):
            return None
        return self.total.value(over, data) / self.scale


@dataclass(frozen=True)
class Quotient:
    """One number divided by another; None, and no error, if the denominator is 0."""

    numerator: Node
    denominator: Node
    scale: int = 1

    def reads(self, over: Range) -> Iterator[Read]:
        yield from self.numerator.reads(over)
        yield from self.denominator.reads(over)

    def value(self, over: Range, data: Data) -> Fraction | None:
        upper, lower = self.numerator.value(over, data), self.denominator.value(over, data)
        return None if upper is None or not lower else upper / lower * self.scale


@dataclass(frozen=True)
class Combination:
    """A sum, difference or product of two numbers; None if either is."""

    operation: Operation
    left: Node
    right: Node

    def reads(self, over: Range) -> Iterator[Read]:
        yield from self.left.reads(over)
        yield from self.right.reads(over)

    def value(self, over: Range, data: Data) -> Fraction | None:
        left, right = self.left.value(over, data), self.right.value(over, data)
        if left is None or right is None:
            return None
        if self.operation is Operation.MUL:
            return left * right
        return left + right if self.operation is Operation.ADD else left - right


@dataclass(frozen=True)
class ForwardOnly:
    """A number without a history: None for ranges that end before the evaluation's instant."""

    node: Node
    at: datetime

    def reads(self, over: Range) -> Iterator[Read]:
        if over.end >= self.at:
            yield from self.node.reads(over)

    def value(self, over: Range, data: Data) -> Fraction | None:
        return self.node.value(over, data) if over.end >= self.at else None


@dataclass(frozen=True)
class RowScan:
    """An aggregation over the entities themselves, where buckets do not suffice."""

    aggregation: Aggregation

    def reads(self, over: Range) -> Iterator[Read]:  # noqa: ARG002  all entities, over any range
        yield ScanRead(self.aggregation.source)

    def value(self, over: Range, data: Data) -> Fraction | None:
        return data.entities(self.aggregation.source).aggregate(self.aggregation, over)
