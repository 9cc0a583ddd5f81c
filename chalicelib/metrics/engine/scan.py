"""Row scan: numbers computed from the entities themselves, where no rollup suffices, and to check rollups against."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from fractions import Fraction
from typing import Any, cast

from chalicelib.core.ids import OrganizationId
from chalicelib.dal.collection import Collection, get_together
from chalicelib.dal.records import Record
from chalicelib.metrics.language.aggregation import Aggregation, SnapshotAggregation
from chalicelib.metrics.language.conditions import Condition
from chalicelib.metrics.language.outcomes import CannotTell
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.metrics.rollups.sources.base import Inputs, Row
from chalicelib.metrics.rollups.sources.fields import Aggregate, Operator

MAX_ROWS = 10_000

_COMPARE: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.IN: lambda value, among: value in among,
    Operator.NOT_IN: lambda value, among: value not in among,
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
}


class Entities:
    """The entities of a source with their inputs, read once for any number of aggregations."""

    def __init__(self, organization: OrganizationId, source: str) -> None:
        """Read the entities. Raises CannotTell for more than a scan of the source may read."""
        self._rollup = SOURCES[source]
        most = self._rollup.max_rows or MAX_ROWS
        records = self._rollup.collection.all_of(organization, most)
        if records is None:
            raise CannotTell(
                f"needs a scan of more than {most:,} {source}: use one dimension, and sums, counts or averages"
            )
        dependencies = [self._rollup.dependencies(organization, record) for record in records]
        entities = read_entities(organization, (pair for pairs in dependencies for pair in pairs))
        further = self._rollup.further(organization, records)
        self._rows: list[tuple[Record, Inputs]] = [
            (record, [*(entities[collection.entity][id_] for collection, id_ in pairs), *further.get(record.id, ())])
            for record, pairs in zip(records, dependencies, strict=True)
        ]

    def rows(self, over: Range) -> list[Row]:
        return [self._rollup.row(record, inputs, over) for record, inputs in self._rows]

    def aggregate(self, aggregation: Aggregation, over: Range) -> Fraction | None:
        return aggregate_rows(self.matching(aggregation, over), aggregation)

    def by_value(self, aggregation: Aggregation, over: Range, dimension: str) -> dict[str, Fraction | None]:
        """Return the aggregation for each value of a dimension."""
        groups: dict[str, list[Row]] = {}
        for row in self.matching(aggregation, over, dimension):
            value = row.values[dimension]
            if value is None:  # in no group
                continue
            groups.setdefault(str(value).lower() if isinstance(value, bool) else str(value), []).append(row)
        return {value: aggregate_rows(rows, aggregation) for value, rows in groups.items()}

    def matching(self, aggregation: Aggregation, over: Range, *dimensions: str) -> list[Row]:
        """Return the rows that satisfy the conditions and belong to the range."""
        fields = {*(condition.field for condition in aggregation.where), *dimensions}
        states = fields & self._rollup.states.keys()
        return [
            row
            for row in self.rows(over)
            if _belongs(row, aggregation, self._rollup.counted_by, states)
            and all(_holds(condition, row) for condition in aggregation.where)
        ]


def read_entities(
    organization: OrganizationId, pairs: Iterable[tuple[Collection[Any], Any]]
) -> dict[str, dict[Any, Any]]:
    """Read entities of several collections, by kind and id."""
    by_entity: dict[str, tuple[Collection[Any], set[Any]]] = {}
    for collection, identifier in pairs:
        by_entity.setdefault(collection.entity, (collection, set()))[1].add(identifier)
    entities = get_together(organization, by_entity.values()) if by_entity else []
    return dict(zip(by_entity, entities, strict=True))


def aggregate_rows(rows: Sequence[Row], aggregation: Aggregation) -> Fraction | None:
    """Return one number over rows; None for an extreme of no rows, or if no row has a value."""
    if aggregation.aggregate is Aggregate.COUNT or aggregation.field is None:
        return Fraction(len(rows))
    values = [row.values[aggregation.field] for row in rows if aggregation.field in row.values]
    if aggregation.aggregate is Aggregate.COUNT_DISTINCT:
        return Fraction(len({value for value in values if value is not None}))
    numbers = [cast(Fraction, value) for value in values if value is not None]
    if values and not numbers:
        return None
    if aggregation.aggregate in {Aggregate.MIN, Aggregate.MAX}:
        extreme = min if aggregation.aggregate is Aggregate.MIN else max
        return extreme(numbers, default=None)
    total = sum(numbers, Fraction(0))
    if aggregation.aggregate is Aggregate.SUM:
        return total
    return total / len(rows) if rows else None


def _belongs(row: Row, aggregation: Aggregation, counted_by: str, states: AbstractSet[str]) -> bool:
    """Return True if a row belongs to the range. `states`: state fields that conditions or groups go by."""
    if isinstance(aggregation, SnapshotAggregation):
        return states <= row.snapshot_states if states else row.in_snapshot
    instant = aggregation.field or counted_by
    if aggregation.aggregate is Aggregate.COUNT and instant:
        return instant in row.instants
    # A row can have a state outside the range (e.g. scheduled): it counts by state, and adds nothing to sums.
    return row.in_period or (bool(states) and aggregation.aggregate is Aggregate.COUNT and states <= row.states)


def _holds(condition: Condition, row: Row) -> bool:
    value = row.values.get(condition.field)
    if condition.op is Operator.IS_SET:
        return value is not None
    if condition.op is Operator.IS_NOT_SET:
        return value is None
    operand = condition.value
    if isinstance(operand, int | float) and not isinstance(operand, bool):
        operand = Fraction(str(operand))
    return value is not None and _COMPARE[condition.op](value, operand)
