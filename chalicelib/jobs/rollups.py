"""The stream's part in the rollups: the entities that have changed, synced by organization and source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import logger
from chalicelib.dal import table
from chalicelib.jobs.changes import Change, Changes, Kind
from chalicelib.jobs.deadline import Deadline
from chalicelib.metrics.rollups.apply import AT_ONCE, OutOfTime, sync
from chalicelib.metrics.rollups.sources import SOURCES

_SOURCE_OF: Mapping[str, str] = {rollup.collection.kind: name for name, rollup in SOURCES.items()}
_SOURCE_OF_UNFINISHED: Mapping[str, str] = {
    rollup.unfinished.kind: name for name, rollup in SOURCES.items() if rollup.unfinished is not None
}


def roll_up(changes: Changes, deadline: Deadline) -> set[str]:
    """Sync the changed entities of a batch, each once; return the changes to deliver again.

    Organizations and sources take turns, so that a flood of changes of one does not keep the others waiting. Within
    one of them, entities go in the order of their changes: when time runs out, those that are left are the last ones.
    """
    waiting: dict[tuple[OrganizationId, str], dict[UUID, list[str]]] = {}
    holders: dict[UUID, UUID] = {}
    for number, change in changes.items():
        for target in _targets(change):
            group = waiting.setdefault((target.organization, target.source), {})
            group.setdefault(target.id, []).append(number)
            if target.holder is not None:
                holders[target.id] = target.holder
    failed: set[str] = set()
    while waiting:
        for (organization, source), numbers in list(waiting.items()):
            turn = list(numbers)[:AT_ONCE]
            errors = sync(organization, source, turn, holders=holders, is_over=deadline.is_over).failed
            for identifier, error in errors.items():
                failed.update(numbers[identifier])
                if not isinstance(error, OutOfTime):
                    extra = {"source": source, "entity_id": str(identifier)}
                    logger.error("an entity was not rolled up", exc_info=error, extra=extra)
            for identifier in turn:
                del numbers[identifier]
            if not numbers:
                del waiting[organization, source]
    return failed


class _Target(NamedTuple):
    """An entity whose contribution may have changed."""

    organization: OrganizationId
    source: str
    id: UUID
    holder: UUID | None = None
    """The holder of an entity that may be unfinished."""


def _targets(change: Change) -> list[_Target]:
    if change.entity is None:
        return []
    organization, kind, identifier = change.entity
    if kind in _SOURCE_OF_UNFINISHED:
        # Another entity may take the place of one that is finished.
        ids = {UUID(data["id"]) for image in (change.old, change.new) if (data := table.plain(image, "data"))}
        return [_Target(organization, _SOURCE_OF_UNFINISHED[kind], id_, identifier) for id_ in sorted(ids)]
    source = _SOURCE_OF.get(kind)
    if source is None or (change.kind is Kind.MODIFY and not _differs(change, SOURCES[source].triggers)):
        return []
    return [_Target(organization, source, identifier)]


def _differs(change: Change, attributes: Iterable[str]) -> bool:
    return any(change.old.get(name) != change.new.get(name) for name in attributes)
