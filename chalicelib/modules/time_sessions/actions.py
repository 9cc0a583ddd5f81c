"""Time sessions: create, read, list, change and delete them, one by one and many at once."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from chalicelib.action import lists
from chalicelib.action.chunked_write import ChunkedWrite
from chalicelib.action.context import Context
from chalicelib.action.envelope import Raw
from chalicelib.action.media_types import CSV
from chalicelib.action.registry import Named, action
from chalicelib.auth.permissions import Permission
from chalicelib.core.days import span_of
from chalicelib.core.errors import ErrorCode, invalid_state, require_order
from chalicelib.dal import intervals, table
from chalicelib.dal.keys import Key
from chalicelib.models.audit import AuditEvent
from chalicelib.models.time import tags, timers
from chalicelib.models.time.session_search import SessionFilter, find, read, walk_changes
from chalicelib.models.time.sessions import (
    TIME_SESSIONS,
    SessionSource,
    SessionWriter,
    TimeSession,
    read_context,
)
from chalicelib.models.time.spans import net_seconds, require_valid
from chalicelib.models.time.tasks import TASKS
from chalicelib.models.users import USERS
from chalicelib.modules.time_sessions import bulk, work
from chalicelib.modules.time_sessions.access import owned, visible_user, whose
from chalicelib.modules.time_sessions.changing import changed
from chalicelib.modules.time_sessions.contracts import (
    BulkOutcome,
    BulkResults,
    CreateTimeSession,
    DeleteTimeSessions,
    ExportTimeSessions,
    ListTimeSessions,
    TagUses,
    TimeSessionDetails,
    TimeSessions,
    TimeSessionWithWarnings,
    Tombstone,
    UpdateTimeSession,
    UpdateTimeSessions,
)
from chalicelib.modules.time_sessions.export import MAX_ROWS, sessions_csv
from chalicelib.modules.time_sessions.importing.contracts import ImportTimeSessions, SessionsImport
from chalicelib.modules.time_sessions.importing.run import import_sessions
from chalicelib.modules.time_sessions.views import details, overlaps, price_keys


def _task(named: Named) -> list[Key]:
    """Return the key of a new session's task: which project it is on, the task may say alone."""
    data: CreateTimeSession | None = named.data()
    return [] if data is None or data.task_id is None else [TASKS.key(named.organization, data.task_id)]


@action(
    "createTimeSession",
    "POST /time-sessions",
    permission=Permission.TIME_TRACK,
    ahead=_task,
    audit=AuditEvent.TIME_SESSION_CREATED,
    status=201,
    errors=(ErrorCode.DUPLICATE_ENTRY, ErrorCode.INVALID_DATE_RANGE, ErrorCode.NOT_FOUND),
)
def create_time_session(ctx: Context, data: CreateTimeSession) -> TimeSessionWithWarnings:
    """Adds a session of the caller, or of another user. Overlaps come back as a warning and block nothing."""
    user = whose(ctx, data.user_id)
    require_valid(data.start_at, data.end_at, data.pauses, ctx.now)
    task = table.batch_get(work.keys_of(ctx.organization, None, data.task_id))
    project_id = data.project_id or work.project_of_task(task)
    context = read_context(
        ctx.organization,
        user,
        [(data.start_at, data.end_at)],
        data.tags,
        [
            timers.key(ctx.organization, user),
            *work.keys_of(ctx.organization, project_id, None),
            *price_keys(ctx, user, project_id),
            *([] if user == ctx.user.id else [USERS.key(ctx.organization, user)]),
        ],
    )
    if user != ctx.user.id:
        USERS.live(context.items.get(USERS.key(ctx.organization, user)))
    chosen = work.chosen(ctx.organization, {**context.items, **task}, project_id, data.task_id)
    session = TimeSession.new(
        **dict(data)
        | {
            "user_id": user,
            "project_id": chosen.project_id,
            "billable": chosen.is_billable if data.billable is None else data.billable,
            "tags": context.spelled(data.tags),
            "duration_seconds": net_seconds(data.start_at, data.end_at, data.pauses),
            "source": SessionSource.MANUAL,
        }
    )
    writer = SessionWriter(ctx.unit, context, ctx.now)
    session = writer.create(session)
    writer.flush()
    warnings = overlaps(ctx, context, session)
    return TimeSessionWithWarnings(**dict(details(ctx, [session], context)[0]), warnings=warnings)


