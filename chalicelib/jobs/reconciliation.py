"""Reconciliation of rollups and activities with their sources: every night, or when an operator asks for it.

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
from chalicelib.core.contracts import Contract
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import emit, logger
from chalicelib.core.settings import settings
from chalicelib.dal.due_index import SHARDS
from chalicelib.jobs import activity_reconciliation, queues, user_erasure
from chalicelib.metrics.rollups import reconcile
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.models.dashboards import metric_states
from chalicelib.models.organizations import ORGANIZATIONS

_ROWS_A_SHARD = 50_000
"""The cells of so many entities fit a function's memory."""

NIGHTS = timedelta(days=3)
"""Span of the audit log that is compared each night: a night that fails is made up for by the next two."""
_STREAM_PATIENCE = timedelta(minutes=15)
"""Time for the stream to carry an entry on before a night counts its activity as missing."""


class Reconciliation(Contract):
    """A message: first all entities of a source, page by page; then its cells, lot by lot."""

    kind: Literal["reconcile"] = "reconcile"
    organization_id: UUID
    source: Annotated[str | None, Field(description="None for all of them.")] = None
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
        organizations = [organization for shard in range(SHARDS) for organization in metric_states.organizations(shard)]
    _send(*(Reconciliation(organization_id=organization, since=since, until=until) for organization in organizations))
    logger.info("reconciliation scheduled", extra={"organizations": len(organizations)})
    return len(organizations)


def work(message: Mapping[str, Any]) -> None:
    """One page or lot; the next one is another message. Twice is as good as once."""
    request = Reconciliation.model_validate(message)
    if request.source is None:
        organization, now = OrganizationId(request.organization_id), clock.now()
        activity_reconciliation.schedule(
            organization, request.since or now - NIGHTS, request.until or now - _STREAM_PATIENCE
        )
        _send(*(Reconciliation(organization_id=organization, source=source) for source in SOURCES))
        user_erasure.schedule(organization, ORGANIZATIONS.get(organization, organization).erasing)
    elif request.shard is None:
        _reapply_missed(request, request.source)
    else:
        _fix_drift(request, request.source, request.shard)


def _reapply_missed(request: Reconciliation, source: str) -> None:
    page = reconcile.reapply_missed(OrganizationId(request.organization_id), source, request.after)
    _log(request, source, reapplied=page.reapplied)
    seen = request.seen + page.seen
    if page.after is not None:
        _send(request.model_copy(update={"after": page.after, "seen": seen}))
    else:
        _send(request.model_copy(update={"after": None, "shard": 0, "shards": 1 + seen // _ROWS_A_SHARD}))


def _fix_drift(request: Reconciliation, source: str, shard: int) -> None:
    fixed = reconcile.fix_drift(OrganizationId(request.organization_id), source, shard, request.shards)
    _log(request, source, fixed=fixed)
    if shard + 1 < request.shards:
        _send(request.model_copy(update={"shard": shard + 1}))


def _log(request: Reconciliation, source: str, *, reapplied: int = 0, fixed: int = 0) -> None:
    extra = {"organization_id": str(request.organization_id), "source": source, "healed": reapplied, "repaired": fixed}
    logger.info("rollups compared", extra=extra)
    emit({"job": "reconcile"}, RollupDrift=reapplied + fixed)


def _send(*messages: Reconciliation) -> None:
    queues.send(
        settings().metrics_queue_url, [message.model_dump(mode="json", exclude_none=True) for message in messages]
    )
