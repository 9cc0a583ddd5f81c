"""The activity feed: one activity for each entry of the audit log that somebody may read one of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.auth.audiences import audience_of, subject_of
from chalicelib.core.errors import ActionError, ErrorCode
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import log_error, logger
from chalicelib.jobs.activity_templates import template_of
from chalicelib.jobs.activity_titles import title
from chalicelib.models import audit
from chalicelib.models.activities import activities
from chalicelib.models.activities.activities import StoredActivity
from chalicelib.models.audit import AuditEvent, StoredAuditEntry


class ActivitiesNotRecorded(Exception):
    """Some of the activities could not be written; the others are."""


def record(organization: OrganizationId, entries: Sequence[UUID]) -> int:
    """Record the activities of up to 100 entries; return how many entries cannot be read.

    An activity has the id of its entry, and is written unless it is there: once, however often this is called.
    Raises ActivitiesNotRecorded.
    """
    read, unreadable = _read(audit.stored(organization, entries))
    if failed := _write(organization, read):
        raise ActivitiesNotRecorded(f"{failed} of {len(read)}")
    return unreadable


def _write(organization: OrganizationId, written: Sequence[StoredActivity]) -> int:
    """Write activities; return how many failed. Failures are found by halves, to hold up no other activity."""
    try:
        activities.record_all(organization, written)
    except Exception as error:  # noqa: BLE001  logged, and delivered again
        is_outage = isinstance(error, ActionError) and error.code is ErrorCode.DATABASE_ERROR
        if is_outage or len(written) == 1:
            log_error("activities not recorded", error, audit_ids=[str(activity.id) for activity in written])
            return len(written)
        middle = len(written) // 2
        return _write(organization, written[:middle]) + _write(organization, written[middle:])
    return 0


class Restored(NamedTuple):
    written: int
    unreadable: int


def restore(organization: OrganizationId, rows: Sequence[Mapping[str, Any]]) -> Restored:
    """Write the activities that are missing of consecutive items of the audit log, oldest first.

    The index that says which are there may lag behind: then the conditional write finds the activity.
    """
    if not rows:
        return Restored(0, 0)
    first, last = (rows[end]["sk"]["S"] for end in (0, -1))
    present = activities.names_between(organization, first, last)
    missing, unreadable = _read([row for row in rows if row["sk"]["S"] not in present])
    written = sum(activities.record_once(organization, activity) for activity in missing)
    return Restored(written, unreadable)


def _read(rows: Iterable[Mapping[str, Any]]) -> tuple[list[StoredActivity], int]:
    """Return the activities of entries that have one, and the number of entries that cannot be read."""
    read: list[StoredActivity] = []
    unreadable = 0
    for row in rows:
        try:
            entry = audit.read_stored(dict(row))
        except (KeyError, TypeError, ValueError) as error:
            # Counted for an alarm: one of these must not keep all later ones from the feed.
            log_error("audit entry unreadable", error, audit_id=row["sk"]["S"])
            unreadable += 1
        else:
            activity = _activity_of(entry)
            if activity is not None:
                read.append(activity)
    return read, unreadable


def _activity_of(entry: StoredAuditEntry) -> StoredActivity | None:
    """Return the activity of an entry; None where nobody may read it.

    It names which fields have changed, never their values: the audit log is for fewer users than its activities.
    """
    try:
        event = AuditEvent(entry.action)
    except ValueError:
        # While a deployment is under way, its new events may meet the old consumer.
        logger.warning("event not in the activity feed", extra={"audit_id": str(entry.id)})
        return None
    readers = audience_of(event, entry)
    if not readers:
        return None
    template = template_of(event, entry)
    return StoredActivity.happened(
        entry.id,
        title=title(template, entry),
        type=template.type,
        severity=template.severity,
        entity_type=entry.entity_type,
        entity_id=entry.entity_id,
        action=entry.action,
        metadata={"fields": sorted(entry.changes)},
        actor=entry.actor,
        user_id=subject_of(entry),
        readers=readers,
    )
