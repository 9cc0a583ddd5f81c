"""The report as CSV says what the JSON says, cell by cell, and no spreadsheet runs any of it.

Not opened with a spreadsheet: none is at hand where this runs. The rules applied in its place: text that begins with
`=`, `+`, `-` or `@`, with one of their full-width forms, a tab or a line break is a formula, also behind blanks; a
plain decimal number, with or without `-`, is a number.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.core.money import Money
from tests.support.api import Answer, Api
from tests.support.factories import unique
from tests.support.shift_helpers import Crew, minute_of

DAY = date(2026, 3, 2)
EIGHT = minute_of("2026-03-02T08:00Z")
LONG_AGO = date(2020, 1, 1)
HEADER = [
    *("worker", "client", "workLocation", "hours", "seconds", "scheduledHours", "billed", "paid", "margin", "currency"),
    *("workerId", "clientId", "workLocationId"),
]
IN_CSV = {"headers": {"Accept": "text/csv"}}
_RUN = re.compile(r"\s*[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@pytest.fixture(scope="module")
def crew(api: Api) -> Crew:
    """One that pays more than it bills, at one place without a bill rate."""
    euros = [{LONG_AGO: Money(amount=amount, currency="EUR")} for amount in (4567, 1234, 2001)]
    crew = Crew.hired(api, rates=euros)
    for position in range(2):
        crew.assign(0, position, EIGHT, EIGHT + 61)
        crew.assign(1, position, EIGHT, EIGHT + 8 * 60)
    return crew


def _export(crew: Crew, **query: str) -> Answer:
    answer = crew.ask(DAY, DAY, "exportReportToCsv", **query)
    assert answer.status == 200, answer.text
    return answer


def _cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def _expected(report: dict[str, Any], digits: int = 2) -> Iterator[list[str]]:
    """The cells of a JSON report's rows."""
    for row in report["rows"]:
        amounts = [row[name]["amount"] if name in row else None for name in ("billed", "paid", "margin")]
        currencies = {row[name]["currency"] for name in ("billed", "paid", "margin") if name in row}
        yield [
            row["workerName"],
            row["clientName"],
            row["workLocationName"],
            f"{Decimal(str(row['totalHours'])):.2f}",
            str(row["totalSeconds"]),
            f"{Decimal(str(row['scheduledHours'])):.2f}",
            *("" if amount is None else f"{Decimal(amount).scaleb(-digits):.{digits}f}" for amount in amounts),
            "".join(currencies),
            row["workerId"],
            row["clientId"],
            row["workLocationId"],
        ]


# -- content ---------------------------------------------------------------------------------------------------------


def test_the_file_says_what_the_report_says(crew: Crew) -> None:
    header, *rows = _cells(_export(crew).text)
    assert header == HEADER
    assert rows == list(_expected(crew.report(DAY, DAY)))
    assert any(row[8].startswith("-") for row in rows), "a loss among them"
    assert any(not row[6] for row in rows), "an hour without a rate among them"


def test_it_is_of_the_client_that_is_asked_for(crew: Crew) -> None:
    client = crew.places[crew.positions[2]].client
    assert _cells(_export(crew, clientId=client).text) == [HEADER]


def test_lines_end_in_crlf_and_there_is_no_byte_order_mark(crew: Crew) -> None:
    text = _export(crew).text
    assert text.startswith("worker,")
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n") == 5


def test_the_file_is_named_for_its_days(crew: Crew) -> None:
    answer = crew.ask("2026-03-01", "2026-03-31", "exportReportToCsv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="hours_2026-03-01_2026-03-31.csv"'


@pytest.mark.parametrize(
    ("currency", "digits", "billed"), [("JPY", 0, "1234"), ("EUR", 2, "12.34"), ("KWD", 3, "1.234")]
)
def test_amounts_have_the_places_of_their_currency(api: Api, currency: str, digits: int, billed: str) -> None:
    rates = [{LONG_AGO: Money(amount=amount, currency=currency)} for amount in (5, 0, 1234)]
    crew = Crew.hired(api, rates=rates)
    crew.done("updateOrganization", body={"currency": currency})
    crew.assign(0, 0, EIGHT, EIGHT + 60)

    _, row = _cells(_export(crew).text)

    assert [row] == list(_expected(crew.report(DAY, DAY), digits))
    assert (row[6], row[9]) == (billed, currency)


# -- names that are more than letters --------------------------------------------------------------------------------


@pytest.fixture
def named(api: Api) -> Crew:
    crew = Crew.hired(api, rates=[{LONG_AGO: Money(amount=3000, currency="EUR")}] * 3)
    crew.assign(0, 0, EIGHT, EIGHT + 60)
    return crew


def _rename(crew: Crew, name: str) -> None:
    place = crew.places[crew.positions[0]]
    crew.done("updateWorker", path={"id": crew.workers[0]}, body={"firstName": name, "lastName": "B"})
    crew.done("updateClient", path={"id": place.client}, body={"name": name + unique("")})
    crew.done("updateWorkLocation", path={"id": place.location}, body={"name": name})


@pytest.mark.parametrize("name", ['Say "hi", Ltd', "a;b", "Žluťoučký 株式会社 🚚", "it's", "0012", "1e5"])
def test_any_name_comes_back_as_it_is(named: Crew, name: str) -> None:
    _rename(named, name)
    _, row = _cells(_export(named).text)
    assert [row] == list(_expected(named.report(DAY, DAY)))


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "＋1", "－1", "＠A", "'=1", '=HYPERLINK("x","y")']
)
def test_no_name_is_run_by_a_spreadsheet(named: Crew, name: str) -> None:
    _rename(named, name)
    (expected,) = _expected(named.report(DAY, DAY))

    _, row = _cells(_export(named).text)

    assert not any(_RUN.match(cell) for cell in row if not _NUMBER.fullmatch(cell))
    assert row[:3] == [f"'{text}" for text in expected[:3]], "marked, and else as it is"
    assert row[3:] == expected[3:]


# -- by Accept -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["getHoursReport", "generateHoursReport"])
@pytest.mark.parametrize(
    ("accept", "is_csv"),
    [
        ("text/csv", True),
        ("text/csv; charset=utf-8", True),
        ("text/*", True),
        ("application/json;q=0.5, text/csv", True),
        ("application/json;q=0.5, text/csv;q=0.50", False),
        ("text/csv;q=0.9, application/json", False),
        ("*/*", False),
        ("*/*, text/csv;q=0.1", False),
        ("*/*;q=0.1, text/csv;q=0.2", True),
        ("text/csv;q=0", False),
        ("application/xml", False),
        ("", False),
    ],
)
def test_who_prefers_csv_gets_it(crew: Crew, action: str, accept: str, *, is_csv: bool) -> None:
    part = "body" if action == "generateHoursReport" else "query"
    dates = {"startDate": str(DAY), "endDate": str(DAY)}

    answer = crew.member.call(action, headers={"Accept": accept}, **{part: dates})

    assert answer.headers["Vary"] == "Accept"
    if is_csv:
        exported = _export(crew)
        assert answer.text == exported.text
        for header in ("Content-Type", "Content-Disposition"):
            assert answer.headers[header] == exported.headers[header]
    else:
        assert answer.data["rows"]


def test_a_refusal_is_json_whatever_is_preferred(crew: Crew) -> None:
    dates = {"startDate": "2026-03-02", "endDate": "2026-03-01"}
    for action in ("getHoursReport", "exportReportToCsv"):
        assert crew.member.call(action, query=dates, **IN_CSV).code == "INVALID_DATE_RANGE"
