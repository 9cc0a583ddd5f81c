"""Validation: path, query, headers and body into the action's arguments, with all errors at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from aws_lambda_powertools.utilities.parser import parse
from pydantic import ValidationError

from chalicelib.action import media_types
from chalicelib.action.context import Request
from chalicelib.action.field_rules import messages_of
from chalicelib.action.media_types import CSV, JSON
from chalicelib.action.registry import Action
from chalicelib.core import messages
from chalicelib.core.contracts import Contract
from chalicelib.core.csv_body import CsvBody
from chalicelib.core.errors import MAX_MESSAGES, ActionError, ErrorCode, invalid_field, invalid_fields
from chalicelib.core.json_pointer import Location, pointer
from chalicelib.core.one_click_body import FIELD, FORM, MULTIPART, PART

MAX_BODY_BYTES = 1024 * 1024
_MAX_DEPTH = 64
_MAX_NAMES = 1_000
_MAX_ITEMS = 2_000
"""Items of one object and of one list: no contract takes as many, and further ones are not read."""
_BODY = "body"
_NOT_UTF_8 = "is not UTF-8"
_SAVE_AS_UTF_8 = ": save the file as CSV UTF-8"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""The byte order marks that "Unicode text" of a spreadsheet begins with."""


def arguments_of(action: Action, request: Request) -> dict[str, Any]:
    """Return the arguments by name. VALIDATION_ERROR with a message list for each faulty field."""
    if action.method != "GET" and len(request.body) > MAX_BODY_BYTES:
        raise ActionError(ErrorCode.PAYLOAD_TOO_LARGE, "a body may hold 1 MB")
    errors: dict[str, list[str]] = {}
    pointers: dict[str, str] = {}
    omitted = 0
    arguments: dict[str, Any] = {}
    for name, argument in action.parameters.items():
        if name not in request.path:
            errors[name] = [messages.MISSING]
            continue
        try:
            arguments[argument] = action.path_adapters[name].validate_strings(request.path[name])
        except ValidationError as error:
            collect(errors, error, name)
    if action.data_type is not None:
        try:
            arguments["data"] = _data(action, action.data_type, request)
        except ValidationError as error:
            root = _BODY if action.takes_body else "query"
            omitted = collect(errors, error, root, contract=action.data_type, pointers=pointers)
    if not action.takes_body:
        _refuse_unread(action, request, errors)
    if errors:
        raise invalid_fields(errors, pointers=pointers, omitted=omitted)
    return arguments


def _refuse_unread(action: Action, request: Request, errors: dict[str, list[str]]) -> None:
    """Input that nobody would read is a mistake of the caller's: say so."""
    if action.data_type is None:
        for name in request.query:
            errors.setdefault(name, []).append(messages.UNKNOWN_FIELD)
    if action.method == "GET":
        return
    if request.body.strip() not in {b"", b"{}"}:
        errors.setdefault(_BODY, []).append("must be empty: this action takes no body")


def _data(action: Action, contract: type[Contract], request: Request) -> Contract:
    if not action.takes_body:
        return _query(contract, request)
    if action.csv_body is not None and _is_csv(request):
        return _csv(action.csv_body, request)
    if action.csv_body is not None and request.query:
        return _with_options(_json(contract, request.body), _query(action.csv_body.csv_query, request))
    if action.is_one_click and _is_form(request):
        return _query(contract, request)
    for name in request.query:
        raise invalid_field(name, "a body in JSON takes no query parameters")
    return _json(contract, request.body if action.needs_body else request.body.strip() or b"{}")


def _json(contract: type[Contract], body: bytes) -> Contract:
    text = _checked_json(body)
    # Given text, Powertools' parser validates JSON as JSON: numbers, texts and times are not coerced into each other.
    return parse(event=cast(dict[str, Any], text), model=contract)


def _with_options(data: Contract, options: Contract) -> Contract:
    """The body with the options that the query sets; VALIDATION_ERROR for one that both set."""
    given = options.model_fields_set
    if twice := given & data.model_fields_set:
        fields = type(options).model_fields
        raise invalid_fields({str(fields[name].alias): ["is in the query and in the body"] for name in sorted(twice)})
    return data.model_copy(update={name: getattr(options, name) for name in given})


