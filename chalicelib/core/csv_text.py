"""CSV as RFC 4180 has it, written so that no spreadsheet runs a cell as a formula, and read back the same."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from chalicelib.core.errors import invalid_field, invalid_fields
from chalicelib.core.text import letters

Cell = str | int | float | Decimal | None

_FILE = "body"
"""The field that a fault of the whole text is reported under."""
_BOM = "\ufeff"
_TOLD = 100
"""Bounds of the message about a wrong header: names, and characters of each."""
_DELIMITERS = ",;\t"
"""A spreadsheet saves with semicolons where the comma is the decimal point, and copies with tabs."""
_QUOTED = re.compile(r'"[^"]*"')

# The apostrophes make the marking reversible: a text that looks marked already is marked once more.
_FORMULA = re.compile(r"'*\s*[=+\-@\t\r\n＝＋－＠]")
_MARK = "'"


class CsvRow(NamedTuple):
    line: int
    """The line at which the row begins in the text, from 1."""
    values: dict[str, str]
    """Values by known column name; of a faulty row those cells that have a column."""
    fault: str | None
    """The error of a faulty row."""


def write(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Lines end in CRLF. Numbers are written as they are, None as an empty cell, texts with formulas defused."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_defused(name) for name in header)
    writer.writerows([_defused(cell) for cell in row] for row in rows)
    return text.getvalue()


def read(text: str, *, columns: Sequence[str], maximum_rows: int) -> list[CsvRow]:
    """The rows under a header line that has each of `columns` once, in any order and spelling; else as `read_as`."""

    def names(header: Sequence[str]) -> Sequence[str]:
        if not header:
            raise invalid_field(_FILE, f"has no header line: {','.join(columns)}")
        known = {letters(column): column for column in columns}
        names = [known.get(letters(cell), cell.strip()) for cell in header]
        require_columns(
            names,
            known=columns,
            unknown=[name for name in names if name not in columns],
            missing=[column for column in columns if column not in names],
        )
        return names

    return read_as(text, names, maximum_rows=maximum_rows)


def read_as(text: str, names: Callable[[Sequence[str]], Sequence[str]], *, maximum_rows: int) -> list[CsvRow]:
    """The rows under a header line, whose cells `names` takes for the names of the columns, or refuses.

    Takes a byte order mark, `,`, `;` or a tab, any line ends and blank lines. Undoes the marks of `write` on formulas.
    VALIDATION_ERROR for too many rows and invalid CSV. Without a header line, `names` gets no cells.
    """
    text = text.removeprefix(_BOM)
    if "\0" in text:
        raise invalid_field(_FILE, "holds a NUL character: it is no text, or not in UTF-8")
    records = _records(text)
    _, header = next((record for record in records if not _is_blank(record[1])), (0, []))
    columns = names(header)
    rows: list[CsvRow] = []
    for line, cells in records:
        # In a single column, blanks are a value.
        if len(header) > 1 and _is_blank(cells):
            continue
        if len(rows) == maximum_rows:
            raise invalid_field(_FILE, f"holds more than {maximum_rows} rows")
        rows.append(_row(line, columns, cells))
    return rows


def _defused(cell: Cell) -> Cell:
    return _MARK + cell if isinstance(cell, str) and _FORMULA.match(cell) else cell


def _restored(cell: str) -> str:
    return cell[1:] if cell.startswith(_MARK) and _FORMULA.match(cell) else cell


def require_columns(
    names: Sequence[str], *, known: Iterable[str], unknown: Iterable[str], missing: Iterable[str]
) -> None:
    """VALIDATION_ERROR by column for the unknown and missing columns of a file, and for known ones that come twice."""
    numbers = Counter(map(letters, names))
    errors: dict[str, list[str]] = {
        name[:_TOLD] or _FILE: ["is not a column of this file" if name else "has a column without a name"]
        for name in itertools.islice(dict.fromkeys(unknown), _TOLD)
    }
    errors |= {name: ["is a missing column"] for name in missing}
    errors |= {name: ["is more than one column"] for name in known if numbers[letters(name)] > 1}
    if errors:
        raise invalid_fields(errors)


def _delimiter(text: str) -> str:
    """Return the delimiter that the header line has most of. Quoted names may have any."""
    header = next((line for line in io.StringIO(text, newline=None) if line.strip()), "")
    return max(_DELIMITERS, key=_QUOTED.sub("", header).count)


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not empty, with the lines they begin at."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, [_restored(cell) for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        raise invalid_field(_FILE, f"line {line}: {_in_words(error)}") from None


def _is_blank(cells: Sequence[str]) -> bool:
    return len(cells) == 1 and not cells[0].strip()


def _in_words(error: csv.Error) -> str:
    reason = str(error)
    if reason == "unexpected end of data":
        return "a quote is opened and never closed"
    if reason.endswith("""expected after '"'"""):
        return "text follows a closing quote"
    if reason.startswith("field larger"):
        return f"a cell holds more than {csv.field_size_limit()} characters"
    return reason


def _row(line: int, names: Sequence[str], cells: Sequence[str]) -> CsvRow:
    # Of different lengths for a faulty row, which says so.
    values = dict(zip(names, cells, strict=False))
    fault = None if len(cells) == len(names) else f"has {len(cells)} cells where the header has {len(names)}"
    return CsvRow(line, values, fault)
