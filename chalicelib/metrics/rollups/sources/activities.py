"""Activities, counted at the instant they happened."""

from __future__ import annotations

from chalicelib.core.clock import milliseconds
from chalicelib.metrics.language.periods import Range
from chalicelib.metrics.rollups.sources.base import CREATED, STARTED, Inputs, Row, SourceRollup
from chalicelib.models.activities.activities import ACTIVITIES, Activity
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


ACTIVITY_SOURCE = SourceRollup(
    collection=ACTIVITIES,
    contribution=contribution_of,
    row=row_of,
    dimensions=frozenset({"type", "severity"}),
    counts={"": CREATED, "at": CREATED},
)
