"""Every action that takes CSV takes it as people save it: their spelling of names, delimiters, line ends, marks."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import pytest

from chalicelib.action.registry import REGISTRY
from chalicelib.core.text import letters
from tests.support.api import Answer
from tests.support.factories import Organization

IMPORTS = sorted(name for name, action in REGISTRY.items() if action.csv_body is not None)
SPELLINGS: dict[str, Callable[[str], str]] = {
    "blanks": lambda name: re.sub("([A-Z])", r" \1", name).title(),
    "underscores": lambda name: re.sub("([A-Z])", r"_\1", name).lower(),
    "dashes": lambda name: re.sub("([A-Z])", r"-\1", name).upper(),
    "marks": lambda name: f" {name}* ",
}


def _example(action: str) -> str:
    body = REGISTRY[action].csv_body
    assert body is not None
    return body.csv_example


def _saved(text: str, delimiter: str = ",", line_end: str = "\r\n", spell: Callable[[str], str] = str) -> str:
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    saved = io.StringIO(newline="")
    writer = csv.writer(saved, delimiter=delimiter, lineterminator=line_end)
    writer.writerows([[spell(name) for name in header], *rows])
    return saved.getvalue()


def _rehearse(organization: Organization, action: str, body: bytes) -> Answer:
    headers = {"Content-Type": "text/csv"}
    return organization.owner.call(action, headers=headers, body=body, query={"dryRun": "true"})


def test_there_are_imports() -> None:
    assert {"importWorkers", "importTimeSessions"} <= {*IMPORTS}


@pytest.mark.parametrize("action", IMPORTS)
@pytest.mark.parametrize("spelling", sorted(SPELLINGS))
@pytest.mark.parametrize(
    ("delimiter", "line_end", "mark"), [(",", "\n", ""), (";", "\r\n", "\ufeff"), ("\t", "\r", "")]
)
def test_a_file_means_the_same_however_it_is_saved(
    home: Organization, action: str, spelling: str, delimiter: str, line_end: str, mark: str
) -> None:
    text = mark + _saved(_example(action), delimiter, line_end, SPELLINGS[spelling])
    expected, answer = (_rehearse(home, action, body.encode()).data for body in (_example(action), text))
    for row in (*expected["rows"], *answer["rows"]):
        # Errors name the column as the file does.
        row["field"] = letters(row["field"] or "")
    assert answer == expected


@pytest.mark.parametrize("action", IMPORTS)
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("äöü\n".encode("cp1252"), "is not UTF-8"),
        ("äöü\n".encode("utf-16"), "is UTF-16"),
        (b"a\0\n", "holds a NUL character"),
        (b"", "has no header line"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(
    home: Organization, action: str, body: bytes, message: str
) -> None:
    answer = _rehearse(home, action, body)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.error["details"]["fieldErrors"]["body"][0].startswith(message)


@pytest.mark.parametrize("action", IMPORTS)
def test_a_row_that_is_cut_off_is_named_by_its_number(home: Organization, action: str) -> None:
    text = _example(action) + "x\r\n"
    (_, broken) = _rehearse(home, action, text.encode()).data["rows"]
    assert (broken["row"], broken["result"]) == (2, "error")
    assert broken["message"].startswith("has 1 cells")
