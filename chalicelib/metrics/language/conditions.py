"""Conditions of a query: a field, an operator and, for most operators, a value of the field's type."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, PlainSerializer, PlainValidator, TypeAdapter, ValidationError, WithJsonSchema

from chalicelib.core import clock
from chalicelib.core.contracts import Body
from chalicelib.core.field_types import Instant, OneLine
from chalicelib.core.messages import one_of, suggestion
from chalicelib.metrics.language.errors import QueryErrors, refused
from chalicelib.metrics.rollups.sources.base import Source
from chalicelib.metrics.rollups.sources.fields import FOR_LISTS, WITHOUT_VALUE, FieldType, Operator
from chalicelib.metrics.rollups.sources.fields import Field as SourceField

MAX_VALUES = 50
MAX_NUMBER = 1_000_000_000_000

Scalar = bool | int | float | str | datetime
"""Ids are texts in their usual form, durations are hours, money is in major units."""

FieldName = Annotated[str, Field(min_length=1, max_length=64, examples=["status"])]


def read_number(value: Any) -> int | float:
    """Return the number unchanged, so that integers stay integers. All errors have one message."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_NUMBER:
        raise refused(f"must be a number from -{MAX_NUMBER} to {MAX_NUMBER}")
    return value


Number = Annotated[
    int | float,
    PlainValidator(read_number),
    WithJsonSchema({"type": "number", "minimum": -MAX_NUMBER, "maximum": MAX_NUMBER, "examples": [40]}),
]


def to_json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    return clock.to_text(value) if isinstance(value, datetime) else value


_SCALAR_SCHEMA = [{"type": "boolean"}, {"type": "number"}, {"type": "string", "maxLength": 255}]

Value = Annotated[
    Any,
    PlainSerializer(to_json, when_used="json"),
    WithJsonSchema(
        {
            "description": "A value of the field's type; a list for `in` and `notIn`, none for `isSet` and `isNotSet`.",
            "examples": ["active"],
            "anyOf": [
                *_SCALAR_SCHEMA,
                {"type": "array", "items": {"anyOf": _SCALAR_SCHEMA}, "minItems": 1, "maxItems": MAX_VALUES},
                {"type": "null"},
            ],
        }
    ),
]


class Condition(Body):
    field: FieldName
    op: Annotated[Operator, Field(strict=False)]
    value: Annotated[Value, Field(exclude_if=lambda value: value is None)] = None
    """A `Scalar` or a tuple of them; None if the operator takes no value."""


_TRIMMED = ConfigDict(str_strip_whitespace=True)
_NUMBER: TypeAdapter[Any] = TypeAdapter(Number)
_ADAPTERS: Mapping[FieldType, tuple[TypeAdapter[Any], str]] = {
    FieldType.BOOLEAN: (TypeAdapter(Annotated[bool, Field(strict=True)]), "must be true or false"),
    FieldType.DURATION: (_NUMBER, "must be a number of hours"),
    FieldType.ID: (TypeAdapter(UUID), "must be an id"),
    FieldType.INSTANT: (TypeAdapter(Instant), "must be an ISO 8601 date-time with an offset"),
    FieldType.MONEY: (_NUMBER, "must be a number of major units"),
    FieldType.NUMBER: (_NUMBER, "must be a number"),
    FieldType.TEXT: (
        TypeAdapter(Annotated[OneLine, Field(max_length=255)], config=_TRIMMED),
        "must be a text of one line, 1 to 255 characters",
    ),
}


def typed(condition: Condition, source: Source[Any]) -> Condition:
    """Return the condition with its value in the field's type. Raises ValidationError if it does not fit the field."""
    field = source.fields.get(condition.field)
    if field is None:
        raise refused(f"is not a field of {source.name}{suggestion(condition.field, source.fields)}", "field")
    if condition.op not in field.operators:
        raise refused(f"must be one of {', '.join(field.operators)} for {field.name}", "op")
    return condition.model_copy(update={"value": typed_value(condition, field)})


def typed_value(condition: Condition, field: SourceField) -> Scalar | tuple[Scalar, ...] | None:
    value = condition.value
    if condition.op in WITHOUT_VALUE:
        if value is not None:
            raise refused(f"must be left out for {condition.op}", "value")
        return None
    if value is None:
        raise refused("is required", "value")
    if condition.op not in FOR_LISTS:
        return read_scalar(value, field, "value")
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MAX_VALUES:
        raise refused(f"must be a list of 1 to {MAX_VALUES} values", "value")
    errors = QueryErrors()
    scalars: list[Scalar] = []
    for index, item in enumerate(value):
        with errors.at():
            scalars.append(read_scalar(item, field, "value", index))
    errors.raise_any()
    return tuple(scalars)


def read_scalar(value: Any, field: SourceField, *location: int | str) -> Scalar:
    if field.type is FieldType.ENUM:
        if value not in field.values:
            raise refused(one_of(value, field.values), *location)
        return str(value)
    adapter, message = _ADAPTERS[field.type]
    try:
        read: Scalar | UUID = adapter.validate_python(value)
    except ValidationError:
        raise refused(message, *location) from None
    return str(read) if isinstance(read, UUID) else read
