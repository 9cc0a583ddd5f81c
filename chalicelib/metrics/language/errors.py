"""Errors of a query: the validator's errors as messages with JSON pointers (RFC 6901)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema

from chalicelib.core.contracts import Contract
from chalicelib.core.json_pointer import Location, pointer


class Fault(Contract):
    pointer: str
    """Into the query; empty for the whole of it."""
    message: str


class InvalidQuery(Exception):
    """Refuses a query, with every fault of it."""

    def __init__(self, errors: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer or 'the query'}: {fault.message}" for fault in errors))
        self.errors = errors


def refused(message: str, *location: int | str) -> ValidationError:
    """Return an error for a validator to raise; `location` is within its value. The message is used as it is."""
    return _refusal([_fault(message, location)])


class QueryErrors:
    """Collects several errors of one validator, each at a place within its value."""

    def __init__(self) -> None:
        self._errors: list[InitErrorDetails] = []

    def add(self, message: str, *location: int | str) -> None:
        self._errors.append(_fault(message, location))

    @contextmanager
    def at(self, *location: int | str) -> Iterator[None]:
        """Collect the errors raised within."""
        try:
            yield
        except ValidationError as raised:
            self._errors += [_moved(error, (*location, *error["loc"])) for error in _details(raised)]

    def raise_any(self) -> None:
        if self._errors:
            raise _refusal(self._errors)


class OneOf:
    """On a union of tagged contracts: says of a fault where it is in the JSON, in which no tag is a step.

    `default`: the tag of objects that name none.
    """

    def __init__(self, default: str | None = None) -> None:
        self._default = default

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._validate, handler(source))

    def _validate(self, value: Any, choose: Callable[[Any], Any]) -> Any:
        if self._default is not None and isinstance(value, dict):
            value = {"type": self._default, **value}
        try:
            return choose(value)
        except ValidationError as error:
            raise _refusal([_untagged(detail) for detail in _details(error)]) from None


class Pointed:
    """On a whole query: its faults carry their pointer, in words that help who wrote it."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._validate, handler(source))

    def _validate(self, value: Any, read: Callable[[Any], Any]) -> Any:
        try:
            return read(value)
        except ValidationError as error:
            raise _refusal([_pointed(detail) for detail in _details(error)]) from None


def errors_of(error: ValidationError) -> list[Fault]:
    """Return the errors of a query that is `Pointed`."""
    return [Fault(pointer=detail["ctx"]["pointer"], message=detail["ctx"]["message"]) for detail in _details(error)]


_MEMBER = re.compile(r"<[^:>]+: ([^>]+)>")
"""The validator's spelling of a member of an enumeration."""
_TAG_ERRORS = {"union_tag_invalid", "union_tag_not_found"}


def _untagged(error: ErrorDetails) -> InitErrorDetails:
    if error["loc"]:
        return _moved(error, error["loc"][1:])
    return _moved(error, ("type",) if error["type"] in _TAG_ERRORS else ())


def _pointed(error: ErrorDetails) -> InitErrorDetails:
    context = {"message": _message(error), "pointer": pointer(error["loc"])}
    return {"type": PydanticCustomError("metric_query", "{message}", context), "loc": error["loc"], "input": None}


def _fault(message: str, location: Location) -> InitErrorDetails:
    return {
        "type": PydanticCustomError("metric_query", "{message}", {"message": message}),
        "loc": location,
        "input": None,
    }


def _moved(error: ErrorDetails, location: Location) -> InitErrorDetails:
    context = {**error.get("ctx", {}), "message": error["msg"]}
    return {"type": PydanticCustomError(error["type"], "{message}", context), "loc": location, "input": None}


def _details(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_input=False)


def _refusal(errors: list[InitErrorDetails]) -> ValidationError:
    return ValidationError.from_exception_data("MetricQuery", errors)


_MESSAGES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "dict_type": lambda _: "must be an object",
    "enum": lambda context: f"must be {_plain(context['expected'])}",
    "extra_forbidden": lambda _: "is not a field here",
    "finite_number": lambda _: "must be a number",
    "float_type": lambda _: "must be a number",
    "literal_error": lambda context: f"must be {_plain(context['expected'])}",
    "missing": lambda _: "is required",
    "model_attributes_type": lambda _: "must be an object",
    "model_type": lambda _: "must be an object",
    "string_type": lambda _: "must be a text",
    "too_long": lambda context: f"must hold at most {context['max_length']}",
    "tuple_type": lambda _: "must be a list",
    "union_tag_invalid": lambda context: f"must be one of {_plain(context['expected_tags'])}",
    "union_tag_not_found": lambda _: "is required",
}
"""In place of the validator's own words, which speak of Python or repeat the input."""


def _message(error: ErrorDetails) -> str:
    known = _MESSAGES.get(error["type"])
    return error["msg"] if known is None else known(error.get("ctx", {}))


def _plain(expected: str) -> str:
    return _MEMBER.sub(r"\1", expected.replace("'", ""))
