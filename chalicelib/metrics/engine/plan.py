"""How the number of an aggregate is told: from cells, or by a recount where they do not tell it."""

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


def aggregated(reading: ReadSet, wanted: Aggregation) -> Ask:
    selection = select(wanted.source, SOURCES[wanted.source], wanted.where)
    ask = None if selection is None else from_cells(reading, wanted, selection)
    return unless_past(reading, wanted, ask or (lambda over: reading.recount(wanted, over)))


def unless_past(reading: ReadSet, wanted: Aggregation, ask: Ask, *dimensions: str) -> Ask:
    """What is only known of what is ahead is not told of the past, whoever tells it."""
    named = {wanted.field, *(condition.field for condition in wanted.where), *dimensions}
    if not named & SOURCES[wanted.source].ahead:
        return ask
    return lambda over: ask(over) if over.end >= reading.at else None


def from_cells(reading: ReadSet, wanted: Aggregation, selection: Selection) -> Ask | None:
    """None for what cells do not tell."""
    if wanted.aggregate in {Aggregate.SUM, Aggregate.AVG} and not isinstance(wanted, SnapshotAggregation):
        return _accumulated(reading, wanted, selection)
    if isinstance(wanted, SnapshotAggregation):
        formula = _moment(wanted, selection)
    else:
        formula = _count(wanted, selection) if wanted.aggregate is Aggregate.COUNT else None
    if formula is None:
        return None
    return linear(reading, wanted.source, selection, formula)


def _accumulated(reading: ReadSet, wanted: Aggregation, selection: Selection) -> Ask | None:
    rollup = SOURCES[wanted.source]
    summed = rollup.sums.get(wanted.field or "")
    if summed is None:
        return None
    # Sums do not tell whose they are: all of those that add to them have to be meant.
    if selection.states is not None and not (rollup.states and rollup.states.accumulating <= selection.states):
        return None
    total = _sum(reading, wanted, selection, summed)
    if wanted.aggregate is Aggregate.SUM:
        return total
    return divided(total, linear(reading, wanted.source, selection, rollup.counts[""]))


def _count(wanted: Aggregation, selection: Selection) -> Formula | None:
    rollup = SOURCES[wanted.source]
    if selection.states is None:
        return rollup.counts.get(wanted.field or "")
    if rollup.states is None or wanted.field is not None:
        return None
    return _of_states(rollup.states.in_period, selection.states)


def _moment(wanted: SnapshotAggregation, selection: Selection) -> Formula | None:
    rollup = SOURCES[wanted.source]
    if selection.states is None:
        return rollup.moment.get(wanted.field or "")
    if rollup.states is None or wanted.field is not None:
        return None
    return _of_states(rollup.states.in_moment, selection.states)


def _of_states(formulas: Mapping[str, Formula], states: frozenset[str]) -> Formula | None:
    if not states <= formulas.keys():
        return None
    return tuple(term for state in sorted(states) for term in formulas[state])


def _sum(reading: ReadSet, wanted: Aggregation, selection: Selection, summed: Sum) -> Ask:
    total, unknown, known = (
        linear(reading, wanted.source, selection, formula) for formula in (summed.formula, summed.unknown, summed.known)
    )
    is_money = CATALOGUE[wanted.source].fields[wanted.field or ""].type is FieldType.MONEY
    scale = HOUR * (10 ** minor_digits(reading.organization.currency) if is_money else 1)

    def ask(over: Range) -> Fraction | None:
        value = total(over)
        if unknown(over) and not known(over):
            return None
        return None if value is None else value / scale

    return ask


def linear(reading: ReadSet, source: str, selection: Selection, formula: Formula) -> Ask:
    def ask(over: Range) -> Fraction | None:
        curves = [(sign, reading.curve(source, partition, over)) for sign, partition in selection.partitions]
        return Fraction(sum(sign * value_of(formula, curve, over) for sign, curve in curves if curve is not None))

    return ask
