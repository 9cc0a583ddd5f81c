"""The activity feed: one activity for each entry of the audit log that has a template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.core.errors import ActionError, ErrorCode
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import log_error, logger
from chalicelib.dal import keys
from chalicelib.dal.unit_of_work import MAX_WRITES
from chalicelib.jobs.activity_templates import SILENT, TEMPLATES, ActivityTemplate, title
from chalicelib.jobs.changes import Change, Changes, Kind
from chalicelib.jobs.deadline import Deadline
from chalicelib.models import audit
from chalicelib.models.activities import activities
from chalicelib.models.activities.activities import Activity
from chalicelib.models.audit import AuditEntry, AuditEvent


def record(changes: Changes, deadline: Deadline) -> set[str]:
    """Record the activities of a batch's new audit entries; returns the changes to deliver again.

    An activity has the id of its entry, and is written unless it is there: once, however often this is seen. All of
    them take few requests, so no organization's wait for long behind another's.
    """
    failed: set[str] = set()
    written: dict[OrganizationId, dict[str, Activity]] = {}
    for number, change in changes.items():
        try:
            activity_of_change = _activity_of(change)
        except Exception as error:  # noqa: BLE001  logged, and delivered again
            log_error("an audit entry cannot be read", error, stream_sequence_number=number)
            failed.add(number)
            continue
        if activity_of_change is not None:
            organization, activity = activity_of_change
            written.setdefault(organization, {})[number] = activity
    for organization, numbered in written.items():
        numbers = list(numbered)
        for first in range(0, len(numbers), MAX_WRITES):
            chunk = numbers[first : first + MAX_WRITES]
            failed |= {*chunk} if deadline.is_over() else _write(organization, numbered, chunk)
    return failed


def _write(organization: OrganizationId, numbered: Mapping[str, Activity], numbers: Sequence[str]) -> set[str]:
    """Write activities; return those that failed. Failures are found by halves, to hold up no other activity."""
    try:
        activities.record_all(organization, (numbered[number] for number in numbers))
    except Exception as error:  # noqa: BLE001  logged, and delivered again
        is_outage = isinstance(error, ActionError) and error.code is ErrorCode.DATABASE_ERROR
        if is_outage or len(numbers) == 1:
            log_error("activities not recorded", error, stream_sequence_numbers=list(numbers))
            return set(numbers)
        middle = len(numbers) // 2
        return _write(organization, numbered, numbers[:middle]) | _write(organization, numbered, numbers[middle:])
    return set()


def _activity_of(change: Change) -> tuple[OrganizationId, Activity] | None:
    entity = keys.entity_of(change.key)
    if change.kind is not Kind.INSERT or entity is None or change.key.pk != keys.audit(entity.organization):
        return None
    entry = audit.read(change.new)
    story = _story_of(entry)
    return None if story is None else (entity.organization, _activity(entry, story))


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
            story = _story_of(entry)
            if story is not None:
                written += activities.record_once(organization, _activity(entry, story))
    return Restored(written, unreadable)


def _story_of(entry: AuditEntry) -> ActivityTemplate | None:
    try:
        event = AuditEvent(entry.action)
    except ValueError:
        # While a deployment is under way, its new events may meet the old consumer.
        logger.warning("event not in the activity feed", extra={"audit_id": str(entry.id)})
        return None
    return None if event in SILENT else TEMPLATES[event]


def _activity(entry: AuditEntry, story: ActivityTemplate) -> Activity:
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
