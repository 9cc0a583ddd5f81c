"""Forms: the JSON Schemas that are valid, the payloads that fit them, and bounds on the cost of both."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from chalicelib.core.errors import ActionError
from chalicelib.modules.quick_actions.forms import MAX_PARTS, MAX_VALUES, require_payload, require_schema
from tests.support.hypothesis_profile import law

pytestmark = pytest.mark.storeless

UNUSED = "is not taken: a form is one document, with references by #/…"
NO_REGEX = "is not a regular expression, is too large, or looks around or back, which forms can't"


def _fault(schema: dict[str, Any]) -> tuple[str, str]:
    """Return the place and the message of a schema's error."""
    with pytest.raises(ValidationError) as refused:
        require_schema(schema)
    (error,) = refused.value.errors()
    return ".".join(str(step) for step in error["loc"]), error["msg"]


def _faults(schema: dict[str, Any], payload: dict[str, Any]) -> dict[str, list[str]]:
    assert require_schema(schema) == schema
    try:
        require_payload(schema, payload, "payload")
    except ActionError as error:
        errors: dict[str, list[str]] = (error.details or {})["fieldErrors"]
        return errors
    return {}


# -- schemas ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"},
        {"$schema": "https://json-schema.org/draft/2020-12/schema#"},
        {"$defs": {"a": {"type": "string"}}, "properties": {"b": {"$ref": "#/$defs/a"}, "c": {"$ref": "#/$defs/a"}}},
        {"$defs": {"a/b~c d": {"type": "string"}}, "properties": {"b": {"$ref": "#/$defs/a~1b~0c%20d"}}},
        {"allOf": [{"type": "object"}, {"$ref": "#/allOf/0"}]},
        {"properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}, "$anchor": True}},
        {"unevaluatedProperties": False, "allOf": [{"properties": {"a": {}}}]},
        {"unknown": {"keywords": ["are", "notes"]}},
    ],
)
def test_schemas_that_are_taken(schema: dict[str, Any]) -> None:
    assert require_schema(schema) == schema


@pytest.mark.parametrize(
    ("schema", "where", "why"),
    [
        ({"type": "text"}, "type", "is not allowed there by JSON Schema"),
        ({"properties": {"a": {"minLength": -1}}}, "properties.a.minLength", "is less than the minimum of 0"),
        ({"required": ["a", "a"]}, "required", "has non-unique elements"),
        ({"properties": {"a": 5}}, "properties.a", 'is not of types "boolean", "object"'),
        ({"properties": {"a": {"pattern": "("}}}, "properties.a.pattern", NO_REGEX),
        ({"pattern": "(?=a)b"}, "pattern", NO_REGEX),
        ({"pattern": r"(a)\1"}, "pattern", NO_REGEX),
        ({"pattern": "(a{1000}){1000}"}, "pattern", NO_REGEX),
        ({"$ref": "https://example.com/schema"}, "$ref", "must refer to a place in this schema, as in #/$defs/address"),
        ({"$ref": "other.json#/a"}, "$ref", "must refer to a place in this schema, as in #/$defs/address"),
        ({"$ref": "#name"}, "$ref", "must refer to a place in this schema, as in #/$defs/address"),
        ({"items": [{"$ref": "#/$defs/a"}]}, "items.0.$ref", "refers to nothing in this schema"),
        ({"allOf": [{"$ref": "#/allOf/1"}]}, "allOf.0.$ref", "refers to nothing in this schema"),
        ({"$ref": "#"}, "$ref", "refers to itself"),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, "properties.a.$ref", "refers to itself"),
        (
            {"$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"$ref": "#/$defs/a"}}},
            "$defs.a.items.$ref",
            "refers to itself",
        ),
        ({"$id": "https://example.com/form"}, "$id", UNUSED),
        ({"$defs": {"a": {"$anchor": "x"}}}, "$defs.a.$anchor", UNUSED),
        ({"$dynamicRef": "#x"}, "$dynamicRef", UNUSED),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#"},
            "$schema",
            "must be https://json-schema.org/draft/2020-12/schema",
        ),
        (
            {"unevaluatedProperties": False, "items": {"unevaluatedItems": False}},
            "items",
            "may have one of unevaluatedItems and unevaluatedProperties: their cost multiplies",
        ),
    ],
)
def test_schemas_that_are_not(schema: dict[str, Any], where: str, why: str) -> None:
    assert _fault(schema) == (where, why)


def test_a_schema_has_so_many_parts() -> None:
    # Given one of an object, a map of properties, and an object for each property
    def of(parts: int) -> dict[str, Any]:
        return {"properties": {f"p{number}": {"type": "string"} for number in range(parts - 2)}}

    assert require_schema(of(MAX_PARTS))
    assert _fault(of(MAX_PARTS + 1))[1] == "must have at most 300 objects and lists, with those that it refers to"


