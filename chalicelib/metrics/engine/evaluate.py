"""Evaluation of queries: their results, groups and time series."""

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
from chalicelib.metrics.engine.read_set import Ask, ReadSet
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
"""JSON's numbers are exact to the cent up to here."""


def evaluate(organization: StoredOrganization, queries: Mapping[K, MetricQuery], at: datetime) -> dict[K, Outcome]:
    """Return the results at `at`, an `evaluation_instant`. The reads of all queries are one batch."""
    reading = ReadSet(organization, at)
    evaluations = {key: _Evaluation(reading, query) for key, query in queries.items()}
    reading.read()
    return {key: evaluation.outcome() for key, evaluation in evaluations.items()}


def series(organization: StoredOrganization, query: MetricQuery, at: datetime, step: Step) -> list[Point]:
    """The query over each day, week or month of its period. Raises CannotTell."""
    reading = ReadSet(organization, at)
    over = reading.resolve(query)
    steps = periods.steps(over, step, zone=organization.timezone, week_start=organization.week_start)
    ask = _ask(reading, query)
    ranges = [Range(start, end, is_running=over.is_running and end == over.end) for start, end in steps]
    for part in ranges:
        reading.prepare(ask, part)
    reading.read()
    return [Point(part.start, part.end, rounded(ask(part), query.unit, organization.currency)) for part in ranges]


class _Evaluation:
    """A query whose reads are known before anything is read."""

    def __init__(self, reading: ReadSet, query: MetricQuery) -> None:
        self._reading = reading
        self._query = query
        self._groups: dict[str, tuple[str, Ask]] = {}
        self._over = reading.resolve(query)
        self._before = reading.before(query)
        self._ask = _ask(reading, query)
        self._fault: str | None = None
        try:
            for over in filter(None, (self._over, self._before)):
                reading.prepare(self._ask, over)
            if isinstance(query, SimpleQuery | SnapshotQuery) and query.group_by:
                self._groups = groups(reading, query, query.group_by[0], self._over)
        except CannotTell as fault:
            self._fault = str(fault)

    def outcome(self) -> Outcome:
        unit, currency = self._query.unit, self._reading.organization.currency
        if self._fault is not None:
            return Outcome(unit, error=self._fault)
        try:
            groups = tuple(
                Group(key, label, rounded(ask(self._over), unit, currency))
                for key, (label, ask) in self._groups.items()
            )
            value = rounded(self._ask(self._over), unit, currency)
            previous = None if self._before is None else rounded(self._ask(self._before), unit, currency)
        except CannotTell as fault:
            return Outcome(unit, error=str(fault))
        return Outcome(unit, value, previous, groups)


def _ask(reading: ReadSet, query: MetricQuery) -> Ask:
    match query:
        case RatioQuery():
            scale = _PERCENT if query.unit is Unit.PERCENT else 1
            return divided(aggregated(reading, query.numerator), aggregated(reading, query.denominator), scale)
        case DerivedQuery():
            return _computed(reading, query.expression)
        case ConversionQuery():
            converted, entered = SOURCES[query.source].conversions[query.from_, query.to](query.within.days)
            share, whole = (linear(reading, query.source, EVERYTHING, formula) for formula in (converted, entered))
            return divided(share, whole, _PERCENT)
        case SimpleQuery() | SnapshotQuery() | CumulativeQuery():
            return aggregated(reading, query)


def _computed(reading: ReadSet, node: Node) -> Ask:
    if isinstance(node, Constant):
        constant = Fraction(str(node.value))
        return lambda _: constant
    if isinstance(node, OperationNode):
        left, right = _computed(reading, node.left), _computed(reading, node.right)
        return _operated(node.operation, left, right)
    return aggregated(reading, node)


def _operated(operation: Operation, left: Ask, right: Ask) -> Ask:
    if operation is Operation.DIV:
        return divided(left, right)

    def ask(over: Range) -> Fraction | None:
        one, other = left(over), right(over)
        if one is None or other is None:
            return None
        if operation is Operation.MUL:
            return one * other
        return one + other if operation is Operation.ADD else one - other

    return ask


def rounded(value: Fraction | None, unit: Unit, currency: str) -> Decimal | None:
    """Half up: money to its minor unit, numbers to four places, hours and percent to two. Raises CannotTell."""
    if value is None:
        return None
    if abs(value) > _GREATEST:
        raise CannotTell(f"the result is over {_GREATEST:,}")
    digits = {Unit.MONEY: minor_digits(currency), Unit.NUMBER: 4}.get(unit, 2)
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
