"""Errors of queries: the validator's errors as plain messages with JSON pointers (RFC 6901)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema

from chalicelib.core.contracts import Contract
from chalicelib.core.json_pointer import Location, pointer
from chalicelib.core.messages import message_of


class Fault(Contract):
    pointer: str
    """JSON pointer into the query; empty for the whole query."""
    message: str


class InvalidQuery(Exception):
    """A query is invalid; `errors` has all its errors."""

    def __init__(self, errors: list[Fault]) -> None:
        super().__init__("; ".join(f"{error.pointer or 'the query'}: {error.message}" for error in errors))
        self.errors = errors


def refused(message: str, *location: int | str) -> ValidationError:
    """Return an error to raise in a validator, with a message for users; `location` is within the validated value."""
    return _validation_error([_error(message, location)])


class QueryErrors:
    """Collects several errors of one validator, at locations within the validated value."""

    def __init__(self) -> None:
        self._errors: list[InitErrorDetails] = []

    def add(self, message: str, *location: int | str) -> None:
        self._errors.append(_error(message, location))

    @contextmanager
    def at(self, *location: int | str) -> Iterator[None]:
        """Collect the errors raised within the block, below a location."""
        try:
            yield
        except ValidationError as error:
            self._errors += [_moved(detail, (*location, *detail["loc"])) for detail in details_of(error)]

    def raise_any(self) -> None:
        if self._errors:
            raise _validation_error(self._errors)


class OneOf:
    """Annotates a union of tagged contracts: removes tags from error locations, as JSON has no such step.

    `default`: the tag of objects without one.
    """

    def __init__(self, default: str | None = None) -> None:
        self._default = default

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self.validate, handler(source))

    def validate(self, value: Any, choose: Callable[[Any], Any]) -> Any:
        if self._default is not None and isinstance(value, dict):
            value = {"type": self._default, **value}
        try:
            return choose(value)
        except ValidationError as error:
            raise _validation_error([untagged(detail) for detail in details_of(error)]) from None


class Pointed:
    """Annotates a whole query: errors carry their JSON pointer and a message for its author."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self.validate, handler(source))

    def validate(self, value: Any, read: Callable[[Any], Any]) -> Any:
        try:
            return read(value)
        except ValidationError as error:
            raise _validation_error([pointed(detail) for detail in details_of(error)]) from None


def errors_of(error: ValidationError) -> list[Fault]:
    """Return the errors of a query annotated with `Pointed`."""
    return [Fault(pointer=detail["ctx"]["pointer"], message=detail["ctx"]["message"]) for detail in details_of(error)]


_TAG_ERRORS = {"union_tag_invalid", "union_tag_not_found"}


def untagged(error: ErrorDetails) -> InitErrorDetails:
    if error["loc"]:
        return _moved(error, error["loc"][1:])
    return _moved(error, ("type",) if error["type"] in _TAG_ERRORS else ())


def pointed(error: ErrorDetails) -> InitErrorDetails:
    message = "is not a field here" if error["type"] == "extra_forbidden" else message_of(error)
    context = {"message": message, "pointer": pointer(error["loc"])}
    return {"type": PydanticCustomError("metric_query", "{message}", context), "loc": error["loc"], "input": None}


def _error(message: str, location: Location) -> InitErrorDetails:
    return {
        "type": PydanticCustomError("metric_query", "{message}", {"message": message}),
        "loc": location,
        "input": None,
    }


def _moved(error: ErrorDetails, location: Location) -> InitErrorDetails:
    context = {**error.get("ctx", {}), "message": error["msg"]}
    return {"type": PydanticCustomError(error["type"], "{message}", context), "loc": location, "input": error["input"]}


def details_of(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False)


def _validation_error(errors: list[InitErrorDetails]) -> ValidationError:
    return ValidationError.from_exception_data("MetricQuery", errors)
