"""Group by: a number for each value of a dimension, with the value's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Protocol
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.dal.collection import Collection
from chalicelib.metrics.engine.nodes import Data, Node, Read, ScanRead
from chalicelib.metrics.engine.partitions import INCLUSIVE, select, texts_of, values_of
from chalicelib.metrics.engine.plan import Planner
from chalicelib.metrics.language.query import SimpleQuery, SnapshotQuery
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.staffing.directory import NameIndex
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS
from chalicelib.models.staffing.workers import WORKERS
from chalicelib.models.time.projects import PROJECTS
from chalicelib.models.users import USERS

MAX_GROUPS = 50
"""Values of a dimension that are read from their own buckets; for more, one row scan is cheaper."""

_COLLECTIONS: Mapping[str, Collection[Any]] = {
    collection.entity: collection for collection in (CLIENTS, POSITIONS, PROJECTS, USERS, WORKERS, WORK_LOCATIONS)
}

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Numbers = Mapping[str, tuple[str, Fraction | None]]
"""The name and number of each value, in the order of names."""


class Groups(Protocol):
    """The plan of all groups."""

    def reads(self, over: Range) -> Iterator[Read]: ...

    def numbers(self, over: Range, data: Data) -> Numbers: ...


@dataclass(frozen=True)
class BucketGroups:
    """Groups that each have a plan of their own."""

    nodes: Mapping[str, tuple[str, Node]]

    def reads(self, over: Range) -> Iterator[Read]:
        for _, node in self.nodes.values():
            yield from node.reads(over)

    def numbers(self, over: Range, data: Data) -> Numbers:
        return {value: (label, node.value(over, data)) for value, (label, node) in self.nodes.items()}


@dataclass(frozen=True)
class ScannedGroups:
    """Groups from one row scan; values without rows are no groups."""

    query: SimpleQuery | SnapshotQuery
    dimension: str
    labels: Mapping[str, str]
    known_from: datetime | None
    """Numbers of ranges that end before are not known; None: all are."""

    def reads(self, over: Range) -> Iterator[Read]:  # noqa: ARG002  all entities, over any range
        yield ScanRead(self.query.source)

    def numbers(self, over: Range, data: Data) -> Numbers:
        by_value = data.entities(self.query.source).by_value(self.query, over, self.dimension)
        names = {**self.labels, **{value: value for value in by_value if value not in self.labels}}
        is_known = self.known_from is None or over.end >= self.known_from
        return {
            value: (name, by_value[value] if is_known else None) for value, name in names.items() if value in by_value
        }


def plan_groups(
    planner: Planner, query: SimpleQuery | SnapshotQuery, dimension: str, directory: Callable[[], NameIndex]
) -> Groups:
    """Plan the groups from buckets, or by a row scan where buckets do not suffice for all of them."""
    labels = {
        value: label
        for value, label in labels_of(query.source, dimension, directory).items()
        if _is_allowed(query, dimension, value)
    }
    if len(labels) <= MAX_GROUPS:
        nodes = {
            value: (label, node)
            for value, label in labels.items()
            if (node := node_of_value(planner, query, dimension, value)) is not None
        }
        if len(nodes) == len(labels):
            return BucketGroups(nodes)
    known_from = planner.at if planner.needs_history(query, dimension) else None
    return ScannedGroups(query, dimension, labels, known_from)


def node_of_value(planner: Planner, query: SimpleQuery | SnapshotQuery, dimension: str, value: str) -> Node | None:
    rollup = SOURCES[query.source]
    selection = select(query.source, rollup, query.where)
    if selection is None:
        return None
    if dimension in rollup.states:
        if selection.states is not None and selection.states[0] != dimension:
            return None
        selection = selection._replace(states=(dimension, frozenset({value})))
    elif rollup.split is not None and dimension == rollup.split.field:
        selection = selection._replace(split=frozenset({value}))
    elif any(partition is not None and partition[0] != dimension for _, partition in selection.partitions):
        return None
    else:
        selection = selection._replace(partitions=((1, (dimension, value)),))
    node = planner.from_buckets(query, selection)
    return None if node is None else planner.with_history(query, node, dimension)


def _is_allowed(query: SimpleQuery | SnapshotQuery, dimension: str, value: str) -> bool:
    """Return False for values that conditions on the dimension exclude: they are no groups of 0."""
    return all(
        (value in texts_of(condition)) is (condition.op in INCLUSIVE)
        for condition in query.where
        if condition.field == dimension
    )


def labels_of(source: str, dimension: str, directory: Callable[[], NameIndex]) -> dict[str, str]:
    """Return the names of a dimension's values, sorted by name."""
    values = values_of(source, dimension)
    if values is not None:
        return {value: value for value in values}
    entity = SOURCES[source].fields[dimension].entity or ""
    references = directory().references_of(_COLLECTIONS[entity])
    ordered = sorted(references, key=lambda reference: reference.sorted_by)
    return {str(reference.id): reference.name for reference in ordered}


def names_of(organization: OrganizationId, keys: Iterable[str]) -> dict[str, str]:
    """Return the current names of groups by key: of entities theirs, of all else the value itself."""
    names = {key: key for key in keys}
    identifiers = {UUID(key): key for key in names if _UUID.fullmatch(key)}
    if identifiers:
        directory = NameIndex(organization)
        names |= {key: directory[id_].name for id_, key in identifiers.items() if id_ in directory}
    return names
