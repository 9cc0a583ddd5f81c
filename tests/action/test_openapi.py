"""The OpenAPI document: valid, complete, true to its examples, and equal to the committed copy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

import app as application
from chalicelib.action import docs_page, field_descriptions, openapi
from chalicelib.action.registry import PREFIX, REGISTRY
from chalicelib.core.errors import HTTP_STATUS, ErrorCode
from infra.openapi import COPY, ROUTES, current, routes
from tests.support.api import Api

pytestmark = pytest.mark.storeless

DOCUMENT = openapi.document()
SCHEMAS = DOCUMENT["components"]["schemas"]
ACTIONS = [*REGISTRY]


def _operation(action: str) -> dict[str, Any]:
    declared = REGISTRY[action]
    operation: dict[str, Any] = DOCUMENT["paths"][PREFIX + declared.path][declared.method.lower()]
    return operation


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    target: Any = DOCUMENT
    for step in part["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    return dict(target)


def _errors(schema: dict[str, Any], value: Any) -> list[str]:
    """Return the errors of a value by a schema of the document."""
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


def test_the_committed_routes_are_those_of_the_actions() -> None:
    assert ROUTES.read_text() == routes(), "an action has changed: `make openapi`"


def test_it_is_served(api: Api) -> None:
    answer = api.call("getOpenApi")

    assert answer.json == json.loads(json.dumps(DOCUMENT))


@pytest.mark.parametrize(
    ("requested", "server"),
    [("/prod/api/v1/openapi.json", "/prod"), ("/api/v1/openapi.json", "/")],
    ids=["under a gateway's stage", "under a domain of its own"],
)
def test_the_server_is_the_stage_of_the_request(api: Api, requested: str, server: str) -> None:
    event = {
        "requestContext": {"httpMethod": "GET", "resourcePath": PREFIX + "/openapi.json", "path": requested},
        "headers": {},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }

    answer = application.app(event, None)

    assert json.loads(answer["body"])["servers"] == [{"url": server}]


def test_every_route_is_named_after_its_action() -> None:
    named = [operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()]

    assert sorted(named) == sorted(REGISTRY)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_is_documented(action: str) -> None:
    operation = _operation(action)

    assert 5 <= len(operation["summary"]) <= 100
    assert operation["description"]
    assert operation["tags"]
    assert operation.get("security") == ([] if REGISTRY[action].is_public else None)
    in_path = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
    assert in_path == {*REGISTRY[action].parameters}


@pytest.mark.parametrize("action", ACTIONS)
def test_headers_are_documented(action: str) -> None:
    declared, operation = REGISTRY[action], _operation(action)
    headers = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "header"}
    success = operation["responses"][str(declared.status)]

    assert ("Idempotency-Key" in headers) == declared.is_write
    assert ("If-None-Match" in headers) == ("304" in operation["responses"])
    assert ("If-Match" in headers) == ("412" in operation["responses"])
    assert ("Idempotency-Replayed" in success["headers"]) == declared.is_write
    assert all(
        "X-Request-Id" in _resolved(response)["headers"] or status == "304"
        for status, response in operation["responses"].items()
    )


@pytest.mark.parametrize("action", ACTIONS)
def test_errors_are_documented(action: str) -> None:
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
def test_examples_are_valid_by_their_schemas(action: str) -> None:
    for part, content in _contents(action):
        examples = [content["example"]] if "example" in content else []
        examples += [example["value"] for example in content.get("examples", {}).values()]
        assert examples or action == "getOpenApi", f"{part} has no example"
        for example in examples:
            assert _errors(content["schema"], example) == [], part


def test_csv_examples_are_valid_bodies() -> None:
    for contract in filter(None, (REGISTRY[action].csv_body for action in ACTIONS)):
        assert contract.from_csv(contract.csv_example, contract.csv_query())


def test_an_error_has_a_code_of_its_status() -> None:
    for name, response in DOCUMENT["components"]["responses"].items():
        content = response["content"]["application/json"]
        (first, *_) = content["examples"].values()
        other = {**first["value"], "error": {**first["value"]["error"], "code": "ANOTHER"}}

        assert _errors(content["schema"], other), name


@pytest.mark.parametrize("action", ACTIONS)
def test_a_generated_client_has_one_model_for_an_answer_and_one_for_errors(action: str) -> None:
    for status, response in _operation(action)["responses"].items():
        content = _resolved(response).get("content", {}).get("application/json")
        if content is None or action == "getOpenApi":
            continue
        name = content["schema"]["$ref"].rpartition("/")[2]
        assert [*content["schema"]] == ["$ref"]
        assert name.endswith("Answer") if status[0] == "2" else name == "Error"
        assert response.get("description", "") != "Done." or "$ref" not in str(
            _resolved(content["schema"])["properties"]
        )


def test_no_two_answers_are_the_same() -> None:
    answers = [json.dumps(schema) for name, schema in SCHEMAS.items() if name.endswith("Answer")]
    assert len(answers) > 50
    assert len({*answers}) == len(answers)


def test_the_error_of_a_status_has_an_example_of_each_code_and_names_it() -> None:
    for name, response in DOCUMENT["components"]["responses"].items():
        examples = response["content"]["application/json"]["examples"]
        assert [*examples] == response["description"].split(", "), name
        assert all(example["value"]["error"]["code"] == code for code, example in examples.items())


def _undescribed(part: Any, place: str) -> Iterator[str]:
    """Return the places of fields without a description; choices of an object only narrow the fields that it has."""
    if isinstance(part, list):
        for number, item in enumerate(part):
            yield from _undescribed(item, f"{place}/{number}")
    if not isinstance(part, dict):
        return
    for name, field in part.get("properties", {}).items():
        if not field.get("description"):
            yield f"{place}.{name}"
        yield from _undescribed(field, f"{place}.{name}")
    narrows = "properties" in part
    for key, value in part.items():
        if key not in {"properties", "examples", "default", "const", "enum"} and not (key == "oneOf" and narrows):
            yield from _undescribed(value, f"{place}/{key}")


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_field_is_described(schema: str) -> None:
    assert [*_undescribed(SCHEMAS[schema], schema)] == [], "describe it in its contract, or in field_descriptions.py"


@pytest.mark.parametrize("action", ACTIONS)
def test_every_parameter_is_described(action: str) -> None:
    undescribed = [row["name"] for row in _operation(action)["parameters"] if not row.get("description")]
    assert undescribed == [], "describe it in its contract, or in field_descriptions.py"


def test_shared_descriptions_are_of_fields_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[str] = set()

    class Watched(dict[str, str]):
        def get(self, name: str, default: Any = None) -> Any:
            used.update({name} & self.keys())
            return super().get(name, default)

    for kind in ("_FIELDS", "_PARAMETERS"):
        monkeypatch.setattr(field_descriptions, kind, Watched(getattr(field_descriptions, kind)))
    openapi.document()

    assert {*field_descriptions._FIELDS, *field_descriptions._PARAMETERS} - used == set()


@pytest.mark.parametrize("schema", ["CreateMetric", "Metric", "MetricWithResult", "UpdateMetric"])
def test_the_query_of_a_metric_has_one_type(schema: str) -> None:
    assert SCHEMAS[schema]["properties"]["query"]["$ref"].endswith("/MetricQuery")


def test_every_domain_is_described() -> None:
    assert all(len(tag["description"]) > 10 for tag in DOCUMENT["tags"])


def _patterns(part: Any) -> Iterator[str]:
    if isinstance(part, dict | list):
        for name, value in part.items() if isinstance(part, dict) else enumerate(part):
            if name == "pattern" and isinstance(value, str):
                yield value
            yield from _patterns(value)


def test_patterns_are_valid_in_the_engines_of_browsers() -> None:
    """Validators compile them with the flag `u`, which refuses needless backslashes."""
    escapes = {char for pattern in _patterns(DOCUMENT) for char in re.findall(r"\\(.)", pattern)}
    assert escapes <= {*"dDsSwWbBtnrfv0xu^$\\.*+?()[]{}|/-"}


def test_every_component_is_referred_to() -> None:
    text = json.dumps(DOCUMENT)

    for kind, parts in DOCUMENT["components"].items():
        for name in parts if kind != "securitySchemes" else []:
            assert f'"#/components/{kind}/{name}"' in text, f"{kind} {name}"


def test_schemas_have_plain_names() -> None:
    assert [name for name in DOCUMENT["components"]["schemas"] if not re.fullmatch("[A-Z][A-Za-z]+", name)] == []
    assert '"title": "' not in json.dumps(DOCUMENT["components"]["schemas"])


def test_a_patch_has_at_least_one_field_and_no_defaults() -> None:
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
def test_the_documentation_page_loads_nothing_from_other_hosts(api: Api, path: str) -> None:
    answer = api.raw("GET", path, {})

    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text == docs_page.page()
    assert "<title>Workledger API</title>" in answer.text
    # Only addresses in the markup and the styles are loaded; those inside the inlined script are text.
    markup = re.sub(r"(<(script|style)[^>]*>).*?</\2>", r"\1", answer.text, flags=re.DOTALL)
    loaded = re.findall(r"""(?:src|href|action)\s*=\s*["']?([^"'\s>]+)""", markup)
    style = "".join(re.findall(r"<style>(.*?)</style>", answer.text, flags=re.DOTALL))
    loaded += re.findall(r"""(?:@import\s*|url\(\s*)["']?([^"'\s)]+)""", style)
    assert [address for address in loaded if not address.startswith("data:")] == []


def test_the_documentation_page_holds_the_document() -> None:
    (held,) = re.findall(r"^const spec = (.*);$", docs_page.page(), flags=re.MULTILINE)

    assert json.loads(held.replace("<\\/", "</")) == json.loads(openapi.document_text())
