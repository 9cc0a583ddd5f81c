"""The catalogue: the sources of queries, with their fields, time binding and permission."""

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


@dataclass(frozen=True)
class Source:
    name: str
    label: str
    permission: Permission
    """Required to read the entities themselves. Values of a metric are guarded by the metric."""
    time: TimeBinding
    time_field: str
    fields: Mapping[str, Field]
    conversions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """States that entities may reach, by the state that they enter."""

    def accumulates(self, measure: Field) -> bool:
        """Return True if the measure grows with the length of the period and is 0 at an instant: hours, not heads."""
        return self.time is TimeBinding.INTERVAL and measure.is_measure


def source(
    name: str,
    label: str,
    permission: Permission,
    time: TimeBinding,
    time_field: str,
    *fields: Field,
    conversions: Mapping[str, tuple[str, ...]] | None = None,
) -> Source:
    return Source(name, label, permission, time, time_field, {field.name: field for field in fields}, conversions or {})


def id_field(name: str, label: str, entity: str) -> Field:
    return Field(name, FieldType.ID, label, is_dimension=True, entity=entity)


def enum_field(name: str, label: str, values: tuple[str, ...]) -> Field:
    return Field(name, FieldType.ENUM, label, values=values, is_dimension=True)


def flag_field(name: str, label: str) -> Field:
    return Field(name, FieldType.BOOLEAN, label, is_dimension=True)


def instant_field(name: str, label: str, *, nullable: bool = False) -> Field:
    return Field(name, FieldType.INSTANT, label, nullable=nullable)


def measure_field(name: str, kind: FieldType, label: str) -> Field:
    return Field(name, kind, label, is_measure=True)


def text_field(name: str, label: str) -> Field:
    return Field(name, FieldType.TEXT, label)


_SOURCES = (
    source(
        "activities",
        "Activities",
        Permission.WORKSPACE_READ,
        TimeBinding.INSTANT,
        "at",
        instant_field("at", "At"),
        enum_field("type", "Type", tuple(ActivityType)),
        enum_field("severity", "Severity", tuple(Severity)),
        text_field("entityType", "Kind of entity"),
    ),
    source(
        "assignments",
        "Assignments",
        Permission.REPORTS_READ,
        TimeBinding.INTERVAL,
        "startAt",
        id_field("clientId", "Client", "client"),
        id_field("workLocationId", "Work location", "workLocation"),
        id_field("positionId", "Position", "position"),
        id_field("workerId", "Worker", "worker"),
        enum_field("status", "Status", tuple(AssignmentStatus)),
        instant_field("startAt", "Start"),
        instant_field("endAt", "End", nullable=True),
        instant_field("cancelledAt", "Cancelled", nullable=True),
        instant_field("createdAt", "Created"),
        measure_field("hours", FieldType.DURATION, "Hours"),
        measure_field("billed", FieldType.MONEY, "Billed"),
        measure_field("paid", FieldType.MONEY, "Paid"),
        measure_field("margin", FieldType.MONEY, "Margin, of hours that have both rates"),
        measure_field("marginBase", FieldType.MONEY, "Billed, of hours that have both rates"),
        measure_field("unbilledHours", FieldType.DURATION, "Hours without a bill rate"),
        measure_field("unpaidHours", FieldType.DURATION, "Hours without a pay rate"),
    ),
    source(
        "clients",
        "Clients",
        Permission.WORKSPACE_READ,
        TimeBinding.INSTANT,
        "createdAt",
        text_field("name", "Name"),
        instant_field("createdAt", "Created"),
    ),
    source(
        "positions",
        "Positions",
        Permission.WORKSPACE_READ,
        TimeBinding.INSTANT,
        "createdAt",
        text_field("name", "Name"),
        id_field("clientId", "Client", "client"),
        id_field("workLocationId", "Work location", "workLocation"),
        flag_field("isActive", "Active"),
        flag_field("isOpen", "Active, with fewer active assignments than its headcount"),
        instant_field("createdAt", "Created"),
        measure_field("headcount", FieldType.NUMBER, "Headcount"),
        measure_field("filled", FieldType.NUMBER, "Active assignments, up to the headcount"),
    ),
    source(
        "users",
        "Users",
        Permission.USERS_MANAGE,
        TimeBinding.INSTANT,
        "createdAt",
        enum_field("role", "Role", tuple(Role)),
        enum_field("status", "Status", tuple(UserStatus)),
        flag_field("isActive", "Active"),
        instant_field("createdAt", "Created"),
        instant_field("acceptedAt", "Invitation accepted", nullable=True),
        conversions={"invited": ("accepted",)},
    ),
    source(
        "workers",
        "Workers",
        Permission.WORKSPACE_READ,
        TimeBinding.INSTANT,
        "createdAt",
        text_field("name", "Name"),
        instant_field("createdAt", "Created"),
    ),
)

CATALOGUE: Mapping[str, Source] = {source.name: source for source in _SOURCES}
