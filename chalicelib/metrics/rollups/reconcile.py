"""Compares the rollups with what they are made from, and repairs them, while writes go on.

Two things can be wrong. An entity may not be applied as it is: its event was lost. And cells may hold something else
than the sum of what is applied: nothing that this code does leaves them so, and a night is a good time to be sure.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import logger
from chalicelib.dal.collection import Collection, get_together
from chalicelib.dal.records import Record
from chalicelib.metrics.rollups.apply import sync
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.models.rollups import buckets, rollups
from chalicelib.models.rollups.buckets import BucketKey, Contribution, Increments
from chalicelib.models.rollups.rollups import AppliedContribution

_PATIENCE_SECONDS = 5.0
"""So long the stream has to apply what is found to be out of step, before that counts as lost."""
_SEEN = "#"
"""A cell's digest of who adds to it, each at which revision; no measure is called so."""


class Progress(NamedTuple):
    """How far a comparison of entities has come. `after` is None at the end."""

    after: str | None
    seen: int
    healed: int


def reapply_missed(organization: OrganizationId, source: str, after: str | None) -> Progress:
    """Applies those of the next entities (a page of them) that are not applied as they are."""
    page = rollups.beside(organization, source, SOURCES[source].collection, after)
    grounds = _Grounds(organization)
    records = [record for _, record, _ in page.rows if record is not None]
    further = SOURCES[source].further(organization, records)
    suspects = [
        identifier
        for identifier, record, applied in page.rows
        if Counter(_wanted(organization, source, record, grounds, further.get(identifier, ())))
        != Counter(applied.spread)
    ]
    if suspects:
        time.sleep(_PATIENCE_SECONDS)
    healed = sync(organization, source, suspects).require().changed
    for each in healed:
        logger.warning("an entity was not rolled up", extra={"source": source, "entity_id": str(each)})
    return Progress(page.last, len(page.rows), len(healed))


def _wanted(
    organization: OrganizationId, source: str, record: Record | None, grounds: _Grounds, further: Sequence[Any]
) -> Contribution:
    if record is None:
        return ()
    rollup = SOURCES[source]
    relied_on = [grounds.get(*each) for each in rollup.dependencies(organization, record)]
    return rollup.spread(record, [*relied_on, *further])


@dataclass
class _Grounds:
    """What spreads rely on, each read once."""

    organization: OrganizationId
    _found: dict[tuple[str, UUID], Any] = field(default_factory=dict)

    def get(self, collection: Collection[Any], identifier: UUID) -> Any:
        key = collection.entity, identifier
        if key not in self._found:
            [found] = get_together(self.organization, [(collection, [identifier])])
            self._found[key] = found[identifier]
        return self._found[key]


# -- cells -------------------------------------------------------------------------------------------------------------


def fix_drift(organization: OrganizationId, source: str, shard: int, shards: int) -> int:
    """Makes cells hold the sum of what is applied; how many did not. `shards`: the partitions are gone through in so
    many lots, to be held in memory.

    A cell to which somebody has added meanwhile is left to the next night: its sum says nothing.
    """
    before = _sums(organization, source, shard, shards)
    # The whole source's cells are there to be compared even where nothing is applied any more.
    partitions = {cell.dimension for cell in before} | ({None} if _shard_of(None, shards) == shard else set())
    drift = {
        cell: (held, by)
        for cell, held in _cells(organization, source, partitions, before)
        if (by := _difference(before.get(cell, Counter()), held))
    }
    if not drift:
        return 0
    after = _sums(organization, source, shard, shards)
    repaired = 0
    for cell, (held, by) in drift.items():
        if before.get(cell) == after.get(cell) and rollups.correct(organization, source, cell, held, by):
            logger.warning("a rollup was repaired", extra={"source": source, "cell": str(cell), "by": dict(by)})
            repaired += 1
    return repaired


def _sums(organization: OrganizationId, source: str, shard: int, shards: int) -> Increments:
    """Of what is applied, with a digest of whose it is."""
    sums: Increments = {}
    for identifier, applied in rollups.all_applied(organization, source):
        moves: Increments = {}
        for edge in applied.spread:
            buckets.add(moves, edge, 1)
        for cell, amounts in moves.items():
            if _shard_of(cell.dimension, shards) == shard:
                into = sums.setdefault(cell, Counter())
                into.update(amounts)
                into[_SEEN] += _digest(identifier, applied)
    return sums


def _cells(
    organization: OrganizationId, source: str, partitions: Iterable[tuple[str, str] | None], sums: Increments
) -> Iterator[tuple[BucketKey, Counter[str]]]:
    """What lies in the partitions, and nothing for cells of the sums that are missing there."""
    missing = set(sums)
    for dimension in partitions:
        for sk, amounts in rollups.all_cells(organization, source, dimension):
            cell = BucketKey(dimension, sk)
            missing.discard(cell)
            yield cell, amounts
    for cell in missing:
        yield cell, Counter()


def _difference(wanted: Counter[str], held: Counter[str]) -> Counter[str]:
    """What is to be added to `held`."""
    names = {*wanted, *held} - {_SEEN}
    return Counter({name: by for name in sorted(names) if (by := wanted[name] - held[name])})


def _shard_of(dimension: tuple[str, str] | None, shards: int) -> int:
    return int.from_bytes(hashlib.sha256(repr(dimension).encode()).digest()[:4]) % shards


def _digest(identifier: UUID, applied: AppliedContribution) -> int:
    return int.from_bytes(hashlib.sha256(f"{identifier}#{applied.revision}".encode()).digest()[:8])
