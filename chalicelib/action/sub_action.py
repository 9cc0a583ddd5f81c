"""An action that another one runs for its caller: in the same request, unit of work and transaction.

Its permission is checked, its contract validates, and it adds its own audit entry, as when it is called by itself.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from chalicelib.action import steps
from chalicelib.action.context import Context, Request
from chalicelib.action.registry import Action
from chalicelib.action.validation import arguments_of
from chalicelib.core.errors import ActionError, invalid_fields

_OUTER_ONLY = frozenset({"accept", "content-type", "idempotency-key", "if-match", "if-none-match"})
"""Headers that are about the action which was called."""


def run(ctx: Context, action: Action, payload: Mapping[str, Any], field: str) -> Any:
    """Return the action's answer as JSON values. Its writes and its audit entry are in the caller's unit.

    `payload` holds its path parameters, and the fields of its query or body, by name. Errors are named by dotted path
    below `field`. Not for an action that is public, is a chunked write or answers something else than JSON.
    """
    steps.authorize(action, ctx.principal)
    with _map_errors(ctx, field, "body" if action.takes_body else "query"):
        request = _request(ctx.request, action, payload)
        inner = replace(ctx, request=request, action=action.name, query_fingerprint=steps.query_fingerprint(request))
        # `If-Match` is about the target of the request itself.
        ctx.unit.expected_tags = None
        result = steps.json_of(action, action.function(inner, **arguments_of(action, request)))
        steps.record(action, inner)
    return result


def _request(outer: Request, action: Action, payload: Mapping[str, Any]) -> Request:
    """Return the request as the action would receive it by itself."""
    path = {name: value for name, value in payload.items() if name in action.parameters}
    rest = {name: value for name, value in payload.items() if name not in action.parameters}
    texts = path if action.takes_body else {**path, **rest}
    errors = {
        name: ["must be a text, a number, true or false"]
        for name, value in texts.items()
        if not isinstance(value, str | int | float)
    }
    if errors:
        raise invalid_fields(errors)
    return replace(
        outer,
        headers={name: value for name, value in outer.headers.items() if name not in _OUTER_ONLY},
        path={name: _text(value) for name, value in path.items()},
        query={} if action.takes_body else {name: [_text(value)] for name, value in rest.items()},
        body=json.dumps(rest).encode() if action.takes_body else b"",
    )


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@contextlib.contextmanager
def _map_errors(ctx: Context, field: str, whole: str) -> Iterator[None]:
    """Name faulty fields by their path below `field`: those of validation, and those of the commit."""

    def moved(error: Exception) -> Exception:
        if not isinstance(error, ActionError) or "fieldErrors" not in (error.details or {}):
            return error
        details = error.details or {}
        places = {name: field if name == whole else f"{field}.{name}" for name in details["fieldErrors"]}
        errors = {places[name]: messages for name, messages in details["fieldErrors"].items()}
        pointers = {places[name]: f"/{field}{pointer}" for name, pointer in details.get("pointers", {}).items()}
        return invalid_fields(errors, error.code, pointers=pointers, omitted=details.get("omittedErrors", 0))

    try:
        with ctx.unit.map_errors(moved):
            yield
    except ActionError as error:
        raise moved(error) from error.__cause__
