"""Reconciliation: compares the rollups with their entities, and corrects them, while writes go on.

Two things can be wrong. A contribution may not be the applied one: its event was lost. And buckets may differ from the
sum of the applied contributions: nothing in this code does that, and a night is a good time to be sure.
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
"""Time for the stream to sync an entity that is out of step, before its event counts as lost."""
_SEEN = "#"
"""Name of a bucket's digest of its contributors and their revisions; no measure has this name."""


class Progress(NamedTuple):
    """Position of a comparison of entities. `after` is None at the end."""

    after: str | None
    seen: int
    reapplied: int


def reapply_missed(organization: OrganizationId, source: str, after: str | None) -> Progress:
    """Sync those of the next page of entities whose contribution is not the applied one."""
    page = rollups.entity_page(organization, source, SOURCES[source].collection, after)
    inputs = _Inputs(organization)
    records = [record for _, record, _ in page.rows if record is not None]
    further = SOURCES[source].further(organization, records)
    suspects = [
        identifier
        for identifier, record, applied in page.rows
        if Counter(_contribution(organization, source, record, inputs, further.get(identifier, ())))
        != Counter(applied.contribution)
    ]
    if suspects:
        time.sleep(_PATIENCE_SECONDS)
    reapplied = sync(organization, source, suspects).require().changed
    for identifier in reapplied:
        logger.warning("an entity was not rolled up", extra={"source": source, "entity_id": str(identifier)})
    return Progress(page.last, len(page.rows), len(reapplied))


def _contribution(
    organization: OrganizationId, source: str, record: Record | None, inputs: _Inputs, further: Sequence[Any]
) -> Contribution:
    if record is None:
        return ()
    rollup = SOURCES[source]
    dependencies = [inputs.get(*dependency) for dependency in rollup.dependencies(organization, record)]
    return rollup.contribution(record, [*dependencies, *further])


@dataclass
class _Inputs:
    """The entities that contributions depend on, each read once."""

    organization: OrganizationId
    _entities: dict[tuple[str, UUID], Any] = field(default_factory=dict)

    def get(self, collection: Collection[Any], identifier: UUID) -> Any:
        key = collection.entity, identifier
        if key not in self._entities:
            [entities] = get_together(self.organization, [(collection, [identifier])])
            self._entities[key] = entities[identifier]
        return self._entities[key]


# -- cells -------------------------------------------------------------------------------------------------------------


def fix_drift(organization: OrganizationId, source: str, shard: int, shards: int) -> int:
    """Correct the buckets that differ from the sum of the applied contributions; return how many did.

    `shards`: the partitions are compared in that many lots, each of which is held in memory. A bucket that was added to
    in the meantime is left to the next night: its sum proves nothing.
    """
    before = _sums(organization, source, shard, shards)
    # The whole source's cells are there to be compared even where nothing is applied any more.
    partitions = {cell.dimension for cell in before} | ({None} if _shard_of(None, shards) == shard else set())
    drift = {
        cell: (stored, by)
        for cell, stored in _cells(organization, source, partitions, before)
        if (by := _difference(before.get(cell, Counter()), stored))
    }
    if not drift:
        return 0
    after = _sums(organization, source, shard, shards)
    fixed = 0
    for cell, (stored, by) in drift.items():
        if before.get(cell) == after.get(cell) and rollups.correct(organization, source, cell, stored, by):
            logger.warning("a rollup was repaired", extra={"source": source, "cell": str(cell), "by": dict(by)})
            fixed += 1
    return fixed


def _sums(organization: OrganizationId, source: str, shard: int, shards: int) -> Increments:
    """Return the sums of the applied contributions, with a digest of the contributors."""
    sums: Increments = {}
    for identifier, applied in rollups.all_applied(organization, source):
        increments: Increments = {}
        for change in applied.contribution:
            buckets.add(increments, change, 1)
        for cell, amounts in increments.items():
            if _shard_of(cell.dimension, shards) == shard:
                into = sums.setdefault(cell, Counter())
                into.update(amounts)
                into[_SEEN] += _digest(identifier, applied)
    return sums


def _cells(
    organization: OrganizationId, source: str, partitions: Iterable[tuple[str, str] | None], sums: Increments
) -> Iterator[tuple[BucketKey, Counter[str]]]:
    """Yield the buckets of the partitions, and empty ones for those of the sums that are missing there."""
    missing = set(sums)
    for dimension in partitions:
        for sk, amounts in rollups.all_cells(organization, source, dimension):
            cell = BucketKey(dimension, sk)
            missing.discard(cell)
            yield cell, amounts
    for cell in missing:
        yield cell, Counter()


def _difference(expected: Counter[str], stored: Counter[str]) -> Counter[str]:
    """Return the increments that turn `stored` into `expected`."""
    names = {*expected, *stored} - {_SEEN}
    return Counter({name: by for name in sorted(names) if (by := expected[name] - stored[name])})


def _shard_of(dimension: tuple[str, str] | None, shards: int) -> int:
    return int.from_bytes(hashlib.sha256(repr(dimension).encode()).digest()[:4]) % shards


def _digest(identifier: UUID, applied: AppliedContribution) -> int:
    return int.from_bytes(hashlib.sha256(f"{identifier}#{applied.revision}".encode()).digest()[:8])
