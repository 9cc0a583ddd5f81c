"""Media types: Accept is weighed by RFC 9110; anything else means JSON."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.action.media_types import parse, prefers_csv
from tests.support.hypothesis_profile import law

pytestmark = pytest.mark.storeless


@pytest.mark.parametrize(
    "accept",
    [
        "text/csv",
        "TEXT/CSV",
        "text/*",
        "text/csv; charset=utf-8",
        'text/csv;charset="UTF-8"',
        "text/csv, application/json;q=0.9",
        "application/json;q=0.9, text/csv",
        "text/csv;q=0.5, application/json;q=0.4",
        "text/csv;q=0.001",
        "text/csv ; q=0.7 , */* ; q=0.3",
        "text/csv;Q=1.000, */*;q=0.999",
        "application/json;q=0, */*",
        "application/*;q=0.2, */*;q=0.3",
        ",, text/csv ,",
        "text/csv;, image/png",
        "text/csv;charset=utf-8;q=0.8, text/csv;q=0.1, application/json;q=0.5",
        "text/csv;level=1;q=0.1, text/csv, application/json;q=0.5",
        "*/*;q=0.1, text/csv",
        'image/png;title="a, text/plain;q=0 \\" b", text/csv',
    ],
)
def test_csv_is_preferred(accept: str) -> None:
    assert prefers_csv(accept)


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        " ",
        ",",
        "*/*",
        "application/json",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8",
        "text/html",
        "text/csv, application/json",
        "text/csv, */*",
        "text/csv;q=0.5, application/json;q=0.5",
        "text/csv;q=0",
        "text/csv;q=0, */*;q=0",
        "text/csv;q=0.4, */*;q=0.5",
        "text/*, text/csv;q=0.1, application/json;q=0.5",
        "text/*;q=0.9, application/json",
        "text/csv;charset=iso-8859-1",
        "text/csv;header=absent",
        'application/json;title="text/csv, text/csv"',
        "text/csv;q=2",
        "text/csv;q=1.001",
        "text/csv;q=0.1234",
        "text/csv;q=-1",
        "text/csv;q=high",
        "text/csv;q=",
        "text/csv;q",
        "text/csv q=1",
        "text/csv text/csv",
        "text",
        "text/",
        "/csv",
        "*/csv",
        "text/csv, (comment)",
        'text/csv;charset="utf-8',
        "text/csv\n",
    ],
)
def test_json_is_the_default(accept: str | None) -> None:
    assert not prefers_csv(accept)


def test_a_content_type_is_parsed() -> None:
    assert parse('Text/CSV ;Charset="utf\\-8"') == [("text", "csv", {"charset": "utf-8"}, 1.0)]
    assert parse("text/csv; charset") is None
    assert parse("") == []


@law(300)
@given(st.text() | st.text('textcsv/*;q=01.," \\'))
def test_no_header_is_an_error(accept: str) -> None:
    assert prefers_csv(accept) in {True, False}


@pytest.mark.parametrize(
    "header",
    [
        "text/csv" + " " * 10_000 + "!",
        "text/csv" + "; " * 5_000 + "!",
        'a/b;c="' + "\\" * 10_001,
        "a" * 10_000,
        "a/b" * 3000,
    ],
    ids=["blanks", "separators", "escapes", "a token", "types"],
)
def test_a_hostile_header_is_rejected_quickly(header: str) -> None:
    started = time.perf_counter()
    assert parse(header) is None
    assert time.perf_counter() - started < 0.5
