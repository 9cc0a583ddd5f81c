"""Search for time sessions: by user, work, tag and the time that they overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chalicelib.core import clock, text
from chalicelib.core.contracts import CursorPage
from chalicelib.core.errors import invalid_field
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import intervals, keys, table
from chalicelib.dal.collection import is_deleted
from chalicelib.dal.cursors import Cursors, walk
from chalicelib.dal.expressions import Condition
from chalicelib.dal.intervals import IntervalQuery, LengthClass, Slice
from chalicelib.dal.item import Item
from chalicelib.dal.page_lists import EXACT_LIST_ROWS, TooManyRows
from chalicelib.dal.table import all_of
from chalicelib.models.time import keys as time_keys
from chalicelib.models.time.projects import PROJECTS
from chalicelib.models.time.sessions import TIME_SESSIONS, TimeSession

MAX_PROJECTS = 100
"""Projects of a client whose sessions can be listed together."""


@dataclass(frozen=True)
class SessionFilter:
    """Criteria that must all match; `since` and `until` match an overlap with that time."""

    user_id: UUID | None = None
    project_id: UUID | None = None
    task_id: UUID | None = None
    client_id: UUID | None = None
    tag: str | None = None
    billable: bool | None = None
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, session: TimeSession) -> bool:
        """Judge all but the client, which the project has."""
        return (
            all(getattr(self, name) in {None, getattr(session, name)} for name in ("user_id", "project_id", "task_id"))
            and self.billable in {None, session.billable}
            and (self.tag is None or text.fold(self.tag) in {text.fold(tag) for tag in session.tags})
            and (self.until is None or session.start_at < self.until)
            and (self.since is None or session.end_at > self.since)
        )


def find(
    organization: OrganizationId,
    criteria: SessionFilter,
    *,
    after: str | None,
    limit: int,
    exhaustive: bool = False,
) -> Slice:
    """The next ids, latest start first, on the narrowest timeline. `exhaustive`: however many reads it takes."""
    partition = keys.timeline(organization, TIME_SESSIONS.kind)
    if criteria.project_id is not None:
        partition = keys.timeline(organization, TIME_SESSIONS.kind, "PROJECT", criteria.project_id)
    elif criteria.user_id is not None:
        partition = keys.timeline(organization, TIME_SESSIONS.kind, "USER", criteria.user_id)
    conditions: list[Condition] = [
        Item.facets[name] == str(value)
        for name, value in (("userId", criteria.user_id), ("taskId", criteria.task_id))
        if value is not None
    ]
    if criteria.client_id is not None:
        projects = projects_of(organization, criteria.client_id)
        if not projects:
            return Slice([], None, [])
        conditions.append(Item.facets["projectId"].is_in(*(str(project) for project in projects)))
    if criteria.billable is not None:
        conditions.append(Item.facets["billable"] == criteria.billable)
    if criteria.tag is not None:
        conditions.append(Item.facets["tags"].contains(text.fold(criteria.tag)))
    query = IntervalQuery(
        classes=(LengthClass.DAY,),
        ends_after=criteria.since,
        starts_before=criteria.until,
        condition=all_of(conditions),
    )
    queries = None if exhaustive else intervals.QUERIES_A_PAGE
    return intervals.read(partition, query, after=after, limit=limit, forward=False, queries=queries)


def projects_of(organization: OrganizationId, client: UUID) -> list[UUID]:
    """Return the projects of a client. VALIDATION_ERROR for more than one list can take."""
    listing = keys.listing(organization, PROJECTS.kind, deleted=False)
    rows = table.query_slim(listing, maximum=EXACT_LIST_ROWS)
    if len(rows) > EXACT_LIST_ROWS:
        raise TooManyRows("listTimeSessions with `projectId`")
    projects = [UUID(row.sk) for row in rows if row.facets.get("clientId") == str(client)]
    if len(projects) > MAX_PROJECTS:
        raise invalid_field("clientId", f"has more than {MAX_PROJECTS} projects: filter by projectId")
    return projects


def read(organization: OrganizationId, identifiers: Sequence[UUID], criteria: SessionFilter) -> list[TimeSession]:
    """Return sessions in the given order, consistently: an index trails the table, so matches are checked again."""
    sessions = TIME_SESSIONS.get_many(organization, identifiers)
    present = [sessions[identifier] for identifier in identifiers if identifier in sessions]
    return [session for session in present if not is_deleted(session) and criteria.matches(session)]


def walk_changes(
    organization: OrganizationId, user: UUID, cursors: Cursors, *, since: datetime, cursor: str | None, limit: int
) -> CursorPage[TimeSession]:
    """A user's sessions by their last change, deleted ones too, strongly consistent.

    The log has one entry a session. The user's account orders their changes, so that none comes to light behind one
    that was seen; a session that changes between the two reads comes again at its new place.
    """

    def sessions_of(rows: list[dict[str, Any]]) -> list[TimeSession]:
        places = [row["sk"]["S"].partition("#") for row in rows]
        sessions = TIME_SESSIONS.get_many(organization, [UUID(id_) for _, _, id_ in places])
        return [sessions[UUID(id_)] for _, _, id_ in places if UUID(id_) in sessions]

    return walk(
        time_keys.time_changes(organization, user),
        cursors,
        CursorPage[TimeSession],
        sessions_of,
        cursor=cursor,
        limit=limit,
        forward=True,
        between=(clock.to_text(since), "\uffff"),
    )