def test_what_is_referred_to_counts_each_time() -> None:
    doubling = {f"d{level}": {"anyOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(30)}
    began = time.perf_counter()
    where, why = _fault({"$defs": {**doubling, "d30": {}}, "$ref": "#/$defs/d0"})
    assert (where, why) == ("", "must have at most 300 objects and lists, with those that it refers to")
    assert time.perf_counter() - began < 1


# -- payloads --------------------------------------------------------------------------------------------------------

FORM = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 5, "pattern": "^[A-Z]"},
        "mail": {"format": "email"},
        "tags": {"items": {"enum": ["a", "b"]}},
        "place": {"properties": {"city": {"type": "string"}}, "required": ["city"]},
        "either": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    },
    "required": ["name"],
    "dependentRequired": {"mail": ["tags"]},
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("payload", "faulty"),
    [
        ({"name": "Anna"}, {}),
        ({"name": "Anna", "place": {"city": "Rom", "more": 1}, "either": None, "tags": []}, {}),
        ({}, {"payload.name": ["is required"]}),
        (
            {"name": "annabelle"},
            {"payload.name": ["is longer than 5 characters", 'does not match "^[A-Z]"']},
        ),
        ({"name": 5}, {"payload.name": ['is not of type "string"']}),
        ({"name": "A", "mail": "x"}, {"payload.mail": ['is not a "email"'], "payload.tags": ["is required"]}),
        ({"name": "A", "tags": ["a", "c"]}, {"payload.tags.1": ['is not one of "a" or "b"']}),
        ({"name": "A", "place": {}}, {"payload.place.city": ["is required"]}),
        (
            {"name": "A", "x": 1, "y": 2},
            {"payload.x": ["is not a field of this form"], "payload.y": ["is not a field of this form"]},
        ),
        (
            {"name": "A", "either": "secret"},
            {"payload.either": ["is not valid under any of the schemas listed in the 'anyOf' keyword"]},
        ),
    ],
)
def test_a_form_tells_all_that_is_wrong_and_where(payload: dict[str, Any], faulty: dict[str, list[str]]) -> None:
    assert _faults(FORM, payload) == faulty


@pytest.mark.parametrize("schema", [{"not": {}}, {"maxProperties": 0}, {"const": {"a": "b"}}, {"propertyNames": False}])
def test_what_is_wrong_with_the_whole_is_told_of_the_payload(schema: dict[str, Any]) -> None:
    assert [*_faults(schema, {"a": "c"})] == ["payload"]


def test_a_value_is_never_repeated() -> None:
    schema = {"properties": {"a": {"type": "integer", "const": 1, "enum": [1, 2], "pattern": "x", "format": "date"}}}
    assert "hunter2" not in str(_faults(schema, {"a": "hunter2"}))


def test_a_payload_holds_so_many_values() -> None:
    # Given one of an object, a list and its items
    assert _faults({}, {"a": [0] * (MAX_VALUES - 2)}) == {}
    assert _faults({}, {"a": [0] * (MAX_VALUES - 1)}) == {"payload": ["may hold 200 values"]}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": r"^(\w+\s?)+$"}, "a" * 60_000 + "!"),
        ({"items": {"anyOf": [{"type": "integer"}] * 200}}, ["x" * 100] * 100),
        ({"items": {"uniqueItems": True}}, [[[number] for number in range(50)]] * 3),
    ],
)
def test_what_is_hostile_ends_soon(schema: dict[str, Any], value: Any) -> None:
    began = time.perf_counter()
    _faults({"properties": {"a": schema}}, {"a": value})
    assert time.perf_counter() - began < 5


_names = st.sampled_from(["a", "b", "c"])
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "x", "yy"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_names, inner, max_size=2),
    max_leaves=5,
)
_schemas = st.recursive(
    st.booleans()
    | st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["null", "boolean", "integer", "string", "array", "object"]),
            "minLength": st.integers(0, 2),
            "maximum": st.integers(-1, 1),
            "enum": st.lists(_values, min_size=1, max_size=2),
            "required": st.lists(_names, unique=True, max_size=2),
            "minItems": st.integers(0, 2),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(_names, inner, max_size=2),
            "additionalProperties": inner,
            "items": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "if": inner,
            "then": inner,
        },
    ),
    max_leaves=5,
)


@law(150)
@given(_schemas.filter(lambda schema: isinstance(schema, dict)), st.dictionaries(_names, _values, max_size=3))
def test_forms_let_through_what_json_schema_does(schema: dict[str, Any], payload: dict[str, Any]) -> None:
    assert (_faults(schema, payload) == {}) == Draft202012Validator(schema).is_valid(payload)
