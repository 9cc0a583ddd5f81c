"""Examples of inputs and answers, put together from the examples of their fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalicelib.action.openapi_schemas import Schema, Schemas
from chalicelib.core.errors import ErrorCode

ID = "019a51c2-7d3e-7f00-8a6b-4c5d6e7f8091"
_REQUEST_ID = "6f1c2b9e-0d57-4c1e-9a55-3f0a7c1e2d44"
_BY_FORMAT = {"date": "2026-03-02", "uuid": ID}
_BY_TYPE: dict[str, Any] = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}

_MESSAGES = {
    ErrorCode.CONFLICT: "changed by others at the same time; read it again and retry",
    ErrorCode.DATABASE_ERROR: "the store did not answer; retry with the same Idempotency-Key",
    ErrorCode.DUPLICATE_ENTRY: "name: another client has this name",
    ErrorCode.FORBIDDEN: "your role does not allow this",
    ErrorCode.HAS_DEPENDENCIES: "this client still has 2 work locations",
    ErrorCode.IDEMPOTENCY_MISMATCH: "this Idempotency-Key was used with another input",
    ErrorCode.INTERNAL_ERROR: "something went wrong on our side; it is logged",
    ErrorCode.INVALID_CREDENTIALS: "wrong e-mail address or password",
    ErrorCode.INVALID_DATE_RANGE: "endDate: is before startDate",
    ErrorCode.NOT_AUTHENTICATED: "send the header Authorization: Bearer <token>",
    ErrorCode.NOT_FOUND: "no such client",
    ErrorCode.PAYLOAD_TOO_LARGE: "a body may hold 1 MB",
    ErrorCode.PRECONDITION_FAILED: "it has changed since you read it",
    ErrorCode.RATE_LIMITED: "too many attempts; try again later",
    ErrorCode.SESSION_EXPIRED: "the session has ended; sign in again",
    ErrorCode.VALIDATION_ERROR: "name: is required",
}
_DETAILS: dict[ErrorCode, dict[str, Any]] = {
    ErrorCode.DUPLICATE_ENTRY: {"fieldErrors": {"name": ["another client has this name"]}},
    ErrorCode.HAS_DEPENDENCIES: {"dependencies": {"workLocation": 2}},
    ErrorCode.INVALID_DATE_RANGE: {"fieldErrors": {"endDate": ["is before startDate"]}},
    ErrorCode.VALIDATION_ERROR: {"fieldErrors": {"name": ["is required"]}},
}


def of(schema: Schema, schemas: Schemas) -> Any:
    for described in (schema, schemas.resolve(schema)):
        for source in ("examples", "enum"):
            if described.get(source):
                return described[source][0]
        for source in ("const", "default"):
            if source in described:
                return described[source]
    schema = schemas.resolve(schema)
    for choices in ("anyOf", "oneOf"):
        if choices in schema and "properties" not in schema:
            return of(schema[choices][0], schemas)
    if "properties" in schema:
        return {name: of(property_, schemas) for name, property_ in schema["properties"].items()}
    kind = schema.get("type", "")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "array" and "items" in schema:
        return [of(schema["items"], schemas)]
    return _BY_FORMAT.get(schema.get("format", ""), _BY_TYPE.get(kind))


def of_format(name: str | None) -> str:
    """Return an example of a text of this format; other texts of paths are ids, too."""
    return _BY_FORMAT.get(name or "", ID)


def of_errors(codes: Iterable[ErrorCode]) -> dict[str, Any]:
    return {code: {"value": _of_error(code)} for code in codes}


def _of_error(code: ErrorCode) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": _MESSAGES[code], "requestId": _REQUEST_ID}
    if code in _DETAILS:
        error["details"] = _DETAILS[code]
    return {"success": False, "error": error}
