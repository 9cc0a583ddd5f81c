"""Assignments: create, change, end, cancel, delete, find."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from chalicelib.action import lists
from chalicelib.action.context import Context
from chalicelib.action.registry import Named, action
from chalicelib.auth.permissions import Permission
from chalicelib.core import clock
from chalicelib.core.contracts import (
    DEFAULT_PAGE_SIZE,
    CursorPage,
    CursorQuery,
    JsonCursorPage,
    JsonPage,
    Page,
    Pagination,
)
from chalicelib.core.days import day_of, in_words
from chalicelib.core.errors import ErrorCode, require_order
from chalicelib.dal import table
from chalicelib.dal.intervals import Slice
from chalicelib.dal.keys import Key
from chalicelib.dal.records import Record
from chalicelib.models import audit, long_lists
from chalicelib.models.audit import AuditEntry, AuditEvent, AuditFilter
from chalicelib.models.staffing import assignment_search, assignments
from chalicelib.models.staffing.assignment_search import AssignmentFilter
from chalicelib.models.staffing.assignments import (
    ASSIGNMENTS,
    Assignment,
    WriteContext,
)
from chalicelib.models.staffing.directory import NameIndex
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.workers import WORKERS
from chalicelib.models.staffing.workload import Booking
from chalicelib.modules.assignments import warnings
from chalicelib.modules.assignments.contracts import (
    AssignmentDetails,
    AssignmentWithWarnings,
    Availability,
    CheckWorkerAvailability,
    CreateAssignment,
    EndAssignment,
    GetAssignments,
    GetWorkerWithAssignments,
    UpdateAssignment,
    WorkerWithAssignments,
)
from chalicelib.modules.assignments.details import detail, detailed, details

_IN_THE_WAY = 100
_MAX_ROW_BYTES = 9_000
"""The largest assignment: three names of 255 characters, four people's, of 4 bytes each, and a thousand bytes else."""
_MILLISECOND = timedelta(milliseconds=1)
_TIMES = ("startAt", "endAt")
_LAST = datetime.max.replace(tzinfo=UTC)


def _read_to_create(named: Named) -> list[Key]:
    data: CreateAssignment | None = named.data()
    if data is None or (data.end_at is not None and data.end_at <= data.start_at):
        return []
    booking = Booking(data.position_id, data.start_at, data.end_at)
    return [
        WORKERS.key(named.organization, data.worker_id),
        POSITIONS.key(named.organization, data.position_id),
        *assignments.context_keys(named.organization, data.worker_id, [booking], clock.now()),
    ]


@action(
    "createAssignment",
    "POST /assignments",
    permission=Permission.ASSIGNMENTS_WRITE,
    ahead=_read_to_create,
    audit=AuditEvent.ASSIGNMENT_CREATED,
    status=201,
    errors=(ErrorCode.NOT_FOUND, ErrorCode.INVALID_DATE_RANGE),
)
def create_assignment(ctx: Context, data: CreateAssignment) -> AssignmentWithWarnings:
    """Assigns a worker to a position. Clashes come back as warnings and block nothing."""
    require_order(_TIMES, data.start_at, data.end_at)
    booking = Booking(data.position_id, data.start_at, data.end_at)
    context = _write_context(ctx, data.worker_id, booking)
    position = context.positions[data.position_id]
    assignment = Assignment.new(
        **dict(data),
        work_location_id=position.work_location_id,
        client_id=position.client_id,
        created_by_id=ctx.user.id,
    )
    assignments.create(ctx.unit, context, assignment)
    return _with_warnings(ctx, context, assignment)


@action("getAssignment", "GET /assignments/{id}", permission=Permission.WORKSPACE_READ, entity=ASSIGNMENTS)
def get_assignment(ctx: Context, id_: UUID) -> AssignmentDetails:
    """One assignment with everyone and everything it names."""
    return detail(ctx, ASSIGNMENTS.get(ctx.organization, id_))


@action(
    "getAssignments",
    "GET /assignments",
    permission=Permission.WORKSPACE_READ,
    errors=(ErrorCode.INVALID_DATE_RANGE,),
)
def get_assignments(ctx: Context, data: GetAssignments) -> CursorPage[AssignmentDetails] | Page[AssignmentDetails]:
    """The assignments, latest start first. `from` and `to` find those that overlap that time.

    `search` takes the names of worker, position, work location and client.
    With filters a page may hold fewer than `limit`; the list ends only where `nextCursor` is null. With `page` or
    `pageSize` it is a page list with totals, of up to 10,000 assignments.
    """
    require_order(("from", "to"), data.from_, data.to)
    criteria = AssignmentFilter(
        worker_id=data.worker_id,
        position_id=data.position_id,
        work_location_id=data.work_location_id,
        client_id=data.client_id,
        status=data.status,
        since=data.from_,
        until=data.to,
    )
    forward = data.sort_order == "asc"
    if not data.is_page_list:
        return _cursor_page(ctx, data, _named(ctx, criteria, data.search), forward=forward)

    page, size = data.page or 1, data.page_size or DEFAULT_PAGE_SIZE
    lasts = long_lists.LASTING if criteria.is_lasting and data.search is None else long_lists.PASSING
    counted = f"{ASSIGNMENTS.kind} {data.model_dump_json(exclude={'page', 'page_size', 'sort_order'})}"
    with long_lists.remembered(ctx.principal.organization, counted, assignment_search.CURSOR_LIST, ctx.now, lasts):
        criteria = _named(ctx, criteria, data.search)
        numbers = range((page - 1) * size, page * size)
        following, total = assignment_search.find_page(
            ctx.organization, criteria, ctx.now, forward=forward, page=numbers
        )
    shown = assignment_search.shown(ctx.organization, following, criteria, ctx.now)
    return JsonPage(data=detailed(ctx, shown), pagination=Pagination.of(page, size, total))


