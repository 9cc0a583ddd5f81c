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

from chalicelib.core import clock
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import cache, keys, table
from chalicelib.dal.additions import AddAll
from chalicelib.dal.collection import Collection
from chalicelib.dal.expressions import Path
from chalicelib.dal.item import Item, Packed, attribute
from chalicelib.dal.keys import Key
from chalicelib.dal.records import Record
from chalicelib.dal.table import all_of
from chalicelib.dal.unit_of_work import MAX_WRITES, StaleRead, UnitOfWork, stale
from chalicelib.models.rollups import buckets
from chalicelib.models.rollups.buckets import BucketKey, Contribution, Increments, LevelChange, amounts_of

_REMEMBERED = timedelta(days=1)
_TAG = 1
_MAX_NAMES = 200
"""Attributes of a cell that one transaction adds to: an update expression may have 300 operators and 4 KB."""
_MAX_CORRECTED = 20
"""The same where each is compared as well."""
_MAX_EDGES = 10_000
"""Of all entities of a transaction, which may have 4 MB: what is applied of one edge takes some 60 bytes."""

SPREAD = attribute("spread", Packed())
"""The contribution of an entity that was last added to the buckets, packed."""

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class AppliedContribution:
    """What the cells hold of an entity. `revision` is 0 where they hold nothing."""

    revision: int
    spread: Contribution


class Target(NamedTuple):
    """An entity, what the cells hold of it, and what they should hold."""

    id: UUID
    before: AppliedContribution
    wanted: Contribution


class Part(NamedTuple):
    """One entity's share of a transaction."""

    id: UUID
    revision: int
    """At which the entity must still be."""
    spread: Contribution
    """What is applied of it afterwards."""
    moves: Increments


def applied(organization: OrganizationId, source: str, identifiers: Iterable[UUID]) -> dict[UUID, AppliedContribution]:
    ids = {keys.applied(organization, source, identifier): identifier for identifier in identifiers}
    items = table.batch_get(ids)
    return {identifier: _applied_of(items.get(key)) for key, identifier in ids.items()}


def _applied_of(item: Item | None) -> AppliedContribution:
    if item is None:
        return AppliedContribution(0, ())
    # Without a spread it was written by an older release: it counts as nothing, and reconciliation corrects the cells.
    packed = item.value(SPREAD)
    return AppliedContribution(int(item.version or 0), _unpacked(packed) if packed else ())


# -- apply -------------------------------------------------------------------------------------------------------------


def transactions(targets: Iterable[Target], *, most: int = MAX_WRITES) -> Iterator[list[Part]]:
    """What to commit, one transaction after the other: each for as many entities as fit, `most` of them at most.

    Entities of the same day and place come together, because they share cells. An entity that is as wanted has no part.
    Large changes have several, each of which leaves cells and what is applied in step: they come in their order.
    """
    group = _Group(most)
    for target in sorted(targets, key=_place):
        parts = list(_parts(target))
        if len(parts) > 1:
            yield from ([part] for part in parts)
            continue
        for part in parts:
            if not group.takes(part):
                yield group.parts
                group = _Group(most)
            group.add(part)
    if group.parts:
        yield group.parts


def commit(organization: OrganizationId, source: str, parts: Iterable[Part]) -> None:
    """Write parts of a transaction. Raises StaleRead when another has applied one of the entities meanwhile."""
    unit = UnitOfWork(organization)
    moves: Increments = {}
    for part in parts:
        _put_applied(unit, keys.applied(organization, source, part.id), part.revision, part.spread)
        _merge(moves, part.moves)
    write(unit, source, moves)
    cache.bump(unit, source)
    unit.commit()


class _Group:
    """Parts that fit one transaction."""

    def __init__(self, most: int) -> None:
        self.parts: list[Part] = []
        self._most = most
        self._names: dict[BucketKey, set[str]] = {}
        self._edges = 0

    def takes(self, part: Part) -> bool:
        if not self.parts:
            return True
        writes = len(self._names.keys() | part.moves.keys()) + len(self.parts) + 1 + _TAG
        return (
            len(self.parts) < self._most
            and writes <= MAX_WRITES
            and self._edges + len(part.spread) <= _MAX_EDGES
            and _have_room(self._names, part.moves)
        )

    def add(self, part: Part) -> None:
        self.parts.append(part)
        self._edges += len(part.spread)
        for cell, amounts in part.moves.items():
            self._names.setdefault(cell, set()).update(amounts)


