"""The query language of metrics: a closed vocabulary, checked against the catalogue by validation.

`MetricQuery` is the type of a contract's field; `parse` reads a query on its own. Both report all errors at once.
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
from typing_extensions import TypeAliasType

from chalicelib.core.contracts import Body
from chalicelib.core.field_types import AtMost
from chalicelib.core.messages import one_of
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
from chalicelib.metrics.language.periods import Comparison, Days, NamedPeriod, Period, Trailing
from chalicelib.metrics.language.units import RATIOS
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.metrics.rollups.sources.fields import ADDITIVE, FieldType, Unit

MAX_DIMENSIONS = 1
MAX_WINDOW_DAYS = 366
MAX_QUERY_BYTES = 32 * 1024
"""An audit entry holds a query before and after, escaped, and an item may have 400 KB."""

_WINDOW = re.compile(r"P([1-9][0-9]?|[12][0-9]{2}|3[0-5][0-9]|36[0-6])D")
"""An ISO 8601 duration of days."""

# -- enums and fields ------------------------------------------------------------------------------------------------


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
        return days_of(self)


def days_of(duration: str) -> int:
    return int(duration[1:-1])


def refuse_flag(version: Any) -> Any:
    # True == 1 in Python, so Literal[1] accepts it.
    if isinstance(version, bool):
        raise refused("must be 1")
    return version


def check_window(text: str) -> str:
    if not _WINDOW.fullmatch(text):
        raise refused(f"must be days from P1D to P{MAX_WINDOW_DAYS}D")
    return text


Version = Annotated[Literal[1], BeforeValidator(refuse_flag)]
Window = Annotated[
    str, AfterValidator(check_window), Field(examples=["P7D"], json_schema_extra={"pattern": f"^{_WINDOW.pattern}$"})
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


def check_dimensions(names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    source = source_of(info)
    if source is not None:
        allowed = [field.name for field in source.fields.values() if field.is_dimension]
        errors = QueryErrors()
        for index, name in enumerate(names):
            if name not in allowed:
                errors.add(
                    choice(name, allowed, otherwise=f"must be left out: {source.name} have no dimensions"), index
                )
        errors.raise_any()
    return names


GroupBy = Annotated[
    tuple[FieldName, ...],
    AtMost(MAX_DIMENSIONS),
    Field(description="A dimension of the source.", examples=[["clientId"]], strict=False),
    AfterValidator(check_dimensions),
]


class SimpleQuery(Aggregation, _Query):
    type: Literal["simple"]
    period: PeriodField
    group_by: GroupBy = ()


class SnapshotQuery(SnapshotAggregation, _Query):
    """The state at the end of the period; the current state while the period runs."""

    type: Literal["snapshot"]
    period: PeriodField = NamedPeriod.TODAY
    group_by: GroupBy = ()


class CumulativeQuery(Aggregation, _Query):
    """A total over a trailing window, or since the start of the week, month, quarter or year."""

    type: Literal["cumulative"]
    aggregate: Total
    window: Annotated[Window | None, Field(exclude_if=lambda window: window is None)] = None
    since: Annotated[
        Since | None, Field(exclude_if=lambda since: since is None, strict=False, validate_default=True)
    ] = None

    @field_validator("since")
    @classmethod
    def check_since(cls, since: Since | None, info: ValidationInfo) -> Since | None:
        if "window" in info.data and (since is None) == (info.data["window"] is None):
            raise refused("exactly one of window and since is required")
        return since

    @property
    def period(self) -> Period:
        return Trailing(days_of(self.window)) if self.window is not None else NamedPeriod(f"this_{self.since}")


class RatioQuery(_Query):
    """The numerator divided by the denominator; in percent if their units are equal, null if the denominator is 0."""

    type: Literal["ratio"]
    numerator: Operand
    denominator: Operand
    period: PeriodField

    @field_validator("denominator")
    @classmethod
    def check_denominator(cls, denominator: Aggregation, info: ValidationInfo) -> Aggregation:
        numerator = info.data.get("numerator")
        if numerator is not None and (numerator.unit, denominator.unit) not in RATIOS:
            raise refused(f"{numerator.unit} cannot be divided by {denominator.unit}")
        return denominator

    @property
    def unit(self) -> Unit:
        return RATIOS[self.numerator.unit, self.denominator.unit]


class ConversionQuery(_Query):
    """The share of entities entering a state in the period that reach another one within a window, in percent."""

    type: Literal["conversion"]
    source: SourceName
    from_: Annotated[FieldName, Field(alias="from", examples=["invited"])]
    to: Annotated[FieldName, Field(examples=["accepted"])]
    within: Annotated[Within, Field(strict=False)]
    period: PeriodField

    @field_validator("from_")
    @classmethod
    def check_from(cls, state: str, info: ValidationInfo) -> str:
        source = source_of(info)
        if source is not None and state not in source.reachable:
            raise refused(choice(state, source.reachable, otherwise=f"must be left out: {source.name} have no states"))
        return state

    @field_validator("to")
    @classmethod
    def check_to(cls, state: str, info: ValidationInfo) -> str:
        source, entered = source_of(info), info.data.get("from_")
        if source is not None and entered is not None and state not in source.reachable[entered]:
            raise refused(one_of(state, source.reachable[entered]))
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


def check_size(query: Any) -> Any:
    size = len(query.model_dump_json(exclude_none=True).encode())
    if size > MAX_QUERY_BYTES:
        raise refused(f"must be at most {MAX_QUERY_BYTES} bytes as JSON text")
    return query


MetricQuery = TypeAliasType(
    "MetricQuery",
    Annotated[
        SimpleQuery | SnapshotQuery | CumulativeQuery | RatioQuery | DerivedQuery | ConversionQuery,
        Field(
            discriminator="type",
            description="What a metric measures, in one of six ways.",
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
        AfterValidator(check_size),
        Pointed(),
    ],
)

_QUERY: TypeAdapter[MetricQuery] = TypeAdapter(MetricQuery)


def parse(data: Any) -> MetricQuery:
    """Read a query from JSON values. Raises InvalidQuery."""
    try:
        return _QUERY.validate_python(data)
    except ValidationError as error:
        raise InvalidQuery(errors_of(error)) from None


def unit_of(query: MetricQuery) -> Unit:
    """Return the unit of the query's value."""
    return query.unit


def aggregates_of(query: MetricQuery) -> list[Aggregation]:
    """Return the aggregations of a query, from left to right; a conversion has none."""
    if isinstance(query, Aggregation):
        return [query]
    if isinstance(query, RatioQuery):
        return [query.numerator, query.denominator]
    return list(aggregations(query.expression)) if isinstance(query, DerivedQuery) else []


def dimension_of(query: MetricQuery) -> str | None:
    """Return the dimension that the query groups by."""
    return query.group_by[0] if isinstance(query, SimpleQuery | SnapshotQuery) and query.group_by else None


def adds_up(query: MetricQuery) -> bool:
    """Return True if the values of groups add up to the value of them all."""
    return isinstance(query, SimpleQuery | SnapshotQuery) and query.aggregate in ADDITIVE


def measures_money(query: MetricQuery) -> bool:
    """Return True if the value follows from amounts: it adds them up, or counts by them."""
    return any(
        SOURCES[aggregation.source].fields[name].type is FieldType.MONEY
        for aggregation in aggregates_of(query)
        for name in (aggregation.field, *(condition.field for condition in aggregation.where))
        if name is not None
    )


def sources_of(query: MetricQuery) -> set[str]:
    if isinstance(query, ConversionQuery):
        return {query.source}
    return {aggregation.source for aggregation in aggregates_of(query)}
