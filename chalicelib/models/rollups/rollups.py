"""Rollups: per-source bucket sums, kept in step with each entity's last applied contribution.

See docs/decisions/rollups.md.
"""

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
"""Attributes of a bucket that one transaction adds to: an update expression may have 300 operators and 4 KB."""
_MAX_CORRECTED = 20
"""The same for corrections, where each is compared as well."""
_MAX_EDGES = 10_000
"""Level changes of all entities of a transaction, which may have 4 MB: one takes some 60 bytes."""

CONTRIBUTION = attribute("contribution", Packed())
"""The contribution of an entity that was last added to the buckets, packed."""

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class AppliedContribution:
    """The contribution that the buckets hold of an entity. `revision` is 0 where they hold none."""

    revision: int
    contribution: Contribution


class Target(NamedTuple):
    """An entity with its applied contribution and its present one."""

    id: UUID
    before: AppliedContribution
    after: Contribution


class Part(NamedTuple):
    """One entity's share of a transaction."""

    id: UUID
    revision: int
    """The revision that the applied contribution must still have."""
    contribution: Contribution
    """The applied contribution after the transaction."""
    increments: Increments


def applied(organization: OrganizationId, source: str, identifiers: Iterable[UUID]) -> dict[UUID, AppliedContribution]:
    ids = {keys.applied(organization, source, identifier): identifier for identifier in identifiers}
    items = table.batch_get(ids)
    return {identifier: _applied_of(items.get(key)) for key, identifier in ids.items()}


def _applied_of(item: Item | None) -> AppliedContribution:
    if item is None:
        return AppliedContribution(0, ())
    # Without a spread it was written by an older release: it counts as nothing, and reconciliation corrects the cells.
    packed = item.value(CONTRIBUTION)
    return AppliedContribution(int(item.version or 0), _unpacked(packed) if packed else ())


# -- apply -------------------------------------------------------------------------------------------------------------


def transactions(targets: Iterable[Target], *, most: int = MAX_WRITES) -> Iterator[list[Part]]:
    """Yield transactions to commit one after the other, each for as many entities as fit, `most` of them at most.

    Entities of the same day and place come together, because they share buckets. An entity in step has no part. A large
    change has several, each of which leaves the buckets and the applied contribution in step: they come in their order.
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
    """Write parts of a transaction. Raises StaleRead when another consumer has synced one of the entities meanwhile."""
    unit = UnitOfWork(organization)
    increments: Increments = {}
    for part in parts:
        _put_applied(unit, keys.applied(organization, source, part.id), part.revision, part.contribution)
        _merge(increments, part.increments)
    write(unit, source, increments)
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
        writes = len(self._names.keys() | part.increments.keys()) + len(self.parts) + 1 + _TAG
        return (
            len(self.parts) < self._most
            and writes <= MAX_WRITES
            and self._edges + len(part.contribution) <= _MAX_EDGES
            and _have_room(self._names, part.increments)
        )

    def add(self, part: Part) -> None:
        self.parts.append(part)
        self._edges += len(part.contribution)
        for cell, amounts in part.increments.items():
            self._names.setdefault(cell, set()).update(amounts)


def _place(target: Target) -> tuple[Any, ...]:
    """Return a sort key that puts targets with common buckets together: by day, then from the widest dimension down."""
    change = min((target.after or target.before.contribution)[:1], default=None)
    return (0, ()) if change is None else (change.at // buckets.DAY, change.dimensions[::-1])


def write(unit: UnitOfWork, source: str, increments: Increments) -> None:
    """Add to cells, which begin to exist when first added to."""
    for cell, amounts in increments.items():
        added = {name: amount for name, amount in amounts.items() if amount}
        if added:
            unit.upsert(_key(unit.organization, source, cell), [AddAll(added), Item.derived.set(1)])


def correct(
    organization: OrganizationId, source: str, cell: BucketKey, held: Mapping[str, int], by: Mapping[str, int]
) -> bool:
    """Add to a bucket; return False when it no longer holds `held`.

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
    """Yield the parts of an entity's change, each as large as fits a transaction of its own."""
    held = Counter(target.before.contribution)
    changes = Counter(target.after)
    changes.subtract(held)
    changed = sorted((change, by) for change, by in changes.items() if by)
    if not changed:
        return
    revision = target.before.revision
    increments: Increments = {}
    for change, by in changed:
        buckets.add(increments, change, by)
    if _fits({}, increments):
        yield Part(target.id, revision, tuple(sorted(target.after)), increments)
        return
    increments = {}
    pending = False
    for change, by in changed:
        alone: Increments = {}
        buckets.add(alone, change, by)
        if pending and not _fits(increments, alone):
            yield Part(target.id, revision, _contribution(held), increments)
            revision += 1
            increments, pending = {}, False
        _merge(increments, alone)
        held[change] += by
        pending = True
    if pending:
        yield Part(target.id, revision, _contribution(held), increments)


