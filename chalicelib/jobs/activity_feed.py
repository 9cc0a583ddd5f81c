"""The activity feed of what is done in Workledger: for each entry of the audit log one activity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import log_error, logger
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
    _record_once(entity.organization, audit.read(change.new))


class Restored(NamedTuple):
    written: int
    unreadable: int


def restore(organization: OrganizationId, rows: Sequence[Mapping[str, Any]]) -> Restored:
    """Writes the activities that are missing of consecutive items of the audit log, oldest first.

    The index that says which are there may lag behind: then the conditional write finds the activity.
    """
    if not rows:
        return Restored(0, 0)
    first, last = (rows[end]["sk"]["S"] for end in (0, -1))
    present = activities.names_between(organization, first, last)
    written = unreadable = 0
    for row in rows:
        if row["sk"]["S"] in present:
            continue
        try:
            entry = audit.read(dict(row))
        except (KeyError, TypeError, ValueError) as error:
            # The metric of these has an alarm; one of them must not keep all later ones from the feed.
            log_error("audit entry unreadable", error, audit_id=row["sk"]["S"])
            unreadable += 1
        else:
            written += _record_once(organization, entry)
    return Restored(written, unreadable)


def _record_once(organization: OrganizationId, entry: AuditEntry) -> bool:
    """False where there is nothing to tell, or the activity is there."""
    story = _story_of(entry)
    return story is not None and activities.record_once(organization, _activity(entry, story))


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
