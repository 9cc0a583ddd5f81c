"""Activities that everyone may read, counted at the instant they happened."""

from __future__ import annotations

from chalicelib.auth.permissions import Permission
from chalicelib.core.clock import milliseconds
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.base import CREATED, STARTED, Inputs, Row, Source
from chalicelib.metrics.rollups.sources.fields import TimeBinding, enum_field, fields, instant_field, text_field
from chalicelib.models.activities.activities import ACTIVITIES, ActivityType, Severity, StoredActivity
from chalicelib.models.activities.audience import Group
from chalicelib.models.rollups.buckets import Contribution, LevelChange


def contribution_of(activity: StoredActivity, _: Inputs) -> Contribution:
    if not _is_counted(activity):
        return ()
    dimensions = (("type", activity.type.value), ("severity", activity.severity.value))
    return (LevelChange(milliseconds(activity.created_at), ((STARTED, 1),), dimensions=dimensions),)


def row_of(activity: StoredActivity, _: Inputs, over: Range) -> Row:
    happened = _is_counted(activity) and over.start <= activity.created_at < over.end
    return Row(
        values={
            "at": activity.created_at,
            "type": activity.type.value,
            "severity": activity.severity.value,
            "entityType": activity.entity_type,
        },
        in_period=happened,
        in_snapshot=_is_counted(activity) and activity.created_at < over.end,
        instants=frozenset({"at"} if happened else ()),
    )


def _is_counted(activity: StoredActivity) -> bool:
    """Return True for those that everyone may read: a metric may be shown to everyone."""
    return Group.EVERYONE in activity.readers


ACTIVITY_SOURCE = Source(
    name="activities",
    label="Activities",
    permission=Permission.WORKSPACE_READ,
    time=TimeBinding.INSTANT,
    time_field="at",
    fields=fields(
        instant_field("at", "At"),
        enum_field("type", "Type", tuple(ActivityType)),
        enum_field("severity", "Severity", tuple(Severity)),
        text_field("entityType", "Kind of entity"),
    ),
    collection=ACTIVITIES,
    contribution=contribution_of,
    row=row_of,
    counts={"": CREATED, "at": CREATED},
)
