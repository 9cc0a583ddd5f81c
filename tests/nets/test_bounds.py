"""Inputs of all actions are bounded, and so are the answers to invalid input."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.action.context import Context
from chalicelib.action.openapi import document
from chalicelib.action.registry import PREFIX, REGISTRY, action
from chalicelib.action.runner import MAX_ANSWER_BYTES
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import Body, Contract
from chalicelib.core.errors import MAX_MESSAGES, MAX_PATH
from chalicelib.models.audit import AuditEvent
from tests.support.api import Answer, Api
from tests.support.arrange import operation
from tests.support.declared import product_with
from tests.support.factories import Organization, unique

DOCUMENT = document()
JSON = "application/json"
TAKING_A_BODY = [name for name, declared in REGISTRY.items() if declared.takes_body]
FINITE_FORMATS = {"uuid", "date", "date-time"}
MAX_REFUSAL_BYTES = 64 * 1024

Schema = dict[str, Any]


# -- inputs ----------------------------------------------------------------------------------------------------------


def _unbounded(schema: Schema, path: str, open_: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the paths of texts, lists and objects of unlimited size."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in open_:
            yield from _unbounded(DOCUMENT["components"]["schemas"][name], path, open_ | {name})
        return
    kinds = schema.get("type", [])
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    yield from (f"{path}: {kind}" for kind in kinds if not _is_finite(kind, schema))
    for name, inner in schema.get("properties", {}).items():
        yield from _unbounded(inner, f"{path}.{name}", open_)
    if isinstance(schema.get("items"), dict):
        yield from _unbounded(schema["items"], f"{path}[]", open_)
    if "properties" not in schema:  # with properties, alternatives only restrict their combinations
        for inner in [*schema.get("anyOf", []), *schema.get("oneOf", [])]:
            yield from _unbounded(inner, path, open_)


def _is_finite(kind: str, schema: Schema) -> bool:
    if "enum" in schema or "const" in schema:
        return True
    match kind:
        case "array":
            return "maxItems" in schema
        case "object":
            return "maxProperties" in schema or schema.get("additionalProperties") is False
        case "string":
            return "maxLength" in schema or schema.get("format") in FINITE_FORMATS or _is_short(schema.get("pattern"))
    return True


def _is_short(pattern: str | None) -> bool:
    # Python's own parser knows the longest text that the expression matches.
    return pattern is not None and re._parser.parse(pattern).getwidth()[1] <= 100  # type: ignore[attr-defined]  # undocumented


@pytest.mark.parametrize("name", [*REGISTRY])
def test_all_inputs_are_bounded(name: str) -> None:
    described = operation(REGISTRY[name])
    schemas = {parameter["name"]: parameter["schema"] for parameter in described["parameters"]}
    if "requestBody" in described:
        schemas["body"] = described["requestBody"]["content"][JSON]["schema"]
    assert [path for field, schema in schemas.items() for path in _unbounded(schema, field)] == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "string", "pattern": "^a+$"},
        {"type": ["array", "null"], "items": {"type": "integer"}},
        {"type": "object"},
        {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "string"}}},
    ],
)
def test_unbounded_schemas_are_found(schema: Schema) -> None:
    assert len([*_unbounded(schema, "x")]) == 1


# -- answers to invalid input ----------------------------------------------------------------------------------------


def _assert_small_refusal(answer: Answer) -> dict[str, Any]:
    assert answer.code == "VALIDATION_ERROR", answer.text[:300]
    assert len(answer.text.encode()) < MAX_REFUSAL_BYTES
    details: dict[str, Any] = answer.error["details"]
    assert sum(map(len, details["fieldErrors"].values())) <= MAX_MESSAGES
    assert all(len(path) <= MAX_PATH for path in details["fieldErrors"])
    return details


def _compact(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _send(api: Api, organization: Organization, name: str, body: bytes) -> Answer:
    declared = REGISTRY[name]
    target = (PREFIX + declared.path).format(**dict.fromkeys(declared.parameters, str(organization.id)))
    headers = {"Content-Type": JSON, "Authorization": f"Bearer {organization.owner.token}"}
    return api.raw(declared.method, target, headers, body)


@pytest.mark.parametrize("name", TAKING_A_BODY)
def test_many_unknown_fields_have_a_short_answer(api: Api, shared: Organization, name: str) -> None:
    details = _assert_small_refusal(_send(api, shared, name, _compact({f"k{n:06}": 1 for n in range(80_000)})))
    assert list(details["fieldErrors"]) == ["body"]
    # As many as are checked, each with a long name
    details = _assert_small_refusal(_send(api, shared, name, _compact({f"{n}" + "x" * 900: 1 for n in range(1000)})))
    assert details["omittedErrors"] >= 1000 - MAX_MESSAGES
    _assert_small_refusal(_send(api, shared, name, json.dumps({"x" * 900_000: 1}).encode()))


@pytest.mark.parametrize("name", TAKING_A_BODY)
def test_many_invalid_items_have_a_short_answer(api: Api, shared: Organization, name: str) -> None:
    for fields, variant in _variants(name):
        for field in fields:
            for item in (0, {"zz": 0}):
                answer = _send(api, shared, name, _compact({**variant, field: [item] * 1_500}))
                assert len(answer.text.encode()) < MAX_REFUSAL_BYTES
                if answer.status == 400:
                    _assert_small_refusal(answer)
        longer = _compact({**variant, next(iter(fields)): [0] * 100_000})
        assert list(_assert_small_refusal(_send(api, shared, name, longer))["fieldErrors"]) == ["body"]


def _variants(name: str) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """Return the fields of each variant of an action's body, and the field that chooses the variant."""
    schema = _referred(operation(REGISTRY[name])["requestBody"]["content"][JSON]["schema"]["$ref"])
    if "oneOf" not in schema:
        return [(schema["properties"], {})]
    chooser = schema["discriminator"]
    return [
        (_referred(reference)["properties"], {chooser["propertyName"]: value})
        for value, reference in chooser["mapping"].items()
    ]


