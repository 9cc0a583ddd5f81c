"""Contracts of defining, listing and calculating metrics."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Body, Contract, CursorQuery, PageQuery, Patch, SortOrder
from chalicelib.core.field_types import Instant
from chalicelib.core.figures import Figure
from chalicelib.core.json_objects import JsonObject, bounded, bounded_text
from chalicelib.metrics.language.errors import Fault
from chalicelib.metrics.language.query import MetricQuery
from chalicelib.metrics.results import MetricResult
from chalicelib.metrics.rollups.sources.fields import Unit
from chalicelib.models.dashboards.metric_enums import ChartType, Direction, MetricCategory, MetricFormat
from chalicelib.models.dashboards.metric_states import Groups
from chalicelib.models.dashboards.metrics import (
    Color,
    Description,
    Icon,
    Metric,
    MetricName,
    Permissions,
    RefreshRate,
    UnitText,
)

MAX_QUERY_BYTES = 64 * 1024
"""Size as JSON text."""


class CreateMetric(Body):
    name: MetricName
    description: Description | None = None
    category: MetricCategory
    query: Annotated[MetricQuery, bounded_text(MAX_QUERY_BYTES)]
    unit: UnitText | None = None
    format: MetricFormat = MetricFormat.NUMBER
    target_value: Figure | None = None
    warning_threshold: Figure | None = None
    critical_threshold: Figure | None = None
    direction: Direction = Direction.DOWN
    chart_type: ChartType | None = None
    color: Color = "blue"
    icon: Icon | None = None
    permissions: Permissions = ()
    refresh_rate: RefreshRate = 300


class UpdateMetric(Patch, of=CreateMetric):
    """The fields to change."""


class GetMetrics(PageQuery[Literal["name", "category", "createdAt"]]):
    """The list's parameters."""


class MetricWithResult(Metric):
    result: Annotated[
        MetricResult | None,
        Field(description="Absent where the caller may not see it.", exclude_if=lambda result: result is None),
    ] = None


class CalculateMetrics(Body):
    metric_ids: Annotated[
        list[UUID] | None,
        Field(min_length=1, max_length=100, description="By default, all whose values the caller may see."),
    ] = None


class CalculatedMetrics(Contract):
    metrics: list[MetricResult]


class ValidateMetricQuery(Body):
    query: Annotated[
        JsonObject,
        bounded(MAX_QUERY_BYTES),
        Field(examples=[{"version": 1, "type": "snapshot", "source": "workers"}]),
    ]
    calculate: Annotated[bool, Field(description="Also calculate it, as it would be after saving.")] = False


class QueryResult(Contract):
    """The value of a query that is not saved."""

    as_of: Annotated[Instant, Field(description="The end of the minute in which it was calculated.")]
    value: Annotated[float | None, Field(description="Null if there is no data.", examples=[37.5])]
    previous: Annotated[float | None, Field(description="The value of the compared period.", examples=[30.0])]
    unit: Annotated[str | None, Field(examples=["h"])]
    groups: Groups | None
    error: Annotated[str | None, Field(description="Why it cannot be calculated.", examples=[None])]


class MetricQueryValidity(Contract):
    is_valid: bool
    errors: Annotated[list[Fault], Field(description="The first 100.")]
    omitted_errors: Annotated[int, Field(description="How many there are beyond those.", examples=[0])]
    unit: Annotated[Unit | None, Field(description="Unit of its value; null for an invalid query.")]
    result: Annotated[
        QueryResult | None, Field(description="Of a valid query, where it was to be calculated.", examples=[None])
    ] = None


class GetMetricHistory(CursorQuery):
    from_: Annotated[Instant | None, Field(alias="from")] = None
    to: Instant | None = None
    sort_order: SortOrder = "desc"
