"""Contracts of arranging widgets, and a widget as it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, GetJsonSchemaHandler, ValidationInfo, field_validator
from pydantic_core import CoreSchema

from chalicelib.core.contracts import Body, Contract, CursorQuery, Patch, Query, optional
from chalicelib.core.field_types import Flag
from chalicelib.metrics.language.periods import NamedPeriod
from chalicelib.models.dashboards.metric_enums import ChartType
from chalicelib.models.dashboards.widgets import (
    DataSource,
    Permissions,
    Placement,
    RefreshRate,
    Widget,
    WidgetName,
    WidgetScope,
    WidgetTitle,
    WidgetType,
)
from chalicelib.modules.widgets import configs
from chalicelib.modules.widgets.configs import CONFIGS, ConfigField

Scope = Annotated[
    WidgetScope | None,
    Field(description="By default ORGANIZATION of who may share widgets, PERSONAL of others.", examples=[None]),
]
Drawn = Annotated[
    ChartType | None,
    Field(description="How the spec of a CHART draws it; by default as the metric says.", examples=[ChartType.BAR]),
]


class CreateWidget(Body):
    name: Annotated[WidgetName | None, Field(description="By default the title, or the name of the type.")] = None
    title: WidgetTitle | None = None
    type: Annotated[WidgetType, Field(examples=[WidgetType.CALENDAR])]
    scope: Scope = None
    config: Annotated[ConfigField, Field(default_factory=dict, examples=[{"daysAhead": 6}], validate_default=True)]
    position: Placement
    data_source: DataSource | None = None
    refresh_rate: RefreshRate = 300
    is_visible: bool = True
    chart_type: Drawn = None
    permissions: Permissions = ()

    @field_validator("config")
    @classmethod
    def _fits_type(cls, config: Mapping[str, Any], info: ValidationInfo) -> Mapping[str, Any]:
        if "type" not in info.data:  # which is reported
            return config
        return configs.stored_form(configs.read(info.data["type"], config))

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Says which config goes with which type."""
        described = handler(core)
        schema = handler.resolve_ref_schema(described)
        forms = schema["properties"]["config"]["anyOf"]
        schema["oneOf"] = [
            {
                "properties": {"type": {"const": kind.value}, "config": form},
                "required": ["type", *["config"][: any(field.is_required() for field in config.model_fields.values())]],
            }
            for (kind, config), form in zip(CONFIGS.items(), forms, strict=True)
        ]
        return described


class UpdateWidget(Patch, of=CreateWidget):
    name: WidgetName = optional()
    type: Annotated[
        WidgetType, Field(description="Another one needs its own `config`.", examples=[WidgetType.CALENDAR])
    ] = optional()
    scope: Annotated[
        WidgetScope, Field(description="SHARED also withdraws one's own shared widget.", examples=["PERSONAL"])
    ] = optional()
    config: Annotated[ConfigField, Field(examples=[{"daysAhead": 20}])] = optional()


class GetWidgets(CursorQuery):
    scope: WidgetScope | None = None
    include_hidden: Annotated[
        Flag, Field(description="Those that are not visible too, as far as the caller may change them.")
    ] = False


class GetWidgetData(Query):
    period: Annotated[
        NamedPeriod | None,
        Field(
            description="Of a metric over time or by group: in place of the metric's own period.",
            examples=[NamedPeriod.LAST_30_DAYS],
        ),
    ] = None


class WidgetCreator(Contract):
    id: UUID
    name: Annotated[str, Field(examples=["Anna Berg"])]
    email: Annotated[str | None, Field(description="Null for a former user.", examples=["anna.berg@example.com"])]


class WidgetWithCreator(Widget):
    config: ConfigField
    creator: WidgetCreator


class ListedWidget(WidgetWithCreator):
    can_see_data: Annotated[
        bool, Field(description="False: its data are values of a metric that the caller may not see.", examples=[True])
    ]
