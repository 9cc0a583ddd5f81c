"""The import of workers: many rows, in chunks that fit a transaction, with a result for each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from chalicelib.action.chunked_write import ChunkedWrite
from chalicelib.action.context import Context
from chalicelib.action.validation import collect
from chalicelib.core import phones
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models import audit
from chalicelib.models.audit import AuditEvent
from chalicelib.models.staffing import workers
from chalicelib.models.staffing.workers import StoredWorker
from chalicelib.modules.workers.contracts import CreateWorker
from chalicelib.modules.workers.import_contracts import COLUMNS, BrokenRow, ImportedRow, ImportReport, RowResult

_PART_ROWS = 30
"""A worker is three writes (itself, its phone's guard, its audit entry); a transaction takes 100."""
_WHOLE_ROW = ""


@dataclass(frozen=True)
class Candidate:
    """A row that is a worker, unless another has the phone."""

    row: int
    worker: CreateWorker
    normalized_phone: str


Row = Candidate | ImportedRow
"""A row as it was read: a candidate, or the result of one that needs no look at the workers there are."""


def read(rows: Iterable[Any], region: str | None) -> list[Row]:
    """Read the rows. `region`: where phones without a prefix are dialled."""
    parsed: list[Row] = []
    first_with: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        worker = _worker_or_error(number, row)
        if isinstance(worker, ImportedRow):
            parsed.append(worker)
            continue
        phone = phones.normalized(worker.phone, region)
        first = first_with.setdefault(phone, number)
        if first == number:
            parsed.append(Candidate(number, worker, phone))
        else:
            parsed.append(ImportedRow(row=number, result=RowResult.DUPLICATE, duplicate_of_row=first))
    return parsed


def dry_run(organization: OrganizationId, rows: Sequence[Row]) -> list[ImportedRow]:
    """Return the result that `import_rows` would have now."""
    return _decide(organization, rows, lambda _: None)


def import_rows(ctx: Context, parts: ChunkedWrite, rows: Sequence[Row]) -> list[ImportedRow]:
    """Create the workers, each with an audit entry of its own."""
    results: list[ImportedRow] = []
    for start in range(0, len(rows), _PART_ROWS):
        part = rows[start : start + _PART_ROWS]
        stored = parts.run(partial(_import_chunk, ctx, part))
        results += [ImportedRow.model_validate(result) for result in stored]
    return results


def report(results: Sequence[ImportedRow], *, dry_run: bool) -> ImportReport:
    return ImportReport(**counts(results), dry_run=dry_run, rows=list(results))


def counts(results: Iterable[ImportedRow]) -> dict[str, int]:
    """Return the fields under the names that the report has for them."""
    number = Counter(result.result for result in results)
    return {
        "created": number[RowResult.CREATED],
        "duplicates": number[RowResult.DUPLICATE],
        "errors": number[RowResult.ERROR],
    }


def _import_chunk(ctx: Context, rows: Sequence[Row], unit: UnitOfWork) -> list[Mapping[str, Any]]:
    def create(candidate: Candidate) -> UUID:
        fields = dict(candidate.worker)
        worker = workers.create(unit, StoredWorker.new(**fields, normalized_phone=candidate.normalized_phone))
        audit.record_change(unit, AuditEvent.WORKER_CREATED, ctx.actor, ctx.request.id)
        return worker.id

    results = _decide(unit.organization, rows, create)
    return [result.model_dump(mode="json", exclude_none=True) for result in results]


def _decide(
    organization: OrganizationId, rows: Sequence[Row], create: Callable[[Candidate], UUID | None]
) -> list[ImportedRow]:
    holders = workers.holders(organization, [row.normalized_phone for row in rows if isinstance(row, Candidate)])
    results: list[ImportedRow] = []
    for row in rows:
        if isinstance(row, ImportedRow):
            results.append(row)
        elif row.normalized_phone in holders:
            holder = holders[row.normalized_phone]
            results.append(ImportedRow(row=row.row, result=RowResult.DUPLICATE, worker_id=holder))
        else:
            results.append(ImportedRow(row=row.row, result=RowResult.CREATED, worker_id=create(row)))
    return results


def _worker_or_error(number: int, row: Any) -> CreateWorker | ImportedRow:
    if isinstance(row, BrokenRow):
        return ImportedRow(row=number, result=RowResult.ERROR, message=row.fault)
    try:
        return CreateWorker.model_validate(row)
    except ValidationError as error:
        faults: dict[str, list[str]] = {}
        collect(faults, error, _WHOLE_ROW)
    field, messages = next(iter(faults.items()))
    if field in COLUMNS:
        return ImportedRow(row=number, result=RowResult.ERROR, field=field, message=messages[0])
    # The name of an unknown field may be of any length, and the results of all rows are stored.
    message = messages[0] if field == _WHOLE_ROW else "has a field that no worker has"
    return ImportedRow(row=number, result=RowResult.ERROR, message=message)
