"""The metrics of an organization: its own and the system metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from uuid import UUID

from chalicelib.auth.permissions import PERMISSIONS, Permission
from chalicelib.auth.principal import Principal
from chalicelib.core.errors import forbidden
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.collection import is_deleted
from chalicelib.metrics import system_metrics
from chalicelib.metrics.language.errors import InvalidQuery
from chalicelib.metrics.language.query import measures_money, parse
from chalicelib.metrics.system_metrics import SystemMetric
from chalicelib.models.dashboards.metric_states import SYSTEM
from chalicelib.models.dashboards.metrics import METRICS, Metric
from chalicelib.models.users import Role

_RELEASED = datetime(2026, 1, 1, tzinfo=UTC)
"""Creation time of the system metrics, for lists ordered by age."""


def as_metric(metric: SystemMetric) -> Metric:
    return Metric(
        id=metric.id,
        created_at=_RELEASED,
        updated_at=_RELEASED,
        version=1,
        name=metric.name,
        description=metric.description,
        category=metric.category,
        query=metric.query.model_dump(mode="json"),
        unit=metric.unit,
        format=metric.format,
        direction=metric.direction,
        chart_type=metric.chart_type,
        color=metric.color,
        icon=metric.icon,
        refresh_rate=metric.refresh_rate,
        is_system=True,
    )


SYSTEM_METRICS: Mapping[UUID, Metric] = {metric.id: as_metric(metric) for metric in system_metrics.SYSTEM.values()}


def get(organization: OrganizationId, identifier: UUID) -> Metric:
    """Return a metric. Raises NOT_FOUND if the organization does not have it."""
    return SYSTEM_METRICS.get(identifier) or METRICS.get(organization, identifier)


def get_many(organization: OrganizationId, identifiers: Iterable[UUID]) -> dict[UUID, Metric]:
    """Return metrics by id, without unknown and deleted ones."""
    ids = set(identifiers)
    system = {identifier: SYSTEM_METRICS[identifier] for identifier in ids & SYSTEM_METRICS.keys()}
    own = METRICS.get_many(organization, ids - SYSTEM_METRICS.keys())
    return system | {identifier: metric for identifier, metric in own.items() if not is_deleted(metric)}


def row_of(metric: UUID) -> str:
    """Return the row of `models.dashboards.metric_states` that holds the metric's last result."""
    return SYSTEM if metric in SYSTEM_METRICS else str(metric)


def may_see_values(principal: Principal, metric: Metric) -> bool:
    return shown_to(principal.user.role, metric)


def shown_to(role: Role, metric: Metric) -> bool:
    """Return True if the role may see the metric's values."""
    if Permission.METRICS_VALUES_READ in PERMISSIONS[role]:
        return True
    # Amounts are for those who may read rates, whomever the metric names.
    return role in metric.permissions and not shows_money(metric)


def shows_money(metric: Metric) -> bool:
    """Return True if the values follow from amounts; also of a query that the catalogue no longer takes."""
    try:
        return measures_money(parse(metric.query))
    except InvalidQuery:
        return True


def require_values(principal: Principal, metric: Metric) -> None:
    if not may_see_values(principal, metric):
        raise forbidden(f"the role {principal.user.role} may not see the values of {metric.name}")