def _is_form(request: Request) -> bool:
    """Return True for the form that asks to unsubscribe; VALIDATION_ERROR for another form."""
    sent = media_types.parse(request.headers.get("content-type", JSON))
    if not sent or sent[0].name not in {FORM, MULTIPART}:
        return False
    if FIELD not in request.body and PART not in request.body:
        raise invalid_field(_BODY, f"must be {FIELD.decode()}")
    return True


def _is_csv(request: Request) -> bool:
    sent = media_types.parse(request.headers.get("content-type", JSON))
    if not sent:
        raise invalid_field("Content-Type", "is not a media type")
    is_csv = sent[0].name == CSV
    if is_csv and sent[0].parameters.get("charset", "utf-8") != "utf-8":
        raise invalid_field("Content-Type", "charset must be utf-8")
    return is_csv


def _csv(contract: type[CsvBody], request: Request) -> Contract:
    query = _query(contract.csv_query, request)
    # The deployed gateway puts U+FFFD in the place of bytes that are not UTF-8, which are lost.
    text = request.body.decode(errors="replace")
    if request.body.startswith(_UTF_16) or (text.startswith("\ufffd\ufffd") and "\0" in text):
        raise invalid_field(_BODY, f"is UTF-16{_SAVE_AS_UTF_8}")
    if "\ufffd" in text:
        raise invalid_field(_BODY, f"{_NOT_UTF_8}{_SAVE_AS_UTF_8}")
    return contract.from_csv(text, query)


def _query(contract: type[Contract], request: Request) -> Contract:
    repeated = {name: ["is given more than once"] for name, values in request.query.items() if len(values) > 1}
    if repeated:
        raise invalid_fields(repeated)
    return parse(event={name: values[0] for name, values in request.query.items()}, model=contract)


def _checked_json(body: bytes) -> str:
    """The text, once it is certain that it means one thing: UTF-8, no doubled names, no NaN, no absurd depth."""
    text = _decoded(body)
    try:
        depth = _depth(json.loads(text, object_pairs_hook=_unique_names, parse_constant=_refuse_constant))
    except RecursionError:
        depth = _MAX_DEPTH + 1
    except json.JSONDecodeError as error:
        raise invalid_field(_BODY, f"is not JSON: {error.msg} at character {error.pos}") from None
    except ValueError as error:  # a number of thousands of digits, or one of those below
        raise invalid_field(_BODY, f"is not acceptable JSON: {error}") from None
    if depth > _MAX_DEPTH:
        raise invalid_field(_BODY, f"is nested deeper than {_MAX_DEPTH} levels")
    return text


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise invalid_field(_BODY, _NOT_UTF_8) from None


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > _MAX_NAMES:
        raise ValueError(f"an object has more than {_MAX_NAMES} names")
    names_and_values = dict(pairs)
    if len(names_and_values) < len(pairs):
        raise ValueError("an object has a name twice")
    return names_and_values


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a number")


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        if any(isinstance(parent, list) and len(parent) > _MAX_ITEMS for parent in level):
            raise ValueError(f"a list has more than {_MAX_ITEMS} items")
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
    return deepest


def collect(
    errors: dict[str, list[str]],
    error: ValidationError,
    root: str,
    *,
    contract: type[Contract] | None = None,
    pointers: dict[str, str] | None = None,
) -> int:
    """Add the first messages of a validator by dotted field path; return how many are left out.

    `root`: the name for errors of the whole. `contract`: of the input, for all rules that a text breaks.
    `pointers` gets the JSON pointers of errors in metric queries, which are edited part by part.
    """
    shown = error.errors(include_url=False)[:MAX_MESSAGES]
    for fault in shown:
        where = _dotted(fault["loc"]) or root
        errors.setdefault(where, []).extend(messages_of(fault, contract))
        if pointers is not None and "pointer" in fault.get("ctx", {}):
            pointers[where] = pointer(fault["loc"])
    return error.error_count() - len(shown)


def _dotted(location: Location) -> str:
    return ".".join(str(part) for part in location)


def header_text(headers: Mapping[str, str], name: str, maximum: int) -> str | None:
    """A header of 1 to `maximum` printable characters, None when it is not sent."""
    value = headers.get(name.lower())
    if value is None:
        return None
    if not 1 <= len(value) <= maximum or not value.isprintable():
        raise invalid_field(name, f"must have 1 to {maximum} printable characters")
    return value
