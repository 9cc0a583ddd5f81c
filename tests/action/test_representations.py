"""Representations of a result: files with a name and a type, and forms chosen by the Accept header."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from chalicelib.action import openapi
from chalicelib.action.context import Context
from chalicelib.action.envelope import Raw
from chalicelib.action.registry import PREFIX, action
from chalicelib.auth.permissions import Permission
from chalicelib.core import csv_text
from chalicelib.core.contracts import Contract, Query
from chalicelib.core.errors import not_found
from tests.support.api import Answer, Api
from tests.support.declared import product_with
from tests.support.factories import Organization, new_organization

CSV = "text/csv"
LINES = "name,hours\r\nGrüße 界,7.5\r\n'=1+1,-1\r\n"


class Row(Contract):
    name: str
    hours: float


class Report(Contract):
    version: int
    rows: list[Row]


class ReportQuery(Query):
    missing: str | None = None


def _as_csv(report: Report) -> Raw:
    text = csv_text.write(["name", "hours"], ([row.name, row.hours] for row in report.rows))
    return Raw(text, CSV, "report-2026.csv")


def _declare() -> None:
    @action("getReport", "GET /report", permission=Permission.SELF, csv=_as_csv)
    def get_report(ctx: Context, data: ReportQuery) -> Report:
        """A report, as JSON or CSV."""
        if data.missing:
            raise not_found("report")
        return Report(version=3, rows=[Row(name="Grüße 界", hours=7.5), Row(name="=1+1", hours=-1)])

    @action("getReportFile", "GET /report.csv", permission=Permission.SELF)
    def get_report_file(ctx: Context) -> Annotated[Raw, CSV]:
        """The same report, as a file."""
        return Raw("name\r\n", CSV, "report.csv")

    @action("getReportText", "GET /report.txt", permission=Permission.SELF)
    def get_report_text(ctx: Context) -> Annotated[Raw, "text/plain"]:
        """The same report, to be read."""
        return Raw("name", "text/plain")


@pytest.fixture(scope="module")
def extended() -> Iterator[Api]:
    with product_with(_declare) as api:
        yield api


@pytest.fixture(scope="module")
def organization(extended: Api) -> Organization:
    return new_organization(extended)


def _get_report(organization: Organization, accept: str | None, **options: Any) -> Answer:
    headers = {**options.pop("headers", {}), **({} if accept is None else {"Accept": accept})}
    return organization.owner.call("getReport", headers=headers, **options)


# -- by preference ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", [CSV, "text/csv, application/json;q=0.5"])
def test_csv_is_sent_if_it_is_preferred(organization: Organization, accept: str) -> None:
    answer = _get_report(organization, accept)

    assert (answer.status, answer.text) == (200, LINES.replace("-1\r\n", "-1.0\r\n"))
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="report-2026.csv"'
    assert answer.headers["Vary"] == "Accept"
    assert answer.headers["X-Request-Id"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Content-Disposition" in answer.headers["Access-Control-Expose-Headers"].split(",")


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/csv;q=nonsense", "text/csv, */*"])
def test_the_envelope_is_the_default(organization: Organization, accept: str | None) -> None:
    answer = _get_report(organization, accept)

    assert answer.data["rows"][1] == {"name": "=1+1", "hours": -1}
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Vary"] == "Accept"
    assert "Content-Disposition" not in answer.headers


def test_not_modified_depends_on_accept_too(organization: Organization) -> None:
    tag = _get_report(organization, None).headers["ETag"]
    unchanged = _get_report(organization, None, headers={"If-None-Match": tag})
    other = _get_report(organization, CSV, headers={"If-None-Match": tag})

    assert (unchanged.status, unchanged.text, unchanged.headers["Vary"]) == (304, "", "Accept")
    assert other.status == 200
    assert "ETag" not in other.headers, "one tag would identify two texts"


@pytest.mark.parametrize("query", [{"missing": "yes"}, {"other": "1"}])
def test_an_error_always_has_the_envelope(organization: Organization, query: dict[str, str]) -> None:
    answer = _get_report(organization, CSV, query=query)

    assert answer.code in {"NOT_FOUND", "VALIDATION_ERROR"}
    assert answer.headers["Content-Type"] == "application/json"


def test_accept_is_ignored_if_there_is_one_representation(organization: Organization) -> None:
    answer = organization.owner.call("getOrganization", headers={"Accept": CSV})

    assert answer.data["id"]
    assert "Vary" not in answer.headers


# -- files -----------------------------------------------------------------------------------------------------------


def test_a_file_has_a_name(organization: Organization) -> None:
    answer = organization.owner.call("getReportFile")

    assert (answer.status, answer.text) == (200, "name\r\n")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="report.csv"'
    assert "Vary" not in answer.headers


def test_a_file_without_a_name_is_shown(organization: Organization) -> None:
    assert "Content-Disposition" not in organization.owner.call("getReportText").headers


@pytest.mark.parametrize("name", ["", ".csv", "a b", 'a"b', "a\r\nX: y", "../a", "ü.csv", "a;b", "a\n"])
def test_a_file_name_that_is_unsafe_in_a_header_is_a_bug(name: str) -> None:
    with pytest.raises(ValueError, match="file name"):
        Raw("", CSV, name)


# -- documentation ---------------------------------------------------------------------------------------------------


def test_every_representation_is_documented(extended: Api) -> None:
    document = openapi.document()
    described = {
        path: document["paths"][PREFIX + path]["get"]["responses"]["200"] for path in ("/report", "/report.csv")
    }

    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert list(described["/report"]["content"]) == ["application/json", CSV]
    assert described["/report"]["content"][CSV]["schema"] == {"type": "string"}
    assert {"Content-Disposition", "ETag", "Vary"} <= {*described["/report"]["headers"]}
    assert list(described["/report.csv"]["content"]) == [CSV]
    assert "Content-Disposition" in described["/report.csv"]["headers"]
    assert "Vary" not in described["/report.csv"]["headers"]
    assert {"Content-Disposition", "Vary"} <= {*document["components"]["headers"]}
