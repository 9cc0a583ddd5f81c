"""The data of widgets: a form for each type."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Contract
from chalicelib.core.days import Day
from chalicelib.core.field_types import Instant
from chalicelib.metrics.language.periods import NamedPeriod, Step
from chalicelib.metrics.results import MetricResult
from chalicelib.metrics.rollups.sources.fields import Unit
from chalicelib.models.activities.read_state import MarkedActivity
from chalicelib.models.dashboards.metric_enums import ChartType
from chalicelib.models.dashboards.quick_actions import QuickAction
from chalicelib.models.dashboards.widgets import WidgetType
from chalicelib.modules.assignments.contracts import AssignmentDetails

KnownValue = Annotated[float | None, Field(description="Null where there is no value.", examples=[37.5])]


class WidgetFault(StrEnum):
    METRIC_DELETED = "METRIC_DELETED"
    METRIC_FAILED = "METRIC_FAILED"


class WidgetError(Contract):
    """Why a widget has no data though all is right with the request."""

    code: WidgetFault
    message: Annotated[str, Field(examples=["this metric is deleted: choose another one"])]


class _Data(Contract):
    widget_id: UUID
    as_of: Annotated[Instant, Field(description="Instant of the data: at most a minute ago.")]


class _MetricData(_Data):
    error: Annotated[WidgetError | None, Field(examples=[None])] = None


class _DataOverPeriod(_MetricData):
    period: Annotated[
        NamedPeriod | None,
        Field(description="The requested period; null where the data is over the metric's own.", examples=[None]),
    ] = None


class MetricData(_MetricData):
    type: Literal[WidgetType.METRIC] = WidgetType.METRIC
    metric: MetricResult | None = None


class ChartPoint(Contract):
    """A day, week or month; the first and the last one only as far as the period goes."""

    start: Instant
    end: Instant
    day: Annotated[Day, Field(description="The first one, in the organization's time zone.")]
    value: KnownValue


class ChartGroup(Contract):
    key: Annotated[str, Field(description="The id, or the value itself.")]
    label: Annotated[str, Field(examples=["Hansekontor Logistik"])]
    value: KnownValue


class ChartData(_DataOverPeriod):
    type: Literal[WidgetType.CHART] = WidgetType.CHART
    unit: Annotated[Unit | None, Field(description="Money is in major units of the organization's currency.")] = None
    chart_type: Annotated[
        ChartType | None,
        Field(description="The chart that is drawn: the requested one, or the nearest for data of this form."),
    ] = None
    step: Annotated[Step | None, Field(description="Of `points`; a longer one where there would be over 400.")] = None
    points: tuple[ChartPoint, ...] = ()
    previous_points: Annotated[
        tuple[ChartPoint, ...], Field(description="Points of the other period, at the same places.")
    ] = ()
    groups: Annotated[tuple[ChartGroup, ...], Field(description="Of a metric that is grouped.")] = ()
    value: KnownValue = None
    """The value of a gauge or a number."""
    previous: KnownValue = None
    spec: Annotated[
        dict[str, Any] | None,
        Field(
            description="A Vega-Lite v6 view with its data, as wide as its container.",
            examples=[{"$schema": "https://vega.github.io/schema/vega-lite/v6.json"}],
        ),
    ] = None


class ColumnType(StrEnum):
    DATE = "date"
    HOURS = "hours"
    INSTANT = "instant"
    MONEY = "money"
    NUMBER = "number"
    PERCENT = "percent"
    TEXT = "text"


class Column(Contract):
    name: Annotated[str, Field(description="Name of the field in each row.", examples=["group"])]
    label: Annotated[str, Field(examples=["Client"])]
    type: ColumnType


class TableData(_DataOverPeriod):
    type: Literal[WidgetType.TABLE] = WidgetType.TABLE
    columns: tuple[Column, ...] = ()
    rows: Annotated[
        tuple[dict[str, float | str | None], ...],
        Field(examples=[[{"group": "Hansekontor Logistik", "value": 37.5}]]),
    ] = ()


class ActivityFeedData(_Data):
    type: Literal[WidgetType.ACTIVITY_FEED] = WidgetType.ACTIVITY_FEED
    activities: Annotated[list[MarkedActivity], Field(description="Newest first, without what the caller archived.")]


class QuickActionsData(_Data):
    type: Literal[WidgetType.QUICK_ACTIONS] = WidgetType.QUICK_ACTIONS
    quick_actions: Annotated[list[QuickAction], Field(description="Those that the caller may run.")]


class CalendarData(_Data):
    type: Literal[WidgetType.CALENDAR] = WidgetType.CALENDAR
    from_: Annotated[date, Field(alias="from")]
    to: Annotated[date, Field(description="Inclusive.")]
    timezone: Annotated[str, Field(examples=["Europe/Berlin"])]
    assignments: Annotated[
        list[AssignmentDetails],
        Field(description="That overlap these days, by start; cancelled ones only where `status` asks for them."),
    ]
    is_complete: Annotated[bool, Field(description="False: there are more than `limit`.")]


WidgetData = Annotated[
    MetricData | ChartData | TableData | ActivityFeedData | QuickActionsData | CalendarData,
    Field(discriminator="type"),
]
