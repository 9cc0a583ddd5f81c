"""Evaluators of aggregates: from buckets, or by scanning rows where buckets do not suffice."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from chalicelib.core.money import minor_digits
from chalicelib.core.pricing import HOUR
from chalicelib.metrics.engine.partitions import Selection, select
from chalicelib.metrics.engine.read_set import Ask, ReadSet
from chalicelib.metrics.language.aggregation import Aggregation, SnapshotAggregation
from chalicelib.metrics.language.catalogue import CATALOGUE, Aggregate, FieldType
from chalicelib.metrics.language.periods import Range
from chalicelib.metrics.rollups.formulas import Formula, Sum, value_of
from chalicelib.metrics.rollups.sources import SOURCES


def divided(numerator: Ask, denominator: Ask, scale: int = 1) -> Ask:
    """None, and no error, where the denominator is 0."""

    def ask(over: Range) -> Fraction | None:
        upper, lower = numerator(over), denominator(over)
        return None if upper is None or not lower else upper / lower * scale

    return ask


def aggregated(reading: ReadSet, aggregation: Aggregation) -> Ask:
    selection = select(aggregation.source, SOURCES[aggregation.source], aggregation.where)
    ask = None if selection is None else from_cells(reading, aggregation, selection)
    return unless_past(reading, aggregation, ask or (lambda over: reading.recount(aggregation, over)))


def unless_past(reading: ReadSet, aggregation: Aggregation, ask: Ask, *dimensions: str) -> Ask:
    """Return None for past ranges if a field (e.g. `filled`) has no history."""
    named = {aggregation.field, *(condition.field for condition in aggregation.where), *dimensions}
    if not named & SOURCES[aggregation.source].ahead:
        return ask
    return lambda over: ask(over) if over.end >= reading.at else None


def from_cells(reading: ReadSet, aggregation: Aggregation, selection: Selection) -> Ask | None:
    """Return None for aggregates that buckets cannot answer."""
    if aggregation.aggregate in {Aggregate.SUM, Aggregate.AVG} and not isinstance(aggregation, SnapshotAggregation):
        return _accumulated(reading, aggregation, selection)
    if isinstance(aggregation, SnapshotAggregation):
        formula = _moment(aggregation, selection)
    else:
        formula = _count(aggregation, selection) if aggregation.aggregate is Aggregate.COUNT else None
    if formula is None:
        return None
    return linear(reading, aggregation.source, selection, formula)


def _accumulated(reading: ReadSet, aggregation: Aggregation, selection: Selection) -> Ask | None:
    rollup = SOURCES[aggregation.source]
    summed = rollup.sums.get(aggregation.field or "")
    if summed is None:
        return None
    # Sums are not kept by state: the query must include every state that adds to them.
    if selection.states is not None and not (rollup.states and rollup.states.accumulating <= selection.states):
        return None
    total = _sum(reading, aggregation, selection, summed)
    if aggregation.aggregate is Aggregate.SUM:
        return total
    return divided(total, linear(reading, aggregation.source, selection, rollup.counts[""]))


def _count(aggregation: Aggregation, selection: Selection) -> Formula | None:
    rollup = SOURCES[aggregation.source]
    if selection.states is None:
        return rollup.counts.get(aggregation.field or "")
    if rollup.states is None or aggregation.field is not None:
        return None
    return _of_states(rollup.states.in_period, selection.states)


def _moment(aggregation: SnapshotAggregation, selection: Selection) -> Formula | None:
    rollup = SOURCES[aggregation.source]
    if selection.states is None:
        return rollup.moment.get(aggregation.field or "")
    if rollup.states is None or aggregation.field is not None:
        return None
    return _of_states(rollup.states.in_moment, selection.states)


def _of_states(formulas: Mapping[str, Formula], states: frozenset[str]) -> Formula | None:
    if not states <= formulas.keys():
        return None
    return tuple(term for state in sorted(states) for term in formulas[state])


def _sum(reading: ReadSet, aggregation: Aggregation, selection: Selection, summed: Sum) -> Ask:
    total, unknown, known = (
        linear(reading, aggregation.source, selection, formula)
        for formula in (summed.formula, summed.unknown, summed.known)
    )
    is_money = CATALOGUE[aggregation.source].fields[aggregation.field or ""].type is FieldType.MONEY
    scale = HOUR * (10 ** minor_digits(reading.organization.currency) if is_money else 1)

    def ask(over: Range) -> Fraction | None:
        value = total(over)
        if unknown(over) and not known(over):
            return None
        return None if value is None else value / scale

    return ask


def linear(reading: ReadSet, source: str, selection: Selection, formula: Formula) -> Ask:
    def ask(over: Range) -> Fraction | None:
        levels_of = [(sign, reading.levels(source, partition, over)) for sign, partition in selection.partitions]
        return Fraction(sum(sign * value_of(formula, levels, over) for sign, levels in levels_of if levels is not None))

    return ask
