"""Brings the rollups to what an entity is now; see docs/decisions/rollups.md."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chalicelib.core.errors import conflict
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import rollups
from chalicelib.dal.collection import get_together
from chalicelib.dal.records import Record
from chalicelib.dal.rollups import Applied
from chalicelib.dal.unit_of_work import StaleRead, pause
from chalicelib.metrics.sources import SOURCES
from chalicelib.metrics.sources.base import RolledUp

_TRIES = 6


def follow(organization: OrganizationId, source: str, identifier: UUID) -> bool:
    """Whether anything was to be changed. As often as one likes, in any order, at once: the result is the same.

    CONFLICT when others keep changing what it stands on.
    """
    rolled_up = SOURCES[source]
    for tried in range(_TRIES):
        if tried:
            pause(tried)
        try:
            # Before the entity, which thus is never read older than what another has applied of it.
            applied = rollups.applied(organization, source, identifier)
            record = rolled_up.collection.get_many(organization, [identifier]).get(identifier)
            return _apply(organization, source, identifier, applied, record)
        except StaleRead:
            continue
    raise conflict()


def _apply(
    organization: OrganizationId, source: str, identifier: UUID, applied: Applied, record: Record | None
) -> bool:
    if record is None:
        return rollups.apply(organization, source, identifier, applied, ())
    rolled_up: RolledUp[Any] = SOURCES[source]
    relied_on = rolled_up.relies_on(organization, record)
    found = get_together(organization, [(collection, [each]) for collection, each in relied_on]) if relied_on else []
    grounds = [entities[each] for entities, (_, each) in zip(found, relied_on, strict=True)]
    unchanged = {
        collection.key(organization, each): ground.version
        for (collection, each), ground in zip(relied_on, grounds, strict=True)
    }
    further = rolled_up.further(organization, [record]).get(identifier, ())
    wanted = rolled_up.spread(record, [*grounds, *further])
    return rollups.apply(organization, source, identifier, applied, wanted, unchanged)
