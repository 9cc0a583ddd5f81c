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
"""The same for corrections, which also compare each attribute."""
_MAX_CHANGES = 10_000
"""Level changes of a transaction, which may have 4 MB: one takes some 60 bytes in an applied contribution."""

CONTRIBUTION = attribute("contribution", Packed())
"""The contribution of an entity that was last added to the buckets, packed."""

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class AppliedContribution:
    """The contribution that the buckets hold of an entity. `revision` is 0 if it was never applied."""

    revision: int
    contribution: Contribution


class Target(NamedTuple):
    """An entity with its applied and its expected contribution."""

    id: UUID
    before: AppliedContribution
    expected: Contribution


class Part(NamedTuple):
    """One entity's share of a transaction."""

    id: UUID
    revision: int
    """The revision that must still be stored."""
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
    # An item without a contribution is of an older release: it counts as empty, and reconciliation fixes the buckets.
    packed = item.value(CONTRIBUTION)
    return AppliedContribution(int(item.version or 0), unpacked(packed) if packed else ())


# -- apply -------------------------------------------------------------------------------------------------------------


def transactions(targets: Iterable[Target], *, most: int = MAX_WRITES) -> Iterator[list[Part]]:
    """Yield the transactions to commit in order, each with as many entities as fit, `most` at most.

    Entities of the same day and dimensions are grouped, because they share buckets. An entity in step has no part. A
    large change has several parts; each leaves the buckets in step with the applied contribution.
    """
    group = _Group(most)
    for target in sorted(targets, key=sort_key):
        parts = list(parts_of(target))
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
    """Commit one transaction. Raises StaleRead if another sync has applied one of the entities meanwhile."""
    unit = UnitOfWork(organization)
    increments: Increments = {}
    for part in parts:
        put_applied(unit, keys.applied(organization, source, part.id), part.revision, part.contribution)
        merge(increments, part.increments)
    write(unit, source, increments)
    cache.bump(unit, source)
    unit.commit()


class _Group:
    """Parts that fit one transaction."""

    def __init__(self, most: int) -> None:
        self.parts: list[Part] = []
        self._most = most
        self._names: dict[BucketKey, set[str]] = {}
        self._changes = 0

    def takes(self, part: Part) -> bool:
        if not self.parts:
            return True
        writes = len(self._names.keys() | part.increments.keys()) + len(self.parts) + 1 + _TAG
        return (
            len(self.parts) < self._most
            and writes <= MAX_WRITES
            and self._changes + len(part.contribution) <= _MAX_CHANGES
            and names_fit(self._names, part.increments)
        )

    def add(self, part: Part) -> None:
        self.parts.append(part)
        self._changes += len(part.contribution)
        for key, amounts in part.increments.items():
            self._names.setdefault(key, set()).update(amounts)


