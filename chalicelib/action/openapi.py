"""OpenAPI 3.1 from the registry and the contracts: nothing is described twice."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode, JsonSchemaValue

from chalicelib.action.envelope import Raw
from chalicelib.action.registry import PREFIX, REGISTRY, Action
from chalicelib.core.errors import HTTP_STATUS, ErrorCode

VERSION = "1.0.0"
_REF = "#/components/schemas/{model}"
_JSON = "application/json"

_ALWAYS = (ErrorCode.DATABASE_ERROR, ErrorCode.INTERNAL_ERROR, ErrorCode.VALIDATION_ERROR)
_SIGNED_IN = (ErrorCode.NOT_AUTHENTICATED, ErrorCode.SESSION_EXPIRED, ErrorCode.FORBIDDEN)
_WRITE = (ErrorCode.CONFLICT, ErrorCode.IDEMPOTENCY_MISMATCH, ErrorCode.PAYLOAD_TOO_LARGE)

_HEADERS = {
    "X-Request-Id": {"description": "Names this request in our logs.", "schema": {"type": "string"}},
    "ETag": {"description": "The entity's version, for If-None-Match and If-Match.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "`true` when the request was carried out before and this is its answer.",
        "schema": {"type": "string", "const": "true"},
    },
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}},
}

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes a retry safe: the same key with the same input has one effect and one answer for 24 h.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag that was read; 412 when the entity has changed since.",
    "schema": {"type": "string", "pattern": '^(\\*|"[0-9a-f-]+")$'},
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag that is known; 304 when nothing has changed.",
    "schema": {"type": "string"},
}

_DESCRIPTION = """\
The backend of organizations that lend out people, time and money.

Sign up or sign in, then send `Authorization: Bearer <token>`. Every answer is
`{"success": true, "data": …}` or `{"success": false, "error": {"code", "message", "details"?, "requestId"}}`.
Send an `Idempotency-Key` with every write, and repeat the write with the same key whenever no answer came.
"""


@cache
def document_text() -> str:
    """The document as JSON text."""
    return json.dumps(document(), indent=2, ensure_ascii=False)


def document() -> dict[str, Any]:
    builder = _Builder()
    paths: dict[str, dict[str, Any]] = {}
    for action in REGISTRY.values():
        paths.setdefault(PREFIX + action.path, {})[action.method.lower()] = builder.operation(action)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Workledger", "version": VERSION, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{"session": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "session": {"type": "http", "scheme": "bearer", "description": "The token of signUp or signIn."}
            },
            "headers": _HEADERS,
            "responses": dict(sorted(builder.responses.items())),
            "schemas": {**builder.schemas, "Error": _error_schema()},
        },
    }


class _Builder:
    def __init__(self) -> None:
        self._references = _References()
        self.schemas = self._references.schemas
        self.responses: dict[str, Any] = {}
        """One for each set of errors that some action can answer with one status."""

    def operation(self, action: Action) -> dict[str, Any]:
        operation: dict[str, Any] = {
            "operationId": action.name,
            "summary": action.summary,
            "description": _describe(action),
            "tags": [action.tag],
            "parameters": [*self._path(action), *self._query(action), *_header_parameters(action)],
            "responses": self._responses(action),
        }
        if action.is_public:
            operation["security"] = []
        if action.takes_body:
            schema = self._references.input(action)
            content = {"schema": schema, "example": _example(schema, self._references)}
            operation["requestBody"] = {"required": True, "content": {_JSON: content}}
        return operation

    def _path(self, action: Action) -> list[dict[str, Any]]:
        return [
            {"name": name, "in": "path", "required": True, "schema": adapter.json_schema()}
            for name, adapter in action.path_adapters.items()
        ]

    def _query(self, action: Action) -> list[dict[str, Any]]:
        if action.data_type is None or action.takes_body:
            return []
        schema = self._references.resolve(self._references.input(action))
        required = schema.get("required", [])
        return [
            {"name": name, "in": "query", "required": name in required, "schema": _without_null(property_)}
            for name, property_ in schema["properties"].items()
        ]

    def _responses(self, action: Action) -> dict[str, Any]:
        responses: dict[str, Any] = {str(action.status): self._success(action)}
        if _has_version(action) and action.method == "GET":
            responses["304"] = {"description": "Nothing has changed.", "headers": _header_references("ETag")}
        for status, codes in _errors_by_status(action).items():
            name = "_or_".join(codes)
            self.responses[name] = _error_response(status, codes)
            responses[str(status)] = {"$ref": f"#/components/responses/{name}"}
        return responses

    def _success(self, action: Action) -> dict[str, Any]:
        names = ["X-Request-Id"]
        if _has_version(action):
            names.append("ETag")
        if action.is_write:
            names.append("Idempotency-Replayed")
        response = {"description": "Done.", "headers": _header_references(*names)}
        media_type = _raw_media_type(action)
        if media_type is not None:
            schema: dict[str, Any] = {"type": "object"} if media_type == _JSON else {"type": "string"}
            return {**response, "content": {media_type: {"schema": schema}}}
        data = self._references.output(action)
        schema = {
            "type": "object",
            "required": ["success", "data"],
            "properties": {"success": {"const": True}, "data": data},
            "additionalProperties": False,
        }
        example = {"success": True, "data": _example(data, self._references)}
        return {**response, "content": {_JSON: {"schema": schema, "example": example}}}


class _References:
    """Where each action's input and output is described; names are settled among all contracts at once."""

    def __init__(self) -> None:
        described: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = []
        for action in REGISTRY.values():
            if action.data_type is not None:
                described.append((action.name, "validation", TypeAdapter(action.data_type)))
            if _raw_media_type(action) is None:
                described.append((action.name, "serialization", action.output))
        self._references, schemas = TypeAdapter.json_schemas(described, ref_template=_REF)
        self.schemas: dict[str, Any] = schemas["$defs"]

    def input(self, action: Action) -> JsonSchemaValue:
        return self._references[action.name, "validation"]

    def output(self, action: Action) -> JsonSchemaValue:
        return self._references[action.name, "serialization"]

    def resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        resolved: dict[str, Any] = self.schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        return resolved


