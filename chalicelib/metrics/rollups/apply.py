"""Sync: brings the buckets in step with entities. See docs/decisions/rollups.md."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import UUID

from chalicelib.core.errors import ActionError, ErrorCode, conflict
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.dal.collection import Collection
from chalicelib.dal.keys import Key
from chalicelib.dal.records import Record, versions
from chalicelib.dal.unit_of_work import MAX_WRITES, pause
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.metrics.rollups.sources.base import Source
from chalicelib.models.rollups import rollups
from chalicelib.models.rollups.rollups import Target

AT_ONCE = 200
"""Entities that are read and planned together: enough to share buckets, few enough to finish in seconds."""

_ENTITIES_A_TRANSACTION = (MAX_WRITES, MAX_WRITES, 8, 4, 2, 1)
"""Limit by attempt: entities that keep failing are retried in smaller groups, so that they hold up no others."""


class OutOfTime(Exception):
    """No time was left for the entity; it is unchanged."""


@dataclass
class Synced:
    """The outcome of a sync, by entity. Entities in neither set were in step already."""

    changed: set[UUID] = field(default_factory=set)
    failed: dict[UUID, Exception] = field(default_factory=dict)

    def require(self) -> Synced:
        """Raise the first failure, if any."""
        for error in self.failed.values():
            raise error
        return self


def sync(
    organization: OrganizationId,
    source: str,
    identifiers: Iterable[UUID],
    *,
    holders: Mapping[UUID, UUID] = MappingProxyType({}),
    is_over: Callable[[], bool] = lambda: False,
) -> Synced:
    """Bring the rollups of a source in step with entities. Idempotent, safe in any order and concurrently.

    A failing entity does not keep others from being synced. Once `is_over`, the rest fail with OutOfTime. `holders`: of
    entities that may be unfinished, as far as they are known; without one, all unfinished entities are read.
    """
    pending = list(dict.fromkeys(identifiers))
    job = _Sync(organization, source, is_over, holders)
    for first in range(0, len(pending), AT_ONCE):
        job.run(pending[first : first + AT_ONCE])
    return job.outcome


def sync_entity(organization: OrganizationId, source: str, identifier: UUID) -> bool:
    """Sync one entity; True if its rollups changed. CONFLICT if its inputs keep changing meanwhile."""
    return identifier in sync(organization, source, [identifier]).require().changed


@dataclass
class _Sync:
    organization: OrganizationId
    source: str
    is_over: Callable[[], bool]
    holders: Mapping[UUID, UUID]
    outcome: Synced = field(default_factory=Synced)

    def run(self, pending: Sequence[UUID]) -> None:
        for attempt, most in enumerate(_ENTITIES_A_TRANSACTION):
            if self.is_over():
                self._fail(pending, OutOfTime())
                return
            if attempt:
                pause(attempt)
            try:
                plan = self.plan(pending)
            except Exception as error:  # noqa: BLE001  recorded for the entities that cause it
                self.isolate(pending, error)
                return
            pending = self.commit(plan, most)
            if not pending:
                return
        self._fail(pending, conflict())

    def _fail(self, identifiers: Iterable[UUID], error: Exception) -> None:
        self.outcome.failed.update(dict.fromkeys(identifiers, error))

    def isolate(self, pending: Sequence[UUID], error: Exception) -> None:
        """Find the entities that cause an error by bisection; an outage of the database is caused by none."""
        if len(pending) == 1 or _is_outage(error):
            self._fail(pending, error)
            return
        middle = len(pending) // 2
        self.run(pending[:middle])
        self.run(pending[middle:])

    def plan(self, pending: Sequence[UUID]) -> _Plan:
        """Read entities and their inputs, and compute the contributions that they should have."""
        rollup = SOURCES[self.source]
        # Read before the entities: an entity is then never older than a contribution that another sync has applied.
        applied = rollups.applied(self.organization, self.source, pending)
        records = self.read(rollup, pending)
        dependencies = {
            identifier: {collection.key(self.organization, id_): collection for collection, id_ in named}
            for identifier, record in records.items()
            if (named := rollup.dependencies(self.organization, record))
        }
        collections = {key: collection for named in dependencies.values() for key, collection in named.items()}
        items = table.batch_get(collections)
        entities: dict[Key, Record] = {
            key: collection.record.of(items.get(key), collection.entity) for key, collection in collections.items()
        }
        further = rollup.further(self.organization, list(records.values()))
        targets = []
        for identifier in pending:
            record = records.get(identifier)
            inputs = [*(entities[key] for key in dependencies.get(identifier, ())), *further.get(identifier, ())]
            expected = () if record is None else rollup.contribution(record, inputs)
            targets.append(Target(identifier, applied[identifier], expected))
        return _Plan(targets, dependencies, {key: record.version for key, record in entities.items()})

    def read(self, rollup: Source[Any], pending: Sequence[UUID]) -> dict[UUID, Record]:
        """Read entities, also those that are still unfinished; absent ones are absent."""
        unfinished = rollup.unfinished
        if unfinished is None:
            return rollup.collection.get_many(self.organization, pending)
        # Unfinished ones first: one that is finished in between is then read as an entity.
        holders = {self.holders[identifier] for identifier in pending if identifier in self.holders}
        records = dict(unfinished.read(self.organization, holders)) if holders else {}
        records.update(rollup.collection.get_many(self.organization, pending))
        missing = [id_ for id_ in pending if id_ not in records and id_ not in self.holders]
        if missing:
            records.update(unfinished.read_all(self.organization))
            records.update(rollup.collection.get_many(self.organization, missing))
        return {identifier: records[identifier] for identifier in pending if identifier in records}

    def commit(self, plan: _Plan, most: int) -> list[UUID]:
        """Commit the plan; return the entities that must be planned again."""
        again: set[UUID] = set()
        done: set[UUID] = set()
        waiting = deque(rollups.transactions(plan.targets, most=most))
        while waiting:
            # A change in several transactions must apply in order: none may follow one that failed.
            parts = [part for part in waiting.popleft() if part.id not in again and part.id not in self.outcome.failed]
            if not parts:
                continue
            left = {part.id for group in (parts, *waiting) for part in group}
            if self.is_over():
                self._fail(left, OutOfTime())
                break
            try:
                rollups.commit(self.organization, self.source, parts)
            except Exception as error:  # noqa: BLE001  recorded for the entities that cause it
                ids = {part.id for part in parts}
                if isinstance(error, ActionError) and error.code is ErrorCode.CONFLICT:
                    again |= ids
                elif _is_outage(error):
                    self._fail(left, error)
                    break
                elif len(parts) == 1:
                    self._fail(ids, error)
                else:
                    middle = len(parts) // 2
                    waiting.extendleft((parts[middle:], parts[:middle]))
            else:
                done |= {part.id for part in parts}
        self.outcome.changed |= done
        try:
            again |= self.outdated(plan, done)
        except ActionError as error:  # unknown whether their inputs changed: to be delivered again
            self._fail((identifier for identifier in done if identifier in plan.dependencies), error)
        return [target.id for target in plan.targets if target.id in again]

    def outdated(self, plan: _Plan, done: set[UUID]) -> set[UUID]:
        """Return the committed entities whose inputs have changed since they were read."""
        # The race: an input changes between its read and the commit. Its version is compared after the commit; equal
        # means it was unchanged at the commit. A condition in the transaction would prove the same, but it is billed by
        # the size of workers and positions, and their own writes would collide with it. A process that dies in between
        # has not acknowledged its message, which is delivered again.
        keys = {key for identifier in done for key in plan.dependencies.get(identifier, ())}
        if not keys:
            return set()
        now = versions(keys)
        changed = {key for key in keys if now.get(key) != plan.versions[key]}
        return {identifier for identifier in done if changed & plan.dependencies.get(identifier, {}).keys()}


@dataclass(frozen=True)
class _Plan:
    targets: Sequence[Target]
    dependencies: Mapping[UUID, Mapping[Key, Collection[Any]]]
    """Input entities by entity, in the order in which the source names them."""
    versions: Mapping[Key, int]
    """Versions of the input entities as read."""


def _is_outage(error: Exception) -> bool:
    return isinstance(error, ActionError) and error.code is ErrorCode.DATABASE_ERROR
