"""OpenAPI 3.1 from the registry and the contracts: nothing is described twice."""

from __future__ import annotations

import inspect
import json
import re
import sys
from functools import cache
from typing import Any

from chalicelib.action import etags, field_descriptions
from chalicelib.action import openapi_examples as examples
from chalicelib.action.media_types import CSV, JSON
from chalicelib.action.openapi_schemas import REFERENCE, Schema, Schemas, without_null
from chalicelib.action.registry import PREFIX, REGISTRY, Action
from chalicelib.core.errors import HTTP_STATUS, ErrorCode

VERSION = "1.0.0"

_ALWAYS = (ErrorCode.DATABASE_ERROR, ErrorCode.INTERNAL_ERROR, ErrorCode.RATE_LIMITED, ErrorCode.VALIDATION_ERROR)
"""RATE_LIMITED may be the gateway's answer, before any action runs."""
_SIGNED_IN = (ErrorCode.NOT_AUTHENTICATED, ErrorCode.SESSION_EXPIRED, ErrorCode.FORBIDDEN)
_WRITE = (ErrorCode.CONFLICT, ErrorCode.IDEMPOTENCY_MISMATCH)

_LIMIT_HEADERS = ("RateLimit", "RateLimit-Policy")
_LIMITS = '^"[a-z-]+";{0}(, "[a-z-]+";{0})*$'

_HEADERS = {
    "Content-Disposition": {
        "description": "The name to save the file under, where the answer is not JSON.",
        "schema": {"type": "string", "pattern": '^attachment; filename="[^"]+"$'},
    },
    "X-Request-Id": {"description": "Names this request in our logs.", "schema": {"type": "string"}},
    "ETag": {
        "description": "Of the entity's version and all that is shown of it, for If-None-Match and If-Match.",
        "schema": {"type": "string"},
    },
    "Idempotency-Replayed": {
        "description": "`true` when the request was carried out before and this is its answer.",
        "schema": {"type": "string", "const": "true"},
    },
    "RateLimit": {
        "description": "Each limit that the request fell under: `r` uses are left; in `t` seconds some return.",
        "schema": {"type": "string", "pattern": _LIMITS.format("r=[0-9]+;t=[0-9]+")},
        "example": '"sign-in";r=9;t=931',
    },
    "RateLimit-Policy": {
        "description": "Each limit that the request fell under: `q` uses in any `w` seconds.",
        "schema": {"type": "string", "pattern": _LIMITS.format("q=[0-9]+;w=[0-9]+")},
        "example": '"sign-in";q=10;w=900',
    },
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "format": "int32", "minimum": 1}},
    "Vary": {"description": "The header that chooses the media type.", "schema": {"type": "string", "const": "Accept"}},
}

_TEXT: Schema = {"type": "string"}
_FILE: Schema = {"type": "string", "format": "binary"}
"""A body that generated clients send as it is, from a file for example."""
_CONDITION: Schema = {
    "type": "string",
    "maxLength": etags.MAX_LENGTH,
    "pattern": etags.PATTERN,
    "examples": ['"3-5feceb66ffc86f38"'],
}

_PARAMETERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes a retry safe: the same key with the same input has one effect and one answer for 24 h.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "description": 'The ETag that was read, or the version that a list showed, in quotes: `"3"`. '
        "412 when the entity has changed since; counts and sums that only follow from others are no change.",
        "schema": _CONDITION,
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The ETags that are known; 304 when nothing has changed.",
        "schema": _CONDITION,
    },
}