def _referred(reference: str) -> dict[str, Any]:
    schema: dict[str, Any] = DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]]
    return schema


def test_messages_beyond_the_first_hundred_are_counted(api: Api, shared: Organization) -> None:
    answer = _send(api, shared, "createClient", json.dumps({f"k{n}": 1 for n in range(250)}).encode())
    details = _assert_small_refusal(answer)
    # One more for the name, which is missing
    assert sum(map(len, details["fieldErrors"].values())) == MAX_MESSAGES
    assert details["omittedErrors"] == 251 - MAX_MESSAGES
    few = _send(api, shared, "createClient", b'{"k": 1}')
    assert "omittedErrors" not in few.error["details"]


def test_a_query_with_thousands_of_errors_has_a_short_answer(shared: Organization) -> None:
    simple = {"version": 1, "type": "simple", "source": "assignments", "aggregate": "count", "period": "this_week"}
    invalid = {"field": "nope", "op": "x", "z": 1}
    for query in (
        {**simple, "where": [invalid] * 1_900},
        {**simple, "groupBy": ["z"] * 1_900},
        {**simple, "where": [{f"k{n}": 1 for n in range(900)}] * 6},
        {**simple, **{f"k{n}": 1 for n in range(900)}},
    ):
        checked = shared.owner.call("validateMetricQuery", body={"query": query})
        assert len(checked.data["errors"]) <= MAX_MESSAGES
        assert len(checked.text) < MAX_REFUSAL_BYTES
        body = {"name": "M", "category": "SALES", "query": query}
        details = _assert_small_refusal(shared.owner.call("createDashboardMetric", body=body))
        counted = sum(map(len, details["fieldErrors"].values())) + details.get("omittedErrors", 0)
        assert counted == len(checked.data["errors"]) + checked.data["omittedErrors"]
    long = {**simple, "where": [{"field": "status", "op": "in", "value": ["x" * 2_000] * 40}]}
    for name, body in (("validateMetricQuery", {}), ("createDashboardMetric", {"name": "M", "category": "SALES"})):
        answer = shared.owner.call(name, body={**body, "query": long})
        assert answer.error["details"]["fieldErrors"] == {"query": ["must be at most 65536 bytes as JSON text"]}


# -- answers ---------------------------------------------------------------------------------------------------------


class Text(Contract):
    text: str


class Length(Body):
    length: int


def _declare_large() -> None:
    @action("readMuch", "POST /read-much", permission=Permission.CLIENTS_WRITE)
    def read(ctx: Context, data: Length) -> Text:
        """Return a text of the requested length."""
        return Text(text="ü" * data.length)

    @action("writeMuch", "POST /write-much", permission=Permission.CLIENTS_WRITE, audit=AuditEvent.CLIENT_CREATED)
    def write(ctx: Context, data: Length) -> Text:
        """Return a text of the requested length."""
        ctx.unit.audit_target("client", ctx.organization, {}, {"name": "much"})
        return Text(text="ü" * data.length)


@pytest.mark.parametrize("key", [None, "a key"])
@pytest.mark.parametrize("name", ["readMuch", "writeMuch"])
def test_an_answer_over_a_megabyte_is_refused_before_anything_is_written(
    organization: Organization, name: str, key: str | None
) -> None:
    with product_with(_declare_large) as api:
        most = MAX_ANSWER_BYTES // 2
        answer = api.call(name, organization.owner.token, body={"length": most}, key=key)
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
        assert "over 1 MB" in answer.error["message"]
        assert not organization.owner.call("getAuditLog", query={"action": "CLIENT_CREATED"}).data["items"]
        assert api.call(name, organization.owner.token, body={"length": 1000}).status == 200


def test_pages_of_large_rows_are_shorter_and_complete(organization: Organization) -> None:
    owner = organization.owner
    metadata = {"text": "ü" * 4_900}
    body = {"type": "USER_ACTION", "metadata": metadata, **SUBJECT}
    recorded = [owner.call("recordActivity", body={**body, "title": unique("Large")}) for _ in range(130)]
    assert {answer.status for answer in recorded} == {201}
    for name in ("getRecentActivities", "getAuditLog"):
        listed, cursor = [], None
        while True:
            page = owner.call(name, query={"limit": 100, **({"cursor": cursor} if cursor else {})})
            assert len(page.text.encode()) <= MAX_ANSWER_BYTES
            assert page.data["items"]
            listed += [row["id"] for row in page.data["items"]]
            cursor = page.data["nextCursor"]
            if cursor is None:
                break
        assert len(listed) == len({*listed}) >= 130 or name == "getAuditLog"


SUBJECT = {"action": "NOTED", "entityType": "client", "entityId": "1"}


@pytest.fixture(scope="module")
def shared(api: Api, _fresh_table: None) -> Organization:
    """Return an organization for all tests, which write nothing."""
    from tests.support.factories import new_organization

    return new_organization(api)
