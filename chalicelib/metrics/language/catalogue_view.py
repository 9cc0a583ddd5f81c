"""The catalogue as the API shows it, for editors of queries."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from pydantic import Field

from chalicelib.core.contracts import Contract
from chalicelib.metrics.language.aggregation import MAX_CONDITIONS
from chalicelib.metrics.language.conditions import MAX_NUMBER, MAX_VALUES
from chalicelib.metrics.language.expression import MAX_DEPTH, MAX_NODES
from chalicelib.metrics.language.periods import MAX_YEARS, Comparison, NamedPeriod
from chalicelib.metrics.language.query import MAX_DIMENSIONS, MAX_WINDOW_DAYS, Since, Within
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.metrics.rollups.sources.base import Source
from chalicelib.metrics.rollups.sources.fields import Aggregate, FieldType, Operator, TimeBinding, Unit
from chalicelib.metrics.rollups.sources.fields import Field as SourceField


class CatalogueField(Contract):
    name: Annotated[str, Field(examples=["hours"])]
    type: FieldType
    label: Annotated[str, Field(examples=["Hours"])]
    unit: Annotated[Unit | None, Field(description="The unit of its values and of their sums.")]
    values: Annotated[list[str], Field(description="All values of an enum.")]
    is_dimension: Annotated[bool, Field(description="Queries may group by it.")]
    is_measure: Annotated[bool, Field(description="Queries may add it up.")]
    is_momentary: Annotated[bool, Field(description="Snapshots may add it up.")]
    nullable: bool
    entity: Annotated[str | None, Field(description="The kind of entity that an id identifies.", examples=["client"])]
    operators: Annotated[list[Operator], Field(description="Operators that conditions on the field may have.")]
    aggregates: Annotated[list[Aggregate], Field(description="Aggregates that may name the field.")]


class CatalogueConversion(Contract):
    from_: Annotated[str, Field(alias="from", examples=["invited"])]
    to: Annotated[list[str], Field(examples=[["accepted"]])]


class CatalogueSource(Contract):
    name: Annotated[str, Field(examples=["assignments"])]
    label: Annotated[str, Field(examples=["Assignments"])]
    permission: Annotated[
        str, Field(description="The permission to read the entities themselves.", examples=["reports:read"])
    ]
    time: Annotated[
        TimeBinding,
        Field(description="An entity belongs to a period by an instant within it, or by an interval that overlaps it."),
    ]
    time_field: Annotated[str, Field(description="The instant, or the start of the interval.", examples=["startAt"])]
    fields: list[CatalogueField]
    conversions: list[CatalogueConversion]


class CatalogueLimits(Contract):
    """Limits of a query."""

    conditions: int
    values_in_list: int
    number: int
    group_by: int
    expression_depth: int
    expression_nodes: int
    window_days: int
    period_years: int


class MetricCatalogue(Contract):
    """The sources, fields and options of queries."""

    sources: list[CatalogueSource]
    periods: Annotated[
        list[NamedPeriod], Field(description='Named periods. A period can also be days: `{"from": …, "to": …}`.')
    ]
    comparisons: list[Comparison]
    since: Annotated[list[Since], Field(description="Starts of cumulative queries without a `window`.")]
    within: Annotated[list[Within], Field(description="Windows of conversions.")]
    units: list[Unit]
    limits: CatalogueLimits


@cache
def catalogue_view() -> MetricCatalogue:
    return MetricCatalogue(
        sources=[source_view(source) for source in SOURCES.values()],
        periods=list(NamedPeriod),
        comparisons=list(Comparison),
        since=list(Since),
        within=list(Within),
        units=list(Unit),
        limits=CatalogueLimits(
            conditions=MAX_CONDITIONS,
            values_in_list=MAX_VALUES,
            number=MAX_NUMBER,
            group_by=MAX_DIMENSIONS,
            expression_depth=MAX_DEPTH,
            expression_nodes=MAX_NODES,
            window_days=MAX_WINDOW_DAYS,
            period_years=MAX_YEARS,
        ),
    )


def source_view(source: Source[Any]) -> CatalogueSource:
    return CatalogueSource(
        name=source.name,
        label=source.label,
        permission=source.permission,
        time=source.time,
        time_field=source.time_field,
        fields=[field_view(source, field) for field in source.fields.values()],
        conversions=[CatalogueConversion(from_=state, to=list(to)) for state, to in source.reachable.items()],
    )


def field_view(source: Source[Any], field: SourceField) -> CatalogueField:
    return CatalogueField(
        name=field.name,
        type=field.type,
        label=field.label,
        unit=field.unit,
        values=list(field.values),
        is_dimension=field.is_dimension,
        is_measure=field.is_measure,
        is_momentary=field.is_measure and not source.accumulates(field),
        nullable=field.nullable,
        entity=field.entity,
        operators=list(field.operators),
        aggregates=list(field.aggregates),
    )