_DESCRIPTION = """\
The backend of organizations that lend out people, time and money.

Sign up or sign in, then send `Authorization: Bearer <token>`. Every answer is
`{"success": true, "data": …}` or `{"success": false, "error": {"code", "message", "details"?, "requestId"}}`.
`HEAD` is answered wherever `GET` is; a method that a path does not take gets 405 `METHOD_NOT_ALLOWED` with `Allow`.
Send an `Idempotency-Key` with every write, and repeat the write with the same key whenever no answer came.
Values are spelled as they are listed, case included; one in another case is refused with the one that was meant.

Lists are of two kinds. A page list takes `page` (from 1), `pageSize` (1–100), `search`, `sortBy` and `sortOrder`, and
answers `{data, pagination}` with exact totals. A cursor list takes `cursor` and `limit` (1–100), and answers
`{items, nextCursor}`; walked to its end it has every row once. A list that offers both is a cursor list as soon as
`cursor` or `limit` is sent. A page has 20 rows unless the request says otherwise; lists of few rows, such as those
inside of one entity, have up to 500.
"""


@cache
def document_text(server: str = "/") -> str:
    """Return the document as JSON text. `server`: the path in front of all paths, such as a gateway's stage."""
    return json.dumps(document(server), ensure_ascii=False, separators=(",", ":"))


def document(server: str = "/") -> dict[str, Any]:
    builder = _Builder()
    paths: dict[str, dict[str, Any]] = {}
    for action in REGISTRY.values():
        paths.setdefault(PREFIX + action.path, {})[action.method.lower()] = builder.operation(action)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Workledger",
            "version": VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "security": [{"session": []}],
        "tags": [{"name": tag, "description": text} for tag, text in _tags().items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "session": {"type": "http", "scheme": "bearer", "description": "The token of signUp or signIn."}
            },
            "headers": _used_headers(paths, builder.responses),
            "responses": dict(sorted(builder.responses.items())),
            "schemas": {
                **builder.schemas.components([paths, builder.envelopes]),
                **builder.envelopes,
                **_error_schemas(),
            },
        },
    }


class _Builder:
    def __init__(self) -> None:
        self.schemas = Schemas()
        self.responses: dict[str, Any] = {}
        """Responses by the errors that an action can answer with one status."""
        self.envelopes: dict[str, Any] = {}
        """Schemas of answers, by name."""

    def operation(self, action: Action) -> dict[str, Any]:
        summary, *rest = re.split(r"\.\s", action.description, maxsplit=1)
        operation: dict[str, Any] = {
            "operationId": action.name,
            "summary": summary.removesuffix(".").replace("`", ""),
            "description": "\n\n".join([*map(str.strip, rest), _who(action)]),
            "tags": [action.tag],
            "parameters": [*_path_parameters(action), *self._query(action), *_header_parameters(action)],
            "responses": self._responses(action),
        }
        if action.is_public:
            operation["security"] = []
        if action.takes_body:
            operation["requestBody"] = {"required": action.needs_body, "content": self._bodies(action)}
        return operation

    def _bodies(self, action: Action) -> dict[str, Any]:
        schema = self.schemas.input(action)
        content: dict[str, Any] = {JSON: {"schema": schema, "example": examples.of(schema, self.schemas)}}
        if action.csv_body is not None:
            content[CSV] = {"schema": _FILE, "example": action.csv_body.csv_example}
        return content

    def _query(self, action: Action) -> list[dict[str, Any]]:
        if action.csv_body is not None:
            # JSON may have them in its body, so none is required of every request.
            described = self._query_parameters(action, self.schemas.csv_query(action))
            return [
                {
                    **parameter,
                    "required": False,
                    "description": f"{parameter.get('description', '')} A body in JSON may have it instead.".lstrip(),
                }
                for parameter in described
            ]
        if action.data_type is None or action.takes_body:
            return []
        return self._query_parameters(action, self.schemas.input(action))

    def _query_parameters(self, action: Action, contract: Schema) -> list[dict[str, Any]]:
        schema = self.schemas.resolve(contract)
        required = schema.get("required", [])
        return [
            _parameter(action, name, "query", without_null(property_), is_required=name in required)
            for name, property_ in schema.get("properties", {}).items()
        ]

    def _responses(self, action: Action) -> dict[str, Any]:
        responses: dict[str, Any] = {str(action.status): self._success(action)}
        if action.shows_version and action.method == "GET":
            responses["304"] = {"description": "Nothing has changed.", "headers": _header_references("ETag")}
        for status, codes in _errors_by_status(action).items():
            name = "_or_".join(codes)
            self.responses[name] = _error_response(status, codes)
            responses[str(status)] = {"$ref": f"#/components/responses/{name}"}
        return responses

    def _success(self, action: Action) -> dict[str, Any]:
        names = ["X-Request-Id"]
        if action.shows_version:
            names.append("ETag")
        if action.is_write:
            names.append("Idempotency-Replayed")
        if action.limits:
            names += _LIMIT_HEADERS
        if action.raw_media_type not in {None, JSON} or action.csv is not None:
            names.append("Content-Disposition")
        if action.csv is not None:
            names.append("Vary")
        is_raw = action.raw_media_type is not None
        description = f"`{action.raw_media_type}`." if is_raw else _returned(action, self.schemas.output(action))
        return {"description": description, "headers": _header_references(*names), "content": self._results(action)}

    def _results(self, action: Action) -> dict[str, Any]:
        if action.raw_media_type is not None:
            return {action.raw_media_type: {"schema": {"type": "object"} if action.raw_media_type == JSON else _TEXT}}
        data = self.schemas.output(action)
        example = {"success": True, "data": examples.of(data, self.schemas)}
        enveloped = {JSON: {"schema": self._envelope(action, data), "example": example}}
        return enveloped if action.csv is None else {**enveloped, CSV: {"schema": _TEXT}}

    def _envelope(self, action: Action, data: Schema) -> Schema:
        """Return the schema of an answer: a component, which actions with the same data share."""
        names = _referred(data)
        name = names[0] if len(names) == 1 else action.name[0].upper() + action.name[1:]
        envelope = {
            "type": "object",
            "required": ["success", "data"],
            "properties": {
                "success": {"type": "boolean", "const": True, "description": "The request was carried out."},
                "data": {"description": "The answer of the action.", **data},
            },
            "additionalProperties": False,
        }
        same = (known for known, schema in self.envelopes.items() if schema == envelope)
        name = next(same, f"{name}Answer")
        self.envelopes[name] = envelope
        return {"$ref": f"{REFERENCE}{name}"}


