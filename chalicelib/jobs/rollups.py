"""The stream's part in the rollups: the entities that have changed, synced by organization and source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import logger
from chalicelib.jobs.changes import Change, Changes, Kind
from chalicelib.jobs.deadline import Deadline
from chalicelib.metrics.rollups.apply import AT_ONCE, OutOfTime, sync
from chalicelib.metrics.rollups.sources import SOURCES

_SOURCE_OF: Mapping[str, str] = {rollup.collection.kind: name for name, rollup in SOURCES.items()}


def roll_up(changes: Changes, deadline: Deadline) -> set[str]:
    """Sync the changed entities of a batch, each once; return the changes to deliver again.

    Organizations and sources take turns, so that a flood of changes of one does not keep the others waiting. Within
    one of them, entities go in the order of their changes: when time runs out, those that are left are the last ones.
    """
    waiting: dict[tuple[OrganizationId, str], dict[UUID, list[str]]] = {}
    for number, change in changes.items():
        source = _source_of(change)
        if change.entity is not None and source is not None:
            group = waiting.setdefault((change.entity.organization, source), {})
            group.setdefault(change.entity.id, []).append(number)
    failed: set[str] = set()
    while waiting:
        for (organization, source), numbers in list(waiting.items()):
            turn = list(numbers)[:AT_ONCE]
            errors = sync(organization, source, turn, is_over=deadline.is_over).failed
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


def _source_of(change: Change) -> str | None:
    """The source of which the contribution of the entity may have changed."""
    source = None if change.entity is None else _SOURCE_OF.get(change.entity.kind)
    if source is None or (change.kind is Kind.MODIFY and not _differs(change, SOURCES[source].triggers)):
        return None
    return source


def _differs(change: Change, attributes: Iterable[str]) -> bool:
    return any(change.old.get(name) != change.new.get(name) for name in attributes)
