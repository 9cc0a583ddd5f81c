"""Rollups: the cells of a source hold of each entity what was last applied of it. See docs/decisions/rollups.md."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate, pairwise
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from pynamodb.expressions.operand import Path

from chalicelib.core import clock
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import cells, keys, table, tags
from chalicelib.dal.cells import Edge, Moves, Spread, amounts_of
from chalicelib.dal.collection import Collection
from chalicelib.dal.keys import Key
from chalicelib.dal.records import Record
from chalicelib.dal.table import Item
from chalicelib.dal.unit_of_work import MAXIMUM_WRITES, UnitOfWork, stale

_REMEMBERED = timedelta(days=1)

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Applied:
    """What the cells hold of an entity. `revision` is 0 where they hold nothing."""

    revision: int
    spread: Spread


def applied(organization: OrganizationId, source: str, identifier: UUID) -> Applied:
    return _applied_of(table.get(keys.applied(organization, source, identifier)))


def _applied_of(item: Item | None) -> Applied:
    if item is None or item.spread is None:
        return Applied(0, ())
    return Applied(int(item.version or 0), _unpacked(item.spread))


def apply(
    organization: OrganizationId,
    source: str,
    identifier: UUID,
    before: Applied,
    wanted: Spread,
    unchanged: Mapping[Key, int] | None = None,
) -> bool:
    """Makes the cells hold `wanted` of an entity instead of what was `applied`; whether anything changed.

    `unchanged`: keys of entities and the versions at which they must still be. Raises StaleRead when they are not, or
    when another has applied the entity meanwhile: read everything again. Large changes take several transactions, each
    of which leaves cells and what is applied in step.
    """
    steps = list(_steps(before.spread, wanted, MAXIMUM_WRITES - 2 - len(unchanged or {})))
    revision = before.revision
    for spread, moves in steps:
        unit = UnitOfWork(organization)
        _put_applied(unit, keys.applied(organization, source, identifier), revision, spread)
        for key, version in (unchanged or {}).items():
            unit.check(key, Item.version == version, stale)
        write(unit, source, moves)
        tags.bump(unit, source)
        unit.commit()
        revision += 1
    return bool(steps)


def write(unit: UnitOfWork, source: str, moves: Moves) -> None:
    for (dimension, sk), amounts in moves.items():
        actions = [Path(name).add(amount) for name, amount in amounts.items() if amount]
        if actions:
            partition = keys.rollup(unit.organization, source, *(dimension or ()))
            unit.upsert(Key(partition, sk), [*actions, Item.derived.set(1)])


def correct(organization: OrganizationId, source: str, moves: Moves) -> None:
    """Adds to cells what they lack, whatever else is added at the same time."""
    unit = UnitOfWork(organization)
    write(unit, source, moves)
    tags.bump(unit, source)
    unit.commit()


def _steps(before: Spread, wanted: Spread, most: int) -> Iterator[tuple[Spread, Moves]]:
    """What is applied after each transaction, and what it adds to which cells; `most` of these at a time."""
    held = Counter(before)
    changes = Counter(wanted)
    changes.subtract(held)
    moves: Moves = {}
    pending = False
    for edge, by in sorted((edge, by) for edge, by in changes.items() if by):
        alone: Moves = {}
        cells.add(alone, edge, by)
        if pending and len({*moves, *alone}) > most:
            yield _spread(held), moves
            moves, pending = {}, False
        for cell, amounts in alone.items():
            moves.setdefault(cell, Counter()).update(amounts)
        held[edge] += by
        pending = True
    if pending:
        yield _spread(held), moves


def _spread(held: Counter[Edge]) -> Spread:
    return tuple(sorted(held.elements()))


def _put_applied(unit: UnitOfWork, key: Key, revision: int, spread: Spread) -> None:
    """Of what is gone, the revision stays for a while: who read it before must not take a new beginning for it."""
    item = Item(*key, version=revision + 1, spread=_packed(spread), derived=1)
    item.ttl = None if spread else int((clock.now() + _REMEMBERED).timestamp())
    unit.put(item, Item.pk.does_not_exist() if revision == 0 else Item.version == revision, stale)


def _packed(spread: Spread) -> bytes:
    """By column, compressed: 2 to 6 bytes an edge, so that a position with 20,000 assignments ahead takes 200 KB."""
    dimensions = sorted({edge.dimensions for edge in spread})
    heights = sorted({edge.heights for edge in spread})
    instants = [edge.at for edge in spread]
    columns = [
        dimensions,
        heights,
        [at - before for before, at in pairwise([0, *instants])],
        [int(edge.is_end) for edge in spread],
        _positions(dimensions, [edge.dimensions for edge in spread]),
        _positions(heights, [edge.heights for edge in spread]),
    ]
    return zlib.compress(json.dumps(columns, separators=(",", ":")).encode())


def _positions(values: Sequence[Hashable], used: Iterable[Hashable]) -> list[int]:
    position_of = {value: position for position, value in enumerate(values)}
    return [position_of[value] for value in used]


def _unpacked(packed: bytes) -> Spread:
    dimensions, heights, *columns = json.loads(zlib.decompress(packed))
    named = [tuple((field, value) for field, value in pairs) for pairs in dimensions]
    raised = [tuple((measure, height) for measure, height in pairs) for pairs in heights]
    steps, ends, dimension_of, heights_of = columns
    edges = zip(accumulate(steps), heights_of, ends, dimension_of, strict=True)
    return tuple(Edge(at, raised[height], bool(is_end), named[dimension]) for at, height, is_end, dimension in edges)


# -- compare --------------------------------------------------------------------------------------------------


def all_applied(organization: OrganizationId, source: str) -> Iterator[tuple[UUID, Applied]]:
    """What is applied of each entity, by id; consistent row by row."""
    for row in _all(keys.all_applied(organization, source)):
        yield UUID(row["sk"]["S"]), _applied_of(table.item_from_raw(row))


def all_cells(
    organization: OrganizationId, source: str, dimension: tuple[str, str] | None
) -> Iterator[tuple[str, Counter[str]]]:
    for row in _all(keys.rollup(organization, source, *(dimension or ()))):
        yield row["sk"]["S"], Counter(amounts_of(row))


class Beside(NamedTuple, Generic[R]):
    """Consecutive entities, each beside what is applied of it, either of which may be missing."""

    rows: list[tuple[UUID, R | None, Applied]]
    last: str | None
    """Where to go on; None at the end."""


def beside(organization: OrganizationId, source: str, collection: Collection[R], after: str | None) -> Beside[R]:
    """A page of the entities, deleted ones too."""
    page = table.query(keys.partition(organization, collection.kind), after=after)
    records = {
        UUID(row["sk"]["S"]): collection.record.of(table.item_from_raw(row), collection.entity) for row in page.items
    }
    applied = {
        UUID(row["sk"]["S"]): _applied_of(table.item_from_raw(row))
        for row in _all(keys.all_applied(organization, source), (after or " ", page.last or "\uffff"))
        if row["sk"]["S"] != after
    }
    nothing = Applied(0, ())
    rows = [(each, records.get(each), applied.get(each, nothing)) for each in sorted({*records, *applied})]
    return Beside(rows, page.last)


def _all(partition: str, between: tuple[str, str] | None = None) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        page = table.query(partition, between=between, after=after)
        yield from page.items
        after = page.last
        if after is None:
            return
