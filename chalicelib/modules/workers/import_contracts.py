"""Contracts of importing workers, as JSON or CSV, and the result of each row."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, NamedTuple, Self
from uuid import UUID

from pydantic import Field, WithJsonSchema

from chalicelib.core import csv_text
from chalicelib.core.contracts import Contract, Query
from chalicelib.core.csv_body import CsvBody
from chalicelib.core.field_types import Flag

COLUMNS = ("firstName", "lastName", "phone")
MAX_ROWS = 1000


class BrokenRow(NamedTuple):
    """A row of a CSV file that has not the cells which the header promises."""

    fault: str


ImportRow = Annotated[
    Any,
    WithJsonSchema(
        {
            "title": "ImportRow",
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

    rows: Annotated[list[ImportRow], Field(max_length=MAX_ROWS)]
    dry_run: Annotated[bool, Field(description="Reports the result of the import, and imports nothing.")] = False

    @classmethod
    def from_csv(cls, text: str, query: ImportOptions) -> Self:
        rows = csv_text.read(text, columns=COLUMNS, maximum_rows=MAX_ROWS)
        return cls.model_validate(
            {
                "rows": [row.values if row.fault is None else BrokenRow(row.fault) for row in rows],
                **query.model_dump(exclude_unset=True),
            }
        )


class RowResult(StrEnum):
    CREATED = "created"
    DUPLICATE = "duplicate"
    ERROR = "error"


class ImportedRow(Contract):
    row: Annotated[int, Field(description="From 1; a header does not count.")]
    result: RowResult
    worker_id: Annotated[
        UUID | None, Field(description="Who was created, or has the phone already. Null in a dry run for who would be.")
    ] = None
    duplicate_of_row: Annotated[
        int | None, Field(description="The earlier row with the same phone.", examples=[None])
    ] = None
    field: Annotated[str | None, Field(description="The first faulty field of an error.", examples=[None])] = None
    message: Annotated[str | None, Field(examples=[None])] = None


class ImportReport(Contract):
    created: int
    duplicates: Annotated[int, Field(examples=[0])]
    errors: Annotated[int, Field(examples=[0])]
    dry_run: Annotated[bool, Field(examples=[False])]
    rows: list[ImportedRow]
