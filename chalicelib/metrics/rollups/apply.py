"""Keeps the rollups in step with their entities; see docs/decisions/rollups.md."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
from chalicelib.models.rollups import rollups
from chalicelib.models.rollups.rollups import Target

AT_ONCE = 200
"""Entities that are read and planned together: enough to share cells, few enough to be done in seconds."""

_ENTITIES_A_TRANSACTION = (MAX_WRITES, MAX_WRITES, 8, 4, 2, 1)
"""Group sizes by try: an entity that keeps failing is tried in ever smaller groups, so that it holds up no other."""


class OutOfTime(Exception):
    """There was no time left for the entity; it is as it was."""


@dataclass
class Synced:
    """The outcome of a sync, by entity. Those that are in neither were in step."""

    changed: set[UUID] = field(default_factory=set)
    failed: dict[UUID, Exception] = field(default_factory=dict)

    def require(self) -> Synced:
        """Raise the first failure, if there is any."""
        for error in self.failed.values():
            raise error
        return self


def sync(
    organization: OrganizationId,
    source: str,
    identifiers: Iterable[UUID],
    *,
    is_over: Callable[[], bool] = lambda: False,
) -> Synced:
    """Bring the rollups of a source in step with entities. Idempotent, safe in any order and concurrently.

    An entity that fails keeps no other from being synced. Once `is_over`, the rest fails with OutOfTime.
    """
    pending = list(dict.fromkeys(identifiers))
    job = _Sync(organization, source, is_over)
    for first in range(0, len(pending), AT_ONCE):
        job.run(pending[first : first + AT_ONCE])
    return job.outcome


def sync_entity(organization: OrganizationId, source: str, identifier: UUID) -> bool:
    """Sync one entity; return True if its rollups changed. CONFLICT when its dependencies keep changing."""
    return identifier in sync(organization, source, [identifier]).require().changed


@dataclass
class _Sync:
    organization: OrganizationId
    source: str
    is_over: Callable[[], bool]
    outcome: Synced = field(default_factory=Synced)

    def run(self, pending: Sequence[UUID]) -> None:
        for tried, most in enumerate(_ENTITIES_A_TRANSACTION):
            if self.is_over():
                self._fail(pending, OutOfTime())
                return
            if tried:
                pause(tried)
            try:
                plan = self._plan(pending)
            except Exception as error:  # noqa: BLE001  reported for the entities that cause it
                self._blame(pending, error)
                return
            pending = self._commit(plan, most)
            if not pending:
                return
        self._fail(pending, conflict())

    def _fail(self, identifiers: Iterable[UUID], error: Exception) -> None:
        self.outcome.failed.update(dict.fromkeys(identifiers, error))

    def _blame(self, pending: Sequence[UUID], error: Exception) -> None:
        """Find by halves the entities that cause an error; an outage of the store is caused by none."""
        if len(pending) == 1 or _is_outage(error):
            self._fail(pending, error)
            return
        middle = len(pending) // 2
        self.run(pending[:middle])
        self.run(pending[middle:])

    def _plan(self, pending: Sequence[UUID]) -> _Plan:
        rollup = SOURCES[self.source]
        # Read before the entities, so that these are never older than their applied contributions.
        applied = rollups.applied(self.organization, self.source, pending)
        records = rollup.collection.get_many(self.organization, pending)
        dependencies = {
            identifier: {collection.key(self.organization, other): collection for collection, other in named}
            for identifier, record in records.items()
            if (named := rollup.dependencies(self.organization, record))
        }
        inputs = self._read({key: named for keys in dependencies.values() for key, named in keys.items()})
        further = rollup.further(self.organization, list(records.values()))
        targets = []
        for identifier in pending:
            record = records.get(identifier)
            needed = [*(inputs[key] for key in dependencies.get(identifier, ())), *further.get(identifier, ())]
            contribution = () if record is None else rollup.contribution(record, needed)
            targets.append(Target(identifier, applied[identifier], contribution))
        return _Plan(targets, dependencies, {key: record.version for key, record in inputs.items()})

    def _read(self, named: Mapping[Key, Collection[Any]]) -> dict[Key, Record]:
        items = table.batch_get(named)
        return {key: collection.record.of(items.get(key), collection.entity) for key, collection in named.items()}

    def _commit(self, plan: _Plan, most: int) -> list[UUID]:
        """Commit a plan; return the entities to plan again."""
        again: set[UUID] = set()
        done: set[UUID] = set()
        waiting = deque(rollups.transactions(plan.targets, most=most))
        while waiting:
            # A change that takes several transactions ends with the first of them that fails.
            parts = [part for part in waiting.popleft() if part.id not in again and part.id not in self.outcome.failed]
            if not parts:
                continue
            left = {part.id for group in (parts, *waiting) for part in group}
            if self.is_over():
                self._fail(left, OutOfTime())
                break
            try:
                rollups.commit(self.organization, self.source, parts)
            except Exception as error:  # noqa: BLE001  reported for the entities that cause it
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
            again |= self._outdated(plan, done)
        except ActionError as error:  # whether they are outdated is unknown: they are delivered again
            self._fail((identifier for identifier in done if identifier in plan.dependencies), error)
        return [target.id for target in plan.targets if target.id in again]

    def _outdated(self, plan: _Plan, done: set[UUID]) -> set[UUID]:
        """Return the committed entities whose dependencies have changed since they were read.

        Compared after the commit: a version that is the same now was the same at the commit. A condition in the
        transaction would say as much, but it would be billed by the size of workers and positions, and collide with
        their own writes. A consumer that dies in between has not acknowledged the change, which comes again.
        """
        keys = {key for identifier in done for key in plan.dependencies.get(identifier, ())}
        if not keys:
            return set()
        now = versions(keys)
        moved = {key for key in keys if now.get(key) != plan.versions[key]}
        return {identifier for identifier in done if moved & plan.dependencies.get(identifier, {}).keys()}


@dataclass(frozen=True)
class _Plan:
    targets: Sequence[Target]
    dependencies: Mapping[UUID, Mapping[Key, Collection[Any]]]
    """Keys of the dependencies of each entity, in the order in which its source names them."""
    versions: Mapping[Key, int]
    """Versions of the dependencies, as read."""


def _is_outage(error: Exception) -> bool:
    return isinstance(error, ActionError) and error.code is ErrorCode.DATABASE_ERROR
