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
"""By try. What keeps failing is tried in ever smaller groups, so that it holds up nothing else."""


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
    """Sync one entity; True if its rollups changed. CONFLICT when others keep changing what it depends on."""
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
            except Exception as error:  # noqa: BLE001  kept for the entities that it comes from
                self._blame(pending, error)
                return
            pending = self._commit(plan, most)
            if not pending:
                return
        self._fail(pending, conflict())

    def _fail(self, identifiers: Iterable[UUID], error: Exception) -> None:
        self.outcome.failed.update(dict.fromkeys(identifiers, error))

    def _blame(self, pending: Sequence[UUID], error: Exception) -> None:
        """Find by halves whom an error comes from; a store that does not answer is nobody's fault."""
        if len(pending) == 1 or _is_outage(error):
            self._fail(pending, error)
            return
        middle = len(pending) // 2
        self.run(pending[:middle])
        self.run(pending[middle:])

    def _plan(self, pending: Sequence[UUID]) -> _Plan:
        rollup = SOURCES[self.source]
        # Before the entities, which thus are never read older than what another has applied of them.
        applied = rollups.applied(self.organization, self.source, pending)
        records = rollup.collection.get_many(self.organization, pending)
        relied_on = {
            identifier: {collection.key(self.organization, each): collection for collection, each in named}
            for identifier, record in records.items()
            if (named := rollup.dependencies(self.organization, record))
        }
        inputs = self._read({key: named for keys in relied_on.values() for key, named in keys.items()})
        further = rollup.further(self.organization, list(records.values()))
        targets = []
        for identifier in pending:
            record = records.get(identifier)
            grounds = [*(inputs[key] for key in relied_on.get(identifier, ())), *further.get(identifier, ())]
            wanted = () if record is None else rollup.spread(record, grounds)
            targets.append(Target(identifier, applied[identifier], wanted))
        return _Plan(targets, relied_on, {key: record.version for key, record in inputs.items()})

    def _read(self, named: Mapping[Key, Collection[Any]]) -> dict[Key, Record]:
        items = table.batch_get(named)
        return {key: collection.record.of(items.get(key), collection.entity) for key, collection in named.items()}

    def _commit(self, plan: _Plan, most: int) -> list[UUID]:
        """Commit what is planned; returns the entities that are to be planned again."""
        again: set[UUID] = set()
        done: set[UUID] = set()
        waiting = deque(rollups.transactions(plan.targets, most=most))
        while waiting:
            # Of an entity whose change takes several transactions, none follows one that failed.
            parts = [part for part in waiting.popleft() if part.id not in again and part.id not in self.outcome.failed]
            if not parts:
                continue
            left = {part.id for group in (parts, *waiting) for part in group}
            if self.is_over():
                self._fail(left, OutOfTime())
                break
            try:
                rollups.commit(self.organization, self.source, parts)
            except Exception as error:  # noqa: BLE001  kept for the entities that it comes from
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
        except ActionError as error:  # nobody knows: to be delivered again
            self._fail((identifier for identifier in done if identifier in plan.relied_on), error)
        return [target.id for target in plan.targets if target.id in again]

    def _outdated(self, plan: _Plan, done: set[UUID]) -> set[UUID]:
        """Those of which something was committed that depends on what has changed since it was read.

        Compared after the commit: what is now as it was read was so at the commit. A condition in the transaction would
        say the same, but it would be billed by the size of workers and positions, and make their own writes collide
        with it. Who dies in between has not acknowledged the change that it was about, which comes again.
        """
        keys = {key for identifier in done for key in plan.relied_on.get(identifier, ())}
        if not keys:
            return set()
        now = versions(keys)
        moved = {key for key in keys if now.get(key) != plan.versions[key]}
        return {identifier for identifier in done if moved & plan.relied_on.get(identifier, {}).keys()}


@dataclass(frozen=True)
class _Plan:
    targets: Sequence[Target]
    relied_on: Mapping[UUID, Mapping[Key, Collection[Any]]]
    """Of each entity, those that its contribution depends on, in the order in which its source names them."""
    versions: Mapping[Key, int]
    """At which those were read."""


def _is_outage(error: Exception) -> bool:
    return isinstance(error, ActionError) and error.code is ErrorCode.DATABASE_ERROR