def _referred(data: Schema) -> list[str]:
    """Return the names of the schemas that data is one of; none for other data."""
    choices: list[Schema] = data.get("anyOf") or data.get("oneOf") or [data]
    names = [choice.get("$ref", "").removeprefix(REFERENCE) for choice in choices]
    return names if all(names) else []


def _returned(action: Action, data: Schema) -> str:
    """Return the description of a success, with the schemas of its data."""
    names = " or ".join(f"`{name}`" for name in _referred(data))
    done = "Created" if action.status == 201 else "Done" if action.is_write else "Found"
    return f"{done}: {names}." if names else f"{done}."


def _honours_if_match(action: Action) -> bool:
    """True for writes of one entity: a create has no version to compare with, and a chunked write is about many."""
    return action.is_write and not action.is_public and action.status != 201 and not action.is_in_parts


def _path_parameters(action: Action) -> list[dict[str, Any]]:
    return [
        _parameter(action, name, "path", _with_example(adapter.json_schema()), is_required=True)
        for name, adapter in action.path_adapters.items()
    ]


def _parameter(action: Action, name: str, place: str, schema: Schema, *, is_required: bool) -> dict[str, Any]:
    own = schema.get("description")
    text = own or field_descriptions.parameter(action.path, name)
    without = {key: value for key, value in schema.items() if key != "description"}
    described = {"description": text} if text else {}
    return {"name": name, "in": place, "required": is_required, **described, "schema": without}


def _with_example(schema: Schema) -> Schema:
    """Most parameters of paths are ids; those that are none say so."""
    return schema if "enum" in schema else {"examples": [examples.of_format(schema.get("format"))], **schema}


def _header_parameters(action: Action) -> list[dict[str, Any]]:
    names = {
        "Idempotency-Key": action.is_write,
        "If-Match": _honours_if_match(action),
        "If-None-Match": action.method == "GET" and action.shows_version,
    }
    return [_PARAMETERS[name] for name, is_read in names.items() if is_read]


