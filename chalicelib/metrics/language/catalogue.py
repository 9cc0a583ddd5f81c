"""The catalogue: each source with its fields, its binding in time, and the permission to read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.auth.permissions import Permission
from chalicelib.metrics.language.outcomes import Unit
from chalicelib.models.activities.activities import ActivityType, Severity
from chalicelib.models.staffing.assignments import AssignmentStatus
from chalicelib.models.users import Role, UserStatus


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
    """The binding of an entity to a period."""

    INSTANT = "instant"
    """One instant, the source's `time_field`."""
    INTERVAL = "interval"
    """An interval that is clipped to the period, from the source's `time_field` to its end."""


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

OF_MEASURES = (Aggregate.SUM, Aggregate.AVG, Aggregate.MIN, Aggregate.MAX)


@dataclass(frozen=True)
class Field:
    name: str
    type: FieldType
    label: str
    values: tuple[str, ...] = ()
    """The values of an ENUM."""
    is_dimension: bool = False
    """Queries may group by it."""
    is_measure: bool = False
    """Queries may add it up."""
    nullable: bool = False
    entity: str | None = None
    """The entity that an ID identifies."""

    @property
    def unit(self) -> Unit | None:
        """The unit of its numbers: hours of a DURATION, major units of MONEY."""
        return UNITS.get(self.type)

    @property
    def operators(self) -> tuple[Operator, ...]:
        return OPERATORS[self.type] + (WITHOUT_VALUE if self.nullable else ())

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        """Those that may name it."""
        if self.is_measure:
            return OF_MEASURES
        if self.type is FieldType.INSTANT:
            return (Aggregate.COUNT,)
        return (Aggregate.COUNT_DISTINCT,) if self.is_dimension and self.type is FieldType.ID else ()


@dataclass(frozen=True)
class Source:
    name: str
    label: str
    permission: Permission
    """The permission to read the entities themselves. Values of a metric are guarded by the metric."""
    time: TimeBinding
    time_field: str
    fields: Mapping[str, Field]
    conversions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """From a state that entities enter, the states that they may reach."""

    def accumulates(self, measure: Field) -> bool:
        """Return True for measures that grow with the length of a period: hours, not heads."""
        return self.time is TimeBinding.INTERVAL and measure.is_measure


def _source(
    name: str,
    label: str,
    permission: Permission,
    time: TimeBinding,
    time_field: str,
    *fields: Field,
    conversions: Mapping[str, tuple[str, ...]] | None = None,
) -> Source:
    return Source(name, label, permission, time, time_field, {field.name: field for field in fields}, conversions or {})


def _id(name: str, label: str, entity: str) -> Field:
    return Field(name, FieldType.ID, label, is_dimension=True, entity=entity)


def _enum(name: str, label: str, values: tuple[str, ...]) -> Field:
    return Field(name, FieldType.ENUM, label, values=values, is_dimension=True)


def _flag(name: str, label: str) -> Field:
    return Field(name, FieldType.BOOLEAN, label, is_dimension=True)


def _instant(name: str, label: str, *, nullable: bool = False) -> Field:
    return Field(name, FieldType.INSTANT, label, nullable=nullable)


def _measure(name: str, kind: FieldType, label: str) -> Field:
    return Field(name, kind, label, is_measure=True)


def _text(name: str, label: str) -> Field:
    return Field(name, FieldType.TEXT, label)


_SOURCES = (
    _source(
        "activities",
        "Activities",
        Permission.WORKSPACE_READ,
        TimeBinding.INSTANT,
        "at",
        _instant("at", "At"),
        _enum("type", "Type", tuple(ActivityType)),
        _enum("severity", "Severity", tuple(Severity)),
        _text("entityType", "Kind of entity"),
    ),
    _source(
        "assignments",
        "Assignments",
        Permission.REPORTS_READ,
        TimeBinding.INTERVAL,
        "startAt",
        _id("clientId", "Client", "client"),
        _id("workLocationId", "Work location", "workLocation"),
        _id("positionId", "Position", "position"),
        _id("workerId", "Worker", "worker"),
        _enum("status", "Status", tuple(AssignmentStatus)),
        _instant("startAt", "Start"),
        _instant("endAt", "End", nullable=True),
        _instant("cancelledAt", "Cancelled", nullable=True),
        _instant("createdAt", "Created"),
        _measure("hours", FieldType.DURATION, "Hours"),
        _measure("billed", FieldType.MONEY, "Billed"),
        _measure("paid", FieldType.MONEY, "Paid"),
        _measure("margin", FieldType.MONEY, "Margin, of hours that have both rates"),
        _measure("marginBase", FieldType.MONEY, "Billed, of hours that have both rates"),
        _measure("unbilledHours", FieldType.DURATION, "Hours without a bill rate"),
        _measure("unpaidHours", FieldType.DURATION, "Hours without a pay rate"),
    ),
    _source(
        "clients",
        "Clients",
        Permission.WORKSPACE_READ,
        TimeBinding.INSTANT,
        "createdAt",
        _text("name", "Name"),
        _instant("createdAt", "Created"),
    ),
    _source(
        "positions",
        "Positions",
        Permission.WORKSPACE_READ,
        TimeBinding.INSTANT,
        "createdAt",
        _text("name", "Name"),
        _id("clientId", "Client", "client"),
        _id("workLocationId", "Work location", "workLocation"),
        _flag("isActive", "Active"),
        _flag("isOpen", "Active, with fewer active assignments than its headcount"),
        _instant("createdAt", "Created"),
        _measure("headcount", FieldType.NUMBER, "Headcount"),
        _measure("filled", FieldType.NUMBER, "Active assignments, up to the headcount"),
    ),
    _source(
        "users",
        "Users",
        Permission.USERS_MANAGE,
        TimeBinding.INSTANT,
        "createdAt",
        _enum("role", "Role", tuple(Role)),
        _enum("status", "Status", tuple(UserStatus)),
        _flag("isActive", "Active"),
        _instant("createdAt", "Created"),
        _instant("acceptedAt", "Invitation accepted", nullable=True),
        conversions={"invited": ("accepted",)},
    ),
    _source(
        "workers",
        "Workers",
        Permission.WORKSPACE_READ,
        TimeBinding.INSTANT,
        "createdAt",
        _text("name", "Name"),
        _instant("createdAt", "Created"),
    ),
)

CATALOGUE: Mapping[str, Source] = {source.name: source for source in _SOURCES}
