"""Group by: an evaluator for each value of a dimension, with the value's name."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from chalicelib.dal.collection import Collection
from chalicelib.metrics.engine.partitions import select, texts_of, values_of
from chalicelib.metrics.engine.plan import from_buckets, unless_past
from chalicelib.metrics.engine.read_set import Evaluator, ReadSet
from chalicelib.metrics.language.catalogue import CATALOGUE, Operator
from chalicelib.metrics.language.periods import Range
from chalicelib.metrics.language.query import SimpleQuery, SnapshotQuery
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS
from chalicelib.models.staffing.workers import WORKERS

MAX_GROUPS = 50
"""Values of a dimension that are read from their own buckets; for more, one row scan is cheaper."""

_COLLECTIONS: Mapping[str, Collection[Any]] = {
    collection.entity: collection for collection in (CLIENTS, POSITIONS, WORKERS, WORK_LOCATIONS)
}


def groups(
    reads: ReadSet, query: SimpleQuery | SnapshotQuery, dimension: str, over: Range
) -> dict[str, tuple[str, Evaluator]]:
    """Return the name and evaluator of each value, in the order of names."""
    labels = {
        value: label
        for value, label in labels_of(reads, query.source, dimension).items()
        if _is_allowed(query, dimension, value)
    }
    from_rollup = groups_from_buckets(reads, query, dimension, labels, over)
    if from_rollup is not None:
        return from_rollup
    by_value = reads.entities(query.source).by_value(query, over, dimension)
    names = labels | {value: value for value in by_value if value not in labels}
    return {
        value: (name, unless_past(reads, query, constant(by_value[value]), dimension))
        for value, name in names.items()
        if value in by_value
    }


def groups_from_buckets(
    reads: ReadSet, query: SimpleQuery | SnapshotQuery, dimension: str, labels: Mapping[str, str], over: Range
) -> dict[str, tuple[str, Evaluator]] | None:
    """Return the groups if buckets suffice for all of them."""
    rollup = SOURCES[query.source]
    is_state = rollup.states is not None and dimension == rollup.states.field
    if (dimension not in rollup.dimensions and not is_state) or len(labels) > MAX_GROUPS:
        return None
    result: dict[str, tuple[str, Evaluator]] = {}
    for value, label in labels.items():
        evaluator = evaluator_of_value(reads, query, dimension, value, is_state=is_state)
        if evaluator is None:
            return None
        evaluator = unless_past(reads, query, evaluator, dimension)
        reads.prepare(evaluator, over)
        result[value] = label, evaluator
    return result


def evaluator_of_value(
    reads: ReadSet, query: SimpleQuery | SnapshotQuery, dimension: str, value: str, *, is_state: bool
) -> Evaluator | None:
    selection = select(query.source, SOURCES[query.source], query.where)
    if selection is None:
        return None
    if is_state:
        return from_buckets(reads, query, selection._replace(states=frozenset({value})))
    if any(partition is not None and partition[0] != dimension for _, partition in selection.partitions):
        return None
    return from_buckets(reads, query, selection._replace(partitions=((1, (dimension, value)),)))


def constant(number: Fraction | None) -> Evaluator:
    return lambda _: number


def _is_allowed(query: SimpleQuery | SnapshotQuery, dimension: str, value: str) -> bool:
    """Return False for values that conditions on the dimension exclude: they are no groups of 0."""
    return all(
        (value in texts_of(condition)) is (condition.op in {Operator.EQ, Operator.IN})
        for condition in query.where
        if condition.field == dimension
    )


def labels_of(reads: ReadSet, source: str, dimension: str) -> dict[str, str]:
    """Return the names of a dimension's values, sorted by name."""
    values = values_of(source, dimension)
    if values is not None:
        return {value: value for value in values}
    entity = CATALOGUE[source].fields[dimension].entity or ""
    references = reads.directory.cards_of(_COLLECTIONS[entity])
    ordered = sorted(references, key=lambda reference: reference.sorted_by)
    return {str(reference.id): reference.name for reference in ordered}