def _fits(increments: Increments, more: Increments) -> bool:
    return len(increments.keys() | more.keys()) <= MAX_WRITES - 1 - _TAG and _have_room(increments, more)


def _have_room(names: Mapping[BucketKey, Iterable[str]], more: Increments) -> bool:
    return all(len({*names.get(cell, ()), *amounts}) <= _MAX_NAMES for cell, amounts in more.items())


def _merge(increments: Increments, more: Increments) -> None:
    for cell, amounts in more.items():
        into = increments.setdefault(cell, Counter())
        for name, amount in amounts.items():
            into[name] += amount


def _contribution(held: Counter[LevelChange]) -> Contribution:
    return tuple(sorted(held.elements()))


def _put_applied(unit: UnitOfWork, key: Key, revision: int, contribution: Contribution) -> None:
    """Write the applied contribution. A deleted entity's revision stays for a day, for those that read it before."""
    item = Item(*key, version=revision + 1, contribution=_packed(contribution), derived=1)
    item.ttl = None if contribution else int((clock.now() + _REMEMBERED).timestamp())
    unit.put(item, Item.pk.does_not_exist() if revision == 0 else Item.version == revision, stale)


def _packed(contribution: Contribution) -> bytes:
    """Pack by column and compress: 2 to 6 bytes a level change; a position with 20,000 assignments takes 200 KB."""
    dimensions = sorted({change.dimensions for change in contribution})
    deltas = sorted({change.deltas for change in contribution})
    instants = [change.at for change in contribution]
    columns = [
        dimensions,
        deltas,
        [at - before for before, at in pairwise([0, *instants])],
        [int(change.is_end) for change in contribution],
        _positions(dimensions, [change.dimensions for change in contribution]),
        _positions(deltas, [change.deltas for change in contribution]),
    ]
    return zlib.compress(json.dumps(columns, separators=(",", ":")).encode())


def _positions(values: Sequence[Hashable], used: Iterable[Hashable]) -> list[int]:
    position_of = {value: position for position, value in enumerate(values)}
    return [position_of[value] for value in used]


def _unpacked(packed: bytes) -> Contribution:
    dimensions, deltas, *columns = json.loads(zlib.decompress(packed))
    named = [tuple((field, value) for field, value in pairs) for pairs in dimensions]
    raised = [tuple((measure, delta) for measure, delta in pairs) for pairs in deltas]
    steps, ends, dimension_of, heights_of = columns
    level_changes = zip(accumulate(steps), heights_of, ends, dimension_of, strict=True)
    return tuple(
        LevelChange(at, raised[delta], bool(is_end), named[dimension]) for at, delta, is_end, dimension in level_changes
    )


# -- compare --------------------------------------------------------------------------------------------------


def all_applied(organization: OrganizationId, source: str) -> Iterator[tuple[UUID, AppliedContribution]]:
    """Yield the applied contribution of each entity, by id; consistent row by row."""
    for row in table.query_all(keys.all_applied(organization, source)):
        yield UUID(row["sk"]["S"]), _applied_of(table.item_from_raw(row))


def all_cells(
    organization: OrganizationId, source: str, dimension: tuple[str, str] | None
) -> Iterator[tuple[str, Counter[str]]]:
    for row in table.query_all(keys.rollup(organization, source, *(dimension or ()))):
        yield row["sk"]["S"], Counter(amounts_of(row))


class EntityPage(NamedTuple, Generic[R]):
    """Consecutive entities with their applied contributions, either of which may be missing."""

    rows: list[tuple[UUID, R | None, AppliedContribution]]
    last: str | None
    """The id to go on after; None at the end."""


def entity_page(
    organization: OrganizationId, source: str, collection: Collection[R], after: str | None
) -> EntityPage[R]:
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
    rows = [(id_, records.get(id_), applied.get(id_, nothing)) for id_ in sorted({*records, *applied})]
    return EntityPage(rows, page.last)
