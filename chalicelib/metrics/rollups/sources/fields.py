"""Fields of sources: their types and units, and the operators and aggregates that queries may use on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """Unit of a number. Money is in major units of the organization's currency."""

    NUMBER = "number"
    HOURS = "hours"
    MONEY = "money"
    PERCENT = "percent"


class FieldType(StrEnum):
    BOOLEAN = "boolean"
    DURATION = "duration"
    ENUM = "enum"
    ID = "id"
    INSTANT = "instant"
    MONEY = "money"
    NUMBER = "number"
    TEXT = "text"


class TimeBinding(StrEnum):
    """The rule by which an entity belongs to a period."""

    INSTANT = "instant"
    """One instant, the source's `time_field`, is within the period."""
    INTERVAL = "interval"
    """An interval from the source's `time_field` on overlaps the period and is clipped to it."""


class Operator(StrEnum):
    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "notIn"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IS_SET = "isSet"
    IS_NOT_SET = "isNotSet"


class Aggregate(StrEnum):
    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    COUNT_DISTINCT = "countDistinct"


_EQUAL = (Operator.EQ, Operator.NE)
_AMONG = (*_EQUAL, Operator.IN, Operator.NOT_IN)
_ORDERED = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)

OPERATORS: Mapping[FieldType, tuple[Operator, ...]] = {
    FieldType.BOOLEAN: _EQUAL,
    FieldType.DURATION: (*_EQUAL, *_ORDERED),
    FieldType.ENUM: _AMONG,
    FieldType.ID: _AMONG,
    FieldType.INSTANT: _ORDERED,
    FieldType.MONEY: (*_EQUAL, *_ORDERED),
    FieldType.NUMBER: (*_EQUAL, *_ORDERED),
    FieldType.TEXT: _AMONG,
}

WITHOUT_VALUE = (Operator.IS_SET, Operator.IS_NOT_SET)
"""Operators of nullable fields of any type."""

FOR_LISTS = (Operator.IN, Operator.NOT_IN)

UNITS: Mapping[FieldType, Unit] = {
    FieldType.DURATION: Unit.HOURS,
    FieldType.MONEY: Unit.MONEY,
    FieldType.NUMBER: Unit.NUMBER,
}

ADDITIVE = frozenset({Aggregate.COUNT, Aggregate.SUM})
"""Aggregates of which those of parts add up to that of the whole."""

MEASURE_AGGREGATES = (Aggregate.SUM, Aggregate.AVG, Aggregate.MIN, Aggregate.MAX)


@dataclass(frozen=True)
class Field:
    name: str
    type: FieldType
    label: str
    values: tuple[str, ...] = ()
    """All values of an ENUM."""
    is_dimension: bool = False
    """Queries may group by it."""
    is_measure: bool = False
    """Queries may add it up."""
    nullable: bool = False
    entity: str | None = None
    """The kind of entity that an ID identifies."""
    is_forward_only: bool = False
    """It has no history: unknown for past ranges."""
    is_level: bool = False
    """A measure that is known at an instant, though its source binds to an interval."""

    @property
    def unit(self) -> Unit | None:
        """The unit of its values: hours of a DURATION, major units of MONEY."""
        return UNITS.get(self.type)

    @property
    def operators(self) -> tuple[Operator, ...]:
        return OPERATORS[self.type] + (WITHOUT_VALUE if self.nullable else ())

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        """Aggregates that may name the field."""
        if self.is_measure:
            return MEASURE_AGGREGATES
        if self.type is FieldType.INSTANT:
            return (Aggregate.COUNT,)
        return (Aggregate.COUNT_DISTINCT,) if self.is_dimension and self.type is FieldType.ID else ()


def id_field(name: str, label: str, entity: str, *, nullable: bool = False) -> Field:
    return Field(name, FieldType.ID, label, is_dimension=True, entity=entity, nullable=nullable)


def enum_field(name: str, label: str, values: tuple[str, ...]) -> Field:
    return Field(name, FieldType.ENUM, label, values=values, is_dimension=True)


def flag_field(name: str, label: str, *, is_forward_only: bool = False) -> Field:
    return Field(name, FieldType.BOOLEAN, label, is_dimension=True, is_forward_only=is_forward_only)


def instant_field(name: str, label: str, *, nullable: bool = False) -> Field:
    return Field(name, FieldType.INSTANT, label, nullable=nullable)


def measure_field(
    name: str, kind: FieldType, label: str, *, is_forward_only: bool = False, is_level: bool = False
) -> Field:
    return Field(name, kind, label, is_measure=True, is_forward_only=is_forward_only, is_level=is_level)


def text_field(name: str, label: str) -> Field:
    return Field(name, FieldType.TEXT, label)


def fields(*declared: Field) -> Mapping[str, Field]:
    """Return fields by name."""
    return {field.name: field for field in declared}
