"""Rows of an import, read: texts, a person, and the times of a session; or an error on a column.

Nothing here looks at stored data, so that a repeated request reads the same rows.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, NamedTuple

from pydantic import Field, ValidationError

from chalicelib.action.row_import import RowResult, error_of, first_error
from chalicelib.core import text
from chalicelib.core.contracts import Body
from chalicelib.core.days import instant_at, instants_of
from chalicelib.core.errors import ActionError, invalid_fields
from chalicelib.core.field_types import AtMost, Name
from chalicelib.dal.keys import digest
from chalicelib.models.time.projects import ProjectName
from chalicelib.models.time.sessions import MAX_TAGS, SessionDescription, Tag
from chalicelib.models.time.spans import LONGEST, Pause, Seconds, worked
from chalicelib.models.time.tasks import TaskTitle
from chalicelib.models.users import StoredUser
from chalicelib.modules.time_sessions.importing.cells import Cells
from chalicelib.modules.time_sessions.importing.contracts import ImportedSession, RowWarning, RowWarningCode
from chalicelib.modules.time_sessions.importing.formats import FORMATS, DateFormat, ImportFormat, Role

_FIRST_HOUR = time(9)
"""Start of a day's first row where rows have no times."""
_BREAK = "break"
_NAMES = (Role.USER, Role.LAST_NAME, Role.FIRST_NAME)
"""Columns that name a person, those first that an error is reported on."""
_DIGEST_LENGTH = 32


class Person(NamedTuple):
    """The user of a row, as the file names them, in unique form: by address, else by name. Neither is the caller."""

    email: str | None = None
    name: str | None = None


class RowTexts(Body):
    """Texts of a row, by the roles of their columns."""

    client: Name | None = None
    project: ProjectName | None = None
    task: TaskTitle | None = None
    description: SessionDescription | None = None
    tags: Annotated[tuple[Tag, ...], AtMost(MAX_TAGS), Field(strict=False)] = ()


class Times(NamedTuple):
    start: datetime
    end: datetime
    day: date
    """The day of its start, as the file has it."""
    identity: tuple[str, ...]
    """The times as the file has them: the same whichever zone they are read in."""
    start_role: Role
    end_role: Role
    warnings: tuple[RowWarning, ...] = ()


@dataclass(frozen=True)
class SessionRow:
    number: int
    columns: Mapping[str, str]
    """Its columns, as the file names them, by role and by the fields of a session."""
    start_column: str
    person: Person
    texts: RowTexts
    times: Times
    billable: bool | None
    pauses: tuple[Pause, ...]
    session_id: str | None
    """The id that it had in the organization that exported it."""
    external_id: str

    @property
    def project_form(self) -> str | None:
        return None if self.texts.project is None else text.unique_form(self.texts.project)

    @property
    def spans(self) -> Seconds:
        return worked(self.times.start, self.times.end, self.pauses)

    @property
    def order(self) -> tuple[str, int]:
        """Its place in the import: by time, as the file has it."""
        return self.times.identity[0], self.number

    def warning(self, warning: RowWarning) -> RowWarning:
        """Return a warning about a role as one about the row's column."""
        return warning.model_copy(update={"field": self.columns.get(warning.field or "")})

    def error(self, error: ActionError) -> ActionError:
        """Return an error about a session's fields as one about the row's columns."""
        details = dict(error.details or {})
        errors: Mapping[str, list[str]] = details.pop("fieldErrors", {})
        if not errors:
            return error
        start, end = self.start_column, self.columns["endAt"]
        named = {
            self.columns.get(field.partition(".")[0], field): [
                message.replace("startAt", start).replace("endAt", end) for message in messages
            ]
            for field, messages in errors.items()
        }
        renamed = invalid_fields(named, error.code)
        renamed.details = {**details, **(renamed.details or {})}
        return renamed


@dataclass(frozen=True)
class Options:
    """The choices of a request that say how its rows are read."""

    format: ImportFormat
    date_format: DateFormat
    zone: str
    caller: StoredUser
    takes_others: bool
    """The caller may import the time of others."""


