"""Evaluation of queries: results over a period, and time series."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TypeVar

from chalicelib.core.money import minor_digits
from chalicelib.metrics.engine.group_by import groups
from chalicelib.metrics.engine.partitions import EVERYTHING
from chalicelib.metrics.engine.plan import aggregated, divided, linear
from chalicelib.metrics.engine.read_set import Evaluator, ReadSet
from chalicelib.metrics.language import periods
from chalicelib.metrics.language.expression import Constant, Node, OperationNode
from chalicelib.metrics.language.outcomes import CannotTell, Group, Outcome, Point, Unit
from chalicelib.metrics.language.periods import Range, Step
from chalicelib.metrics.language.query import (
    ConversionQuery,
    CumulativeQuery,
    DerivedQuery,
    MetricQuery,
    RatioQuery,
    SimpleQuery,
    SnapshotQuery,
)
from chalicelib.metrics.language.units import Operation
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.models.organizations import StoredOrganization

K = TypeVar("K", bound=Hashable)

_PERCENT = 100
_GREATEST = 10**15
"""Limit of a value: JSON numbers are exact to the cent up to here."""


def evaluate(organization: StoredOrganization, queries: Mapping[K, MetricQuery], at: datetime) -> dict[K, Outcome]:
    """Evaluate queries at `at`, a `periods.evaluation_instant`. Everything they need is read in one batch."""
    reads = ReadSet(organization, at)
    plans = {key: _Plan(reads, query) for key, query in queries.items()}
    reads.read()
    return {key: plan.outcome() for key, plan in plans.items()}


def series(organization: StoredOrganization, query: MetricQuery, at: datetime, step: Step) -> list[Point]:
    """Evaluate the query over each day, week or month of its period. Raises CannotTell."""
    reads = ReadSet(organization, at)
    over = reads.resolve(query)
    steps = periods.steps(over, step, zone=organization.timezone, week_start=organization.week_start)
    evaluator = evaluator_of(reads, query)
    ranges = [Range(start, end, is_running=over.is_running and end == over.end) for start, end in steps]
    for range_ in ranges:
        reads.prepare(evaluator, range_)
    reads.read()
    return [
        Point(range_.start, range_.end, rounded(evaluator(range_), query.unit, organization.currency))
        for range_ in ranges
    ]


class _Plan:
    """Evaluators of a query, its comparison and its groups. Its reads are collected on construction."""

    def __init__(self, reads: ReadSet, query: MetricQuery) -> None:
        self._reads = reads
        self._query = query
        self._groups: dict[str, tuple[str, Evaluator]] = {}
        self._over = reads.resolve(query)
        self._before = reads.before(query)
        self._evaluator = evaluator_of(reads, query)
        self._error: str | None = None
        try:
            for range_ in filter(None, (self._over, self._before)):
                reads.prepare(self._evaluator, range_)
            if isinstance(query, SimpleQuery | SnapshotQuery) and query.group_by:
                self._groups = groups(reads, query, query.group_by[0], self._over)
        except CannotTell as error:
            self._error = str(error)

    def outcome(self) -> Outcome:
        """Return the result, once the read set is read."""
        unit, currency = self._query.unit, self._reads.organization.currency
        if self._error is not None:
            return Outcome(unit, error=self._error)
        try:
            groups = tuple(
                Group(key, label, rounded(evaluator(self._over), unit, currency))
                for key, (label, evaluator) in self._groups.items()
            )
            value = rounded(self._evaluator(self._over), unit, currency)
            previous = None if self._before is None else rounded(self._evaluator(self._before), unit, currency)
        except CannotTell as error:
            return Outcome(unit, error=str(error))
        return Outcome(unit, value, previous, groups)


def evaluator_of(reads: ReadSet, query: MetricQuery) -> Evaluator:
    match query:
        case RatioQuery():
            scale = _PERCENT if query.unit is Unit.PERCENT else 1
            return divided(aggregated(reads, query.numerator), aggregated(reads, query.denominator), scale)
        case DerivedQuery():
            return evaluator_of_node(reads, query.expression)
        case ConversionQuery():
            converted, entered = SOURCES[query.source].conversions[query.from_, query.to](query.within.days)
            share, whole = (linear(reads, query.source, EVERYTHING, formula) for formula in (converted, entered))
            return divided(share, whole, _PERCENT)
        case SimpleQuery() | SnapshotQuery() | CumulativeQuery():
            return aggregated(reads, query)


def evaluator_of_node(reads: ReadSet, node: Node) -> Evaluator:
    if isinstance(node, Constant):
        constant = Fraction(str(node.value))
        return lambda _: constant
    if isinstance(node, OperationNode):
        left, right = evaluator_of_node(reads, node.left), evaluator_of_node(reads, node.right)
        return divided(left, right) if node.operation is Operation.DIV else combined(node.operation, left, right)
    return aggregated(reads, node)


def combined(operation: Operation, left: Evaluator, right: Evaluator) -> Evaluator:
    """Add, subtract or multiply two numbers; None if either is."""

    def evaluator(over: Range) -> Fraction | None:
        one, other = left(over), right(over)
        if one is None or other is None:
            return None
        if operation is Operation.MUL:
            return one * other
        return one + other if operation is Operation.ADD else one - other

    return evaluator


def rounded(value: Fraction | None, unit: Unit, currency: str) -> Decimal | None:
    """Round half up: money to its minor unit, numbers to four places, hours and percent to two. Raises CannotTell."""
    if value is None:
        return None
    if abs(value) > _GREATEST:
        raise CannotTell(f"the result is beyond ±{_GREATEST:,}")
    digits = {Unit.MONEY: minor_digits(currency), Unit.NUMBER: 4}.get(unit, 2)
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
