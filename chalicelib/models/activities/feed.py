"""The lists of activities, newest first, as one user sees them."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.core.contracts import CursorPage
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.cursors import Cursors, walk
from chalicelib.dal.item import Item
from chalicelib.dal.keys import IndexPartition
from chalicelib.models.activities import read_state
from chalicelib.models.activities.activities import ActivityType, StoredActivity
from chalicelib.models.activities.audience import Reader
from chalicelib.models.activities.read_state import MarkedActivity

_WALKS_A_PAGE = 8
"""Filtered rows end a page early instead of reading on without end; the cursor goes on from there."""


@dataclass(frozen=True)
class ActivityFilter:
    """Activities of one type, of one entity, or all."""

    type: ActivityType | None = None
    entity: tuple[str, str] | None = None
    is_archived: bool = False
    """Those that the user has archived, or those that they have not."""

    def matches(self, activity: MarkedActivity) -> bool:
        return (
            activity.is_archived == self.is_archived
            and self.type in {None, activity.type}
            and self.entity in {None, (activity.entity_type, activity.entity_id)}
        )


def find(
    organization: OrganizationId,
    reader: Reader,
    cursors: Cursors,
    criteria: ActivityFilter,
    *,
    cursor: str | None,
    limit: int,
) -> CursorPage[MarkedActivity]:
    """Return a page of what the reader may read.

    A query and a batch read, and as much again where archived rows have left a page short. Rows for other audiences are
    passed over by the engine, within the bounds of `walk`.
    """
    walked = _walk_archived if criteria.is_archived else _walk
    matching: list[MarkedActivity] = []
    for _ in range(_WALKS_A_PAGE):
        missing = limit - len(matching)
        page = walked(organization, reader, cursors, criteria, cursor=cursor, limit=missing)
        matching += [activity for activity in page.items if criteria.matches(activity)]
        cursor = page.next_cursor
        # A walk that came to its own bounds is not repeated within them.
        if cursor is None or len(matching) == limit or len(page.items) < missing:
            break
    return CursorPage[MarkedActivity](items=matching, next_cursor=cursor)


def _walk(
    organization: OrganizationId,
    reader: Reader,
    cursors: Cursors,
    criteria: ActivityFilter,
    *,
    cursor: str | None,
    limit: int,
) -> CursorPage[MarkedActivity]:
    partition: str | IndexPartition = keys.activities(organization)
    if criteria.entity is not None:
        partition = keys.activities_of_entity(organization, *criteria.entity)
    elif criteria.type is not None:
        partition = keys.activities_of_type(organization, criteria.type)
    return walk(
        partition,
        cursors,
        CursorPage[MarkedActivity],
        lambda rows: read_state.marked(
            organization, reader, [StoredActivity.of(table.item_from_raw(row)) for row in rows]
        ),
        cursor=cursor,
        limit=limit,
        forward=False,
        condition=reader.among(Item.data["readers"]),
    )


def _walk_archived(
    organization: OrganizationId,
    reader: Reader,
    cursors: Cursors,
    _: ActivityFilter,
    *,
    cursor: str | None,
    limit: int,
) -> CursorPage[MarkedActivity]:
    """Walk all that the user has archived: few among many."""
    return walk(
        keys.archived_activities(organization, reader.user.id),
        cursors,
        CursorPage[MarkedActivity],
        lambda rows: read_state.archived(organization, reader, [table.item_from_raw(row) for row in rows]),
        cursor=cursor,
        limit=limit,
        forward=False,
        condition=reader.among(Item.data["readers"]),
    )
