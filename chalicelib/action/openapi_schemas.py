"""The JSON Schemas of all contracts, each named once, without parts that carry no information."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from chalicelib.action import field_descriptions
from chalicelib.action.registry import REGISTRY, Action
from chalicelib.core.contracts import SHOWN_AS

Schema = dict[str, Any]

REFERENCE = "#/components/schemas/"
_INT32 = 2**31
_PAGE_OF = re.compile(r"^(Page|CursorPage)_(\w+)_$")


class Schemas:
    """The schemas of each action's input and output; names are settled among all contracts at once."""

    def __init__(self) -> None:
        described: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = []
        for action in REGISTRY.values():
            if action.data_type is not None:
                described.append((action.name, "validation", TypeAdapter(action.data_type)))
            if action.csv_body is not None:
                described.append((_csv(action), "validation", TypeAdapter(action.csv_body.csv_query)))
            if action.raw_media_type is None:
                described.append((action.name, "serialization", action.output))
        schemas, definitions = TypeAdapter.json_schemas(described, ref_template=REFERENCE + "{model}")
        self._of_actions: dict[tuple[str, JsonSchemaMode], Schema] = {
            key: _tidied(schema) for key, schema in schemas.items()
        }
        self._components = {_name(name): _tidied(schema) for name, schema in definitions["$defs"].items()}

    def input(self, action: Action) -> Schema:
        return self._of_actions[action.name, "validation"]

    def csv_query(self, action: Action) -> Schema:
        return self._of_actions[_csv(action), "validation"]

    def output(self, action: Action) -> Schema:
        return self._of_actions[action.name, "serialization"]

    def resolve(self, schema: Schema) -> Schema:
        return self._components[schema["$ref"].removeprefix(REFERENCE)] if "$ref" in schema else schema

    def components(self, users: Any) -> dict[str, Schema]:
        """Return the schemas that `users` refer to, directly or not; queries are described as parameters."""
        used: dict[str, Schema] = {}
        pending = _references(users)
        while pending:
            name = pending.pop()
            if name in self._components and name not in used:
                used[name] = self._components[name]
                pending |= _references(used[name])
        described = {name: _described(name, schema) for name, schema in used.items()}
        return dict(sorted(item for name, schema in described.items() for item in _by_variant(name, schema)))


def _csv(action: Action) -> str:
    """Name of the query of an action's CSV body; no action has this name."""
    return f"{action.name} as CSV"


def without_null(schema: Schema) -> Schema:
    """Return the schema of a query parameter, which is sent or not sent: there is no null to send."""
    if isinstance(schema.get("type"), list):
        return {**schema, "type": schema["type"][0]}
    choices = [choice for choice in schema.get("anyOf", []) if choice.get("type") != "null"]
    if len(choices) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **choices[0]}


def _name(model: str) -> str:
    """Return the name of a schema, such as `ClientPage` for `Page[Client]`."""
    return _PAGE_OF.sub(r"\2\1", model)


def _tidied(schema: Any) -> Any:
    """Strip titles that repeat names and defaults of null or of required fields; write null as a type."""
    if isinstance(schema, list):
        return [_tidied(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tidy: Schema = {}
    for name, value in schema.items():
        if name == "properties":
            tidy[name] = {field: _tidied(item) for field, item in value.items()}
        elif name == "$ref":
            tidy[name] = REFERENCE + _name(value.removeprefix(REFERENCE))
        elif name in {"const", "default", "enum", "examples"}:
            tidy[name] = value
        elif name != "title":
            tidy[name] = _tidied(value)
    if SHOWN_AS in tidy:
        return {"$ref": REFERENCE + tidy[SHOWN_AS]}
    return _with_null_as_type(_with_width(_without_idle_defaults(tidy)))


def _with_width(schema: Schema) -> Schema:
    """Say which integers need 64 bits: generated clients of some languages take 32 for granted."""
    if schema.get("type") != "integer":
        return schema
    is_narrow = {"minimum", "maximum"} <= schema.keys() and -_INT32 <= schema["minimum"] <= schema["maximum"] < _INT32
    return {**schema, "format": "int32" if is_narrow else "int64"}


def _without_idle_defaults(schema: Schema) -> Schema:
    for field, property_ in schema.get("properties", {}).items():
        if field in schema.get("required", ()) or property_.get("default", ...) is None:
            property_.pop("default", None)
    return schema


def _described(name: str, schema: Any) -> Any:
    """Add descriptions to the fields that have none, also to those of objects inside."""
    if isinstance(schema, list):
        return [_described(name, item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    described = {}
    for key, value in schema.items():
        if key == "properties":
            described[key] = {field: _with_description(name, field, item) for field, item in value.items()}
        # Examples are data; the choices of an object only narrow fields that the object describes.
        elif key in {"const", "default", "enum", "examples"} or (key == "oneOf" and "properties" in schema):
            described[key] = value
        else:
            described[key] = _described(name, value)
    return described


def _with_description(name: str, field: str, schema: Schema) -> Schema:
    text = schema.get("description") or field_descriptions.field(name, field)
    described: Schema = _described(name, schema)
    return {**described, "description": text} if text else described


def _by_variant(name: str, schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield the schema by name; one whose choices narrow its fields as a choice of whole, named ones.

    A generator that finds fields beside `oneOf` makes models of the choices alone, or drops some of them.
    """
    if not {"oneOf", "properties"} <= schema.keys():
        yield name, schema
        return
    mapping = {}
    for choice in schema["oneOf"]:
        narrowed = choice["properties"]
        (kind, value), *_ = ((field, of["const"]) for field, of in narrowed.items() if "const" in of)
        variant = name + "".join(word.capitalize() for word in value.split("_"))
        mapping[value] = REFERENCE + variant
        fields = {
            field: _narrowed(of, narrowed[field]) if field in narrowed else of
            for field, of in schema["properties"].items()
        }
        required = [field for field in fields if field in {*schema.get("required", ()), *choice["required"]}]
        whole = {key: of for key, of in schema.items() if key != "oneOf"}
        yield variant, {**whole, "properties": fields, "required": required}
    references = [{"$ref": reference} for reference in mapping.values()]
    yield name, {"oneOf": references, "discriminator": {"propertyName": kind, "mapping": mapping}}


def _narrowed(schema: Schema, to: Schema) -> Schema:
    """Return the schema of a field as a choice narrows it. Examples may be of other choices."""
    description = {key: value for key, value in schema.items() if key == "description"}
    if "const" in to:
        return {"type": "string", **to, **description}
    if "$ref" in to or to["type"] == "null":
        return {**to, **description}
    own = next((choice for choice in schema.get("anyOf", ()) if choice.get("type") == to["type"]), schema)
    return {**{key: value for key, value in own.items() if key != "examples"}, **to, **description}


def _with_null_as_type(schema: Schema) -> Schema:
    choices = schema.get("anyOf", [])
    if len(choices) != 2 or choices[1] != {"type": "null"}:
        return schema
    only = choices[0]
    if "enum" in only or "const" in only or not isinstance(only.get("type"), str):
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**only, "type": [only["type"], "null"], **rest}


def _references(part: Any) -> set[str]:
    if isinstance(part, list):
        return {name for item in part for name in _references(item)}
    if not isinstance(part, dict):
        return set()
    names = {name for item in part.values() for name in _references(item)}
    reference = part.get("$ref")
    return names | {reference.removeprefix(REFERENCE)} if isinstance(reference, str) else names
