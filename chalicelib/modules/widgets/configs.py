"""The configs of each type of widget."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import CoreSchema

from chalicelib.action.validation import collect
from chalicelib.core.contracts import Contract
from chalicelib.core.errors import invalid_fields
from chalicelib.metrics.language.periods import Step
from chalicelib.models.activities.activities import ActivityType
from chalicelib.models.dashboards.widgets import Widget, WidgetType
from chalicelib.models.staffing.assignments import AssignmentStatus

StepField = Annotated[Step, Field(description="The time of a point, for a metric that is not grouped.")]
MetricId = Annotated[UUID, Field(description="Of the organization's own, or one that comes with the product.")]


class _Config(Contract):
    # One class for input and output, where all fields are present.
    model_config = ConfigDict(json_schema_serialization_defaults_required=False)


class MetricConfig(_Config):
    metric_id: MetricId


class ChartConfig(_Config):
    """A metric over the days, weeks or months of its period; by group, if it is grouped."""

    metric_id: MetricId
    step: StepField = Step.DAY
    show_previous: Annotated[
        bool, Field(description="Adds the values of the other period to a metric over time, step by step.")
    ] = True
    show_thresholds: Annotated[
        bool, Field(description="The metric's target and thresholds, where its points can be held against them.")
    ] = True


class TableConfig(_Config):
    """A row a group; of a metric that is not grouped, a row a day, week or month of its period, the latest first."""

    metric_id: Annotated[UUID | None, Field(description="By default, the latest assignments instead.")] = None
    step: StepField = Step.DAY
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class ActivityFeedConfig(_Config):
    activity_type: ActivityType | None = None
    limit: Annotated[int, Field(ge=1, le=50)] = 10


class QuickActionsConfig(_Config):
    """Those that the caller may run, in their own order."""

    quick_action_ids: Annotated[
        tuple[UUID, ...] | None, Field(min_length=1, max_length=50, description="By default all.")
    ] = None
    limit: Annotated[int, Field(ge=1, le=50)] = 12


class CalendarConfig(_Config):
    """Assignments of some days around today, in the organization's time zone."""

    days_back: Annotated[int, Field(ge=0, le=31)] = 0
    days_ahead: Annotated[int, Field(ge=0, le=62)] = 13
    worker_id: UUID | None = None
    position_id: UUID | None = None
    work_location_id: UUID | None = None
    client_id: UUID | None = None
    status: AssignmentStatus | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 100


WidgetConfig = MetricConfig | ChartConfig | TableConfig | ActivityFeedConfig | QuickActionsConfig | CalendarConfig


class _DescribedAs:
    """Puts a schema on a field that holds JSON values."""

    def __init__(self, described: Any) -> None:
        self._described = described

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler(source)

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(TypeAdapter(self._described).core_schema)


ConfigField = Annotated[dict[str, Any], _DescribedAs(WidgetConfig)]
"""JSON's values; its form follows from the widget's type."""

CONFIGS: Mapping[WidgetType, type[WidgetConfig]] = {
    WidgetType.METRIC: MetricConfig,
    WidgetType.CHART: ChartConfig,
    WidgetType.TABLE: TableConfig,
    WidgetType.ACTIVITY_FEED: ActivityFeedConfig,
    WidgetType.QUICK_ACTIONS: QuickActionsConfig,
    WidgetType.CALENDAR: CalendarConfig,
}


def read(kind: WidgetType, value: Any) -> WidgetConfig:
    """Read a config from JSON values, as strictly as a body. Raises Pydantic's ValidationError."""
    return CONFIGS[kind].model_validate_json(json.dumps(value), strict=True, by_alias=True, by_name=False)


def read_field(kind: WidgetType, value: Any) -> WidgetConfig:
    """Read a field `config` whose type only the entity knows. VALIDATION_ERROR."""
    try:
        return read(kind, value)
    except ValidationError as error:
        errors: dict[str, list[str]] = {}
        collect(errors, error, "")
        raise invalid_fields({f"config.{path}".rstrip("."): messages for path, messages in errors.items()}) from None


def stored_form(config: WidgetConfig) -> dict[str, Any]:
    """Return a config as it is stored."""
    return config.model_dump(mode="json")


def stored(kind: WidgetType, value: Mapping[str, Any]) -> WidgetConfig:
    """Read a stored config. Newer code may have written fields that this one does not know."""
    return CONFIGS[kind].model_validate(value, extra="ignore")


def metric_of(widget: Widget) -> UUID | None:
    """Return the metric whose values the widget shows."""
    config = stored(widget.type, widget.config)
    return config.metric_id if isinstance(config, MetricConfig | ChartConfig | TableConfig) else None
