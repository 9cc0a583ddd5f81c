"""Counts from the entities themselves: what no rollup tells, and what rollups are compared with."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, cast

from chalicelib.core.ids import OrganizationId
from chalicelib.dal.collection import Collection, get_together
from chalicelib.dal.records import Record
from chalicelib.metrics.language.aggregation import Aggregation, SnapshotAggregation
from chalicelib.metrics.language.catalogue import Aggregate, Operator
from chalicelib.metrics.language.conditions import Condition
from chalicelib.metrics.language.outcomes import CannotTell
from chalicelib.metrics.language.periods import Range
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.metrics.rollups.sources.base import Inputs, Row

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
    """The entities of a source, with what they rely on: read once, however much is counted of them."""

    def __init__(self, organization: OrganizationId, source: str) -> None:
        """Raises CannotTell for more than can be looked at."""
        self._rolled_up = SOURCES[source]
        records = self._rolled_up.collection.all_of(organization, MAX_ROWS)
        if records is None:
            raise CannotTell(
                f"this needs a look at every one of more than {MAX_ROWS:,} {source}: ask for one dimension, "
                "and for sums, counts or averages"
            )
        relied_on = [self._rolled_up.dependencies(organization, record) for record in records]
        found = _found(organization, (pair for pairs in relied_on for pair in pairs))
        further = self._rolled_up.further(organization, records)
        self._grounded: list[tuple[Record, Inputs]] = [
            (record, [*(found[collection.entity][each] for collection, each in pairs), *further.get(record.id, ())])
            for record, pairs in zip(records, relied_on, strict=True)
        ]

    def rows(self, over: Range) -> list[Row]:
        return [self._rolled_up.row(record, grounds, over) for record, grounds in self._grounded]

    def aggregate(self, wanted: Aggregation, over: Range) -> Fraction | None:
        return self._aggregate(self._matching(wanted, over), wanted)

    def by_value(self, wanted: Aggregation, over: Range, dimension: str) -> dict[str, Fraction | None]:
        groups: dict[str, list[Row]] = {}
        for row in self._matching(wanted, over, dimension):
            value = row.values[dimension]
            groups.setdefault(str(value).lower() if isinstance(value, bool) else str(value), []).append(row)
        return {value: self._aggregate(rows, wanted) for value, rows in groups.items()}

    def _matching(self, wanted: Aggregation, over: Range, *dimensions: str) -> list[Row]:
        state_field = self._rolled_up.states.field if self._rolled_up.states else None
        has_states = state_field in {*(condition.field for condition in wanted.where), *dimensions}
        return [
            row
            for row in self.rows(over)
            if _belongs(row, wanted, has_states=has_states)
            and all(_holds(condition, row) for condition in wanted.where)
        ]

    def _aggregate(self, rows: Sequence[Row], wanted: Aggregation) -> Fraction | None:
        """None where there is nothing to tell: the least of none, or a sum that is not known."""
        if wanted.aggregate is Aggregate.COUNT or wanted.field is None:
            return Fraction(len(rows))
        values = [row.values[wanted.field] for row in rows]
        if wanted.aggregate is Aggregate.COUNT_DISTINCT:
            return Fraction(len({value for value in values if value is not None}))
        numbers = [cast(Fraction, value) for value in values if value is not None]
        if values and not numbers:
            return None
        if wanted.aggregate in {Aggregate.MIN, Aggregate.MAX}:
            extreme = min if wanted.aggregate is Aggregate.MIN else max
            return extreme(numbers, default=None)
        total = sum(numbers, Fraction(0))
        if wanted.aggregate is Aggregate.SUM:
            return total
        return total / len(rows) if rows else None


def _found(organization: OrganizationId, wanted: Iterable[tuple[Collection[Any], Any]]) -> dict[str, dict[Any, Any]]:
    by_entity: dict[str, tuple[Collection[Any], set[Any]]] = {}
    for collection, each in wanted:
        by_entity.setdefault(collection.entity, (collection, set()))[1].add(each)
    found = get_together(organization, by_entity.values()) if by_entity else []
    return dict(zip(by_entity, found, strict=True))


def _belongs(row: Row, wanted: Aggregation, *, has_states: bool) -> bool:
    if isinstance(wanted, SnapshotAggregation):
        return bool(row.moment_states) if has_states else row.in_moment
    if wanted.aggregate is Aggregate.COUNT and wanted.field is not None:
        return wanted.field in row.instants
    # What has a state without lying in the range counts where states are asked for, and adds nothing to sums.
    return row.in_period or (has_states and wanted.aggregate is Aggregate.COUNT and bool(row.states))


def _holds(condition: Condition, row: Row) -> bool:
    value = row.values[condition.field]
    match condition.op:
        case Operator.IS_SET:
            return value is not None
        case Operator.IS_NOT_SET:
            return value is None
        case op:
            return value is not None and _COMPARE[op](value, _comparable(condition.value))


def _comparable(value: Any) -> Any:
    return Fraction(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value
