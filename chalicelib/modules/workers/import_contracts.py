"""Contracts of importing workers, as JSON or CSV, and the result of each row."""

from __future__ import annotations

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, WithJsonSchema

from chalicelib.action.row_import import MAX_ROWS, DryRun, ImportedRow, ImportReport, rows_of
from chalicelib.core import csv_text
from chalicelib.core.contracts import Query
from chalicelib.core.csv_body import CsvBody
from chalicelib.core.field_types import Flag

COLUMNS = ("firstName", "lastName", "phone")

WorkerRow = Annotated[
    Any,
    WithJsonSchema(
        {
            "title": "WorkerRow",
            "description": "As `createWorker` takes a worker; anything else is an error of its row, not of the import.",
            "properties": {column: {} for column in COLUMNS},
            "examples": [{"firstName": "Mehmet", "lastName": "Yılmaz", "phone": "+49 151 2345678"}],
        }
    ),
]


class ImportOptions(Query):
    dry_run: Flag = False


class ImportWorkers(CsvBody):
    csv_example = "firstName,lastName,phone\r\nMehmet,Yılmaz,+49 151 2345678\r\n"
    csv_query = ImportOptions

    rows: Annotated[list[WorkerRow], Field(max_length=MAX_ROWS)]
    dry_run: DryRun = False

    @classmethod
    def from_csv(cls, text: str, query: ImportOptions) -> Self:
        rows = csv_text.read(text, columns=COLUMNS, maximum_rows=MAX_ROWS)
        return cls.model_validate({"rows": rows_of(rows), **query.model_dump(exclude_unset=True)})


class ImportedWorker(ImportedRow):
    worker_id: Annotated[
        UUID | None, Field(description="Who was created, or has the phone already. Null in a dry run for who would be.")
    ] = None
    duplicate_of_row: Annotated[
        int | None, Field(description="The earlier row with the same phone.", examples=[None])
    ] = None
    field: Annotated[str | None, Field(description="The first faulty field of an error.", examples=[None])] = None
    message: Annotated[str | None, Field(examples=[None])] = None


class WorkersImport(ImportReport[ImportedWorker]):
    """The results of an import of workers."""
