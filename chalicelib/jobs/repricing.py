"""Applies assignments again whose rates have changed, page by page on the metrics queue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core import clock
from chalicelib.core.contracts import Contract
from chalicelib.core.days import start_of
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.core.settings import settings
from chalicelib.dal import table
from chalicelib.jobs import queues
from chalicelib.jobs.changes import Change, Kind
from chalicelib.metrics.rollups.apply import sync
from chalicelib.models.organizations import ORGANIZATIONS
from chalicelib.models.staffing import assignment_search
from chalicelib.models.staffing.assignment_search import AssignmentFilter
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.workers import WORKERS

_A_MESSAGE = 50
"""Assignments: a few transactions."""

_SCOPES = {POSITIONS.kind: "position_id", WORKERS.kind: "worker_id"}


class Repricing(Contract):
    """A message: assignments of a position, a worker or everybody that overlap some time."""

    kind: Literal["reprice"] = "reprice"
    organization_id: UUID
    position_id: UUID | None = None
    worker_id: UUID | None = None
    since: Instant | None = None
    until: Instant | None = None
    after: Annotated[str | None, Field(description="Where the page before ended.")] = None


def order(change: Change) -> None:
    """Queue the re-pricing of assignments after a change of rates, or of the zone and currency in which they hold."""
    if change.kind is not Kind.MODIFY or change.entity is None:
        return
    organization, kind, identifier = change.entity
    if kind in _SCOPES:
        span = _changed_days(table.plain(change.old, "rates"), table.plain(change.new, "rates"))
        if span is not None:
            zone = ORGANIZATIONS.get(organization, organization).timezone
            since, until = (None if day is None else start_of(day, zone) for day in span)
            whose = Repricing(organization_id=organization, since=since, until=until)
            _send(whose.model_copy(update={_SCOPES[kind]: identifier}))
    elif kind == ORGANIZATIONS.kind and _grounds(change.old) != _grounds(change.new):
        _send(Repricing(organization_id=organization))


def work(message: Mapping[str, Any]) -> None:
    """One page; the next one is another message. Twice is as good as once."""
    request = Repricing.model_validate(message)
    organization = OrganizationId(request.organization_id)
    chosen = AssignmentFilter(
        position_id=request.position_id, worker_id=request.worker_id, since=request.since, until=request.until
    )
    page = assignment_search.find(
        organization, chosen, clock.now(), after=request.after, limit=_A_MESSAGE, forward=True
    )
    sync(organization, "assignments", page.ids).require()
    if page.last is not None:
        _send(request.model_copy(update={"after": page.last}))


def _send(message: Repricing) -> None:
    queues.send(settings().metrics_queue_url, [message.model_dump(mode="json", exclude_none=True)])


def _changed_days(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[date, date | None] | None:
    """Return the first and last day on which other rates hold; None for no change."""
    changed = [day for day in {*before, *after} if before.get(day) != after.get(day)]
    if not changed:
        return None
    later = [day for day in {*before, *after} if day > max(changed)]
    return date.fromisoformat(min(changed)), date.fromisoformat(min(later)) if later else None


def _grounds(organization: Mapping[str, Any]) -> tuple[Any, Any]:
    data = table.plain(dict(organization), "data")
    return data.get("timezone"), data.get("currency")
