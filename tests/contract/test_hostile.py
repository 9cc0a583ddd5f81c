"""Bodies that no client of good will sends, to every action that takes one: refused in words, never by accident."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.action.registry import PREFIX, REGISTRY
from chalicelib.action.validation import MAX_BODY_BYTES
from tests.support.api import Answer, Api
from tests.support.arrange import operation
from tests.support.factories import Organization, new_organization

TAKING_A_BODY = [name for name, action in REGISTRY.items() if action.takes_body]
WITHOUT_BODY = [name for name, action in REGISTRY.items() if not action.takes_body and action.method != "GET"]
JSON = "application/json"


def _with_first(value: str) -> Callable[[dict[str, Any]], bytes]:
    """The example with its first field's value replaced by JSON text."""

    def make(example: dict[str, Any]) -> bytes:
        first, *rest = example
        return f"{{{json.dumps(first)}: {value}, {json.dumps({name: example[name] for name in rest})[1:]}".replace(
            ", }", "}"
        ).encode()

    return make


def _padded(size: int) -> Callable[[dict[str, Any]], bytes]:
    return lambda example: json.dumps(example).encode().ljust(size)


def _fixed(body: bytes) -> Callable[[dict[str, Any]], bytes]:
    return lambda _: body


def _encoded(encoding: str) -> Callable[[dict[str, Any]], bytes]:
    return lambda example: json.dumps(example, ensure_ascii=False).encode(encoding)