def _place(target: Target) -> tuple[Any, ...]:
    """Near to each other for those that share cells: by day, then from the widest dimension to the narrowest."""
    edge = min((target.wanted or target.before.spread)[:1], default=None)
    return (0, ()) if edge is None else (edge.at // buckets.DAY, edge.dimensions[::-1])


def write(unit: UnitOfWork, source: str, moves: Increments) -> None:
    """Add to cells, which begin to exist when first added to."""
    for cell, amounts in moves.items():
        added = {name: amount for name, amount in amounts.items() if amount}
        if added:
            unit.upsert(_key(unit.organization, source, cell), [AddAll(added), Item.derived.set(1)])


def correct(
    organization: OrganizationId, source: str, cell: BucketKey, held: Mapping[str, int], by: Mapping[str, int]
) -> bool:
    """Add to a cell what it lacks; False when it no longer holds what it `held`.

    So a correction that is made twice, one after the other or at once, is made once.
    """
    names = sorted(by)
    for first in range(0, len(names), _MAX_CORRECTED):
        chunk = names[first : first + _MAX_CORRECTED]
        unit = UnitOfWork(organization)
        same = [Path(name) == held[name] if name in held else Path(name).does_not_exist() for name in chunk]
        added = AddAll({name: by[name] for name in chunk})
        unit.upsert(_key(organization, source, cell), [added, Item.derived.set(1)], condition=all_of(same))
        cache.bump(unit, source)
        try:
            unit.commit()
        except StaleRead:
            return False
    return True


def _key(organization: OrganizationId, source: str, cell: BucketKey) -> Key:
    return Key(keys.rollup(organization, source, *(cell.dimension or ())), cell.sk)


def _parts(target: Target) -> Iterator[Part]:
    """The changes of an entity, each as many as fit a transaction of its own."""
    held = Counter(target.before.spread)
    changes = Counter(target.wanted)
    changes.subtract(held)
    changed = sorted((edge, by) for edge, by in changes.items() if by)
    if not changed:
        return
    revision = target.before.revision
    moves: Increments = {}
    for edge, by in changed:
        buckets.add(moves, edge, by)
    if _fits({}, moves):
        yield Part(target.id, revision, tuple(sorted(target.wanted)), moves)
        return
    moves = {}
    pending = False
    for edge, by in changed:
        alone: Increments = {}
        buckets.add(alone, edge, by)
        if pending and not _fits(moves, alone):
            yield Part(target.id, revision, _spread(held), moves)
            revision += 1
            moves, pending = {}, False
        _merge(moves, alone)
        held[edge] += by
        pending = True
    if pending:
        yield Part(target.id, revision, _spread(held), moves)


def _fits(moves: Increments, more: Increments) -> bool:
    return len(moves.keys() | more.keys()) <= MAX_WRITES - 1 - _TAG and _have_room(moves, more)


def _have_room(names: Mapping[BucketKey, Iterable[str]], more: Increments) -> bool:
    return all(len({*names.get(cell, ()), *amounts}) <= _MAX_NAMES for cell, amounts in more.items())


def _merge(moves: Increments, more: Increments) -> None:
    for cell, amounts in more.items():
        into = moves.setdefault(cell, Counter())
        for name, amount in amounts.items():
            into[name] += amount


def _spread(held: Counter[LevelChange]) -> Contribution:
    return tuple(sorted(held.elements()))


def _put_applied(unit: UnitOfWork, key: Key, revision: int, spread: Contribution) -> None:
    """Of what is gone, the revision stays for a while: who read it before must not take a new beginning for it."""
    item = Item(*key, version=revision + 1, spread=_packed(spread), derived=1)
    item.ttl = None if spread else int((clock.now() + _REMEMBERED).timestamp())
    unit.put(item, Item.pk.does_not_exist() if revision == 0 else Item.version == revision, stale)


def _packed(spread: Contribution) -> bytes:
    """By column, compressed: 2 to 6 bytes an edge, so that a position with 20,000 assignments ahead takes 200 KB."""
    dimensions = sorted({edge.dimensions for edge in spread})
    deltas = sorted({edge.deltas for edge in spread})
    instants = [edge.at for edge in spread]
    columns = [
        dimensions,
        deltas,
        [at - before for before, at in pairwise([0, *instants])],
        [int(edge.is_end) for edge in spread],
        _positions(dimensions, [edge.dimensions for edge in spread]),
        _positions(deltas, [edge.deltas for edge in spread]),
    ]
    return zlib.compress(json.dumps(columns, separators=(",", ":")).encode())


def _positions(values: Sequence[Hashable], used: Iterable[Hashable]) -> list[int]:
    position_of = {value: position for position, value in enumerate(values)}
    return [position_of[value] for value in used]


def _unpacked(packed: bytes) -> Contribution:
    dimensions, deltas, *columns = json.loads(zlib.decompress(packed))
    named = [tuple((field, value) for field, value in pairs) for pairs in dimensions]
    raised = [tuple((measure, height) for measure, height in pairs) for pairs in deltas]
    steps, ends, dimension_of, heights_of = columns
    edges = zip(accumulate(steps), heights_of, ends, dimension_of, strict=True)
    return tuple(
        LevelChange(at, raised[height], bool(is_end), named[dimension]) for at, height, is_end, dimension in edges
    )


# -- compare --------------------------------------------------------------------------------------------------


def all_applied(organization: OrganizationId, source: str) -> Iterator[tuple[UUID, AppliedContribution]]:
    """What is applied of each entity, by id; consistent row by row."""
    for row in table.query_all(keys.all_applied(organization, source)):
        yield UUID(row["sk"]["S"]), _applied_of(table.item_from_raw(row))


def all_cells(
    organization: OrganizationId, source: str, dimension: tuple[str, str] | None
) -> Iterator[tuple[str, Counter[str]]]:
    for row in table.query_all(keys.rollup(organization, source, *(dimension or ()))):
        yield row["sk"]["S"], Counter(amounts_of(row))


class Beside(NamedTuple, Generic[R]):
    """Consecutive entities, each beside what is applied of it, either of which may be missing."""

    rows: list[tuple[UUID, R | None, AppliedContribution]]
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
        for row in table.query_all(
            keys.all_applied(organization, source), between=(after or " ", page.last or "\uffff")
        )
        if row["sk"]["S"] != after
    }
    nothing = AppliedContribution(0, ())
    rows = [(each, records.get(each), applied.get(each, nothing)) for each in sorted({*records, *applied})]
    return Beside(rows, page.last)
