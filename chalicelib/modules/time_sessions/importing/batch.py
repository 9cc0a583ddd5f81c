"""A batch of imported rows of one user: read at once, decided one after the other, written in one unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.action.row_import import RowResult, error_of
from chalicelib.core import text
from chalicelib.core.errors import ActionError, ErrorCode, invalid_fields
from chalicelib.dal.collection import is_deleted
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models import audit
from chalicelib.models.audit import AuditEvent
from chalicelib.models.time import keys as time_keys
from chalicelib.models.time import timers
from chalicelib.models.time.projects import PROJECTS
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
from chalicelib.modules.time_sessions.importing import people
from chalicelib.modules.time_sessions.importing.contracts import ImportedSession, RowWarning, RowWarningCode
from chalicelib.modules.time_sessions.importing.overlaps import MAX_SHOWN, SpanIndex, overlapping_sessions
from chalicelib.modules.time_sessions.importing.rows import Person, SessionRow
from chalicelib.modules.time_sessions.importing.work import Missing, WorkFinder, WorkIds, task_name
from chalicelib.modules.time_sessions.views import OVERLAP_MESSAGE, overlaps_timer


@dataclass
class Scope:
    """The parts of an import that all its batches share."""

    ctx: Context
    users: people.People
    ids: WorkIds
    creates_missing: bool
    missing: Missing | None = None
    placed: dict[UUID, SpanIndex] = field(default_factory=dict)
    """Rows of earlier batches, by user."""
    imported: set[UUID] = field(default_factory=set)
    """Sessions of earlier batches."""

    def add(self, rows: Sequence[SessionRow], results: Sequence[ImportedSession]) -> None:
        """Note the rows of a batch that is written."""
        by_number = {row.number: row for row in rows}
        for result in results:
            user = self.users[by_number[result.row].person]
            if result.result is RowResult.CREATED and isinstance(user, UUID):
                self.placed.setdefault(user, SpanIndex()).add(by_number[result.row].spans, result.row)
                if result.session_id is not None:
                    self.imported.add(result.session_id)


def decide(scope: Scope, rows: Sequence[SessionRow], unit: UnitOfWork) -> list[ImportedSession]:
    """Add the sessions of rows of one person to a unit; return the result of each row."""
    user = scope.users[rows[0].person]
    if isinstance(user, ActionError):
        return [_refused(row, user) for row in rows]
    return _Batch(scope, user, rows, unit).results()


class _Batch:
    def __init__(self, scope: Scope, user: UUID, rows: Sequence[SessionRow], unit: UnitOfWork) -> None:
        self._scope, self._user, self._all_rows = scope, user, rows
        self._refused = _impossible(rows, scope.ctx.now)
        # Only of those that can be: the months of one that lasts for centuries are not read.
        self._rows = rows = [row for row in rows if row.number not in self._refused]
        organization = scope.ctx.organization
        projects = {id_ for row in rows if (id_ := scope.ids.projects.get(row.project_form or "")) is not None}
        names = {name for row in rows if (name := task_name(row.texts)) is not None}
        tasks = {scope.ids.tasks[name] for name in names & {*scope.ids.tasks}}
        project_keys = {id_: PROJECTS.key(organization, id_) for id_ in projects}
        task_keys = {id_: TASKS.key(organization, id_) for id_ in tasks}
        context = read_context(
            organization,
            user,
            [(row.times.start, row.times.end) for row in rows],
            [tag for row in rows for tag in row.texts.tags],
            [
                timers.key(organization, user),
                *([] if self._all_rows[0].person == Person() else [USERS.key(organization, user)]),
                *(self._claim(row) for row in rows),
                *(key for row in rows if (key := self._session(row)) is not None),
                *project_keys.values(),
                *task_keys.values(),
            ],
        )
        items = context.items
        self._items = items
        self._timer = timers.of(items.get(timers.key(organization, user)))
        self._finder = WorkFinder(
            scope.ids,
            {id_: PROJECTS.record.of(items[key]) for id_, key in project_keys.items() if key in items},
            {id_: TASKS.record.of(items[key]) for id_, key in task_keys.items() if key in items},
            scope.creates_missing,
            scope.ctx.principal.permissions,
            scope.missing,
        )
        self._writer = SessionWriter(unit, context, scope.ctx.now)
        self._stored = SpanIndex.of(context)
        self._earlier = scope.placed.get(user, SpanIndex())
        self._own = SpanIndex()
        """Rows of this batch."""
        self._created: dict[int, TimeSession] = {}
        self._rows_overlapped: dict[int, list[int]] = {}
        self._others_overlapped: list[TimeSession] = []
        """Sessions that overlap others which are not of this import."""

    def results(self) -> list[ImportedSession]:
        ctx, person = self._scope.ctx, self._all_rows[0].person
        if person != Person():
            user = self._items.get(USERS.key(ctx.organization, self._user))
            if user is None or not people.is_meant(person, USERS.record.of(user)):
                return [_refused(row, people.unknown(person)) for row in self._all_rows]
        results = [self._result(row) for row in self._rows]
        if self._created:
            self._writer.flush()
        others = overlapping_sessions(ctx.organization, self._user, self._others_overlapped, self._scope.imported)
        return [*self._refused.values(), *(self._with_overlap(result, others) for result in results)]

    def _result(self, row: SessionRow) -> ImportedSession:
        existing = self._existing(row)
        if existing is not None:
            return ImportedSession(row=row.number, result=RowResult.DUPLICATE, session_id=existing)
        try:
            session, warnings = self._create(row)
        except ActionError as error:
            return _refused(row, error)
        self._note_overlaps(row, session)
        warnings = row.times.warnings + warnings
        return ImportedSession(row=row.number, result=RowResult.CREATED, session_id=session.id, warnings=warnings)

    def _note_overlaps(self, row: SessionRow, session: TimeSession) -> None:
        self._created[row.number] = session
        earlier, own = self._earlier.overlapping(row.spans), self._own.overlapping(row.spans)
        self._rows_overlapped[row.number] = sorted({*earlier, *own})
        # The months have the rows of earlier batches, too.
        if len(self._stored.overlapping(row.spans)) > len(earlier):
            self._others_overlapped.append(session)
        self._own.add(row.spans, row.number)

    def _with_overlap(self, result: ImportedSession, others: Mapping[UUID, list[UUID]]) -> ImportedSession:
        session = self._created.get(result.row)
        if session is None:
            return result
        rows = tuple(self._rows_overlapped[result.row][:MAX_SHOWN])
        ids = others.get(session.id, [])
        if self._timer is not None and overlaps_timer(self._timer, session, self._scope.ctx.now):
            ids = [self._timer.id, *ids]
        if not rows and not ids and session.id not in others:
            return result
        warning = RowWarning(
            code=RowWarningCode.OVERLAP,
            message=OVERLAP_MESSAGE,
            session_ids=tuple(ids[:MAX_SHOWN]) or None,
            rows=rows or None,
        )
        return result.model_copy(update={"warnings": (*result.warnings, warning)})

    def _claim(self, row: SessionRow) -> Key:
        return time_keys.external_id(self._scope.ctx.organization, self._user, row.external_id)

    def _session(self, row: SessionRow) -> Key | None:
        """Return the key of the session that the row was exported from, if it is of this organization."""
        try:
            identifier = None if row.session_id is None else UUID(row.session_id)
        except ValueError:
            return None
        return None if identifier is None else TIME_SESSIONS.key(self._scope.ctx.organization, identifier)

    def _existing(self, row: SessionRow) -> UUID | None:
        claim = self._items.get(self._claim(row))
        if claim is not None and claim.data is not None:
            return UUID(claim.data["id"])
        key = self._session(row)
        if key is None or key not in self._items:
            return None
        session = TIME_SESSIONS.record.of(self._items[key])
        return session.id if session.user_id == self._user and not is_deleted(session) else None

    def _create(self, row: SessionRow) -> tuple[TimeSession, tuple[RowWarning, ...]]:
        ctx, times, texts = self._scope.ctx, row.times, row.texts
        self._writer.context.account.require_unlocked(times.start, times.end)
        tags = self._writer.spelled(texts.tags)
        if not self._scope.creates_missing and not {text.fold(tag) for tag in tags} <= {*self._writer.context.tags}:
            raise invalid_fields({"tags": ["has a tag that nobody has used"]}, ErrorCode.NOT_FOUND)
        work = self._finder.work_of(texts)
        by_default = work.project is not None and work.project.is_billable
        session = self._writer.create(
            TimeSession.new(
                user_id=self._user,
                project_id=None if work.project is None else work.project.id,
                task_id=None if work.task is None else work.task.id,
                description=texts.description,
                billable=by_default if row.billable is None else row.billable,
                tags=tags,
                start_at=times.start,
                end_at=times.end,
                pauses=row.pauses,
                duration_seconds=net_seconds(times.start, times.end, row.pauses),
                source=SessionSource.IMPORT,
                external_id=row.external_id,
            )
        )
        audit.record_change(self._writer.unit, AuditEvent.TIME_SESSION_CREATED, ctx.actor, ctx.request.id)
        return session, tuple(row.warning(warning) for warning in work.warnings)


def _impossible(rows: Sequence[SessionRow], now: datetime) -> dict[int, ImportedSession]:
    """Return the results of rows that no session can be, by number."""
    results: dict[int, ImportedSession] = {}
    for row in rows:
        try:
            require_valid(row.times.start, row.times.end, row.pauses, now)
        except ActionError as error:
            results[row.number] = _refused(row, error)
    return results


def _refused(row: SessionRow, error: ActionError) -> ImportedSession:
    refused = row.error(error)
    details = refused.details or {}
    return ImportedSession(
        row=row.number,
        result=RowResult.ERROR,
        **error_of(refused),
        locked_by=details.get("lockedBy"),
        locked_until=details.get("lockedUntil"),
    )
