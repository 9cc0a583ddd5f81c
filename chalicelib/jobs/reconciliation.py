"""Compares rollups with what they are made of: every night a message an organization on the metrics queue."""

from __future__ import annotations

from chalicelib.core.observability import logger
from chalicelib.core.settings import settings
from chalicelib.dal import metric_states
from chalicelib.dal.metric_states import SHARDS
from chalicelib.jobs import queues


def schedule() -> int:
    """Queues every organization that has metrics; returns how many."""
    organizations = [each for shard in range(SHARDS) for each in metric_states.organizations(shard)]
    messages = [{"kind": "reconcile", "organizationId": str(organization)} for organization in organizations]
    queues.send(settings().metrics_queue_url, messages)
    logger.info("reconciliation scheduled", extra={"organizations": len(organizations)})
    return len(organizations)
