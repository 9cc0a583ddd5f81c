"""The activity feed of what is done in Workledger: for each entry of the audit log one activity."""

from __future__ import annotations

from chalicelib.core.observability import logger
from chalicelib.dal import activities, audit, keys
from chalicelib.dal.activities import Activity
from chalicelib.dal.audit import AuditEntry, AuditEvent
from chalicelib.jobs.activity_stories import STORIES, UNTOLD, Story, title
from chalicelib.jobs.changes import Change, Kind


def tell(change: Change) -> None:
    """The activity has the id of the entry, and is written unless it is there: once, however often this is seen."""
    entity = keys.entity_of(change.key)
    if change.kind is not Kind.INSERT or entity is None or change.key.pk != keys.audit(entity.organization):
        return
    entry = audit.read(change.new)
    story = _story_of(entry)
    if story is not None:
        activities.record_once(entity.organization, _activity(entry, story))


def _story_of(entry: AuditEntry) -> Story | None:
    try:
        event = AuditEvent(entry.action)
    except ValueError:
        # While a deployment is under way, its new events may meet the old consumer.
        logger.warning("event not told in the activity feed", extra={"audit_id": str(entry.id)})
        return None
    return None if event in UNTOLD else STORIES[event]


def _activity(entry: AuditEntry, story: Story) -> Activity:
    """Names which fields have changed, never their values: everyone reads activities, the audit log only admins."""
    return Activity.happened(
        entry.id,
        title=title(story, entry),
        type=story.type,
        severity=story.severity,
        entity_type=entry.entity_type,
        entity_id=entry.entity_id,
        action=entry.action,
        metadata={"fields": sorted(entry.changes)},
        actor=entry.actor,
    )