@action("getTimeSession", "GET /time-sessions/{id}", permission=Permission.TIME_TRACK, entity=TIME_SESSIONS)
def get_time_session(ctx: Context, id_: UUID) -> TimeSessionDetails:
    """One session."""
    return details(ctx, [owned(ctx, id_)])[0]


@action(
    "listTimeSessions",
    "GET /time-sessions",
    permission=Permission.TIME_TRACK,
    errors=(ErrorCode.INVALID_DATE_RANGE,),
)
def list_time_sessions(ctx: Context, data: ListTimeSessions) -> TimeSessions:
    """The sessions, latest start first: one's own, or everybody's for who may manage others' time.

    With `modifiedSince` those of one user, the caller by default, in the order of their changes: a client that asks
    again from the last `updatedAt` it saw misses none. With filters a page may hold fewer than `limit`; the list ends
    only where `nextCursor` is null.
    """
    if data.modified_since is not None:
        return _changes(ctx, data, data.modified_since)
    require_order(("from", "to"), data.from_, data.to)
    criteria = SessionFilter(
        user_id=visible_user(ctx, data.user_id),
        project_id=data.project_id,
        task_id=data.task_id,
        client_id=data.client_id,
        tag=data.tag,
        billable=data.billable,
        since=data.from_,
        until=data.to,
    )
    after = None if data.cursor is None else ctx.cursors.decode(data.cursor)
    page = find(ctx.organization, criteria, after=after, limit=data.limit)
    sessions = read(ctx.organization, page.ids, criteria)
    return lists.cursor_page(
        ctx, TimeSessions, details(ctx, sessions), page.last, lambda row: intervals.position(row.start_at, row.id)
    )


@action(
    "updateTimeSession",
    "PATCH /time-sessions/{id}",
    permission=Permission.TIME_TRACK,
    entity=TIME_SESSIONS,
    audit=AuditEvent.TIME_SESSION_UPDATED,
    errors=(ErrorCode.DUPLICATE_ENTRY, ErrorCode.INVALID_DATE_RANGE),
)
def update_time_session(ctx: Context, id_: UUID, data: UpdateTimeSession) -> TimeSessionWithWarnings:
    """Changes a session. Locked time stays as it is, before and after the change."""
    before = owned(ctx, id_)
    change = changed(ctx, before, data.changes())
    writer = SessionWriter(ctx.unit, change.context, ctx.now)
    session = writer.update(before, change.fields)
    writer.flush()
    warnings = overlaps(ctx, change.context, session, before)
    return TimeSessionWithWarnings(**dict(details(ctx, [session], change.context)[0]), warnings=warnings)


@action(
    "deleteTimeSession",
    "DELETE /time-sessions/{id}",
    permission=Permission.TIME_TRACK,
    entity=TIME_SESSIONS,
    audit=AuditEvent.TIME_SESSION_DELETED,
)
def delete_time_session(ctx: Context, id_: UUID) -> TimeSessionDetails:
    """Deletes a session softly: `modifiedSince` shows clients that it has gone."""
    before = owned(ctx, id_)
    further = [
        *work.keys_of(ctx.organization, before.project_id, None),
        *price_keys(ctx, before.user_id, before.project_id),
    ]
    spans = [(before.start_at, before.end_at)]
    context = read_context(ctx.organization, before.user_id, spans, before.tags, further)
    writer = SessionWriter(ctx.unit, context, ctx.now)
    session = writer.delete(before)
    writer.flush()
    return details(ctx, [session], context)[0]


@action(
    "updateTimeSessions",
    "PATCH /time-sessions",
    permission=Permission.TIME_TRACK,
    audit=AuditEvent.TIME_SESSIONS_UPDATED,
)
def update_time_sessions(ctx: Context, data: UpdateTimeSessions, parts: ChunkedWrite) -> BulkResults:
    """Makes the same changes to up to 100 sessions, with a result for each.

    One that is refused hinders no other.
    """
    changes = data.changes.changes()
    results = [bulk.update(ctx, parts, id_, changes) for id_ in dict.fromkeys(data.ids)]
    return _done(ctx, BulkResults(results=results))


