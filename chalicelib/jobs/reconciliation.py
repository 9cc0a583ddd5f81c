"""Compares rollups and activities with what they are made from: every night, or when an operator asks for it.

A message on the metrics queue for each organization, which makes one for each source and one for the activity feed,
which go on page by page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core import clock
from chalicelib.core.contracts import Contract, Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import emit, logger
from chalicelib.core.settings import settings
from chalicelib.jobs import activity_reconciliation, queues
from chalicelib.metrics.rollups import reconcile
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.models.dashboards import metric_states
from chalicelib.models.dashboards.metric_states import SHARDS

_ROWS_A_SHARD = 50_000
"""The cells of so many entities fit a function's memory."""

NIGHTS = timedelta(days=3)
"""So much of the audit log is compared each night: a night that fails is made up for by the next two."""
_STREAM_PATIENCE = timedelta(minutes=15)
"""So long the stream has to carry an entry on before a night calls its activity missing."""


class Reconciliation(Contract):
    """A message: first all entities of a source, page by page; then its cells, lot by lot."""

    kind: Literal["reconcile"] = "reconcile"
    organization_id: UUID
    source: Annotated[str | None, Field(description="None for each of them.")] = None
    after: Annotated[str | None, Field(description="Where the page of entities before ended.")] = None
    seen: Annotated[int, Field(description="Entities up to there.")] = 0
    shard: Annotated[int | None, Field(description="The lot of cells; None as long as entities are gone through.")] = (
        None
    )
    shards: int = 1
    since: Annotated[Instant | None, Field(description="The range of the audit log; None for the last days.")] = None
    until: Instant | None = None


def schedule(
    organizations: Sequence[OrganizationId] | None = None,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int:
    """Queues organizations, or all that are awake; how many. The range concerns activities alone."""
    if organizations is None:
        organizations = [each for shard in range(SHARDS) for each in metric_states.organizations(shard)]
    _send(*(Reconciliation(organization_id=each, since=since, until=until) for each in organizations))
    logger.info("reconciliation scheduled", extra={"organizations": len(organizations)})
    return len(organizations)


def work(message: Mapping[str, Any]) -> None:
    """One page or lot; the next one is another message. Twice is as good as once."""
    wanted = Reconciliation.model_validate(message)
    if wanted.source is None:
        organization, now = OrganizationId(wanted.organization_id), clock.now()
        activity_reconciliation.schedule(
            organization, wanted.since or now - NIGHTS, wanted.until or now - _STREAM_PATIENCE
        )
        _send(*(Reconciliation(organization_id=organization, source=source) for source in SOURCES))
    elif wanted.shard is None:
        _heal(wanted, wanted.source)
    else:
        _repair(wanted, wanted.source, wanted.shard)


def _heal(wanted: Reconciliation, source: str) -> None:
    page = reconcile.reapply_missed(OrganizationId(wanted.organization_id), source, wanted.after)
    _tell(wanted, source, healed=page.healed)
    seen = wanted.seen + page.seen
    if page.after is not None:
        _send(wanted.model_copy(update={"after": page.after, "seen": seen}))
    else:
        _send(wanted.model_copy(update={"after": None, "shard": 0, "shards": 1 + seen // _ROWS_A_SHARD}))


def _repair(wanted: Reconciliation, source: str, shard: int) -> None:
    repaired = reconcile.fix_drift(OrganizationId(wanted.organization_id), source, shard, wanted.shards)
    _tell(wanted, source, repaired=repaired)
    if shard + 1 < wanted.shards:
        _send(wanted.model_copy(update={"shard": shard + 1}))


def _tell(wanted: Reconciliation, source: str, *, healed: int = 0, repaired: int = 0) -> None:
    extra = {"organization_id": str(wanted.organization_id), "source": source, "healed": healed, "repaired": repaired}
    logger.info("rollups compared", extra=extra)
    emit({"job": "reconcile"}, RollupDrift=healed + repaired)


def _send(*messages: Reconciliation) -> None:
    queues.send(settings().metrics_queue_url, [each.model_dump(mode="json", exclude_none=True) for each in messages])
