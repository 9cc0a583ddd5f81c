"""Contracts of importing time sessions, as JSON or CSV, and the result of each row."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, WithJsonSchema

from chalicelib.action.row_import import MAX_ROWS, DryRun, ImportedRow, ImportReport, rows_of
from chalicelib.core import csv_text
from chalicelib.core.contracts import Contract, Query
from chalicelib.core.csv_body import CsvBody
from chalicelib.core.field_types import Flag, Instant, Timezone
from chalicelib.modules.time_sessions.importing.formats import FORMATS, DateFormat, ImportFormat

SessionRow = Annotated[
    Any,
    WithJsonSchema(
        {
            "title": "SessionRow",
            "description": "The cells of a row by the names of the format's columns, as the file has them; "
            "anything else is an error of its row, not of the import.",
            "examples": [
                {
                    "date": "2026-03-02",
                    "start": "08:00",
                    "end": "12:30",
                    "description": "Abbau Block C",
                    "billable": "true",
                }
            ],
        }
    ),
]

FormatField = Annotated[
    ImportFormat, Field(strict=False, description="The product that wrote the file; GENERIC is this one's own export.")
]
ZoneField = Annotated[
    Timezone | None, Field(description="Of local times; by default the caller's, else the organization's.")
]
DateFormatField = Annotated[
    DateFormat | None,
    Field(strict=False, description="By default MM/DD/YYYY for CLOCKIFY, else YYYY-MM-DD.", examples=["YYYY-MM-DD"]),
]
_CREATE_MISSING = "Creates clients, projects, tasks and tags that there are not; else they are errors of their rows."


class ImportOptions(Query):
    format: FormatField = ImportFormat.GENERIC
    timezone: ZoneField = None
    date_format: DateFormatField = None
    create_missing: Flag = False
    dry_run: Flag = False


class ImportTimeSessions(CsvBody):
    csv_example = (
        "date,start,end,project,description,billable,tags\r\n"
        "2026-03-02,08:00:00,12:30:00,Lagerumzug Hansekontor,Abbau Block C,true,Umzug\r\n"
    )
    csv_query = ImportOptions

    rows: Annotated[list[SessionRow], Field(max_length=MAX_ROWS)]
    format: FormatField = ImportFormat.GENERIC
    timezone: ZoneField = None
    date_format: DateFormatField = None
    create_missing: Annotated[bool, Field(description=_CREATE_MISSING)] = False
    dry_run: DryRun = False

    @classmethod
    def from_csv(cls, text: str, query: ImportOptions) -> Self:
        names = FORMATS[query.format].names_of
        rows = csv_text.read_as(text, names, maximum_rows=MAX_ROWS)
        return cls.model_validate({"rows": rows_of(rows), **query.model_dump(exclude_unset=True, by_alias=True)})


def _is_none(value: Any) -> bool:
    return value is None


class RowWarningCode(StrEnum):
    AMBIGUOUS_TIME = "AMBIGUOUS_TIME"
    CLIENT_IGNORED = "CLIENT_IGNORED"
    OVERLAP = "OVERLAP"


class RowWarning(Contract):
    """Something about an imported row that its user should look at."""

    code: RowWarningCode
    field: Annotated[str | None, Field(description="The column.", exclude_if=_is_none, examples=[None])] = None
    message: Annotated[str, Field(examples=["the user has other time then"])]
    session_ids: Annotated[
        tuple[UUID, ...] | None,
        Field(description="Of an overlap: up to 3 sessions that there are.", exclude_if=_is_none, examples=[None]),
    ] = None
    rows: Annotated[
        tuple[int, ...] | None,
        Field(description="Of an overlap: up to 3 earlier rows.", exclude_if=_is_none, examples=[None]),
    ] = None


class ImportedSession(ImportedRow):
    session_id: Annotated[
        UUID | None,
        Field(description="The session, or the one that is there already. Null in a dry run for a new one."),
    ] = None
    code: Annotated[str | None, Field(examples=[None])] = None
    field: Annotated[str | None, Field(description="The column, as the file names it.", examples=[None])] = None
    message: Annotated[str | None, Field(examples=[None])] = None
    # Only where they say something: the answer to 1,000 rows is stored in one item.
    locked_by: Annotated[
        str | None, Field(description="LOCK, SUBMITTED or APPROVED.", exclude_if=_is_none, examples=[None])
    ] = None
    locked_until: Annotated[Instant | None, Field(exclude_if=_is_none, examples=[None])] = None
    warnings: tuple[RowWarning, ...] = ()


class SessionsImport(ImportReport[ImportedSession]):
    """The results of an import of time sessions."""

    new_clients: Annotated[int, Field(examples=[0])]
    new_projects: Annotated[int, Field(examples=[1])]
    new_tasks: Annotated[int, Field(examples=[0])]
    omitted_warnings: Annotated[int, Field(description="Those beyond the first 500.", examples=[0])]
