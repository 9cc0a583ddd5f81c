"""Groups: the values of a dimension, each with its name and its number."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from chalicelib.dal.collection import Collection
from chalicelib.metrics.engine.partitions import select, texts_of, values_of
from chalicelib.metrics.engine.plan import from_cells, unless_past
from chalicelib.metrics.engine.read_set import Ask, ReadSet
from chalicelib.metrics.language.catalogue import CATALOGUE, Operator
from chalicelib.metrics.language.periods import Range
from chalicelib.metrics.language.query import SimpleQuery, SnapshotQuery
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS
from chalicelib.models.staffing.workers import WORKERS

MAX_GROUPS = 50
"""Values of a dimension that are read from buckets of their own; with more of them, the entities are scanned."""

_COLLECTIONS: Mapping[str, Collection[Any]] = {
    collection.entity: collection for collection in (CLIENTS, POSITIONS, WORKERS, WORK_LOCATIONS)
}


def groups(
    reading: ReadSet, query: SimpleQuery | SnapshotQuery, dimension: str, over: Range
) -> dict[str, tuple[str, Ask]]:
    """Return name and evaluator by value, in the order of names."""
    rollup = SOURCES[query.source]
    labels = {
        value: label
        for value, label in _labels(reading, query.source, dimension).items()
        if _is_meant(query, dimension, value)
    }
    is_state = rollup.states is not None and dimension == rollup.states.field
    evaluators: dict[str, tuple[str, Ask]] = {}
    if (dimension in rollup.dimensions or is_state) and len(labels) <= MAX_GROUPS:
        for value, label in labels.items():
            ask = _of_value(reading, query, dimension, value, is_state=is_state)
            if ask is None:
                break
            ask = unless_past(reading, query, ask, dimension)
            reading.prepare(ask, over)
            evaluators[value] = label, ask
        else:
            return evaluators
    by_value = reading.entities(query.source).by_value(query, over, dimension)
    names = labels | {value: value for value in by_value if value not in labels}
    return {
        value: (name, unless_past(reading, query, _known(by_value[value]), dimension))
        for value, name in names.items()
        if value in by_value
    }


def _is_meant(query: SimpleQuery | SnapshotQuery, dimension: str, value: str) -> bool:
    """Return False for values that the conditions on the dimension itself exclude: they are no groups of 0."""
    return all(
        (value in texts_of(condition)) is (condition.op in {Operator.EQ, Operator.IN})
        for condition in query.where
        if condition.field == dimension
    )


def _known(number: Fraction | None) -> Ask:
    return lambda _: number


def _of_value(
    reading: ReadSet, query: SimpleQuery | SnapshotQuery, dimension: str, value: str, *, is_state: bool
) -> Ask | None:
    selection = select(query.source, SOURCES[query.source], query.where)
    if selection is None:
        return None
    if is_state:
        return from_cells(reading, query, selection._replace(states=frozenset({value})))
    if any(partition is not None and partition[0] != dimension for _, partition in selection.partitions):
        return None
    return from_cells(reading, query, selection._replace(partitions=((1, (dimension, value)),)))


def _labels(reading: ReadSet, source: str, dimension: str) -> dict[str, str]:
    values = values_of(source, dimension)
    if values is not None:
        return {value: value for value in values}
    entity = CATALOGUE[source].fields[dimension].entity or ""
    cards = reading.directory.cards_of(_COLLECTIONS[entity])
    return {str(card.id): card.name for card in sorted(cards, key=lambda card: card.sorted_by)}
