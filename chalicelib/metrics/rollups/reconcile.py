"""Reconciliation: compares the rollups with their entities and corrects them, while writes go on.

Two things can be wrong: an applied contribution may be outdated because an event was lost, or a bucket may differ from
the sum of the applied contributions. No known path leads to the second; the nightly run makes sure.
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

_PATIENCE_SECONDS = 5.0
"""Time for the stream to apply an outdated entity before its event counts as lost."""
_DIGEST = "#"
"""Pseudo-measure of a bucket: a digest of the entities that add to it and their revisions."""


class Progress(NamedTuple):
    """Progress of a comparison of entities. `after` is None at the end."""

    after: str | None
    seen: int
    reapplied: int


def reapply_missed(organization: OrganizationId, source: str, after: str | None) -> Progress:
    """Sync the entities of the next page whose applied contribution is outdated."""
    rollup = SOURCES[source]
    page = rollups.compared_page(organization, source, rollup.collection, after)
    rows = page.rows
    if rollup.unfinished is not None:
        unfinished = rollup.unfinished.read_all(organization)
        rows = [(identifier, record or unfinished.get(identifier), applied) for identifier, record, applied in rows]
        if after is None:  # those that were never applied are on no page
            applied_now = rollups.applied(organization, source, unfinished)
            rows += [(identifier, record, applied_now[identifier]) for identifier, record in unfinished.items()]
    inputs = _InputReader(organization)
    records = [record for _, record, _ in rows if record is not None]
    further = rollup.further(organization, records)
    outdated = [
        identifier
        for identifier, record, applied in rows
        if Counter(expected_contribution(organization, source, record, inputs, further.get(identifier, ())))
        != Counter(applied.contribution)
    ]
    if outdated:
        time.sleep(_PATIENCE_SECONDS)
    synced = sync(organization, source, outdated).require().changed
    for identifier in synced:
        logger.warning("an entity was not rolled up", extra={"source": source, "entity_id": str(identifier)})
    return Progress(page.last, len(page.rows), len(synced))


def expected_contribution(
    organization: OrganizationId, source: str, record: Record | None, inputs: _InputReader, further: Sequence[Any]
) -> Contribution:
    if record is None:
        return ()
    rollup = SOURCES[source]
    entities = [inputs.get(*dependency) for dependency in rollup.dependencies(organization, record)]
    return rollup.contribution(record, [*entities, *further])


@dataclass
class _InputReader:
    """Entities that contributions depend on; each is read once."""

    organization: OrganizationId
    _entities: dict[tuple[str, UUID], Any] = field(default_factory=dict)

    def get(self, collection: Collection[Any], identifier: UUID) -> Any:
        key = collection.entity, identifier
        if key not in self._entities:
            [by_id] = get_together(self.organization, [(collection, [identifier])])
            self._entities[key] = by_id[identifier]
        return self._entities[key]


# -- buckets -----------------------------------------------------------------------------------------------------------


def fix_drift(organization: OrganizationId, source: str, shard: int, shards: int) -> int:
    """Correct the buckets that differ from the sum of the applied contributions; return how many did.

    The partitions are split into `shards`, each of which fits in memory.
    """
    before = sums_of_applied(organization, source, shard, shards)
    # The partition of the whole source is compared even if nothing is applied any more.
    partitions = {key.dimension for key in before} | ({None} if _shard_of(None, shards) == shard else set())
    drift = {
        key: (stored, by)
        for key, stored in stored_buckets(organization, source, partitions, before)
        if (by := _difference(before.get(key, Counter()), stored))
    }
    if not drift:
        return 0
    # The race: a sync may move a bucket while it is compared, and its sum then proves nothing. Only buckets with the
    # same sums before and after are corrected; the others are left to the next night.
    after = sums_of_applied(organization, source, shard, shards)
    corrected = 0
    for key, (stored, by) in drift.items():
        if before.get(key) == after.get(key) and rollups.correct(organization, source, key, stored, by):
            logger.warning("a rollup was repaired", extra={"source": source, "bucket": str(key), "by": dict(by)})
            corrected += 1
    return corrected


def sums_of_applied(organization: OrganizationId, source: str, shard: int, shards: int) -> Increments:
    """Add up the applied contributions, with a digest of the contributors of each bucket."""
    sums: Increments = {}
    for identifier, applied in rollups.all_applied(organization, source):
        digest = int.from_bytes(hashlib.sha256(f"{identifier}#{applied.revision}".encode()).digest()[:8])
        increments: Increments = {}
        for change in applied.contribution:
            buckets.add(increments, change, 1)
        for key, amounts in increments.items():
            if _shard_of(key.dimension, shards) == shard:
                bucket = sums.setdefault(key, Counter())
                bucket.update(amounts)
                bucket[_DIGEST] += digest
    return sums


def stored_buckets(
    organization: OrganizationId, source: str, partitions: Iterable[tuple[str, str] | None], sums: Increments
) -> Iterator[tuple[BucketKey, Counter[str]]]:
    """Yield the stored buckets of the partitions, and an empty one for each bucket of `sums` that is missing there."""
    missing = set(sums)
    for dimension in partitions:
        for sk, amounts in rollups.all_buckets(organization, source, dimension):
            key = BucketKey(dimension, sk)
            missing.discard(key)
            yield key, amounts
    for key in missing:
        yield key, Counter()


def _difference(expected: Counter[str], stored: Counter[str]) -> Counter[str]:
    """Return the amounts to add to the stored ones."""
    names = {*expected, *stored} - {_DIGEST}
    return Counter({name: by for name in sorted(names) if (by := expected[name] - stored[name])})


def _shard_of(dimension: tuple[str, str] | None, shards: int) -> int:
    return int.from_bytes(hashlib.sha256(repr(dimension).encode()).digest()[:4]) % shards