def read(rows: Iterable[Any], options: Options) -> tuple[list[SessionRow], list[ImportedSession]]:
    """Return the rows that are sessions, in their order, and the results of those that are none."""
    reader = _Reader(options)
    sessions: list[SessionRow] = []
    errors: list[ImportedSession] = []
    for number, row in enumerate(rows, 1):
        try:
            sessions.append(reader.read(number, row))
        except ActionError as error:
            errors.append(ImportedSession(row=number, result=RowResult.ERROR, **error_of(error)))
    return sessions, errors


class _Reader:
    """Reads the rows of one file in their order: hours without times are laid end to end, equal rows are numbered."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._format = FORMATS[options.format]
        self._ends: dict[tuple[Person, date], datetime] = {}
        self._equal: Counter[tuple[Person, str]] = Counter()

    def read(self, number: int, row: Any) -> SessionRow:
        cells = Cells(self._format, row)
        if (cells.text(Role.TYPE) or "").casefold() == _BREAK:
            raise cells.error(Role.TYPE, "is a break, which is no time session")
        texts = self._texts(cells)
        for role in (Role.CLIENT, Role.TASK):
            if getattr(texts, role) is not None and texts.project is None:
                raise cells.error(role, "needs a project")
        person = self._person(cells)
        billable, pauses = cells.flag(Role.BILLABLE), cells.pauses()
        if cells.text(Role.START_AT) is not None:
            times = _times_of_instants(cells)
        elif Role.START_TIME in self._format.columns:
            times = self._local_times(cells)
        else:
            times = self._times_end_to_end(cells, person)
        session_id = cells.text(Role.ID)
        content = (texts.project, texts.task, texts.description)
        identity = (*times.identity, *(text.unique_form(value or "") for value in content))
        locks = Role.DATE if times.start_role is Role.START_TIME else times.start_role
        return SessionRow(
            number=number,
            columns={
                **{role.value: name for role, name in cells.columns.items()},
                "startAt": cells.column(locks),
                "endAt": cells.column(times.end_role),
                "person": cells.column(*((Role.EMAIL,) if person.email else _NAMES)),
            },
            start_column=cells.column(times.start_role),
            person=person,
            texts=texts,
            times=times,
            billable=billable,
            pauses=pauses,
            session_id=session_id,
            external_id=self._external_id(person, identity if session_id is None else (session_id,)),
        )

    def _external_id(self, person: Person, identity: tuple[str, ...]) -> str:
        """Return an id that the same row of the same file always has: equal rows are told apart by their number."""
        content = json.dumps(identity)
        self._equal[person, content] += 1
        whole = json.dumps([self._options.format, content, self._equal[person, content]])
        return f"{self._options.format.lower()}-{digest(whole)[:_DIGEST_LENGTH]}"

    def _texts(self, cells: Cells) -> RowTexts:
        roles = (Role.CLIENT, Role.PROJECT, Role.TASK, Role.DESCRIPTION)
        tags = cells.tags(quoted=self._options.format is ImportFormat.GENERIC)
        try:
            return RowTexts.model_validate({**{role.value: cells.text(role) for role in roles}, "tags": tags})
        except ValidationError as error:
            field, message = first_error(error)
        raise cells.error(Role((field or "").partition(".")[0]), message)

    def _person(self, cells: Cells) -> Person:
        """Return the person that the row names. Its address decides, and without one its name."""
        caller = self._options.caller
        if (email := cells.text(Role.EMAIL)) is not None:
            form = text.unique_form(email)
            return Person() if form == text.unique_form(caller.email) else Person(email=form)
        names = [cells.text(role) for role in (Role.USER, Role.FIRST_NAME, Role.LAST_NAME)]
        form = text.unique_form(" ".join(name for name in names if name is not None))
        # Among others' rows, the caller's name may be another's, too.
        is_own = form == text.unique_form(caller.full_name) and not self._options.takes_others
        return Person() if is_own or not form else Person(name=form)

    def _local_times(self, cells: Cells) -> Times:
        """Read a start and an end in the zone, or a start and a duration."""
        day = cells.date(Role.DATE, self._options.date_format)
        start = datetime.combine(day, cells.time(Role.START_TIME))
        starts = self._instants(cells, Role.START_TIME, start)
        duration = cells.duration()
        if cells.text(Role.END_TIME) is None:
            if duration is None:
                raise cells.error(Role.END_TIME if Role.END_TIME in cells.columns else Role.DURATION, "is required")
            span = timedelta(seconds=duration[0])
            warnings = _ambiguous(cells, (Role.START_TIME, starts, starts[0]))
            identity = (start.isoformat(), (start + span).isoformat())
            return Times(starts[0], starts[0] + span, day, identity, Role.START_TIME, duration[1], warnings)
        has_date = cells.text(Role.END_DATE) is not None
        end_day = cells.date(Role.END_DATE, self._options.date_format) if has_date else day
        end = datetime.combine(end_day, cells.time(Role.END_TIME))
        if not has_date and end < start:
            end += timedelta(days=1)
        ends = self._instants(cells, Role.END_TIME, end)
        low, high = _span(starts, ends, None if duration is None else duration[0])
        warnings = _ambiguous(cells, (Role.START_TIME, starts, low), (Role.END_TIME, ends, high))
        identity = (start.isoformat(), end.isoformat())
        return Times(low, high, day, identity, Role.START_TIME, Role.END_TIME, warnings)

    def _instants(self, cells: Cells, role: Role, local: datetime) -> list[datetime]:
        instants = instants_of(local, self._options.zone)
        if not instants:
            raise cells.error(role, f"does not exist on that day in {self._options.zone}: clocks are put forward")
        return instants

    def _times_end_to_end(self, cells: Cells, person: Person) -> Times:
        """Lay the hours of a person's day one after the other."""
        day = cells.date(Role.DATE, self._options.date_format)
        cells.required(Role.DURATION)
        duration = cells.duration()
        seconds = 0 if duration is None else duration[0]
        if not 0 < seconds <= LONGEST.total_seconds():
            raise cells.error(Role.DURATION, "must be more than 0 and at most 24 hours")
        first = instant_at(datetime.combine(day, _FIRST_HOUR), self._options.zone)
        start = self._ends.get((person, day), first)
        end = self._ends[person, day] = start + timedelta(seconds=seconds)
        return Times(start, end, day, (day.isoformat(), str(seconds)), Role.DATE, Role.DURATION)