REFUSED: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "an unknown field": lambda example: json.dumps({**example, "surplus": 1}).encode(),
    "an organization of one's choice": lambda example: json.dumps({**example, "organizationId": "x"}).encode(),
    "a field of Python's": lambda example: json.dumps({**example, "__class__": {"__init__": 1}}).encode(),
    "NaN": _with_first("NaN"),
    "infinity": _with_first("-Infinity"),
    "an overflowing number": _with_first("1e400"),
    "5,000 digits": _with_first("9" * 5000),
    "a NUL as it is": _with_first('"a\0b"'),
    "a control character as it is": _with_first('"a\x01b"'),
    "a lone surrogate": _with_first('"\\ud800"'),
    "an object where none belongs, or none where one does": lambda example: _with_first(
        '["$gt"]' if isinstance(next(iter(example.values())), dict) else '{"$gt": ""}'
    )(example),
    "a list where none belongs, or none where one does": lambda example: _with_first(
        "1" if isinstance(next(iter(example.values())), list) else "[]"
    )(example),
    "a name twice": lambda example: (body := json.dumps(example).encode())[:-1] + b"," + body[1:],
    "lists 100,000 deep": _fixed(b"[" * 100_000 + b"]" * 100_000),
    "objects 100,000 deep": _fixed(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "a field 100,000 deep": _with_first("[" * 100_000 + "]" * 100_000),
    "depth without an end": _fixed(b"[" * 100_000),
    "bytes that are no UTF-8": _fixed(b'{"name": "\xff\xfe"}'),
    "overlong UTF-8": _fixed(b'{"name": "\xc0\x80"}'),
    "a surrogate in UTF-8": _fixed(b'{"name": "\xed\xa0\x80"}'),
    "UTF-16": _encoded("utf-16"),
    "UTF-32": _encoded("utf-32"),
    "a byte order mark": _encoded("utf-8-sig"),
    "nothing": _fixed(b""),
    "blanks": _fixed(b"  \n"),
    "null": _fixed(b"null"),
    "an array": _fixed(b"[{}]"),
    "a text": _fixed(b'"text"'),
    "a number": _fixed(b"1"),
    "half an object": lambda example: json.dumps(example).encode()[:-1],
    "two objects": lambda example: json.dumps(example).encode() * 2,
    "a comment": lambda example: json.dumps(example).encode() + b"// hi",
    "a form": _fixed(b"name=value&other=1"),
    "XML": _fixed(b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
    "pickled Python": _fixed(b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94."),
}

SIZES = {"1 MB": (MAX_BODY_BYTES, None), "1 MB and a byte": (MAX_BODY_BYTES + 1, "PAYLOAD_TOO_LARGE")}

CONTENT_TYPES = [
    "",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "text/xml",
    "☃",
]

HEADERS = [
    ("Idempotency-Key", "k" * 256),
    ("Idempotency-Key", "tab\there"),
    ("Idempotency-Key", "\xff"),
    ("If-Match", "junk"),
    ("If-Match", '"' + "9" * 5000 + '-x"'),
    ("If-None-Match", '"' * 5000),
    ("Authorization", "Bearer " + "A" * 10_000),
    ("Authorization", "Basic ☃"),
    ("Accept", "text/html"),
    ("X-Forwarded-For", "'; DROP TABLE"),
]


def _send(
    api: Api,
    organization: Organization,
    action: str,
    body: bytes,
    content_type: str = JSON,
    headers: dict[str, str] | None = None,
) -> Answer:
    declared = REGISTRY[action]
    unknown = dict.fromkeys(declared.parameters, "019a51c2-7d3e-7f00-8a6b-4c5d6e7f8091")
    ends_sessions = declared.tag == "auth" and declared.is_write and not body
    token = organization.session(organization.owner.user) if ends_sessions else organization.owner.token
    sent = {"Content-Type": content_type, "Authorization": f"Bearer {token}", **(headers or {})}
    answer = api.raw(declared.method, PREFIX + declared.path.format(**unknown), sent, body)
    documented = operation(declared)["responses"]
    assert str(int(answer.status)) in documented, f"{answer.status} is not documented: {answer.text}"
    assert answer.status < 500, answer.text
    forms = documented[str(int(answer.status))]["content"] if answer.status < 400 else [JSON]
    assert answer.headers["Content-Type"].partition(";")[0] in forms
    assert answer.headers["X-Request-Id"]
    if answer.status >= 400:
        assert answer.json["success"] is False
        assert answer.error["requestId"] == answer.headers["X-Request-Id"]
        assert answer.error["message"]
    return answer


def _example(action: str) -> dict[str, Any]:
    example: dict[str, Any] = operation(REGISTRY[action])["requestBody"]["content"][JSON]["example"]
    return example


@pytest.mark.parametrize("action", TAKING_A_BODY)
def test_a_hostile_body_is_a_validation_error(api: Api, organization: Organization, action: str) -> None:
    absent = set() if REGISTRY[action].needs_body else {"nothing", "blanks"}
    for name in REFUSED.keys() - absent:
        answer = _send(api, organization, action, REFUSED[name](_example(action)))

        assert answer.code == "VALIDATION_ERROR", f"{name}: {answer.text[:300]}"
        assert answer.error["details"]["fieldErrors"], name
        assert len(answer.text) < 2000, f"{name} comes back: {answer.text[:300]}"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("action", TAKING_A_BODY)
def test_a_body_may_hold_a_megabyte(api: Api, organization: Organization, action: str, size: str) -> None:
    length, refusal = SIZES[size]

    answer = _send(api, organization, action, _padded(length)(_example(action)))

    assert (answer.status == 413) == (refusal is not None), answer.text
    assert refusal is None or answer.code == refusal


@pytest.mark.parametrize("action", TAKING_A_BODY)
def test_another_content_type_is_a_validation_error(api: Api, organization: Organization, action: str) -> None:
    for content_type in CONTENT_TYPES:
        answer = _send(api, organization, action, json.dumps(_example(action)).encode(), content_type)

        assert answer.code == "VALIDATION_ERROR", f"{content_type}: {answer.text}"


@pytest.mark.parametrize("action", WITHOUT_BODY)
def test_a_body_that_nobody_reads_is_a_validation_error(api: Api, organization: Organization, action: str) -> None:
    for name, make in REFUSED.items():
        body = make({"name": "value"})
        if body.strip():
            answer = _send(api, organization, action, body)

            assert answer.code == "VALIDATION_ERROR", f"{name}: {answer.text[:300]}"


@pytest.mark.parametrize("action", [*REGISTRY])
def test_a_hostile_header_breaks_nothing(api: Api, organization: Organization, action: str) -> None:
    for name, value in HEADERS:
        _send(api, organization, action, b"", headers={name: value})


@pytest.fixture(scope="module")
def organization(api: Api, _fresh_table: None) -> Organization:
    """One for all: hardly anything here succeeds."""
    return new_organization(api)
