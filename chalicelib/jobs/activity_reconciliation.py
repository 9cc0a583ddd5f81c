"""Reconciles the activity feed with the audit log: activities that the stream gave up are made from their entries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Contract
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import emit, logger
from chalicelib.core.settings import settings
from chalicelib.jobs import activity_feed, queues
from chalicelib.models import audit

_MAX_ENTRIES = 200
"""Entries of a message: each may be a write."""


class ActivityReconciliation(Contract):
    """A message: a page of the audit log of a range of time."""

    kind: Literal["reconcileActivities"] = "reconcileActivities"
    organization_id: UUID
    since: Instant
    until: Instant
    after: Annotated[str | None, Field(description="The entry behind which it goes on.")] = None


def schedule(organization: OrganizationId, since: datetime, until: datetime) -> None:
    _send(ActivityReconciliation(organization_id=organization, since=since, until=until))


def work(message: Mapping[str, Any]) -> None:
    """One page; the next one is another message. Twice, or at once, is as good as once."""
    piece = ActivityReconciliation.model_validate(message)
    organization = OrganizationId(piece.organization_id)
    page = audit.page_between(organization, piece.since, piece.until, after=piece.after, limit=_MAX_ENTRIES)
    restored = activity_feed.restore(organization, page.items)
    extra = {"organization_id": str(organization), "entries": len(page.items), **restored._asdict()}
    logger.info("activities compared", extra=extra)
    emit({"job": "reconcile"}, RestoredActivities=restored.written, UnreadableAuditEntries=restored.unreadable)
    if page.last is not None:
        _send(piece.model_copy(update={"after": page.last}))


def _send(message: ActivityReconciliation) -> None:
    queues.send(settings().metrics_queue_url, [message.model_dump(mode="json", exclude_none=True)])
