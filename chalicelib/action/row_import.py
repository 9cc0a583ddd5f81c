"""Imports: many rows as JSON or CSV, in chunks that fit a transaction, with a result for each row.

A row that is no good hinders no other: it is an error of its own. An action declares its `CsvBody`, decides about
each row, and lets `write_chunks` commit the rows; a dry run decides the same and commits nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

from pydantic import Field, ValidationError

from chalicelib.action.chunked_write import ChunkedWrite
from chalicelib.action.validation import collect
from chalicelib.core.contracts import Contract
from chalicelib.core.csv_text import CsvRow
from chalicelib.core.errors import ActionError, ErrorCode
from chalicelib.dal.unit_of_work import UnitOfWork

MAX_ROWS = 1000
_WHOLE_ROW = ""

OF_A_ROW = frozenset(
    {
        ErrorCode.DUPLICATE_ENTRY,
        ErrorCode.FORBIDDEN,
        ErrorCode.INVALID_DATE_RANGE,
        ErrorCode.NOT_FOUND,
        ErrorCode.VALIDATION_ERROR,
    }
)
"""Errors that are the result of one row of many; others end the request, which can be repeated."""


class BrokenRow(NamedTuple):
    """A row of a CSV file that has not the cells which the header promises."""

    fault: str


class RowResult(StrEnum):
    CREATED = "created"
    DUPLICATE = "duplicate"
    ERROR = "error"


class ImportedRow(Contract):
    row: Annotated[int, Field(description="From 1; a header does not count.")]
    result: RowResult


Row = TypeVar("Row", bound=ImportedRow)
Input = TypeVar("Input")


class ImportReport(Contract, Generic[Row]):
    created: int
    duplicates: Annotated[int, Field(examples=[0])]
    errors: Annotated[int, Field(examples=[0])]
    dry_run: Annotated[bool, Field(examples=[False])]
    rows: list[Row]


DryRun = Annotated[bool, Field(description="Reports the result of the import, and imports nothing.")]


def rows_of(rows: Iterable[CsvRow]) -> list[dict[str, str] | BrokenRow]:
    """Return the rows of a file as a body in JSON would have them."""
    return [row.values if row.fault is None else BrokenRow(row.fault) for row in rows]


def counts(results: Iterable[ImportedRow]) -> dict[str, int]:
    """Return the fields under the names that the report has for them."""
    number = Counter(result.result for result in results)
    return {
        "created": number[RowResult.CREATED],
        "duplicates": number[RowResult.DUPLICATE],
        "errors": number[RowResult.ERROR],
    }


def write_chunks(
    parts: ChunkedWrite,
    chunks: Iterable[Sequence[Input]],
    perform: Callable[[Sequence[Input], UnitOfWork], Sequence[Row]],
    result: type[Row],
) -> Iterator[list[Row]]:
    """Commit the chunks one after the other; yield the results of their rows, which are stored with them.

    The cut into chunks may follow only from the input: a repetition of the request has the same.
    """
    for chunk in chunks:

        def run(unit: UnitOfWork, chunk: Sequence[Input] = chunk) -> list[dict[str, Any]]:
            return [row.model_dump(mode="json", exclude_none=True) for row in perform(chunk, unit)]

        yield [result.model_validate(stored) for stored in parts.run(run)]


def first_error(error: ValidationError) -> tuple[str | None, str]:
    """Return the first faulty field of a row, and its message; None for the row as a whole."""
    errors: dict[str, list[str]] = {}
    collect(errors, error, _WHOLE_ROW)
    field, messages = next(iter(errors.items()))
    return field or None, messages[0]


def error_of(error: ActionError) -> dict[str, Any]:
    """Return the fields `code`, `field` and `message` of a result. Raises an error that is not one of a row."""
    if error.code not in OF_A_ROW:
        raise error
    faulty = (error.details or {}).get("fieldErrors", {})
    field = next(iter(faulty), None)
    return {
        "code": error.code,
        "field": field,
        "message": error.message if field is None else faulty[field][0],
    }
