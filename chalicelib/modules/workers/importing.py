"""The import of workers: a phone that is taken makes its row a duplicate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from chalicelib.action.chunked_write import ChunkedWrite
from chalicelib.action.context import Context
from chalicelib.action.row_import import BrokenRow, RowResult, first_error, write_chunks
from chalicelib.core import phones
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models import audit
from chalicelib.models.audit import AuditEvent
from chalicelib.models.staffing import workers
from chalicelib.models.staffing.workers import PHONE, WORKERS, StoredWorker
from chalicelib.modules.workers.contracts import CreateWorker
from chalicelib.modules.workers.import_contracts import COLUMNS, ImportedWorker

_PART_ROWS = 30
"""A worker is three writes (itself, its phone's guard, its audit entry); a transaction takes 100."""


@dataclass(frozen=True)
class Candidate:
    """A row that is a worker, unless another has the phone."""

    row: int
    worker: CreateWorker
    normalized_phone: str


Row = Candidate | ImportedWorker
"""A row as it was read: a candidate, or the result of one that needs no look at the workers there are."""


def read(rows: Iterable[Any], region: str | None) -> list[Row]:
    """Read the rows. `region`: where phones without a prefix are dialled."""
    parsed: list[Row] = []
    first_with: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        worker = _worker_or_error(number, row)
        if isinstance(worker, ImportedWorker):
            parsed.append(worker)
            continue
        phone = phones.normalized(worker.phone, region)
        first = first_with.setdefault(phone, number)
        if first == number:
            parsed.append(Candidate(number, worker, phone))
        else:
            parsed.append(ImportedWorker(row=number, result=RowResult.DUPLICATE, duplicate_of_row=first))
    return parsed


def dry_run(organization: OrganizationId, rows: Sequence[Row]) -> list[ImportedWorker]:
    """Return the result that `import_rows` would have now."""
    return _decide(organization, rows, lambda _: None)


def import_rows(ctx: Context, parts: ChunkedWrite, rows: Sequence[Row]) -> list[ImportedWorker]:
    """Create the workers, each with an audit entry of its own."""

    def write(chunk: Sequence[Row], unit: UnitOfWork) -> list[ImportedWorker]:
        def create(candidate: Candidate) -> UUID:
            fields = dict(candidate.worker)
            worker = workers.create(unit, StoredWorker.new(**fields, normalized_phone=candidate.normalized_phone))
            audit.record_change(unit, AuditEvent.WORKER_CREATED, ctx.actor, ctx.request.id)
            return worker.id

        return _decide(unit.organization, chunk, create)

    chunks = (rows[start : start + _PART_ROWS] for start in range(0, len(rows), _PART_ROWS))
    return [row for results in write_chunks(parts, chunks, write, ImportedWorker) for row in results]


def _decide(
    organization: OrganizationId, rows: Sequence[Row], create: Callable[[Candidate], UUID | None]
) -> list[ImportedWorker]:
    phones_of_rows = [row.normalized_phone for row in rows if isinstance(row, Candidate)]
    holders = WORKERS.owners(organization, PHONE.field, phones_of_rows)
    results: list[ImportedWorker] = []
    for row in rows:
        if isinstance(row, ImportedWorker):
            results.append(row)
        elif row.normalized_phone in holders:
            holder = holders[row.normalized_phone]
            results.append(ImportedWorker(row=row.row, result=RowResult.DUPLICATE, worker_id=holder))
        else:
            results.append(ImportedWorker(row=row.row, result=RowResult.CREATED, worker_id=create(row)))
    return results


def _worker_or_error(number: int, row: Any) -> CreateWorker | ImportedWorker:
    if isinstance(row, BrokenRow):
        return ImportedWorker(row=number, result=RowResult.ERROR, message=row.fault)
    if isinstance(row, dict) and isinstance(row.get("phone"), str):
        row = {**row, "phone": phones.without_separators(row["phone"].strip())}
    try:
        return CreateWorker.model_validate(row)
    except ValidationError as error:
        field, message = first_error(error)
    if field is not None and field not in COLUMNS:
        # The name of an unknown field may be of any length, and the results of all rows are stored.
        field, message = None, "has a field that no worker has"
    return ImportedWorker(row=number, result=RowResult.ERROR, field=field, message=message)
