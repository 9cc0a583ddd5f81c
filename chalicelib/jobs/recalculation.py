"""Recalculates metrics when they are due: every minute a message an organization on the metrics queue.

The schedule writes nothing to the table, so one that dies, or overlaps the next, changes nothing: what a message finds
no longer due is left as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.contracts import Contract
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import emit, logger
from chalicelib.core.settings import settings
from chalicelib.dal import metric_states
from chalicelib.dal.metric_states import SHARDS
from chalicelib.dal.organizations import ORGANIZATIONS
from chalicelib.jobs import queues
from chalicelib.jobs.changes import Change, Kind
from chalicelib.metrics.recalculation import recalculate

_NAMED_ROWS = 100
"""So many are one read."""


class Recalculation(Contract):
    """A message: rows of `dal.metric_states`; without any, all of the organization that are due."""

    kind: Literal["recalculate"] = "recalculate"
    organization_id: UUID
    rows: list[str] | None = None


def tick() -> int:
    """Queues what is due; returns how many rows."""
    now = clock.now()
    due: dict[OrganizationId, list[str]] = {}
    for shard in range(SHARDS):
        for organization, row in metric_states.due(shard, now):
            due.setdefault(organization, []).append(row)
    messages = [
        Recalculation(organization_id=organization, rows=rows if len(rows) <= _NAMED_ROWS else None)
        for organization, rows in due.items()
    ]
    queues.send(settings().metrics_queue_url, [each.model_dump(mode="json", exclude_none=True) for each in messages])
    count = sum(len(rows) for rows in due.values())
    logger.info("metrics scheduled", extra={"rows": count, "organizations": len(due)})
    emit({"job": "scheduleMetrics"}, DueRows=count, DueOrganizations=len(due))
    return count


def work(message: Mapping[str, Any]) -> None:
    """Twice is as good as once: what is not due any more is passed over."""
    wanted = Recalculation.model_validate(message)
    organization = ORGANIZATIONS.get(OrganizationId(wanted.organization_id), wanted.organization_id)
    done = recalculate(organization, wanted.rows, clock.now(), only_due=True)
    failed = sum(result.error is not None for result in done.results.values())
    logger.info(
        "metrics recalculated",
        extra={"organization_id": str(organization.id), "metrics": len(done.results), "failed": failed},
    )
    emit({"job": "recalculateMetrics"}, Metrics=len(done.results), FailedMetrics=failed, StatusChanges=done.told)


def begin(change: Change) -> None:
    """Makes the metrics that come with the product due in an organization that is new."""
    if change.kind is Kind.INSERT and change.entity is not None and change.entity.kind == ORGANIZATIONS.kind:
        metric_states.found(change.entity.organization, clock.now())
