"""The nightly comparison of rollups with what they are made from, a page at a time on the metrics queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Contract
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import emit, logger
from chalicelib.core.settings import settings
from chalicelib.jobs import queues
from chalicelib.metrics import reconciling
from chalicelib.metrics.sources import SOURCES

_ROWS_A_SHARD = 50_000
"""The cells of so many entities fit a function's memory."""


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


def work(message: Mapping[str, Any]) -> None:
    """One page or lot; the next one is another message. Twice is as good as once."""
    wanted = Reconciliation.model_validate(message)
    if wanted.source is None:
        for source in SOURCES:
            _send(wanted.model_copy(update={"source": source}))
    elif wanted.shard is None:
        _heal(wanted, wanted.source)
    else:
        _repair(wanted, wanted.source, wanted.shard)


def _heal(wanted: Reconciliation, source: str) -> None:
    page = reconciling.heal(OrganizationId(wanted.organization_id), source, wanted.after)
    _tell(wanted, source, healed=page.healed)
    seen = wanted.seen + page.seen
    if page.after is not None:
        _send(wanted.model_copy(update={"after": page.after, "seen": seen}))
    else:
        _send(wanted.model_copy(update={"after": None, "shard": 0, "shards": 1 + seen // _ROWS_A_SHARD}))


def _repair(wanted: Reconciliation, source: str, shard: int) -> None:
    repaired = reconciling.repair(OrganizationId(wanted.organization_id), source, shard, wanted.shards)
    _tell(wanted, source, repaired=repaired)
    if shard + 1 < wanted.shards:
        _send(wanted.model_copy(update={"shard": shard + 1}))


def _tell(wanted: Reconciliation, source: str, *, healed: int = 0, repaired: int = 0) -> None:
    extra = {"organization_id": str(wanted.organization_id), "source": source, "healed": healed, "repaired": repaired}
    logger.info("rollups compared", extra=extra)
    emit({"job": "reconcile"}, RollupDrift=healed + repaired)


def _send(message: Reconciliation) -> None:
    queues.send(settings().metrics_queue_url, [message.model_dump(mode="json", exclude_none=True)])