def _times_of_instants(cells: Cells) -> Times:
    start = cells.instant(Role.START_AT)
    duration = cells.duration()
    end_role = Role.END_AT
    if duration is None or cells.text(Role.END_AT) is not None:
        end = cells.instant(Role.END_AT)
    else:
        end, end_role = start + timedelta(seconds=duration[0]), duration[1]
    return Times(start, end, start.date(), (start.isoformat(), end.isoformat()), Role.START_AT, end_role)


def _span(starts: list[datetime], ends: list[datetime], seconds: int | None) -> tuple[datetime, datetime]:
    """Return the span that a row means where clocks show its times twice.

    The first that lasts as long as the row says; else the first, of which the end comes after the start.
    """
    spans = [(start, end) for start in starts for end in ends if start < end]
    exact = [(start, end) for start, end in spans if (end - start).total_seconds() == seconds]
    return next(iter(exact or spans), (starts[0], ends[0]))


def _ambiguous(cells: Cells, *times: tuple[Role, list[datetime], datetime]) -> tuple[RowWarning, ...]:
    return tuple(
        RowWarning(
            code=RowWarningCode.AMBIGUOUS_TIME,
            field=cells.column(role),
            message=f"comes twice in that night: the {'first' if instant == instants[0] else 'second'} is taken",
        )
        for role, instants, instant in times
        if len(instants) > 1
    )
