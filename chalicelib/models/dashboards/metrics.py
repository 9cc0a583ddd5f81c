"""Metrics: queries over an organization's data, how to read their results, and who may see them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from chalicelib.core import contracts
from chalicelib.core.field_types import Line, Lines
from chalicelib.core.figures import Figure
from chalicelib.dal import quotas
from chalicelib.dal.page_lists import ListedCollection
from chalicelib.dal.records import DeletableRecord
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.dashboards import metric_states
from chalicelib.models.dashboards.metric_enums import ChartType, Direction, MetricCategory, MetricFormat
from chalicelib.models.organizations import ORGANIZATIONS
from chalicelib.models.users import Role

MAX_METRICS = 1000
"""Metrics of an organization's own."""


def _in_order(roles: Sequence[Role]) -> tuple[Role, ...]:
    return tuple(role for role in Role if role in roles)


def _from_text(query: Any) -> Any:
    return json.loads(query) if isinstance(query, str) else query


MetricName = Annotated[Line, Field(max_length=100, examples=["Hours this week"])]
Description = Annotated[Lines, Field(max_length=500, examples=["Hours of assignments since the week began."])]
Query = Annotated[
    dict[str, Any], BeforeValidator(_from_text), Field(json_schema_extra={contracts.SHOWN_AS: "MetricQuery"})
]
"""A query that has passed validation."""
UnitText = Annotated[Line, Field(max_length=20, description="Text behind the value.", examples=["h"])]
Color = Annotated[Line, Field(max_length=50, examples=["blue"])]
Icon = Annotated[Line, Field(max_length=100, examples=["clock"])]
Permissions = Annotated[
    tuple[Role, ...],
    Field(max_length=len(Role)),
    AfterValidator(_in_order),
    Field(description="Roles that see the values, in addition to those that see the values of all metrics."),
]
RefreshRate = Annotated[
    int, Field(ge=60, le=86_400, description="In seconds: how often it is calculated.", examples=[300])
]


class Metric(DeletableRecord):
    name: MetricName
    description: Description | None = None
    category: MetricCategory
    query: Query
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
    is_system: Annotated[bool, Field(description="It comes with the product and can't be changed.")] = False

    def data(self) -> dict[str, Any]:
        # One text: a query may hold anything, and nothing ever looks inside it here.
        return {**super().data(), "query": json.dumps(self.query)}


METRICS = ListedCollection(
    entity="metric",
    record=Metric,
    called=lambda metric: metric.name,
    shown_as=Metric,
    search=lambda metric: (metric.name, metric.category),
    sort_fields=("name", "category"),
    facets=lambda metric: {"category": metric.category.value},
    cursor_list="a search or a category",
)


def create(unit: UnitOfWork, metric: Metric, now: datetime) -> Metric:
    """Due at once. VALIDATION_ERROR beyond MAX_METRICS."""
    METRICS.create(unit, metric)
    metric_states.add(unit, metric.id, refresh_rate=metric.refresh_rate, due_at=now)
    _count(unit, 1)
    return metric


def update(unit: UnitOfWork, metric: Metric, changes: Mapping[str, Any], now: datetime) -> Metric:
    """Make the metric due at once; results of another query are dropped."""
    after = METRICS.update(unit, metric, changes)
    is_other = after.query != metric.query
    metric_states.redefine(unit, metric.id, refresh_rate=after.refresh_rate, due_at=now, forget=is_other)
    return after


def delete(unit: UnitOfWork, metric: Metric) -> Metric:
    deleted = METRICS.delete(unit, metric)
    metric_states.remove(unit, metric.id)
    _count(unit, -1)
    return deleted


def _count(unit: UnitOfWork, by: int) -> None:
    holder = ORGANIZATIONS.key(unit.organization, unit.organization)
    refusal = f"an organization may have at most {MAX_METRICS:,} metrics of its own"
    quotas.count(unit, holder, METRICS.entity, by, maximum=MAX_METRICS, refusal=refusal)