@action(
    "getWorkerWithAssignments", "GET /workers/{id}/assignments", permission=Permission.WORKSPACE_READ, entity=WORKERS
)
def get_worker_with_assignments(ctx: Context, id_: UUID, data: GetWorkerWithAssignments) -> WorkerWithAssignments:
    """A worker with the assignments, latest start first. A page holds up to 100, if they fit 1 MB."""
    criteria = AssignmentFilter(worker_id=id_)
    # The search comes first, because it reads several lanes at the same time in turn.
    reads: list[Callable[[], Any]] = [
        partial(_find, ctx, data, criteria, forward=False),
        partial(WORKERS.get, ctx.organization, id_),
    ]
    following, worker = table.together(reads)
    page = _page(ctx, criteria, following, [worker])
    return WorkerWithAssignments.extending(worker, assignments=page.items, next_cursor=page.next_cursor)


@action(
    "checkWorkerAvailability",
    "GET /workers/{id}/availability",
    permission=Permission.WORKSPACE_READ,
    entity=WORKERS,
    errors=(ErrorCode.INVALID_DATE_RANGE,),
)
def check_worker_availability(ctx: Context, id_: UUID, data: CheckWorkerAvailability) -> Availability:
    """Check whether a worker is free at an instant, or from `at` until `until`, and the assignments in the way."""
    require_order(("at", "until"), data.at, data.until)
    worker = WORKERS.get(ctx.organization, id_)
    criteria = AssignmentFilter(worker_id=id_, since=data.at, until=data.until or _just_after(data.at))
    overlapping = assignment_search.in_the_way(
        ctx.organization, criteria, ctx.now, classes=worker.workload.occupied, maximum=_IN_THE_WAY
    )
    return Availability(available=not overlapping, assignments=details(ctx, overlapping))


@action(
    "updateAssignment",
    "PATCH /assignments/{id}",
    permission=Permission.ASSIGNMENTS_WRITE,
    entity=ASSIGNMENTS,
    audit=AuditEvent.ASSIGNMENT_UPDATED,
    errors=(ErrorCode.INVALID_DATE_RANGE,),
)
def update_assignment(ctx: Context, id_: UUID, data: UpdateAssignment) -> AssignmentWithWarnings:
    """Changes a scheduled assignment, or the end of an active one. Warns as creating one does."""
    assignment = ASSIGNMENTS.get(ctx.organization, id_)
    changes = data.changes()
    assignment.require_changeable(changes, ctx.now)
    start, end, position_id = (
        changes.get(name, getattr(assignment, name)) for name in ("start_at", "end_at", "position_id")
    )
    require_order(_TIMES, start, end)
    context = _write_context(ctx, assignment.worker_id, assignment.booking, Booking(position_id, start, end))
    position = context.positions[position_id]
    changes |= {"work_location_id": position.work_location_id, "client_id": position.client_id}
    if end is None:  # so that it can be ended once more
        changes |= {"ended_at": None, "ended_by_id": None}
    after = assignments.update(ctx.unit, context, assignment, changes)
    return _with_warnings(ctx, context, after)


@action(
    "endAssignment",
    "POST /assignments/{id}/end",
    permission=Permission.ASSIGNMENTS_WRITE,
    entity=ASSIGNMENTS,
    audit=AuditEvent.ASSIGNMENT_ENDED,
    errors=(ErrorCode.INVALID_DATE_RANGE,),
)
def end_assignment(ctx: Context, id_: UUID, data: EndAssignment) -> AssignmentDetails:
    """Ends an assignment, by default now. Refused when it has ended, was ended before, or is cancelled."""
    assignment = ASSIGNMENTS.get(ctx.organization, id_)
    assignment.require_endable(ctx.now)
    end = data.end_at or ctx.now
    require_order(_TIMES, assignment.start_at, end)
    return _change(ctx, assignment, end_at=end, ended_at=ctx.now, ended_by_id=ctx.user.id)


@action(
    "cancelAssignment",
    "POST /assignments/{id}/cancel",
    permission=Permission.ASSIGNMENTS_WRITE,
    entity=ASSIGNMENTS,
    audit=AuditEvent.ASSIGNMENT_CANCELLED,
)
def cancel_assignment(ctx: Context, id_: UUID) -> AssignmentDetails:
    """Cancels an assignment that has not begun."""
    assignment = ASSIGNMENTS.get(ctx.organization, id_)
    assignment.require_cancellable(ctx.now)
    return _change(ctx, assignment, cancelled_at=ctx.now, cancelled_by_id=ctx.user.id)


