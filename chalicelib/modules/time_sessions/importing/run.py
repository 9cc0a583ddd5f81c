"""The import of time sessions: each row is decided on as `createTimeSession` would, in chunks that fit a transaction.

A dry run decides on all rows of a user at once and commits nothing. An import that creates what is missing begins with
the same, to know the needs of its rows: rows that are refused, or there already, create nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from chalicelib.action.chunked_write import ChunkedWrite
from chalicelib.action.context import Context
from chalicelib.action.row_import import RowResult, counts, write_chunks
from chalicelib.auth.permissions import Permission
from chalicelib.core import text
from chalicelib.dal.unit_of_work import MAX_WRITES, UnitOfWork
from chalicelib.modules.time_sessions.importing import creation, people, work
from chalicelib.modules.time_sessions.importing.batch import Scope, decide
from chalicelib.modules.time_sessions.importing.contracts import ImportedSession, ImportTimeSessions, SessionsImport
from chalicelib.modules.time_sessions.importing.formats import FORMATS, DateFormat
from chalicelib.modules.time_sessions.importing.rows import Options, SessionRow, read
from chalicelib.modules.time_sessions.importing.work import task_name

MAX_WARNINGS = 500
"""Warnings in one answer, which is stored in one item."""
_WRITES_OF_A_ROW = 4
"""The session, its external id, its place in the log of changes, its audit entry."""
_WRITES_OF_A_CHUNK = 4
"""Its result, the user's account, the lock of those who have no account yet, a month more than the rows show."""


def import_sessions(ctx: Context, data: ImportTimeSessions, parts: ChunkedWrite) -> SessionsImport:
    zone = data.timezone or ctx.user.preferences.timezone or ctx.principal.organization.timezone
    date_format = data.date_format or DateFormat(FORMATS[data.format].date_format)
    takes_others = Permission.TIME_OF_OTHERS in ctx.principal.permissions
    rows, results = read(data.rows, Options(data.format, date_format, zone, ctx.user, takes_others))
    rows.sort(key=lambda row: (row.person.email or "", row.person.name or "", row.order))
    ids = work.find(ctx.organization, rows)
    users = people.find(ctx, (row.person for row in rows))
    missing = work.missing_of(rows) if data.create_missing else None
    plan = Scope(ctx, users, ids, data.create_missing, missing)
    planned = _plan(plan, rows) if data.dry_run or missing is not None else []
    created = {"new_clients": 0, "new_projects": 0, "new_tasks": 0}
    if data.dry_run:
        results += planned
        created = created if missing is None else missing.numbers()
    else:
        if missing is not None:
            created = creation.create(ctx, parts, rows, missing, ids)
        results += _write(Scope(ctx, users, ids, data.create_missing), parts, rows)
    results.sort(key=lambda result: result.row)
    omitted = _bound_warnings(results)
    return SessionsImport(**counts(results), **created, omitted_warnings=omitted, dry_run=data.dry_run, rows=results)


def _bound_warnings(results: list[ImportedSession]) -> int:
    """Leave out warnings beyond those that an answer may have; return their number."""
    room, omitted = MAX_WARNINGS, 0
    for position, result in enumerate(results):
        if len(result.warnings) > room:
            results[position] = result.model_copy(update={"warnings": result.warnings[:room]})
            omitted += len(result.warnings) - room
        room = max(room - len(result.warnings), 0)
    return omitted


def _plan(scope: Scope, rows: Sequence[SessionRow]) -> list[ImportedSession]:
    """Decide on all rows of each person at once, in units that are never committed."""
    results: list[ImportedSession] = []
    for _, own in groupby(rows, key=lambda row: row.person):
        batch = [*own]
        decided = decide(scope, batch, UnitOfWork(scope.ctx.organization))
        scope.add(batch, decided)
        results += decided
    return [
        result.model_copy(update={"session_id": None}) if result.result is RowResult.CREATED else result
        for result in results
    ]


def _write(scope: Scope, parts: ChunkedWrite, rows: Sequence[SessionRow]) -> Iterator[ImportedSession]:
    chunks = [*_chunks(rows)]
    written = write_chunks(parts, chunks, lambda chunk, unit: decide(scope, chunk, unit), ImportedSession)
    for chunk, results in zip(chunks, written, strict=True):
        scope.add(chunk, results)
        yield from results


def _chunks(rows: Iterable[SessionRow]) -> Iterator[list[SessionRow]]:
    """Yield rows of one person whose writes fit a transaction, with any table."""
    for _, own in groupby(rows, key=lambda row: row.person):
        chunk: list[SessionRow] = []
        shared: set[tuple[object, ...]] = set()
        for row in own:
            more = _shared_writes(row)
            if chunk and _WRITES_OF_A_CHUNK + _WRITES_OF_A_ROW * (len(chunk) + 1) + len(shared | more) > MAX_WRITES:
                yield chunk
                chunk, shared = [], set()
            chunk.append(row)
            shared |= more
        if chunk:
            yield chunk


def _shared_writes(row: SessionRow) -> set[tuple[object, ...]]:
    """Return the items that a row writes, and others too: its month, its work's counters, the spellings of new tags."""
    writes: set[tuple[object, ...]] = {("month", row.times.day.year, row.times.day.month)}
    writes |= {("tag", text.fold(tag)) for tag in row.texts.tags}
    if row.project_form is not None:
        writes.add(("project", row.project_form))
    if (task := task_name(row.texts)) is not None:
        writes.add(("task", *task))
    return writes
