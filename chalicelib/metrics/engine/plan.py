"""Plans of queries: trees of nodes, from buckets, or by scanning rows where buckets do not suffice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from chalicelib.core.money import minor_digits
from chalicelib.core.pricing import HOUR
from chalicelib.dal import keys
from chalicelib.metrics.engine.nodes import (
    Accumulated,
    Combination,
    Constant,
    ForwardOnly,
    Linear,
    Node,
    Quotient,
    RowScan,
)
from chalicelib.metrics.engine.partitions import EVERYTHING, Selection, select
from chalicelib.metrics.language import expression
from chalicelib.metrics.language.aggregation import Aggregation, SnapshotAggregation
from chalicelib.metrics.language.query import ConversionQuery, DerivedQuery, MetricQuery, RatioQuery
from chalicelib.metrics.language.units import Operation
from chalicelib.metrics.rollups.formulas import Formula, Sum, in_currency
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.metrics.rollups.sources.fields import Aggregate, FieldType, Unit
from chalicelib.models.organizations import StoredOrganization

_PERCENT = 100


@dataclass(frozen=True)
class Planner:
    """Plans queries of one organization, evaluated as of `at`. Reads nothing."""

    organization: StoredOrganization
    at: datetime

    def query(self, query: MetricQuery) -> Node:
        match query:
            case RatioQuery():
                scale = _PERCENT if query.unit is Unit.PERCENT else 1
                return Quotient(self.aggregation(query.numerator), self.aggregation(query.denominator), scale)
            case DerivedQuery():
                return self.expression(query.expression)
            case ConversionQuery():
                converted, entered = SOURCES[query.source].conversions[query.from_, query.to](query.within.days)
                share, whole = (self.linear(query.source, EVERYTHING, formula) for formula in (converted, entered))
                return Quotient(share, whole, _PERCENT)
            case _:
                return self.aggregation(query)

    def expression(self, node: expression.Node) -> Node:
        if isinstance(node, expression.Constant):
            return Constant(Fraction(str(node.value)))
        if isinstance(node, expression.OperationNode):
            left, right = self.expression(node.left), self.expression(node.right)
            if node.operation is Operation.DIV:
                return Quotient(left, right)
            return Combination(node.operation, left, right)
        return self.aggregation(node)

    def aggregation(self, aggregation: Aggregation) -> Node:
        selection = select(aggregation.source, SOURCES[aggregation.source], aggregation.where)
        from_buckets = None if selection is None else self.from_buckets(aggregation, selection)
        return self.with_history(aggregation, from_buckets or RowScan(aggregation))

    def with_history(self, aggregation: Aggregation, node: Node, *dimensions: str) -> Node:
        """Limit a node to current ranges if it depends on a field without a history (e.g. `filled`)."""
        return ForwardOnly(node, self.at) if self.needs_history(aggregation, *dimensions) else node

    def needs_history(self, aggregation: Aggregation, *dimensions: str) -> bool:
        """Return True if an aggregation of past ranges would need the history of a field that has none."""
        fields = {aggregation.field, *(condition.field for condition in aggregation.where), *dimensions}
        return bool(fields & SOURCES[aggregation.source].forward_only)

    def from_buckets(self, aggregation: Aggregation, selection: Selection) -> Node | None:
        """Plan to read buckets; None if they do not suffice."""
        rollup = SOURCES[aggregation.source]
        is_snapshot = isinstance(aggregation, SnapshotAggregation)
        if aggregation.aggregate in {Aggregate.SUM, Aggregate.AVG}:
            summed = (rollup.snapshot_sums if is_snapshot else rollup.sums).get(aggregation.field or "")
            return None if summed is None else self.sum_from_buckets(aggregation, selection, summed)
        if is_snapshot:
            by_state = {name: states.snapshots for name, states in rollup.states.items()}
            formula = count_formula(aggregation, selection, rollup.snapshots, by_state)
        elif aggregation.aggregate is Aggregate.COUNT:
            by_state = {name: states.in_period for name, states in rollup.states.items()}
            formula = count_formula(aggregation, selection, rollup.counts, by_state, rollup.counted_by)
        else:
            return None
        return None if formula is None else self.linear(aggregation.source, selection, formula)

    def sum_from_buckets(self, aggregation: Aggregation, selection: Selection, summed: Sum) -> Node | None:
        """Plan a sum or an average."""
        rollup, field = SOURCES[aggregation.source], aggregation.field or ""
        # Buckets of a measure are not split by state: only all states that add to the sum can be selected.
        if selection.states is not None:
            name, allowed = selection.states
            accumulating = rollup.states[name].accumulating
            if accumulating is None or not accumulating <= allowed:
                return None
        measured = selection
        if summed.only is not None and rollup.split is not None:
            chosen = rollup.split.suffixes.keys() if selection.split is None else selection.split
            measured = selection._replace(split=summed.only & chosen)
        currency = self.organization.currency
        total, unknown, known = (
            self.linear(aggregation.source, measured, in_currency(formula, currency))
            for formula in (summed.formula, summed.unknown, summed.known)
        )
        is_money = rollup.fields[field].type is FieldType.MONEY
        scale = (HOUR if summed.is_integral else 1) * (10 ** minor_digits(currency) if is_money else 1)
        accumulated = Accumulated(total, unknown, known, scale)
        if aggregation.aggregate is Aggregate.SUM:
            return accumulated
        return Quotient(accumulated, self.linear(aggregation.source, selection, rollup.counts[""]))

    def linear(self, source: str, selection: Selection, formula: Formula) -> Linear:
        split = SOURCES[source].split
        return Linear(
            tuple(
                (sign, keys.rollup(self.organization.tenant, source, *(partition or ())))
                for sign, partition in selection.partitions
            ),
            formula if split is None else split.expanded(formula, selection.split),
        )


def count_formula(
    aggregation: Aggregation,
    selection: Selection,
    counts: Mapping[str, Formula],
    by_state: Mapping[str, Mapping[str, Formula]],
    counted_by: str = "",
) -> Formula | None:
    """Choose the formula by field, or add up those of the selected states."""
    if selection.states is None:
        return counts.get(aggregation.field or counted_by)
    name, allowed = selection.states
    formulas = by_state[name]
    if aggregation.field is not None or not allowed <= formulas.keys():
        return None
    return tuple(term for state in sorted(allowed) for term in formulas[state])