@action(
    "deleteTimeSessions",
    "POST /time-sessions/delete",
    permission=Permission.TIME_TRACK,
    audit=AuditEvent.TIME_SESSIONS_DELETED,
)
def delete_time_sessions(ctx: Context, data: DeleteTimeSessions, parts: ChunkedWrite) -> BulkResults:
    """Deletes up to 100 sessions softly, with a result for each. One that is refused hinders no other."""
    results = [bulk.delete(ctx, parts, id_) for id_ in dict.fromkeys(data.ids)]
    return _done(ctx, BulkResults(results=results))


@action(
    "importTimeSessions",
    "POST /time-sessions/import",
    permission=Permission.TIME_TRACK,
    audit=AuditEvent.TIME_SESSIONS_IMPORTED,
)
def import_time_sessions(ctx: Context, data: ImportTimeSessions, parts: ChunkedWrite) -> SessionsImport:
    """Adds the sessions of a file of Toggl, Clockify or Harvest, or of this product's own export.

    Up to 1,000 rows, as CSV or as JSON, with a result for each. A row that was imported before is a `duplicate`. Rows
    of other users need the permission to manage their time. An import that was interrupted is completed by the same
    request with the same `Idempotency-Key`.
    """
    report = import_sessions(ctx, data, parts)
    if data.dry_run:
        ctx.unit.is_dry_run = True
    else:
        changes = report.model_dump(mode="json", exclude={"dry_run", "omitted_warnings", "rows"})
        ctx.unit.audit_target("organization", ctx.organization, {}, changes)
    return report


@action(
    "exportTimeSessionsToCsv",
    "GET /time-sessions.csv",
    permission=Permission.TIME_TRACK,
    errors=(ErrorCode.INVALID_DATE_RANGE,),
)
def export_time_sessions_to_csv(ctx: Context, data: ExportTimeSessions) -> Annotated[Raw, CSV]:
    """The sessions that start in up to 366 days, as a CSV file that is safe to open in a spreadsheet.

    RFC 4180, UTF-8, oldest first, up to 5,000 sessions. Times are in the zone that is asked for, and in UTC. Rounding
    changes no session.
    """
    data.require_order()
    user = visible_user(ctx, data.user_id)
    zone = data.timezone or ctx.user.preferences.timezone or ctx.principal.organization.timezone
    start, end = span_of(data.from_, data.to, zone)
    criteria = SessionFilter(
        user_id=user,
        project_id=data.project_id,
        task_id=data.task_id,
        client_id=data.client_id,
        tag=data.tag,
        billable=data.billable,
        since=start,
        until=end,
    )
    page = find(ctx.organization, criteria, after=None, limit=MAX_ROWS, exhaustive=True)
    if page.last is not None:
        raise invalid_state(f"there are more than {MAX_ROWS:,} sessions: choose fewer days, or a user or project")
    sessions = [session for session in read(ctx.organization, page.ids[::-1], criteria) if session.start_at >= start]
    filename = f"time_{data.from_}_{data.to}.csv"
    return sessions_csv(ctx, details(ctx, sessions), zone, data.round, data.round_per, filename)


@action("listTags", "GET /tags", permission=Permission.WORKSPACE_READ)
def list_tags(ctx: Context) -> TagUses:
    """The tags of all time sessions by name, with how many sessions have them; at most the 1,000 used most."""
    return TagUses(tags=tags.uses(ctx.organization))


# -- shared by the actions -------------------------------------------------------------------------------------------


def _changes(ctx: Context, data: ListTimeSessions, since: datetime) -> TimeSessions:
    page = walk_changes(
        ctx.organization, whose(ctx, data.user_id), ctx.cursors, since=since, cursor=data.cursor, limit=data.limit
    )
    live = iter(details(ctx, [session for session in page.items if session.deleted_at is None]))
    rows: list[TimeSessionDetails | Tombstone] = [
        next(live)
        if session.deleted_at is None
        else Tombstone(id=session.id, deleted_at=session.deleted_at, version=session.version)
        for session in page.items
    ]
    return TimeSessions(items=rows, next_cursor=page.next_cursor)


def _done(ctx: Context, results: BulkResults) -> BulkResults:
    counts: dict[str, Any] = Counter(row.result.value for row in results.results if row.result is not BulkOutcome.ERROR)
    ctx.unit.audit_target("organization", ctx.organization, {}, counts)
    return results