def sort_key(target: Target) -> tuple[Any, ...]:
    """Sort targets that share buckets next to each other: by day, then from the widest dimension to the narrowest."""
    first = (target.expected or target.before.contribution)[:1]
    return (first[0].at // buckets.DAY, first[0].dimensions[::-1]) if first else (0, ())


def write(unit: UnitOfWork, source: str, increments: Increments) -> None:
    """Add increments to buckets; a bucket is created by its first increment.

    So is the one of a day in which all amounts add up to 0: readers look for its hours only where it is.
    """
    for key, amounts in increments.items():
        added = {name: amount for name, amount in amounts.items() if amount}
        if added or key.is_of_day:
            actions = [AddAll(added)] if added else []
            unit.upsert(item_key(unit.organization, source, key), [*actions, Item.derived.set(1)])


def correct(
    organization: OrganizationId, source: str, bucket: BucketKey, stored: Mapping[str, int], by: Mapping[str, int]
) -> bool:
    """Add the missing amounts to a bucket; return False if it no longer has the `stored` amounts.

    The condition makes the correction idempotent: delivered twice, in turn or at once, it applies once.
    """
    names = sorted(by)
    for first in range(0, len(names), _MAX_CORRECTED):
        chunk = names[first : first + _MAX_CORRECTED]
        unit = UnitOfWork(organization)
        same = [Path(name) == stored[name] if name in stored else Path(name).does_not_exist() for name in chunk]
        added = AddAll({name: by[name] for name in chunk})
        unit.upsert(item_key(organization, source, bucket), [added, Item.derived.set(1)], condition=all_of(same))
        cache.bump(unit, source)
        try:
            unit.commit()
        except StaleRead:
            return False
    return True


def item_key(organization: OrganizationId, source: str, bucket: BucketKey) -> Key:
    return Key(keys.rollup(organization, source, *(bucket.dimension or ())), bucket.sk)


def parts_of(target: Target) -> Iterator[Part]:
    """Split the change of an entity into parts, each as large as fits a transaction of its own."""
    applied = Counter(target.before.contribution)
    difference = Counter(target.expected)
    difference.subtract(applied)
    changes = sorted((change, by) for change, by in difference.items() if by)
    if not changes:
        return
    revision = target.before.revision
    increments: Increments = {}
    for change, by in changes:
        buckets.add(increments, change, by)
    if _fits({}, increments):
        yield Part(target.id, revision, tuple(sorted(target.expected)), increments)
        return
    increments = {}
    for change, by in changes:
        more: Increments = {}
        buckets.add(more, change, by)
        if increments and not _fits(increments, more):
            yield Part(target.id, revision, tuple(sorted(applied.elements())), increments)
            revision += 1
            increments = {}
        merge(increments, more)
        applied[change] += by
    if increments:
        yield Part(target.id, revision, tuple(sorted(applied.elements())), increments)


def _fits(increments: Increments, more: Increments) -> bool:
    return len(increments.keys() | more.keys()) <= MAX_WRITES - 1 - _TAG and names_fit(increments, more)


def names_fit(names: Mapping[BucketKey, Iterable[str]], more: Increments) -> bool:
    """Return whether every bucket stays within the attributes that one update expression may name."""
    return all(len({*names.get(key, ()), *amounts}) <= _MAX_NAMES for key, amounts in more.items())


def merge(increments: Increments, more: Increments) -> None:
    for key, amounts in more.items():
        increments.setdefault(key, Counter()).update(amounts)


def put_applied(unit: UnitOfWork, key: Key, revision: int, contribution: Contribution) -> None:
    # The item of an emptied contribution stays for a day. If it were deleted at once, revisions would start anew, and
    # the condition of a sync that read an old revision could match the same revision of the new item.
    item = Item(*key, version=revision + 1, contribution=pack(contribution), derived=1)
    item.ttl = None if contribution else int((clock.now() + _REMEMBERED).timestamp())
    unit.put(item, Item.pk.does_not_exist() if revision == 0 else Item.version == revision, stale)


def pack(contribution: Contribution) -> bytes:
    """Compress a contribution by column: 2 to 6 bytes a change; a position with 20,000 assignments takes 200 KB."""
    dimensions = sorted({change.dimensions for change in contribution})
    deltas = sorted({change.deltas for change in contribution})
    instants = [change.at for change in contribution]
    columns = [
        dimensions,
        deltas,
        [at - before for before, at in pairwise([0, *instants])],
        [int(change.is_end) for change in contribution],
        indexes(dimensions, [change.dimensions for change in contribution]),
        indexes(deltas, [change.deltas for change in contribution]),
    ]
    return zlib.compress(json.dumps(columns, separators=(",", ":")).encode())


def indexes(values: Sequence[Hashable], used: Iterable[Hashable]) -> list[int]:
    index_of = {value: index for index, value in enumerate(values)}
    return [index_of[value] for value in used]


def unpacked(packed: bytes) -> Contribution:
    dimensions, deltas, *columns = json.loads(zlib.decompress(packed))
    all_dimensions = [tuple((field, value) for field, value in pairs) for pairs in dimensions]
    all_deltas = [tuple((measure, delta) for measure, delta in pairs) for pairs in deltas]
    steps, ends, dimension_indexes, delta_indexes = columns
    rows = zip(accumulate(steps), delta_indexes, ends, dimension_indexes, strict=True)
    return tuple(
        LevelChange(at, all_deltas[delta], bool(is_end), all_dimensions[dimension])
        for at, delta, is_end, dimension in rows
    )


# -- compare --------------------------------------------------------------------------------------------------


def all_applied(organization: OrganizationId, source: str) -> Iterator[tuple[UUID, AppliedContribution]]:
    """Yield the applied contribution of each entity; every row is read consistently, all rows together are not."""
    for row in table.query_all(keys.all_applied(organization, source)):
        yield UUID(row["sk"]["S"]), _applied_of(table.item_from_raw(row))


def all_buckets(
    organization: OrganizationId, source: str, dimension: tuple[str, str] | None
) -> Iterator[tuple[str, Counter[str]]]:
    for row in table.query_all(keys.rollup(organization, source, *(dimension or ()))):
        yield row["sk"]["S"], Counter(amounts_of(row))


class ComparedPage(NamedTuple, Generic[R]):
    """Consecutive entities with their applied contributions; an entity may be missing, its contribution empty."""

    rows: list[tuple[UUID, R | None, AppliedContribution]]
    last: str | None
    """Sort key to continue after; None at the end."""


def compared_page(
    organization: OrganizationId, source: str, collection: Collection[R], after: str | None
) -> ComparedPage[R]:
    """Return a page of the entities, including deleted ones."""
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
    return ComparedPage(rows, page.last)