def _header_references(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _used_headers(*parts: Any) -> dict[str, Any]:
    text = json.dumps(parts)
    return {name: header for name, header in _HEADERS.items() if f'"#/components/headers/{name}"' in text}


def _errors_by_status(action: Action) -> dict[int, list[ErrorCode]]:
    codes = {*_ALWAYS, *action.errors}
    if not action.is_public:
        codes |= {*_SIGNED_IN}
    if action.is_write:
        codes |= {*_WRITE}
    if action.method != "GET":
        codes.add(ErrorCode.PAYLOAD_TOO_LARGE)
    if action.is_public and "token" in getattr(action.output_type, "model_fields", {}):
        # A repeated request whose session has ended meanwhile.
        codes.add(ErrorCode.SESSION_EXPIRED)
    if action.parameters:
        codes.add(ErrorCode.NOT_FOUND)
    if _honours_if_match(action):
        codes.add(ErrorCode.PRECONDITION_FAILED)
    by_status: dict[int, list[ErrorCode]] = {}
    for code in sorted(codes):
        by_status.setdefault(HTTP_STATUS[code], []).append(code)
    return dict(sorted(by_status.items()))


def _who(action: Action) -> str:
    return "Anyone may call it." if action.is_public else f"Needs the permission `{action.permission}`."


def _error_response(status: int, codes: list[ErrorCode]) -> dict[str, Any]:
    headers = {429: ("X-Request-Id", "Retry-After", *_LIMIT_HEADERS), 503: ("X-Request-Id", "Retry-After")}.get(
        status, ("X-Request-Id",)
    )
    # One schema for all errors: a refinement for each status would be a model of its own in every generated client.
    content = {"schema": {"$ref": REFERENCE + "Error"}, "examples": examples.of_errors(codes)}
    return {"description": ", ".join(codes), "headers": _header_references(*headers), "content": {JSON: content}}


def _tags() -> dict[str, str]:
    """Return the domains with their packages' descriptions."""
    packages = {action.tag: action.function.__module__.rpartition(".")[0] for action in REGISTRY.values()}
    return {tag: inspect.getdoc(sys.modules[package]) or "" for tag, package in packages.items()}


def _error_schemas() -> dict[str, Any]:
    return {
        "Error": {
            "type": "object",
            "required": ["success", "error"],
            "additionalProperties": False,
            "properties": {
                "success": {"type": "boolean", "const": False, "description": "The request was refused."},
                "error": {"$ref": REFERENCE + "ErrorBody", "description": "Why it was refused."},
            },
        },
        "ErrorBody": {
            "type": "object",
            "required": ["code", "message", "requestId"],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "string", "enum": sorted(ErrorCode), "description": "For programs."},
                "message": {"type": "string", "description": "For people; names the first faulty field."},
                "details": {"$ref": REFERENCE + "ErrorDetails", "description": "What the code is about, for programs."},
                "requestId": {"type": "string", "description": "As in `X-Request-Id`; names the request in our logs."},
            },
        },
        "ErrorDetails": {
            "type": "object",
            "properties": {
                "fieldErrors": {
                    "type": "object",
                    "description": "All messages of each faulty field, by its dotted path; at most 100.",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                },
                "omittedErrors": {
                    "type": "integer",
                    "format": "int32",
                    "minimum": 1,
                    "description": "How many messages there are beyond those in `fieldErrors`.",
                },
                "pointers": {
                    "type": "object",
                    "description": "JSON pointers to the faults of a metric's query, by dotted path.",
                    "additionalProperties": {"type": "string"},
                },
                "dependencies": {
                    "type": "object",
                    "description": "Live children that forbid the delete, counted.",
                    "additionalProperties": {"type": "integer", "format": "int32"},
                },
                "use": {"type": "string", "description": "The list or route to use instead."},
            },
        },
    }
