"""CSV: any reader reads the written values, no spreadsheet runs them, and they come back the same."""

from __future__ import annotations

import contextlib
import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.csv_text import Cell, CsvRow, read, write
from chalicelib.core.errors import ActionError
from tests.support.hypothesis_profile import law

COLUMNS = ("firstName", "lastName", "phone")

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")) | st.text(
    "=+-@＝＋－＠'\t\r\n ,;\"a"
)
numbers = st.integers() | st.floats(allow_nan=False) | st.decimals(allow_nan=False)
cells = texts | numbers | st.none()


def _parsed(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def _is_run(cell: str) -> bool:
    """Return True for a cell that a spreadsheet would run as a formula."""
    return any(char in "\t\r\n" for char in cell[: len(cell) - len(cell.lstrip())]) or cell.lstrip().startswith(
        tuple("=+-@＝＋－＠")
    )


def _defused(cell: Cell) -> str:
    if cell is None or not isinstance(cell, str):
        return "" if cell is None else str(cell)
    return f"'{cell}" if _is_run(cell.lstrip("'")) else cell


def _read(text: str, maximum_rows: int = 100) -> list[CsvRow]:
    return read(text, columns=COLUMNS, maximum_rows=maximum_rows)


def _faults(text: str, maximum_rows: int = 100) -> dict[str, list[str]]:
    with pytest.raises(ActionError) as refused:
        _read(text, maximum_rows)
    assert refused.value.code == "VALIDATION_ERROR"
    assert refused.value.details is not None
    faults: dict[str, list[str]] = refused.value.details["fieldErrors"]
    return faults


# -- laws ------------------------------------------------------------------------------------------------------------


@law(300)
@given(st.lists(st.tuples(cells, cells, cells)))
def test_any_reader_reads_what_was_written(rows: list[tuple[Cell, ...]]) -> None:
    header, *parsed = _parsed(write(COLUMNS, rows))

    assert header == list(COLUMNS)
    assert parsed == [[_defused(cell) for cell in row] for row in rows]


@law(300)
@given(st.lists(st.tuples(texts, texts, texts)))
def test_no_text_is_run(rows: list[tuple[str, ...]]) -> None:
    assert not any(_is_run(cell) for row in _parsed(write(COLUMNS, rows)) for cell in row)


@law(300)
@given(st.lists(st.tuples(cells, cells, cells)))
def test_what_was_written_is_read_back(rows: list[tuple[Cell, ...]]) -> None:
    expected = [["" if cell is None else str(cell) for cell in row] for row in rows]

    rows_read = _read(write(COLUMNS, rows))

    assert [list(row.values.values()) for row in rows_read] == expected
    assert [row.fault for row in rows_read] == [None] * len(rows)


@law(200)
@given(st.lists(texts))
def test_a_single_column_is_read_back(rows: list[str]) -> None:
    rows_read = read(write(["note"], [[text] for text in rows]), columns=["note"], maximum_rows=len(rows))

    assert [row.values["note"] for row in rows_read] == rows


@law(300)
@given(st.text(), st.booleans())
def test_no_text_breaks_the_reader(text: str, has_header: bool) -> None:  # noqa: FBT001  drawn, not called
    with contextlib.suppress(ActionError):
        rows = _read(f"firstName,lastName,phone\n{text}" if has_header else text)
        assert all(row.fault or list(row.values) == list(COLUMNS) for row in rows)


# -- writing ---------------------------------------------------------------------------------------------------------


def test_what_is_written() -> None:
    rows: list[list[Cell]] = [
        ["Ada, Countess", 'the "first"', None],
        ["two\nlines", -12, Decimal("-0.50")],
        ["+49 40 123", -1.5, "  =1+1"],
        ["O'Hara", "'tis", "a=b"],
    ]

    assert write(["name", "note", "value"], rows) == (
        "name,note,value\r\n"
        '"Ada, Countess","the ""first""",\r\n'
        '"two\nlines",-12,-0.50\r\n'
        "'+49 40 123,-1.5,'  =1+1\r\n"
        "O'Hara,'tis,a=b\r\n"
    )


@pytest.mark.parametrize("cell", [*"=+-@\t\r\n＝＋－＠", "\u00a0=1", "\u3000@x", " \tx", "=1", "'=1", "''-1"])
def test_a_formula_is_defused(cell: str) -> None:
    assert _parsed(write(["x"], [[cell]])) == [["x"], [f"'{cell}"]]


@pytest.mark.parametrize("cell", ["a", "'a", "1-2", " x ", "'", "’=1", "·=1", "10"])
def test_what_is_no_formula_stays(cell: str) -> None:
    assert _parsed(write(["x"], [[cell]])) == [["x"], [cell]]


def test_a_header_is_defused_too() -> None:
    assert write(["=x", "y"], []) == "'=x,y\r\n"
    assert read(write(["=x"], [["1"]]), columns=["=x"], maximum_rows=1)[0].values == {"=x": "1"}


# -- reading ---------------------------------------------------------------------------------------------------------

ADA = {"firstName": "Ada", "lastName": "King", "phone": "+49 40 123"}


@pytest.mark.parametrize(
    "text",
    [
        "firstName,lastName,phone\r\nAda,King,+49 40 123\r\n",
        "firstName,lastName,phone\nAda,King,+49 40 123",
        "firstName,lastName,phone\rAda,King,+49 40 123\r",
        "\ufefffirstName;lastName;phone\r\nAda;King;'+49 40 123\r\n",
        "\n  \nFIRSTNAME , lastname,  Phone\n\n  \nAda,King,+49 40 123\n\n\t\n",
        '"phone","firstName","lastName"\n"+49 40 123","Ada","King"\n',
        "First Name,last_name,PHONE\nAda,King,+49 40 123",
        "FIRST-NAME;Last.Name;Phone*\rAda;King;+49 40 123\r",
        "first name\tlast name\tphone\r\nAda\tKing\t'+49 40 123\r\n",
        '\ufeff"First;;;Name","Last\tName",Phone\nAda,King,+49 40 123\n',
    ],
    ids=[
        "CRLF",
        "LF",
        "CR",
        "a spreadsheet's",
        "blanks",
        "another order",
        "names as people write them",
        "names with marks",
        "tabs",
        "delimiters in quotes",
    ],
)
def test_one_row_however_it_was_saved(text: str) -> None:
    (row,) = _read(text)

    assert (row.values, row.fault) == (ADA, None)


@law(200)
@given(
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.tuples(*[st.text("ab,;\t é")] * 3), max_size=4),
)
def test_the_delimiter_follows_from_the_header_alone(
    delimiter: str, line_end: str, rows: list[tuple[str, str, str]]
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end)
    writer.writerows([COLUMNS, *rows])

    assert [tuple(row.values.values()) for row in _read(text.getvalue())] == rows


