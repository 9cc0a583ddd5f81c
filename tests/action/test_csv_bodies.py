"""CSV bodies: accepted where a contract allows them, with the same contract and idempotency key as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Self

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import Field

from chalicelib.action import openapi
from chalicelib.action.context import Context
from chalicelib.action.registry import PREFIX, action
from chalicelib.action.validation import MAX_BODY_BYTES
from chalicelib.auth.permissions import Permission
from chalicelib.core import csv_text
from chalicelib.core.contracts import Contract, Query
from chalicelib.core.csv_body import CsvBody
from chalicelib.core.field_types import Flag
from chalicelib.models.audit import AuditEvent
from chalicelib.models.staffing.clients import CLIENTS, Client, StoredClient
from tests.support.api import Answer, Api
from tests.support.declared import product_with
from tests.support.factories import Organization, new_organization, unique

CSV = {"Content-Type": "text/csv"}
HEADER = "name,phone\r\n"
NOT_UTF_8 = "is not UTF-8: save the file as CSV UTF-8"
UTF_16 = "is UTF-16: save the file as CSV UTF-8"
NUL = "holds a NUL character: it is no text, or not in UTF-8"


class Person(Contract):
    name: str = ""
    phone: str = ""
    fault: str | None = None


class Options(Query):
    dry_run: Flag = False


class People(CsvBody):
    csv_example = HEADER + "Ada,+49 40 123\r\n"
    csv_query = Options

    rows: Annotated[list[Person], Field(max_length=3)]
    dry_run: bool = False

    @classmethod
    def from_csv(cls, text: str, query: Options) -> Self:
        rows = csv_text.read(text, columns=["name", "phone"], maximum_rows=3)
        people = [{**row.values, **({"fault": row.fault} if row.fault else {})} for row in rows]
        return cls.model_validate({"rows": people, "dryRun": query.dry_run})


class ShownPeople(Contract):
    rows: list[Person]
    dry_run: bool


def _declare() -> None:
    @action("showPeople", "POST /people/show", permission=Permission.SELF)
    def show_people(ctx: Context, data: People) -> ShownPeople:
        """Returns the rows of the body."""
        return ShownPeople(rows=data.rows, dry_run=data.dry_run)

    @action("addPeople", "POST /people", permission=Permission.CLIENTS_WRITE, audit=AuditEvent.CLIENT_CREATED)
    def add_people(ctx: Context, data: People) -> Client:
        """Creates one client, named after all rows."""
        return CLIENTS.create(ctx.unit, StoredClient.new(name=" ".join(row.name for row in data.rows)))


@pytest.fixture(scope="module")
def extended() -> Iterator[Api]:
    with product_with(_declare) as api:
        yield api


@pytest.fixture(scope="module")
def organization(extended: Api) -> Organization:
    return new_organization(extended)


def _show(organization: Organization, body: str | bytes, **options: Any) -> Answer:
    encoded = body if isinstance(body, bytes) else body.encode()
    return organization.owner.call("showPeople", body=encoded, **{"headers": CSV, **options})


def _fields(answer: Answer) -> dict[str, list[str]]:
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), answer.text
    errors: dict[str, list[str]] = answer.error["details"]["fieldErrors"]
    return errors


# -- accepted --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type", ["text/csv", "text/csv; charset=utf-8", 'Text/CSV;charset="UTF-8"', "text/csv;header=present"]
)
def test_csv_is_accepted(organization: Organization, content_type: str) -> None:
    answer = _show(organization, HEADER + "Grüße 界,'+49\r\n", headers={"Content-Type": content_type})

    assert answer.data == {"rows": [{"name": "Grüße 界", "phone": "+49", "fault": None}], "dryRun": False}


def test_malformed_rows_reach_the_action(organization: Organization) -> None:
    rows = _show(organization, HEADER + "Ada\r\nBea,1,2\r\nCid,3\r\n").data["rows"]

    assert [bool(row["fault"]) for row in rows] == [True, True, False]


def test_options_are_read_from_the_query(organization: Organization) -> None:
    assert _show(organization, HEADER, query={"dryRun": "true"}).data["dryRun"] is True
    assert _fields(_show(organization, HEADER, query={"dryRun": "yes"})) == {"dryRun": ["must be true or false"]}
    assert _fields(_show(organization, HEADER, query={"rows": "1"})) == {"rows": ["is not a field of this action"]}
    twice = _show(organization, HEADER, query={"dryRun": ["true", "false"]})
    assert _fields(twice) == {"dryRun": ["is given more than once"]}


def test_json_accepts_an_option_in_the_query_or_the_body(organization: Organization) -> None:
    rows = {"rows": [{"name": "Ada"}]}
    call = organization.owner.call

    assert call("showPeople", body={**rows, "dryRun": True}).data["dryRun"] is True
    assert call("showPeople", body=rows, query={"dryRun": "true"}).data["dryRun"] is True
    assert call("showPeople", body=rows, query={"dryRun": "false"}).data["dryRun"] is False
    twice = call("showPeople", body={**rows, "dryRun": True}, query={"dryRun": "true"})
    assert _fields(twice) == {"dryRun": ["is in the query and in the body"]}
    assert _fields(call("showPeople", body=rows, query={"dryRun": "1"})) == {"dryRun": ["must be true or false"]}
    assert _fields(call("showPeople", body=rows, query={"rows": "1"})) == {"rows": ["is not a field of this action"]}


# -- rejected --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (b"", {"body": ["has no header line: name,phone"]}),
        (b"name\r\n", {"phone": ["is a missing column"]}),
        (b"name,phone,fax\r\n", {"fax": ["is not a column of this file"]}),
        ("name,phone\r\nJürgen,1\r\n".encode("cp1252"), {"body": [NOT_UTF_8]}),
        ("name,phone\r\nAda,1\r\n".encode("utf-16"), {"body": [UTF_16]}),
        (b"\xfe\xff" + "name,phone\r\nAda,1\r\n".encode("utf-16-be"), {"body": [UTF_16]}),
        # The deployed gateway replaces bytes that are not UTF-8
        ("name,phone\r\nJ\ufffdrgen,1\r\n".encode(), {"body": [NOT_UTF_8]}),
        ("name,phone\r\nAda,1".encode("utf-16").decode(errors="replace").encode(), {"body": [UTF_16]}),
        ("name,phone\r\nAda,1".encode("utf-16-le"), {"body": [NUL]}),
        (b"name,phone\r\nA\0,1\r\n", {"body": [NUL]}),
        (b'name,phone\r\n"A,1\r\n', {"body": ["line 2: a quote is opened and never closed"]}),
        (b"name,phone\r\n" + b"a,b\r\n" * 4, {"body": ["holds more than 3 rows"]}),
        (b'name,{"phone": 1}', {'{"phone": 1}': ["is not a column of this file"], "phone": ["is a missing column"]}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_malformed_csv_is_rejected(organization: Organization, body: bytes, errors: dict[str, list[str]]) -> None:
    assert _fields(_show(organization, body)) == errors


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16", '"cp1252"'])
def test_another_charset_is_rejected(organization: Organization, charset: str) -> None:
    answer = _show(organization, HEADER, headers={"Content-Type": f"text/csv; charset={charset}"})

    assert _fields(answer) == {"Content-Type": ["charset must be utf-8"]}


@pytest.mark.parametrize("content_type", ["text/csv; charset", "text/csv; charset=", "text/csv;;a b"])
def test_a_malformed_content_type_is_rejected(organization: Organization, content_type: str) -> None:
    answer = _show(organization, HEADER, headers={"Content-Type": content_type})

    assert list(_fields(answer)) == ["Content-Type"]


@pytest.mark.parametrize("content_type", ["text/plain", "text/tab-separated-values", "text/*"])
def test_another_content_type_is_rejected(organization: Organization, content_type: str) -> None:
    answer = _show(organization, HEADER, headers={"Content-Type": content_type})

    assert (answer.code, answer.error["message"]) == (
        "VALIDATION_ERROR",
        "Content-Type: must be application/json or text/csv",
    )


def test_csv_is_rejected_if_the_contract_has_no_csv_form(organization: Organization) -> None:
    answer = organization.owner.call("createClient", body=b"name\r\nAda\r\n", headers=CSV)

    assert (answer.code, answer.error["message"]) == ("VALIDATION_ERROR", "Content-Type: must be application/json")


@pytest.mark.parametrize(("surplus", "status"), [(0, 200), (1, 413)])
def test_a_body_is_at_most_a_megabyte(organization: Organization, surplus: int, status: int) -> None:
    answer = _show(organization, HEADER.encode().ljust(MAX_BODY_BYTES + surplus, b"\n"))

    assert answer.status == status, answer.text


# -- idempotency -----------------------------------------------------------------------------------------------------


def test_a_repeated_import_has_one_effect(organization: Organization) -> None:
    name, other = unique("Ada"), unique("Bea")
    call, key = organization.owner.call, unique("key")

    first, again = (call("addPeople", body=f"{HEADER}{name},1\r\n".encode(), headers=CSV, key=key) for _ in range(2))
    reordered = call("addPeople", body=f'phone;name\n"1";{name}\n'.encode(), headers=CSV, key=key)
    changed = call("addPeople", body=f"{HEADER}{other},1\r\n".encode(), headers=CSV, key=key)
    in_json = call("addPeople", body={"rows": [{"name": name, "phone": "1"}], "dryRun": False}, key=key)
    dry = call("addPeople", body=f"{HEADER}{name},1\r\n".encode(), query={"dryRun": "true"}, headers=CSV, key=key)
    dry_json = call("addPeople", body={"rows": [{"name": name, "phone": "1"}]}, query={"dryRun": "true"}, key=key)

    assert first.data["name"] == name
    assert (again.is_replay, again.data) == (True, first.data)
    assert reordered.is_replay, "the same rows are the same input"
    assert in_json.is_replay
    assert {answer.code for answer in (changed, dry, dry_json)} == {"IDEMPOTENCY_MISMATCH"}


# -- documentation ---------------------------------------------------------------------------------------------------


def test_both_media_types_are_documented(extended: Api) -> None:
    document = openapi.document()
    operation = document["paths"][PREFIX + "/people"]["post"]
    content = operation["requestBody"]["content"]
    (query,) = [parameter for parameter in operation["parameters"] if parameter["in"] == "query"]

    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert list(content) == ["application/json", "text/csv"]
    assert "413" in document["paths"][PREFIX + "/people/show"]["post"]["responses"], "a read with a body"
    assert content["text/csv"] == {"schema": {"type": "string", "format": "binary"}, "example": People.csv_example}
    assert (query["name"], query["required"]) == ("dryRun", False)
    assert query["description"] == "A body in JSON may have it instead."
    assert query["schema"]["type"] == "boolean"