@action(
    "deleteAssignment",
    "DELETE /assignments/{id}",
    permission=Permission.ASSIGNMENTS_DELETE,
    entity=ASSIGNMENTS,
    audit=AuditEvent.ASSIGNMENT_DELETED,
)
def delete_assignment(ctx: Context, id_: UUID) -> AssignmentDetails:
    """Deletes an assignment for good; its audit log stays."""
    assignment = ASSIGNMENTS.get(ctx.organization, id_)
    context = _write_context(ctx, assignment.worker_id, assignment.booking)
    shown = detail(ctx, assignment, context)
    assignments.erase(ctx.unit, context, assignment)
    return _described(ctx, shown)


@action("getAssignmentAuditLog", "GET /assignments/{id}/audit-log", permission=Permission.WORKSPACE_READ)
def get_assignment_audit_log(ctx: Context, id_: UUID, data: CursorQuery) -> CursorPage[AuditEntry]:
    """The audit entries of an assignment, oldest first; also of a deleted one."""
    criteria = AuditFilter(entity_type=ASSIGNMENTS.entity, entity_id=str(id_))
    log = audit.entries(
        ctx.organization,
        ctx.cursors,
        criteria,
        former=ctx.principal.organization.erasing,
        cursor=data.cursor,
        limit=data.limit,
        forward=True,
    )
    if not log.items and data.cursor is None:
        # None that the index, which trails the table, shows yet: the assignment itself knows whether it ever was.
        ASSIGNMENTS.get(ctx.organization, id_)
    return log


# -- shared by the actions -------------------------------------------------------------------------------------------


def _named(ctx: Context, criteria: AssignmentFilter, search: str | None) -> AssignmentFilter:
    """Add the entities whose names hold a search: a read of all names."""
    return criteria if search is None else replace(criteria, named=NameIndex(ctx.organization).named(search))


def _just_after(instant: datetime) -> datetime:
    return min(instant, _LAST - _MILLISECOND) + _MILLISECOND


def _write_context(ctx: Context, worker: UUID, *occupations: Booking | None) -> WriteContext:
    positions = {booking.position for booking in occupations if booking is not None}
    return assignments.write_context(ctx.organization, worker, positions, occupations, ctx.now)


def _change(ctx: Context, assignment: Assignment, **changes: Any) -> AssignmentDetails:
    after = assignment.model_copy(update=changes)
    context = _write_context(ctx, assignment.worker_id, assignment.booking, after.booking)
    return _described(ctx, detail(ctx, assignments.update(ctx.unit, context, assignment, changes), context))


def _with_warnings(ctx: Context, context: WriteContext, assignment: Assignment) -> AssignmentWithWarnings:
    # The warnings come first, because they read several lanes at the same time in turn.
    reads: list[Callable[[], Any]] = [
        partial(warnings.of, ctx.organization, context, assignment),
        partial(detail, ctx, assignment, context),
    ]
    clashes, shown = table.together(reads)
    return AssignmentWithWarnings(**dict(_described(ctx, shown)), warnings=clashes)


def _described(ctx: Context, assignment: AssignmentDetails) -> AssignmentDetails:
    """Name the assignment in its audit entry, with its days in the organization's zone."""
    worker, position = assignment.worker, assignment.position
    name = f"{worker.first_name} {worker.last_name} to {position.name}, {position.work_location.name}"
    zone = ctx.principal.organization.timezone
    today, first = day_of(ctx.now, zone), day_of(assignment.start_at, zone)
    start, until = in_words(first, today), ""
    when = f"from {start}"
    if assignment.end_at is not None:
        # A night shift is on the day on which it starts.
        last = max(first, day_of(assignment.end_at - _MILLISECOND, zone))
        until = f", on {in_words(last, today)}"
        when = f"on {start}" if last - first <= timedelta(days=1) else f"from {start} to {in_words(last, today)}"
    ctx.unit.describe_target(name=name, when=f", {when}", until=until)
    return assignment


def _cursor_page(ctx: Context, data: CursorQuery, criteria: AssignmentFilter, *, forward: bool) -> JsonCursorPage:
    return _page(ctx, criteria, _find(ctx, data, criteria, forward=forward))


def _find(ctx: Context, data: CursorQuery, criteria: AssignmentFilter, *, forward: bool) -> Slice:
    after = None if data.cursor is None else ctx.cursors.decode(data.cursor)
    return assignment_search.find(ctx.organization, criteria, ctx.now, after=after, limit=data.limit, forward=forward)


def _page(ctx: Context, criteria: AssignmentFilter, following: Slice, known: Iterable[Record] = ()) -> JsonCursorPage:
    rows = detailed(ctx, assignment_search.shown(ctx.organization, following, criteria, ctx.now), known)
    return lists.cursor_page(
        ctx,
        JsonCursorPage,
        rows,
        following.last,
        lambda row: f"{row['startAt']}#{row['id']}",
        _MAX_ROW_BYTES,
    )
