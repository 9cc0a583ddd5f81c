"""Aggregations: one number over the entities of a source. Every query consists of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    ValidationInfo,
    WrapValidator,
    field_validator,
)

from chalicelib.core.contracts import Body
from chalicelib.core.field_types import AtMost
from chalicelib.core.messages import one_of, suggestion
from chalicelib.metrics.language.conditions import Condition, FieldName, typed
from chalicelib.metrics.language.errors import OneOf, QueryErrors, refused
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.metrics.rollups.sources.base import Source
from chalicelib.metrics.rollups.sources.fields import UNITS, Aggregate, Unit

MAX_CONDITIONS = 10

Total = Literal[Aggregate.COUNT, Aggregate.SUM]


def known_source(name: str) -> str:
    if name not in SOURCES:
        raise refused(one_of(name, SOURCES))
    return name


SourceName = Annotated[str, AfterValidator(known_source), Field(json_schema_extra={"enum": list(SOURCES)})]


def source_of(info: ValidationInfo) -> Source[Any] | None:
    """Return the source that the contract under validation names; None if it is unknown."""
    return SOURCES.get(info.data.get("source", ""))


def read_conditions(
    value: Any, read: Callable[[Any], tuple[Condition, ...]], info: ValidationInfo
) -> tuple[Condition, ...]:
    """Read the conditions. Well-formed ones are checked against the source even if others are malformed."""
    errors = QueryErrors()
    conditions: tuple[Condition, ...] = ()
    with errors.at():
        conditions = read(value)
    source = source_of(info)
    if source is not None and isinstance(value, list | tuple):
        fitting: list[Condition] = []
        for index, item in enumerate(value[:MAX_CONDITIONS]):
            try:
                condition = Condition.model_validate(item)
            except ValidationError:  # `read` reports it
                continue
            with errors.at(index):
                fitting.append(typed(condition, source))
        conditions = tuple(fitting)
    errors.raise_any()
    return conditions


def choice(name: str | None, allowed: Collection[str], *, otherwise: str) -> str:
    """Return the message for a name that is not allowed."""
    return one_of(name, allowed) if allowed else otherwise


class Aggregation(Body):
    """One number over the entities of a source."""

    manner: ClassVar[str] = ""
    """Qualifies the aggregate in messages."""

    source: SourceName
    aggregate: Annotated[Aggregate, Field(strict=False)]
    field: Annotated[
        FieldName | None,
        Field(
            description="The field to aggregate; for `count`, an optional instant to count by.",
            exclude_if=lambda name: name is None,
            validate_default=True,
        ),
    ] = None
    where: Annotated[
        tuple[Condition, ...], AtMost(MAX_CONDITIONS), Field(strict=False), WrapValidator(read_conditions)
    ] = ()

    @property
    def unit(self) -> Unit:
        """The unit of the field; a plain number for counts."""
        if self.field is None:
            return Unit.NUMBER
        return UNITS.get(SOURCES[self.source].fields[self.field].type, Unit.NUMBER)

    @classmethod
    def fields_for(cls, aggregate: Aggregate, source: Source[Any]) -> list[str]:
        """Return the fields that the aggregate may name."""
        return [field.name for field in source.fields.values() if aggregate in field.aggregates]

    @field_validator("aggregate")
    @classmethod
    def check_aggregate(cls, aggregate: Aggregate, info: ValidationInfo) -> Aggregate:
        source = source_of(info)
        if source and aggregate is not Aggregate.COUNT and not cls.fields_for(aggregate, source):
            raise refused(f"{source.name} have no field for {aggregate}{cls.manner}")
        return aggregate

    @field_validator("field")
    @classmethod
    def check_field(cls, name: str | None, info: ValidationInfo) -> str | None:
        source, aggregate = source_of(info), info.data.get("aggregate")
        if source is None:
            return name
        if name is not None and name not in source.fields:
            raise refused(f"is not a field of {source.name}{suggestion(name, source.fields)}")
        if aggregate is None or (aggregate is Aggregate.COUNT and name is None):
            return name
        allowed = cls.fields_for(aggregate, source)
        if name not in allowed:
            raise refused(f"{choice(name, allowed, otherwise='must be left out')} for {aggregate}")
        return name


class SnapshotAggregation(Aggregation):
    """One number over the entities that exist at the period's end."""

    manner: ClassVar[str] = " at an instant"

    aggregate: Total

    @classmethod
    def fields_for(cls, aggregate: Aggregate, source: Source[Any]) -> list[str]:
        return [
            name
            for name in super().fields_for(aggregate, source)
            if aggregate is not Aggregate.COUNT and not source.accumulates(source.fields[name])
        ]


class SimpleOperand(Aggregation):
    type: Literal["simple"] = "simple"


class SnapshotOperand(SnapshotAggregation):
    type: Literal["snapshot"]


Operand = Annotated[SimpleOperand | SnapshotOperand, Field(discriminator="type"), OneOf("simple")]
"""One side of a ratio; the query has the period."""
