"""Workers: the people whose time is lent out."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from chalicelib.action import lists
from chalicelib.action.chunked_write import ChunkedWrite
from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.action.row_import import counts
from chalicelib.auth.permissions import Permission
from chalicelib.core import phones
from chalicelib.core.contracts import CursorPage, Page
from chalicelib.core.errors import ErrorCode
from chalicelib.dal.page_lists import Rows
from chalicelib.models.audit import AuditEvent
from chalicelib.models.staffing import workers
from chalicelib.models.staffing.workers import WORKERS, StoredWorker, Worker
from chalicelib.modules.workers import importing
from chalicelib.modules.workers.contracts import CreateWorker, GetWorkers, UpdateWorker, WorkerWithStats
from chalicelib.modules.workers.import_contracts import ImportWorkers, WorkersImport
from chalicelib.modules.workers.stats import joined, with_stats


@action(
    "createWorker",
    "POST /workers",
    permission=Permission.WORKERS_WRITE,
    audit=AuditEvent.WORKER_CREATED,
    status=201,
    errors=(ErrorCode.DUPLICATE_ENTRY,),
)
def create_worker(ctx: Context, data: CreateWorker) -> Worker:
    """Adds a worker; the phone number is unique in the organization, however it is written."""
    return workers.create(ctx.unit, StoredWorker.new(**dict(data), normalized_phone=_normalized(ctx, data.phone)))


@action("getWorker", "GET /workers/{id}", permission=Permission.WORKSPACE_READ, entity=WORKERS)
def get_worker(ctx: Context, id_: UUID) -> Worker:
    """One worker."""
    return WORKERS.get(ctx.organization, id_)


@action("getWorkers", "GET /workers", permission=Permission.WORKSPACE_READ)
def get_workers(ctx: Context, data: GetWorkers) -> Page[WorkerWithStats] | CursorPage[WorkerWithStats]:
    """The workers with their hours and present positions.

    `search` takes name and phone; `name` sorts by last name.
    """
    rows = Rows(WorkerWithStats, partial(with_stats, ctx), joined(ctx))
    return lists.answer(ctx, WORKERS, data, default_sort="name", include_deleted=data.include_deleted, rows=rows)


@action(
    "updateWorker",
    "PATCH /workers/{id}",
    permission=Permission.WORKERS_WRITE,
    entity=WORKERS,
    audit=AuditEvent.WORKER_UPDATED,
    errors=(ErrorCode.DUPLICATE_ENTRY,),
)
def update_worker(ctx: Context, id_: UUID, data: UpdateWorker) -> Worker:
    """Changes a worker."""
    changes = data.changes()
    if "phone" in changes:
        changes["normalized_phone"] = _normalized(ctx, data.phone)
    return WORKERS.update(ctx.unit, WORKERS.get(ctx.organization, id_), changes)


@action(
    "deleteWorker",
    "DELETE /workers/{id}",
    permission=Permission.WORKERS_WRITE,
    entity=WORKERS,
    audit=AuditEvent.WORKER_DELETED,
    errors=(ErrorCode.HAS_DEPENDENCIES,),
)
def delete_worker(ctx: Context, id_: UUID) -> Worker:
    """Deletes a worker softly; the phone number may be used again. Refused with active or scheduled assignments."""
    return workers.delete(ctx.unit, WORKERS.get(ctx.organization, id_), ctx.now)


@action(
    "importWorkers",
    "POST /workers/import",
    permission=Permission.WORKERS_WRITE,
    audit=AuditEvent.WORKERS_IMPORTED,
)
def import_workers(ctx: Context, data: ImportWorkers, parts: ChunkedWrite) -> WorkersImport:
    """Adds many workers. Invalid rows and taken phone numbers are reported per row; all other rows are imported.

    Up to 1,000 rows, as JSON or as CSV with the columns `firstName,lastName,phone`. An import that was interrupted
    is completed by the same request with the same `Idempotency-Key`.
    """
    rows = importing.read(data.rows, ctx.principal.organization.region)
    if data.dry_run:
        ctx.unit.is_dry_run = True
        results = importing.dry_run(ctx.organization, rows)
        return WorkersImport(**counts(results), dry_run=True, rows=results)
    results = importing.import_rows(ctx, parts, rows)
    ctx.unit.audit_target("organization", ctx.organization, {}, counts(results))
    return WorkersImport(**counts(results), dry_run=False, rows=results)


def _normalized(ctx: Context, phone: str) -> str:
    return phones.normalized(phone, ctx.principal.organization.region)