def test_a_row_knows_where_it_begins() -> None:
    text = 'firstName,lastName,phone\n\n"A\nB",b,1\nc,d\n\ne,f,3,4\n,,\n'

    assert _read(text) == [
        CsvRow(3, {"firstName": "A\nB", "lastName": "b", "phone": "1"}, None),
        CsvRow(5, {"firstName": "c", "lastName": "d"}, "has 2 cells where the header has 3"),
        CsvRow(7, {"firstName": "e", "lastName": "f", "phone": "3"}, "has 4 cells where the header has 3"),
        CsvRow(8, {"firstName": "", "lastName": "", "phone": ""}, None),
    ]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", {"body": ["has no header line: firstName,lastName,phone"]}),
        ("\ufeff\r\n \r\n", {"body": ["has no header line: firstName,lastName,phone"]}),
        ("firstName,lastName\n", {"phone": ["is a missing column"]}),
        ("firstName,lastName,phone, Phone\n", {"phone": ["is more than one column"]}),
        ("firstName,First Name,lastName,phone\n", {"firstName": ["is more than one column"]}),
        ("firstName,lastName,phone,e-mail\n", {"e-mail": ["is not a column of this file"]}),
        ("firstName,lastName,phone,\n", {"body": ["has a column without a name"]}),
        ("Ada\n", {"Ada": ["is not a column of this file"]} | {name: ["is a missing column"] for name in COLUMNS}),
        ("firstName,lastName,phone\na\0,b,c\n", {"body": ["holds a NUL character: it is no text, or not in UTF-8"]}),
        ('firstName,lastName,phone\na,b,c\n\n"a,b,c\nd', {"body": ["line 4: a quote is opened and never closed"]}),
        ('firstName,lastName,phone\n"a"b,b,c\n', {"body": ["line 2: text follows a closing quote"]}),
        ('"firstName,lastName,phone\n', {"body": ["line 1: a quote is opened and never closed"]}),
        (
            f"firstName,lastName,phone\n{'x' * (csv.field_size_limit() + 1)},b,c\n",
            {"body": [f"line 2: a cell holds more than {csv.field_size_limit()} characters"]},
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_refused(text: str, faults: dict[str, list[str]]) -> None:
    assert _faults(text) == faults


def test_as_many_rows_as_allowed_and_not_one_more() -> None:
    text = write(COLUMNS, [["a", "b", "c"]] * 4)

    assert len(_read(text + "\r\n\r\n", 4)) == 4
    assert _faults(text, 3) == {"body": ["holds more than 3 rows"]}


HEADERS_OF_SOMETHING_ELSE = {
    "many names": ",".join(f"column{number}" for number in range(100_000)),
    "a long name": "x" * 100_000,
    "no names": "," * 1_000_000,
}


@pytest.mark.parametrize("kind", HEADERS_OF_SOMETHING_ELSE)
def test_a_header_that_is_none_is_told_in_part(kind: str) -> None:
    assert len(str(_faults(HEADERS_OF_SOMETHING_ELSE[kind]))) < 10_000
