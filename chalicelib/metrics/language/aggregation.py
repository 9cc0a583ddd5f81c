"""Aggregates: one number over the entities of a source, the building block of every query."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    ValidationInfo,
    WrapValidator,
    field_validator,
)

from chalicelib.core.contracts import AtMost, Body
from chalicelib.metrics.language.catalogue import CATALOGUE, UNITS, Aggregate, Source
from chalicelib.metrics.language.conditions import Condition, FieldName, typed
from chalicelib.metrics.language.errors import OneOf, QueryErrors, refused
from chalicelib.metrics.language.outcomes import Unit

MAX_CONDITIONS = 10

Total = Literal[Aggregate.COUNT, Aggregate.SUM]


def _known_source(name: str) -> str:
    if name not in CATALOGUE:
        raise refused(f"must be one of {', '.join(CATALOGUE)}")
    return name


SourceName = Annotated[str, AfterValidator(_known_source), Field(json_schema_extra={"enum": list(CATALOGUE)})]


def source_of(info: ValidationInfo) -> Source | None:
    """The source of the contract that is being read; None when it names no known one."""
    return CATALOGUE.get(info.data.get("source", ""))


def _conditions(
    value: Any, read: Callable[[Any], tuple[Condition, ...]], info: ValidationInfo
) -> tuple[Condition, ...]:
    """Those that are well-formed are held against the source even where others are not."""
    errors = QueryErrors()
    conditions: tuple[Condition, ...] = ()
    with errors.at():
        conditions = read(value)
    source = source_of(info)
    if source is not None and isinstance(value, list | tuple):
        fitting: list[Condition] = []
        for index, condition in _well_formed(value[:MAX_CONDITIONS]):
            with errors.at(index):
                fitting.append(typed(condition, source))
        conditions = tuple(fitting)
    errors.raise_any()
    return conditions


def _well_formed(values: Iterable[Any]) -> Iterator[tuple[int, Condition]]:
    for index, value in enumerate(values):
        try:
            yield index, Condition.model_validate(value)
        except ValidationError:  # which the list itself reports
            continue


def choice(allowed: Collection[str], *, otherwise: str) -> str:
    """The error message of a name that is not among those allowed."""
    return f"must be one of {', '.join(allowed)}" if allowed else otherwise


class Aggregation(Body):
    """One number over the entities of a source."""

    manner: ClassVar[str] = ""
    """The restriction on the fields, for messages."""

    source: SourceName
    aggregate: Annotated[Aggregate, Field(strict=False)]
    field: Annotated[
        FieldName | None,
        Field(
            description="The measure, or the instant by which `count` goes. `count` alone needs none.",
            exclude_if=lambda name: name is None,
            validate_default=True,
        ),
    ] = None
    where: Annotated[
        tuple[Condition, ...], AtMost(MAX_CONDITIONS), Field(strict=False), WrapValidator(_conditions)
    ] = ()

    @property
    def unit(self) -> Unit:
        """Counts are numbers."""
        if self.field is None:
            return Unit.NUMBER
        return UNITS.get(CATALOGUE[self.source].fields[self.field].type, Unit.NUMBER)

    @classmethod
    def fields_for(cls, aggregate: Aggregate, source: Source) -> list[str]:
        """That this aggregate may name."""
        return [field.name for field in source.fields.values() if aggregate in field.aggregates]

    @field_validator("aggregate")
    @classmethod
    def _is_of_source(cls, aggregate: Aggregate, info: ValidationInfo) -> Aggregate:
        source = source_of(info)
        if source and aggregate is not Aggregate.COUNT and not cls.fields_for(aggregate, source):
            raise refused(f"{source.name} have no field for {aggregate}{cls.manner}")
        return aggregate

    @field_validator("field")
    @classmethod
    def _is_for_aggregate(cls, name: str | None, info: ValidationInfo) -> str | None:
        source, aggregate = source_of(info), info.data.get("aggregate")
        if source is None:
            return name
        if name is not None and name not in source.fields:
            raise refused(f"is not a field of {source.name}")
        if aggregate is None or (aggregate is Aggregate.COUNT and name is None):
            return name
        allowed = cls.fields_for(aggregate, source)
        if name not in allowed:
            raise refused(f"{choice(allowed, otherwise='is not')} for {aggregate}")
        return name


class SnapshotAggregation(Aggregation):
    """The state at the period's end."""

    manner: ClassVar[str] = " at an instant"

    aggregate: Total

    @classmethod
    def fields_for(cls, aggregate: Aggregate, source: Source) -> list[str]:
        return [
            name
            for name in super().fields_for(aggregate, source)
            if aggregate is not Aggregate.COUNT and not source.accumulates(source.fields[name])
        ]


class SimpleOperand(Aggregation):
    type: Literal["simple"] = "simple"


class SnapshotOperand(SnapshotAggregation):
    type: Literal["snapshot"] = "snapshot"


Operand = Annotated[SimpleOperand | SnapshotOperand, Field(discriminator="type"), OneOf("simple")]
"""An operand of a ratio; the query has the period."""
