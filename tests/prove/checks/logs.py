"""The audit log has one entry for each effect, and the feed one activity for each event that is not silent."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from chalicelib.auth.audiences import SILENT
from chalicelib.models import audit
from chalicelib.models.audit import AuditEntry, AuditEvent
from tests.prove import layout
from tests.prove.world import World
from tests.support.store import Snapshot


def check(world: World, snapshot: Snapshot) -> None:
    entries = {key: audit.read(item) for key, item in layout.of_kind(snapshot, "audit entry").items()}
    _check_entries(world, entries)
    _check_activities(world, entries, snapshot)


def _check_entries(world: World, entries: dict[tuple[str, str], AuditEntry]) -> None:
    written = Counter(
        (layout.owner_of(key), entry.action, entry.entity_type, entry.entity_id) for key, entry in entries.items()
    )
    expected = Counter(
        (str(request.organization), effect.event.value, effect.entity, effect.id)
        for request, effect in world.history.effects()
        if effect.event is not None
    )
    for effect in sorted({*written, *expected}):
        if written[effect] != expected[effect]:
            organization, event, entity, identifier = effect
            message = f"{written[effect]} × {event} of {entity} {identifier}, but {expected[effect]} effects"
            world.report("audit", message, entity=identifier, organization=organization)


def _check_activities(world: World, entries: dict[tuple[str, str], AuditEntry], snapshot: Snapshot) -> None:
    expected = {(layout.owner_of(key), str(entry.id)) for key, entry in entries.items() if entry.action not in SILENT}
    recorded = {
        (str(request.organization), effect.id)
        for request, effect in world.history.effects()
        if effect.event is AuditEvent.ACTIVITY_RECORDED
    }
    stored = {(key.organization, key.id) for key in layout.entities(snapshot) if key.entity == "activity"}
    for organization, identifier in stored ^ (expected | recorded):
        error = "has no audit entry" if (organization, identifier) in stored else "is missing"
        world.report("activity", f"activity {UUID(identifier)} {error}", entity=identifier, organization=organization)
