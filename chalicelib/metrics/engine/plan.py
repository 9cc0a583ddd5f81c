"""Build the evaluator of an aggregation: from buckets, or by scanning rows where buckets do not suffice."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from chalicelib.core.money import minor_digits
from chalicelib.core.pricing import HOUR
from chalicelib.metrics.engine.partitions import Selection, select
from chalicelib.metrics.engine.read_set import Evaluator, ReadSet
from chalicelib.metrics.language.aggregation import Aggregation, SnapshotAggregation
from chalicelib.metrics.language.catalogue import CATALOGUE, Aggregate, FieldType
from chalicelib.metrics.language.periods import Range
from chalicelib.metrics.rollups.formulas import Formula, Sum, value_of
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.metrics.rollups.sources.base import SourceRollup


def divided(numerator: Evaluator, denominator: Evaluator, scale: int = 1) -> Evaluator:
    """Divide one number by another; None, and no error, if the denominator is 0."""

    def evaluator(over: Range) -> Fraction | None:
        upper, lower = numerator(over), denominator(over)
        return None if upper is None or not lower else upper / lower * scale

    return evaluator


def aggregated(reads: ReadSet, aggregation: Aggregation) -> Evaluator:
    selection = select(aggregation.source, SOURCES[aggregation.source], aggregation.where)
    evaluator = None if selection is None else from_buckets(reads, aggregation, selection)
    return unless_past(reads, aggregation, evaluator or (lambda over: reads.scan(aggregation, over)))


def unless_past(reads: ReadSet, aggregation: Aggregation, evaluator: Evaluator, *dimensions: str) -> Evaluator:
    """Return None for past ranges if a field (e.g. `filled`) has no history."""
    fields = {aggregation.field, *(condition.field for condition in aggregation.where), *dimensions}
    if not fields & SOURCES[aggregation.source].forward_only:
        return evaluator
    return lambda over: evaluator(over) if over.end >= reads.at else None


def from_buckets(reads: ReadSet, aggregation: Aggregation, selection: Selection) -> Evaluator | None:
    """Build the evaluator that reads buckets; None if they do not suffice."""
    rollup = SOURCES[aggregation.source]
    if isinstance(aggregation, SnapshotAggregation):
        states = {} if rollup.states is None else rollup.states.snapshots
        formula = count_formula(aggregation, selection, rollup.snapshots, states)
    elif aggregation.aggregate in {Aggregate.SUM, Aggregate.AVG}:
        return sum_from_buckets(reads, aggregation, selection, rollup)
    elif aggregation.aggregate is Aggregate.COUNT:
        states = {} if rollup.states is None else rollup.states.in_period
        formula = count_formula(aggregation, selection, rollup.counts, states)
    else:
        return None
    return None if formula is None else linear(reads, aggregation.source, selection, formula)


def count_formula(
    aggregation: Aggregation, selection: Selection, counts: Mapping[str, Formula], states: Mapping[str, Formula]
) -> Formula | None:
    """Choose the formula by field, or add up those of the selected states."""
    if selection.states is None:
        return counts.get(aggregation.field or "")
    if aggregation.field is not None or not selection.states <= states.keys():
        return None
    return tuple(term for state in sorted(selection.states) for term in states[state])


def sum_from_buckets(
    reads: ReadSet, aggregation: Aggregation, selection: Selection, rollup: SourceRollup[Any]
) -> Evaluator | None:
    """Build the evaluator of a sum or an average over a range."""
    field = aggregation.field or ""
    summed = rollup.sums.get(field)
    if summed is None:
        return None
    # Buckets of a measure are not split by state: only all states that add to the sum can be selected.
    if selection.states is not None and not (rollup.states and rollup.states.accumulating <= selection.states):
        return None
    is_money = CATALOGUE[aggregation.source].fields[field].type is FieldType.MONEY
    scale = HOUR * (10 ** minor_digits(reads.organization.currency) if is_money else 1)
    total = scaled_sum(reads, aggregation.source, selection, summed, scale)
    if aggregation.aggregate is Aggregate.SUM:
        return total
    return divided(total, linear(reads, aggregation.source, selection, rollup.counts[""]))


def scaled_sum(reads: ReadSet, source: str, selection: Selection, summed: Sum, scale: int) -> Evaluator:
    total, unknown, known = (
        linear(reads, source, selection, formula) for formula in (summed.formula, summed.unknown, summed.known)
    )

    def evaluator(over: Range) -> Fraction | None:
        value = total(over)
        if unknown(over) and not known(over):
            return None
        return None if value is None else value / scale

    return evaluator


def linear(reads: ReadSet, source: str, selection: Selection, formula: Formula) -> Evaluator:
    """Apply a formula to the levels of each selected partition, and add up the values by sign."""

    def evaluator(over: Range) -> Fraction | None:
        by_sign = [(sign, reads.levels(source, partition, over)) for sign, partition in selection.partitions]
        return Fraction(sum(sign * value_of(formula, levels, over) for sign, levels in by_sign if levels is not None))

    return evaluator
