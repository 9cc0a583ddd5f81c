"""The API's description: valid, whole, true to its own examples, and the same as the committed copy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

import app as roof
from chalicelib.action import docs_page, openapi
from chalicelib.action.registry import PREFIX, REGISTRY
from chalicelib.core.errors import HTTP_STATUS, ErrorCode
from infra.openapi import COPY, current
from tests.support.api import Api

pytestmark = pytest.mark.storeless

DOCUMENT = openapi.document()
ACTIONS = [*REGISTRY]


def _operation(action: str) -> dict[str, Any]:
    declared = REGISTRY[action]
    operation: dict[str, Any] = DOCUMENT["paths"][PREFIX + declared.path][declared.method.lower()]
    return operation


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    found: Any = DOCUMENT
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def _faults(schema: dict[str, Any], value: Any) -> list[str]:
    """Of a value, by a schema of the document."""
    validator = Draft202012Validator({**DOCUMENT, **schema}, format_checker=FormatChecker())
    return [error.message for error in validator.iter_errors(value)]


def _contents(action: str) -> Iterator[tuple[str, dict[str, Any]]]:
    operation = _operation(action)
    if "requestBody" in operation:
        yield "request", operation["requestBody"]["content"]["application/json"]
    for status, response in operation["responses"].items():
        for media_type, content in _resolved(response).get("content", {}).items():
            if media_type == "application/json":
                yield status, content


def test_the_document_is_openapi_3_1() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_the_committed_copy_is_the_document() -> None:
    assert COPY.read_text() == current(), "the API has changed: `make openapi`, and look at the difference"


def test_it_is_served(api: Api) -> None:
    answer = api.call("getOpenApi")

    assert answer.json == json.loads(json.dumps(DOCUMENT))


@pytest.mark.parametrize(
    ("requested", "server"),
    [("/prod/api/v1/openapi.json", "/prod"), ("/api/v1/openapi.json", "/")],
    ids=["under a gateway's stage", "under a domain of its own"],
)
def test_it_says_where_its_paths_are(api: Api, requested: str, server: str) -> None:
    event = {
        "requestContext": {"httpMethod": "GET", "resourcePath": PREFIX + "/openapi.json", "path": requested},
        "headers": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }

    answer = roof.app(event, None)

    assert json.loads(answer["body"])["servers"] == [{"url": server}]


def test_every_route_is_one_action_and_named_after_it() -> None:
    named = [operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()]

    assert sorted(named) == sorted(REGISTRY)


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_described(action: str) -> None:
    operation = _operation(action)

    assert 5 <= len(operation["summary"]) <= 100
    assert operation["description"]
    assert operation["tags"]
    assert operation.get("security") == ([] if REGISTRY[action].is_public else None)
    in_path = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
    assert in_path == {*REGISTRY[action].parameters}


@pytest.mark.parametrize("action", ACTIONS)
def test_its_headers_are_described(action: str) -> None:
    declared, operation = REGISTRY[action], _operation(action)
    sent = {each["name"] for each in operation["parameters"] if each["in"] == "header"}
    success = operation["responses"][str(declared.status)]

    assert ("Idempotency-Key" in sent) == declared.is_write
    assert ("If-None-Match" in sent) == ("304" in operation["responses"])
    assert ("If-Match" in sent) == ("412" in operation["responses"])
    assert ("Idempotency-Replayed" in success["headers"]) == declared.is_write
    assert all(
        "X-Request-Id" in _resolved(each)["headers"] or status == "304"
        for status, each in operation["responses"].items()
    )


@pytest.mark.parametrize("action", ACTIONS)
def test_its_errors_are_described(action: str) -> None:
    declared, responses = REGISTRY[action], _operation(action)["responses"]
    expected = {ErrorCode.VALIDATION_ERROR, ErrorCode.INTERNAL_ERROR, ErrorCode.DATABASE_ERROR, *declared.errors}
    if not declared.is_public:
        expected |= {ErrorCode.NOT_AUTHENTICATED, ErrorCode.SESSION_EXPIRED, ErrorCode.FORBIDDEN}
    if declared.is_write:
        expected |= {ErrorCode.CONFLICT, ErrorCode.IDEMPOTENCY_MISMATCH}
    if declared.method != "GET":
        expected.add(ErrorCode.PAYLOAD_TOO_LARGE)
    if declared.parameters:
        expected.add(ErrorCode.NOT_FOUND)

    for code in expected:
        described = _resolved(responses[str(HTTP_STATUS[code])])
        assert code in described["content"]["application/json"]["examples"]


@pytest.mark.parametrize("action", ACTIONS)
def test_its_examples_keep_to_their_schemas(action: str) -> None:
    for where, content in _contents(action):
        examples = [content["example"]] if "example" in content else []
        examples += [each["value"] for each in content.get("examples", {}).values()]
        assert examples or action == "getOpenApi", f"{where} has no example"
        for example in examples:
            assert _faults(content["schema"], example) == [], where


def test_a_csv_example_is_such_a_body() -> None:
    for contract in filter(None, (REGISTRY[action].csv_body for action in ACTIONS)):
        assert contract.from_csv(contract.csv_example, contract.csv_query())


def test_an_error_keeps_to_the_codes_of_its_status() -> None:
    for name, response in DOCUMENT["components"]["responses"].items():
        content = response["content"]["application/json"]
        (first, *_) = content["examples"].values()
        other = {**first["value"], "error": {**first["value"]["error"], "code": "ANOTHER"}}

        assert _faults(content["schema"], other), name


def test_nothing_is_described_that_nobody_refers_to() -> None:
    text = json.dumps(DOCUMENT)

    for kind, parts in DOCUMENT["components"].items():
        for name in parts if kind != "securitySchemes" else []:
            assert f'"#/components/{kind}/{name}"' in text, f"{kind} {name}"


def test_schemas_have_names_that_people_would_give() -> None:
    assert [name for name in DOCUMENT["components"]["schemas"] if not re.fullmatch("[A-Z][A-Za-z]+", name)] == []
    assert '"title": "' not in json.dumps(DOCUMENT["components"]["schemas"])


def test_a_patch_names_something_and_nothing_by_default() -> None:
    patches = [schema for name, schema in DOCUMENT["components"]["schemas"].items() if name.startswith("Update")]

    for schema in patches:
        if "required" not in schema:
            assert schema["minProperties"] == 1
            assert not any("default" in field for field in schema["properties"].values())


def test_a_query_parameter_is_never_null() -> None:
    for action in ACTIONS:
        for parameter in _operation(action)["parameters"]:
            assert "null" not in json.dumps(parameter["schema"]), f"{action} {parameter['name']}"


@pytest.mark.parametrize("path", ["/docs", "/api/v1/docs"])
def test_the_documentation_page_needs_nothing_from_elsewhere(api: Api, path: str) -> None:
    answer = api.raw("GET", path, {})

    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text == docs_page.page()
    assert "<title>Workledger API</title>" in answer.text
    # Loaded by the page itself; what the inlined script holds in its own texts is not.
    markup = re.sub(r"(<(script|style)[^>]*>).*?</\2>", r"\1", answer.text, flags=re.DOTALL)
    loaded = re.findall(r"""(?:src|href|action)\s*=\s*["']?([^"'\s>]+)""", markup)
    style = "".join(re.findall(r"<style>(.*?)</style>", answer.text, flags=re.DOTALL))
    loaded += re.findall(r"""(?:@import\s*|url\(\s*)["']?([^"'\s)]+)""", style)
    assert [address for address in loaded if not address.startswith("data:")] == []


def test_the_documentation_page_holds_the_document() -> None:
    (held,) = re.findall(r"^const spec = (.*);$", docs_page.page(), flags=re.MULTILINE)

    assert json.loads(held.replace("<\\/", "</")) == json.loads(openapi.document_text())
