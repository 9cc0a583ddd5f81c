"""Activities: the feed of an organization, and each user's read state."""

from __future__ import annotations

from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.audiences import reader_of
from chalicelib.auth.permissions import Permission
from chalicelib.core import ids
from chalicelib.core.contracts import CursorPage, Success
from chalicelib.core.entity_names import EntityId, EntityType
from chalicelib.core.errors import ErrorCode
from chalicelib.models.activities import feed, read_state
from chalicelib.models.activities.activities import ACTIVITIES, ActivityType, StoredActivity
from chalicelib.models.activities.audience import EVERYONE
from chalicelib.models.activities.feed import ActivityFilter
from chalicelib.models.activities.read_state import MarkedActivity
from chalicelib.models.audit import AuditEvent
from chalicelib.modules.activities.contracts import (
    ArchivedActivity,
    GetActivities,
    ReadActivity,
    RecordActivity,
    UnreadCount,
)


@action(
    "recordActivity",
    "POST /activities",
    permission=Permission.ACTIVITIES_RECORD,
    audit=AuditEvent.ACTIVITY_RECORDED,
    status=201,
)
def record_activity(ctx: Context, data: RecordActivity) -> MarkedActivity:
    """Records an activity for everyone in the organization. Actions in Workledger have activities of their own."""
    activity = StoredActivity.happened(ids.new_id(), **dict(data), actor=ctx.actor, readers=EVERYONE)
    return MarkedActivity.new_to_all(ACTIVITIES.create(ctx.unit, activity), ctx.user)


@action("getRecentActivities", "GET /activities", permission=Permission.WORKSPACE_READ)
def get_recent_activities(ctx: Context, data: GetActivities) -> CursorPage[MarkedActivity]:
    """The activities of the organization, newest first. Without those that the caller has archived, or only these.

    Each activity is for those who may read what it is about: of loans for those who may read loans, of a sign-in or of
    a personal widget for one user alone. Users have the names that they have now.
    A page may hold fewer activities than `limit`; the list ends only where `nextCursor` is null.
    """
    return _listed(ctx, data, ActivityFilter(is_archived=data.archived))


@action("getActivitiesByType", "GET /activities/by-type/{type}", permission=Permission.WORKSPACE_READ)
def get_activities_by_type(ctx: Context, type_: ActivityType, data: GetActivities) -> CursorPage[MarkedActivity]:
    """Activities of one type, newest first; otherwise as the list of all."""
    return _listed(ctx, data, ActivityFilter(type=type_, is_archived=data.archived))


@action(
    "getActivitiesByEntity", "GET /activities/by-entity/{entityType}/{entityId}", permission=Permission.WORKSPACE_READ
)
def get_activities_by_entity(
    ctx: Context, entity_type: EntityType, entity_id: EntityId, data: GetActivities
) -> CursorPage[MarkedActivity]:
    """The activities of one entity, newest first; otherwise as the list of all. It may be deleted by now.

    Of an entity that nothing is known of, the list is empty.
    """
    return _listed(ctx, data, ActivityFilter(entity=(entity_type, entity_id), is_archived=data.archived))


@action("getUnreadCount", "GET /activities/unread-count", permission=Permission.WORKSPACE_READ)
def get_unread_count(ctx: Context) -> UnreadCount:
    """The number of activities that the caller has neither read nor archived.

    Counts from when the caller became a user. It looks at the oldest 1,000 of the organization that are not read, and
    says if there are more.
    """
    unread = read_state.count_unread(ctx.organization, reader_of(ctx.principal))
    return UnreadCount(count=unread.count, is_exact=unread.is_exact)


@action(
    "markActivityAsRead",
    "POST /activities/{id}/read",
    permission=Permission.SELF,
    entity=ACTIVITIES,
    audit=AuditEvent.ACTIVITY_READ,
    errors=(ErrorCode.NOT_FOUND,),
)
def mark_activity_as_read(ctx: Context, id_: UUID) -> ReadActivity:
    """Marks an activity as read by the caller; again changes nothing."""
    read_state.read(ctx.unit, reader_of(ctx.principal), id_)
    return ReadActivity(id=id_)


@action(
    "markAllActivitiesAsRead", "POST /activities/read", permission=Permission.SELF, audit=AuditEvent.ACTIVITIES_READ
)
def mark_all_activities_as_read(ctx: Context) -> Success:
    """Marks all activities that there are as read by the caller. Later ones are unread again."""
    read_state.read_all(ctx.unit, ctx.user)
    return Success()


@action(
    "archiveActivity",
    "POST /activities/{id}/archive",
    permission=Permission.SELF,
    entity=ACTIVITIES,
    audit=AuditEvent.ACTIVITY_ARCHIVED,
    errors=(ErrorCode.NOT_FOUND,),
)
def archive_activity(ctx: Context, id_: UUID) -> ArchivedActivity:
    """Takes an activity out of the caller's lists and their unread count; again changes nothing."""
    read_state.archive(ctx.unit, reader_of(ctx.principal), id_)
    return ArchivedActivity(id=id_, is_archived=True)


@action(
    "unarchiveActivity",
    "DELETE /activities/{id}/archive",
    permission=Permission.SELF,
    entity=ACTIVITIES,
    audit=AuditEvent.ACTIVITY_UNARCHIVED,
    errors=(ErrorCode.NOT_FOUND,),
)
def unarchive_activity(ctx: Context, id_: UUID) -> ArchivedActivity:
    """Puts an activity back into the caller's lists; again changes nothing."""
    read_state.unarchive(ctx.unit, reader_of(ctx.principal), id_)
    return ArchivedActivity(id=id_, is_archived=False)


def _listed(ctx: Context, query: GetActivities, criteria: ActivityFilter) -> CursorPage[MarkedActivity]:
    reader = reader_of(ctx.principal)
    return feed.find(ctx.organization, reader, ctx.cursors, criteria, cursor=query.cursor, limit=query.limit)
