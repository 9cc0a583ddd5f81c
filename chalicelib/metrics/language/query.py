"""The query language of metrics: a closed vocabulary, checked against the catalogue when it is read.

`MetricQuery` is the type of a contract's field; `parse` reads a query by itself. Either finds every fault at once.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from chalicelib.core.contracts import AtMost, Body
from chalicelib.metrics.language.aggregation import (
    Aggregation,
    Operand,
    SnapshotAggregation,
    SourceName,
    Total,
    choice,
    source_of,
)
from chalicelib.metrics.language.conditions import FieldName
from chalicelib.metrics.language.errors import InvalidQuery, OneOf, Pointed, QueryErrors, errors_of, refused
from chalicelib.metrics.language.expression import Expression, aggregations
from chalicelib.metrics.language.outcomes import Unit
from chalicelib.metrics.language.periods import Comparison, Days, NamedPeriod, Period, Trailing
from chalicelib.metrics.language.units import RATIOS

MAX_DIMENSIONS = 1
MAX_WINDOW_DAYS = 366
MAX_QUERY_BYTES = 32 * 1024
"""An audit entry holds a query before and after, escaped, and an item may have 400 KB."""

_WINDOW = re.compile(r"P([1-9][0-9]?|[12][0-9]{2}|3[0-5][0-9]|36[0-6])D")
"""Days, as ISO 8601 writes them."""

# -- words -----------------------------------------------------------------------------------------------------------


class Since(StrEnum):
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Within(StrEnum):
    ONE_DAY = "P1D"
    SEVEN_DAYS = "P7D"
    FOURTEEN_DAYS = "P14D"
    THIRTY_DAYS = "P30D"
    NINETY_DAYS = "P90D"

    @property
    def days(self) -> int:
        return _days(self)


def _days(duration: str) -> int:
    return int(duration[1:-1])


def _no_flag(version: Any) -> Any:
    """To Python, True is 1."""
    if isinstance(version, bool):
        raise refused("must be 1")
    return version


def _window(text: str) -> str:
    if not _WINDOW.fullmatch(text):
        raise refused(f"must be days from P1D to P{MAX_WINDOW_DAYS}D")
    return text


Version = Annotated[Literal[1], BeforeValidator(_no_flag)]
Window = Annotated[
    str, AfterValidator(_window), Field(examples=["P7D"], json_schema_extra={"pattern": f"^{_WINDOW.pattern}$"})
]
PeriodField = Annotated[
    Annotated[NamedPeriod, Field(strict=False), Tag("named")] | Annotated[Days, Tag("days")],
    Discriminator(lambda value: "days" if isinstance(value, dict | Days) else "named"),
    OneOf(),
]


# -- queries ---------------------------------------------------------------------------------------------------------


class _Query(Body):
    type: str
    version: Version = 1
    compare: Annotated[Comparison, Field(strict=False)] = Comparison.PREVIOUS_PERIOD


def _dimensions(names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    source = source_of(info)
    if source is not None:
        allowed = [field.name for field in source.fields.values() if field.is_dimension]
        errors = QueryErrors()
        for index, name in enumerate(names):
            if name not in allowed:
                errors.add(choice(allowed, otherwise=f"is not for {source.name}, which have no dimension"), index)
        errors.raise_any()
    return names


GroupBy = Annotated[
    tuple[FieldName, ...],
    AtMost(MAX_DIMENSIONS),
    Field(description="A dimension.", examples=[["clientId"]], strict=False),
    AfterValidator(_dimensions),
]


class SimpleQuery(Aggregation, _Query):
    type: Literal["simple"]
    period: PeriodField
    group_by: GroupBy = ()


class SnapshotQuery(SnapshotAggregation, _Query):
    """The state at the end of the period; now, if that is not over."""

    type: Literal["snapshot"]
    period: PeriodField = NamedPeriod.TODAY
    group_by: GroupBy = ()


class CumulativeQuery(Aggregation, _Query):
    """Over a trailing window, or since the week, month, quarter or year began."""

    type: Literal["cumulative"]
    aggregate: Total
    window: Annotated[Window | None, Field(exclude_if=lambda window: window is None)] = None
    since: Annotated[
        Since | None, Field(exclude_if=lambda since: since is None, strict=False, validate_default=True)
    ] = None

    @field_validator("since")
    @classmethod
    def _is_alone(cls, since: Since | None, info: ValidationInfo) -> Since | None:
        if "window" in info.data and (since is None) == (info.data["window"] is None):
            raise refused("exactly one of window and since is required")
        return since

    @property
    def period(self) -> Period:
        return Trailing(_days(self.window)) if self.window is not None else NamedPeriod(f"this_{self.since}")


class RatioQuery(_Query):
    """In percent if both count the same; null where the denominator is 0."""

    type: Literal["ratio"]
    numerator: Operand
    denominator: Operand
    period: PeriodField

    @field_validator("denominator")
    @classmethod
    def _is_comparable(cls, denominator: Aggregation, info: ValidationInfo) -> Aggregation:
        numerator = info.data.get("numerator")
        if numerator is not None and (numerator.unit, denominator.unit) not in RATIOS:
            raise refused(f"{numerator.unit} cannot be divided by {denominator.unit}")
        return denominator

    @property
    def unit(self) -> Unit:
        return RATIOS[self.numerator.unit, self.denominator.unit]


class ConversionQuery(_Query):
    """The share, in percent, of the entities that entered a state in the period and reached another one in time."""

    type: Literal["conversion"]
    source: SourceName
    from_: Annotated[FieldName, Field(alias="from", examples=["invited"])]
    to: Annotated[FieldName, Field(examples=["accepted"])]
    within: Annotated[Within, Field(strict=False)]
    period: PeriodField

    @field_validator("from_")
    @classmethod
    def _is_entered(cls, state: str, info: ValidationInfo) -> str:
        source = source_of(info)
        if source is not None and state not in source.conversions:
            raise refused(choice(source.conversions, otherwise=f"is not for {source.name}, which have no states"))
        return state

    @field_validator("to")
    @classmethod
    def _is_reached(cls, state: str, info: ValidationInfo) -> str:
        source, entered = source_of(info), info.data.get("from_")
        if source is not None and entered is not None and state not in source.conversions[entered]:
            raise refused(f"must be one of {', '.join(source.conversions[entered])}")
        return state

    @property
    def unit(self) -> Unit:
        return Unit.PERCENT


class DerivedQuery(_Query):
    type: Literal["derived"]
    expression: Expression
    period: PeriodField

    @property
    def unit(self) -> Unit:
        return self.expression.unit


def _require_size(query: Any) -> Any:
    size = len(query.model_dump_json(exclude_none=True).encode())
    if size > MAX_QUERY_BYTES:
        raise refused(f"may take {MAX_QUERY_BYTES} bytes as JSON text")
    return query


MetricQuery = Annotated[
    SimpleQuery | SnapshotQuery | CumulativeQuery | RatioQuery | DerivedQuery | ConversionQuery,
    Field(
        discriminator="type",
        examples=[
            {
                "version": 1,
                "type": "simple",
                "source": "assignments",
                "aggregate": "sum",
                "field": "hours",
                "where": [{"field": "status", "op": "in", "value": ["active", "completed"]}],
                "period": "this_week",
                "compare": "previous_period",
                "groupBy": [],
            }
        ],
    ),
    OneOf(),
    AfterValidator(_require_size),
    Pointed(),
]

_QUERY: TypeAdapter[MetricQuery] = TypeAdapter(MetricQuery)


def parse(data: Any) -> MetricQuery:
    """A query from JSON's values. Raises InvalidQuery."""
    try:
        return _QUERY.validate_python(data)
    except ValidationError as error:
        raise InvalidQuery(errors_of(error)) from None


def unit_of(query: MetricQuery) -> Unit:
    """The unit of its value."""
    return query.unit


def aggregates_of(query: MetricQuery) -> list[Aggregation]:
    """All that it is made of, from left to right; a conversion is made of none."""
    if isinstance(query, Aggregation):
        return [query]
    if isinstance(query, RatioQuery):
        return [query.numerator, query.denominator]
    return list(aggregations(query.expression)) if isinstance(query, DerivedQuery) else []


def sources_of(query: MetricQuery) -> set[str]:
    if isinstance(query, ConversionQuery):
        return {query.source}
    return {aggregation.source for aggregation in aggregates_of(query)}
