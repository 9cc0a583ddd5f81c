"""HTTP: every response, valid request or not, has the envelope, a request id and the CORS headers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.action.registry import PREFIX
from chalicelib.action.validation import MAX_BODY_BYTES
from chalicelib.models.users import Role
from tests.support import client_hooks
from tests.support.api import Answer, Api
from tests.support.factories import PASSWORD, Organization, unique

JSON = {"Content-Type": "application/json"}
CLIENTS = f"{PREFIX}/clients"


def _post(organization: Organization, body: bytes, **headers: str) -> Answer:
    merged = {**JSON, "Authorization": f"Bearer {organization.owner.token}", **headers}
    return organization.api.raw("POST", CLIENTS, {name: value for name, value in merged.items() if value}, body)


def _assert_error(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.code) == (status, code), answer.text
    assert set(answer.json) == {"success", "error"}
    assert set(answer.error) <= {"code", "message", "details", "requestId"}
    assert answer.error["message"]
    assert answer.headers["X-Request-Id"] == answer.error["requestId"]
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]


# -- bodies ----------------------------------------------------------------------------------------------------------

NAME = b'{"name": "%s"}'


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", ["body"]),
        (b"   ", ["body"]),
        (b"null", ["body"]),
        (b"[]", ["body"]),
        (b"5", ["body"]),
        (b'"text"', ["body"]),
        (b"{", ["body"]),
        (b'{"name": "x"}}', ["body"]),
        (b'{"name": "x",}', ["body"]),
        (b"{'name': 'x'}", ["body"]),
        (b'{"name": "x", "name": "y"}', ["body"]),
        (b'{"name": "x", "extra": {"a": 1, "a": 2}}', ["body"]),
        (b'{"name": NaN}', ["body"]),
        (b'{"name": "x", "phone": Infinity}', ["body"]),
        (b'{"name": -Infinity}', ["body"]),
        (b'{"name": ' + b"9" * 5000 + b"}", ["body"]),
        (b"[" * 100_000 + b"]" * 100_000, ["body"]),
        (b'{"name": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, ["body"]),
        (b'{"extra": ' + b"[" * 65 + b"]" * 65 + b"}", ["body"]),
        (b'\xff\xfe{"name": "x"}', ["body"]),
        (NAME % b"\xc3\x28", ["body"]),
        (b'\xef\xbb\xbf{"name": "x"}', ["body"]),
        (NAME % b"a\x00b", ["body"]),
        (NAME % b"a\\u0000b", ["name"]),
        (NAME % b"a\\u001fb", ["name"]),
        (NAME % b"a\\u007fb", ["name"]),
        (NAME % b"\\ud800", ["body"]),
        (NAME % b"\\udfff\\ud83d", ["body"]),
        (NAME % b"", ["name"]),
        (b'{"name": true}', ["name"]),
        (b'{"name": {"first": "x"}}', ["name"]),
        (b'{"name": ["x"]}', ["name"]),
        (b'{"Name": "x"}', ["Name", "name"]),
        (b'{"name": "x", "created_at": "now"}', ["created_at"]),
        (b'{"name": "x", "__proto__": {}, "constructor": 1}', ["__proto__", "constructor"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_malformed_and_ambiguous_bodies_are_rejected(settled: Organization, body: bytes, fields: list[str]) -> None:
    answer = _post(settled, body)
    _assert_error(answer, 400, "VALIDATION_ERROR")
    assert sorted(answer.error["details"]["fieldErrors"]) == sorted(fields)
    assert all(isinstance(errors, list) and errors for errors in answer.error["details"]["fieldErrors"].values())


@pytest.mark.parametrize("name", ["Grüße 🚢 界", "\\ud83d\\ude00", "\\u00fc", "a\\/b", "{{7*7}}", "' OR 1=1 --"])
def test_texts_are_returned_unchanged(settled: Organization, name: str) -> None:
    answer = _post(settled, f'{{"name": "{name} {unique("n")}"}}'.encode())
    assert answer.status == 201
    assert answer.data["name"].startswith(json.loads(f'"{name}"'))


@pytest.mark.parametrize(("padding", "status"), [(0, 201), (1, 413)])
def test_a_body_is_at_most_a_megabyte(settled: Organization, padding: int, status: int) -> None:
    body = json.dumps({"name": unique("Big")}).encode()
    answer = _post(settled, body + b" " * (MAX_BODY_BYTES - len(body) + padding))
    assert answer.status == status
    if status == 413:
        _assert_error(answer, 413, "PAYLOAD_TOO_LARGE")


def test_the_size_limit_holds_for_anonymous_requests(api: Api) -> None:
    answer = api.raw("POST", f"{PREFIX}/auth/sign-in", JSON, b"x" * (MAX_BODY_BYTES + 1))
    _assert_error(answer, 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_another_content_type_is_rejected(settled: Organization, content_type: str) -> None:
    answer = _post(settled, b'{"name": "x"}', **{"Content-Type": content_type})
    _assert_error(answer, 400, "VALIDATION_ERROR")
    assert "Content-Type" in answer.error["message"]


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_is_accepted_in_any_spelling(settled: Organization, content_type: str) -> None:
    body = json.dumps({"name": unique("Typed")}).encode()
    assert _post(settled, body, **{"Content-Type": content_type}).status == 201


def test_input_that_the_action_does_not_use_is_rejected(organization: Organization) -> None:
    owner = organization.owner
    client = owner.call("createClient", body={"name": unique("C")}).data["id"]
    for answer, field in [
        (owner.call("deleteClient", path={"id": client}, body={"force": True}), "body"),
        (owner.call("deleteClient", path={"id": client}, query={"force": "true"}), "force"),
        (owner.call("signOut", body={"everywhere": True}), "body"),
        (owner.call("getClient", path={"id": client}, query={"expand": "all"}), "expand"),
        (owner.call("createClient", query={"dryRun": "true"}, body={"name": "x"}), "dryRun"),
        (owner.call("getHealth", query={"deep": "1"}), "deep"),
    ]:
        _assert_error(answer, 400, "VALIDATION_ERROR")
        assert list(answer.error["details"]["fieldErrors"]) == [field]
    assert owner.call("signOut", body={}).status == 200


def test_errors_of_path_and_body_are_reported_together(settled: Organization) -> None:
    answer = settled.owner.call("updateClient", path={"id": "1"}, body={"name": "", "phone": "x", "extra": 1})
    assert set(answer.error["details"]["fieldErrors"]) == {"id", "name", "phone", "extra"}
    first = next(iter(answer.error["details"]["fieldErrors"]))
    assert answer.error["message"].startswith(f"{first}: ")


def test_an_error_never_repeats_a_secret(api: Api) -> None:
    body = {"email": "x", "password": [PASSWORD], "firstName": PASSWORD * 10, "extra": PASSWORD}
    answer = api.call("signUp", body=body)
    assert answer.code == "VALIDATION_ERROR"
    assert PASSWORD not in answer.text


# -- headers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "status"), [("k", 201), ("x" * 255, 201), ("x" * 256, 400), ("", 400), ("a\tb", 400)])
def test_a_key_has_1_to_255_printable_characters(settled: Organization, key: str, status: int) -> None:
    answer = settled.owner.call("createClient", body={"name": unique("Keyed")}, key=key)
    assert answer.status == status
    if status == 400:
        assert list(answer.error["details"]["fieldErrors"]) == ["Idempotency-Key"]


def test_every_response_has_its_own_request_id(api: Api, organization: Organization) -> None:
    answers = [
        organization.owner.call("getOrganization"),
        organization.owner.call("getClient", path={"id": uuid4()}),
        api.call("getClients"),
        api.call("getHealth"),
        api.raw("GET", "/nowhere", {}),
    ]
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == len(answers)
    assert {answer.headers["Access-Control-Allow-Origin"] for answer in answers} == {"*"}


def test_a_preflight_request_is_answered(api: Api) -> None:
    answer = api.raw("OPTIONS", CLIENTS, {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"})
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    for name in ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"):
        assert name in answer.headers["Access-Control-Allow-Headers"]
    for method in ("GET", "POST"):
        assert method in answer.headers["Access-Control-Allow-Methods"]


# -- routes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/api/v1"),
        ("GET", "/api/v2/clients"),
        ("GET", f"{PREFIX}/nothing"),
        ("POST", f"{CLIENTS}/1/2/3"),
    ],
)
def test_unknown_routes_are_not_found(api: Api, method: str, target: str) -> None:
    _assert_error(api.raw(method, target, JSON), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("PUT", CLIENTS, "GET, HEAD, OPTIONS, POST"),
        ("BREW", f"{CLIENTS}/1", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("PATCH", f"{PREFIX}/auth/sign-up", "OPTIONS, POST"),
        ("DELETE", f"{PREFIX}/health", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method_is_answered_with_the_allowed_ones(api: Api, method: str, target: str, allowed: str) -> None:
    answer = api.raw(method, target, JSON)
    _assert_error(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["Allow"] == allowed
    assert answer.round_trips == 0


def test_head_on_a_write_has_no_body(api: Api) -> None:
    answer = api.raw("HEAD", f"{PREFIX}/auth/sign-up", JSON)
    assert (answer.status, answer.text, answer.headers["Allow"]) == (405, "", "OPTIONS, POST")


def test_permissions_are_checked_before_the_body_is_read(api: Api, organization: Organization) -> None:
    _assert_error(api.raw("POST", CLIENTS, JSON, b"not json"), 401, "NOT_AUTHENTICATED")
    viewer = organization.member(Role.VIEWER)
    answer = api.raw("POST", CLIENTS, {**JSON, "Authorization": f"Bearer {viewer.token}"}, b"not json")
    _assert_error(answer, 403, "FORBIDDEN")
    assert answer.recording.operations == ["BatchGetItem"]


# -- bugs ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def bug() -> Iterator[str]:
    """A handler in the store's client that raises as a bug would; returns the message of its error."""
    secret = "table workledger-secret-detail"

    def fail(**_: Any) -> None:
        raise KeyError(secret)

    client_hooks.CLIENT.meta.events.register("before-call.dynamodb.Query", fail)
    yield secret
    client_hooks.CLIENT.meta.events.unregister("before-call.dynamodb.Query", fail)


def test_a_bug_is_an_internal_error_without_details(settled: Organization, bug: str) -> None:
    answer = settled.owner.call("getClients", query={"limit": 1})
    _assert_error(answer, 500, "INTERNAL_ERROR")
    assert bug not in answer.text
    assert "KeyError" not in answer.text
    assert set(answer.error) == {"code", "message", "requestId"}


def test_a_bug_is_logged_with_its_stack_and_without_its_message(
    organization: Organization, bug: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = organization.owner.call("getClients", query={"limit": 1})
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert (answer.code, record.exception_name) == ("INTERNAL_ERROR", "KeyError")
    assert any("dal/page_lists.py" in frame for frame in record.stack)
    assert bug not in str(vars(record))
