"""Helpers for metrics: the number of workers, which a test changes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.metrics.rollups.apply import sync_entity
from chalicelib.models.dashboards import metric_states
from chalicelib.models.dashboards.metric_enums import MetricCategory
from chalicelib.models.dashboards.metric_states import MetricState
from chalicelib.models.dashboards.metrics import METRICS, Metric
from chalicelib.models.organizations import ORGANIZATIONS, StoredOrganization
from tests.support.factories import Organization, unique
from tests.support.staffing import created, new_worker
from tests.support.store import Store

HEADCOUNT = {"version": 1, "type": "snapshot", "source": "workers", "aggregate": "count", "period": "today"}
LIMITS = {"warningThreshold": 1, "criticalThreshold": 2}
"""Thresholds of the number of workers."""


@dataclass
class Gauges:
    organization: Organization
    workers: list[str] = field(default_factory=list)

    @property
    def tenant(self) -> OrganizationId:
        return self.organization.id

    @property
    def stored(self) -> StoredOrganization:
        return ORGANIZATIONS.get(self.tenant, self.tenant)

    def new(self, **fields: Any) -> str:
        """Create a metric of the number of workers, refreshed every minute; return its id."""
        metric = {"name": unique("Workers"), "category": "OPERATIONAL", "query": HEADCOUNT, "refreshRate": 60, **fields}
        return str(created(self.organization.owner, "createDashboardMetric", **metric)["id"])

    def many(self, store: Store, count: int, *, defined: int | None = None) -> list[str]:
        """Write further due metrics directly to the table; only the first `defined` have a definition."""
        now = clock.now()
        metrics = [
            Metric.new(name=unique("Workers"), category=MetricCategory.OPERATIONAL, query=HEADCOUNT, refresh_rate=60)
            for _ in range(count)
        ]
        states = [MetricState(row=str(metric.id), refresh_rate=60, due_at=now) for metric in metrics]
        items = [metric_states.item(self.tenant, state) for state in states]
        items += [METRICS.item(self.tenant, metric) for metric in metrics[:defined]]
        store.put(item.serialize() for item in items)
        return [state.row for state in states]

    def set(self, count: int) -> None:
        """Create or delete workers until there are `count`."""
        while len(self.workers) != count:
            if len(self.workers) < count:
                self.workers.append(new_worker(self.organization.owner)["id"])
                changed = self.workers[-1]
            else:
                changed = self.workers.pop()
                self.organization.owner.call("deleteWorker", path={"id": changed})
            sync_entity(self.tenant, "workers", UUID(changed))

    def spoil(self, metric: str) -> None:
        """Make the metric's query invalid, as if a deployment had removed its source."""
        query = json.dumps({**HEADCOUNT, "source": "unicorns"})
        table.update(METRICS.key(self.tenant, UUID(metric)), [Item.data["query"].set(query)])

    def state(self, row: str) -> MetricState:
        return metric_states.read(self.tenant, [row])[row]

    def values(self, row: str) -> list[float | None]:
        return [result.value for result in self.state(row).results.values()]

    def points(self, metric: str) -> list[tuple[str, float | None]]:
        """Return the history of a metric, oldest first."""
        answer = self.organization.owner.call(
            "getMetricHistory", path={"id": metric}, query={"sortOrder": "asc", "limit": 100}
        )
        return [(point["asOf"], point["value"]) for point in answer.data["items"]]

    def recorded(self, metric: str) -> list[tuple[str, str]]:
        """Return severity and title of the activities about the metric's status, oldest first."""
        path = {"entityType": "metric", "entityId": metric}
        answer = self.organization.owner.call("getActivitiesByEntity", path=path, query={"limit": 100})
        activities = [row for row in answer.data["items"] if row["action"] == "METRIC_STATUS_CHANGED"]
        return [(row["severity"], row["title"]) for row in reversed(activities)]
