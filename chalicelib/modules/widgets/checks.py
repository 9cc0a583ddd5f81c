"""Existence checks of the entities that configs name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.core.errors import invalid_field, invalid_fields
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.collection import Collection, get_together, is_deleted
from chalicelib.metrics import definitions
from chalicelib.models.dashboards.widgets import WidgetType
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS
from chalicelib.models.staffing.workers import WORKERS
from chalicelib.modules.widgets import configs
from chalicelib.modules.widgets.configs import CalendarConfig, ChartConfig, MetricConfig, TableConfig

_FILTERS: Mapping[str, Collection[Any]] = {
    "worker_id": WORKERS,
    "position_id": POSITIONS,
    "work_location_id": WORK_LOCATIONS,
    "client_id": CLIENTS,
}


def require(organization: OrganizationId, kind: WidgetType, config: Mapping[str, Any]) -> None:
    """Refuse a config that names an entity which the organization does not have: VALIDATION_ERROR. At most one read."""
    named = configs.stored(kind, config)
    if isinstance(named, MetricConfig | ChartConfig | TableConfig):
        if named.metric_id is not None and not definitions.get_many(organization, [named.metric_id]):
            raise invalid_field("config.metricId", "is not a metric of the organization")
    elif isinstance(named, CalendarConfig):
        _require_filters(organization, named)


def _require_filters(organization: OrganizationId, config: CalendarConfig) -> None:
    named = {name: value for name in _FILTERS if (value := getattr(config, name)) is not None}
    if not named:
        return
    matching = get_together(organization, [(_FILTERS[name], [value]) for name, value in named.items()])
    errors: dict[str, list[str]] = {}
    for (name, value), entities in zip(named.items(), matching, strict=True):
        if value not in entities or is_deleted(entities[value]):
            collection = _FILTERS[name]
            errors[f"config.{collection.entity}Id"] = [f"is not a {collection.entity} of the organization"]
    if errors:
        raise invalid_fields(errors)
