"""Activities, counted at the instant they happened."""

from __future__ import annotations

from chalicelib.auth.permissions import Permission
from chalicelib.core.clock import milliseconds
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.base import CREATED, STARTED, Inputs, Row, Source
from chalicelib.metrics.rollups.sources.fields import TimeBinding, enum_field, fields, instant_field, text_field
from chalicelib.models.activities.activities import ACTIVITIES, Activity, ActivityType, Severity
from chalicelib.models.rollups.buckets import Contribution, LevelChange


def contribution_of(activity: Activity, _: Inputs) -> Contribution:
    dimensions = (("type", activity.type.value), ("severity", activity.severity.value))
    return (LevelChange(milliseconds(activity.created_at), ((STARTED, 1),), dimensions=dimensions),)


def row_of(activity: Activity, _: Inputs, over: Range) -> Row:
    happened = over.start <= activity.created_at < over.end
    return Row(
        values={
            "at": activity.created_at,
            "type": activity.type.value,
            "severity": activity.severity.value,
            "entityType": activity.entity_type,
        },
        in_period=happened,
        in_snapshot=activity.created_at < over.end,
        instants=frozenset({"at"} if happened else ()),
    )


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