def _raw_media_type(action: Action) -> str | None:
    """The media type in `Annotated[Raw, media type]`, None for an enveloped result."""
    parts = get_args(action.output_type)
    return parts[1] if parts and parts[0] is Raw else None


def _has_version(action: Action) -> bool:
    return "version" in getattr(action.output_type, "model_fields", {})


def _honours_if_match(action: Action) -> bool:
    return (
        action.is_write and not action.is_public and (action.method in {"PATCH", "DELETE"} or bool(action.parameters))
    )


def _header_parameters(action: Action) -> list[dict[str, Any]]:
    parameters = []
    if action.is_write:
        parameters.append(_IDEMPOTENCY_KEY)
    if _honours_if_match(action):
        parameters.append(_IF_MATCH)
    if action.method == "GET" and _has_version(action):
        parameters.append(_IF_NONE_MATCH)
    return parameters


def _header_references(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _errors_by_status(action: Action) -> dict[int, list[ErrorCode]]:
    codes = {*_ALWAYS, *action.errors}
    if not action.is_public:
        codes |= {*_SIGNED_IN}
    if action.is_write:
        codes |= {*_WRITE}
    if action.parameters:
        codes.add(ErrorCode.NOT_FOUND)
    if _honours_if_match(action):
        codes.add(ErrorCode.PRECONDITION_FAILED)
    by_status: dict[int, list[ErrorCode]] = {}
    for code in sorted(codes):
        by_status.setdefault(HTTP_STATUS[code], []).append(code)
    return dict(sorted(by_status.items()))


def _describe(action: Action) -> str:
    who = "Anyone may call it." if action.is_public else f"Needs the permission `{action.permission}`."
    return f"{action.description}\n\n{who}"


def _error_response(status: int, codes: list[ErrorCode]) -> dict[str, Any]:
    headers = ("X-Request-Id", "Retry-After") if status in {429, 503} else ("X-Request-Id",)
    narrowed = {"properties": {"error": {"properties": {"code": {"enum": [*codes]}}}}}
    content = {
        "schema": {"allOf": [{"$ref": _REF.format(model="Error")}, narrowed]},
        "example": _error_example(codes[0]),
    }
    return {"description": ", ".join(codes), "headers": _header_references(*headers), "content": {_JSON: content}}


def _error_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["success", "error"],
        "additionalProperties": False,
        "properties": {
            "success": {"const": False},
            "error": {
                "type": "object",
                "required": ["code", "message", "requestId"],
                "additionalProperties": False,
                "properties": {
                    "code": {"type": "string", "enum": sorted(ErrorCode)},
                    "message": {"type": "string", "description": "For people; names the first faulty field."},
                    "details": {
                        "type": "object",
                        "properties": {
                            "fieldErrors": {
                                "type": "object",
                                "description": "All messages of each faulty field, by its dotted path.",
                                "additionalProperties": {"type": "array", "items": {"type": "string"}},
                            },
                            "dependencies": {
                                "type": "object",
                                "description": "Live children that forbid the delete, counted.",
                                "additionalProperties": {"type": "integer"},
                            },
                            "use": {"type": "string", "description": "What serves instead."},
                        },
                    },
                    "requestId": {"type": "string"},
                },
            },
        },
    }


def _error_example(code: ErrorCode) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": code.replace("_", " ").lower(), "requestId": _SAMPLES["uuid"]}
    if code is ErrorCode.VALIDATION_ERROR:
        error |= {"message": "name: is required", "details": {"fieldErrors": {"name": ["is required"]}}}
    return {"success": False, "error": error}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query parameter is sent or not sent: there is no null to send."""
    if "anyOf" not in schema:
        return schema
    (only,) = (choice for choice in schema["anyOf"] if choice.get("type") != "null")
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default"} or value is not None}
    rest.pop("anyOf", None)
    return {**rest, **only}


_SAMPLES = {
    "uuid": "019a51c2-7d3e-7f00-8a6b-4c5d6e7f8091",
    "date-time": "2026-03-01T08:30:00.000Z",
    "date": "2026-03-01",
    "email": "anna.berg@example.com",
}
_BY_TYPE: dict[str, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}


def _example(schema: dict[str, Any], references: _References) -> Any:
    """An example of a schema, put together from the examples of its fields."""
    schema = references.resolve(schema)
    for source in ("examples", "enum"):
        if schema.get(source):
            return schema[source][0]
    for source in ("const", "default"):
        if schema.get(source) is not None:
            return schema[source]
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], references)
    if "properties" in schema:
        return {name: _example(property_, references) for name, property_ in schema["properties"].items()}
    if schema.get("type") == "array" and "items" in schema:
        return [_example(schema["items"], references)]
    return _SAMPLES.get(schema.get("format", ""), _BY_TYPE.get(schema.get("type", ""), "text"))
