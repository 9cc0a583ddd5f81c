"""Syncs entities again whose rates or client have changed, page by page on the metrics queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from pydantic import Field

from chalicelib.core import clock
from chalicelib.core.contracts import Contract
from chalicelib.core.days import start_of
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.core.settings import settings
from chalicelib.dal import table
from chalicelib.dal.intervals import Slice
from chalicelib.jobs import queues
from chalicelib.jobs.changes import Change, Kind
from chalicelib.metrics.rollups.apply import sync
from chalicelib.models.organizations import ORGANIZATIONS
from chalicelib.models.staffing import assignment_search
from chalicelib.models.staffing.assignment_search import AssignmentFilter
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.workers import WORKERS
from chalicelib.models.time import rates, session_search, session_spans
from chalicelib.models.time.projects import PROJECTS
from chalicelib.models.time.session_search import SessionFilter

_A_MESSAGE = 50
"""Entities: a few transactions."""


class Repriced(StrEnum):
    """The entities of a message."""

    ASSIGNMENTS = "assignments"
    TIME_SESSIONS = "timeSessions"
    TIMERS = "timers"


class Repricing(Contract):
    """A message: entities of a position, a worker, a user, a project or everybody that overlap some time."""

    kind: Literal["reprice"] = "reprice"
    entities: Annotated[Repriced, Field(strict=False)] = Repriced.ASSIGNMENTS
    organization_id: UUID
    position_id: UUID | None = None
    worker_id: UUID | None = None
    user_id: UUID | None = None
    project_id: UUID | None = None
    since: Instant | None = None
    until: Instant | None = None
    after: Annotated[str | None, Field(description="Where the page before ended.")] = None


_OF_TIME = (Repriced.TIME_SESSIONS, Repriced.TIMERS)


class _Affected(NamedTuple):
    """The entities that a change may price anew."""

    organization: OrganizationId
    entities: tuple[Repriced, ...]
    scope: Mapping[str, UUID | None]
    """Fields of the message by name."""
    days: tuple[date, date | None] | None
    """The first day, and the one after the last; None for all."""


def enqueue(change: Change) -> None:
    """Queue the entities to sync after a change of rates, of a client, or of the organization's zone or currency."""
    messages = []
    for affected in _affected_by(change):
        since = until = None
        if affected.days is not None:
            zone = ORGANIZATIONS.get(affected.organization, affected.organization).timezone
            since, until = (None if day is None else start_of(day, zone) for day in affected.days)
        message = Repricing(organization_id=affected.organization, since=since, until=until)
        messages += [
            message.model_copy(update={**affected.scope, "entities": entities}) for entities in affected.entities
        ]
    if messages:
        _send(*messages)


def _affected_by(change: Change) -> Iterator[_Affected]:
    organization = rates.organization_of(change.key)
    if organization is not None:  # the first rate of a level is an INSERT
        if (days := _changed_days(change)) is not None:
            yield _Affected(organization, _OF_TIME, rates.scope_of(change.key.sk)._asdict(), days)
        return
    if change.kind is not Kind.MODIFY or change.entity is None:
        return
    organization, kind, identifier = change.entity
    if kind in _SCOPES:
        if (days := _changed_days(change)) is not None:
            yield _Affected(organization, (Repriced.ASSIGNMENTS,), {_SCOPES[kind]: identifier}, days)
    elif kind == ORGANIZATIONS.kind and _differs(change, "timezone", "currency"):
        yield _Affected(organization, tuple(Repriced), {}, None)
    elif kind == PROJECTS.kind and _differs(change, "clientId"):
        yield _Affected(organization, _OF_TIME, {"project_id": identifier}, None)


_SCOPES = {POSITIONS.kind: "position_id", WORKERS.kind: "worker_id"}


def work(message: Mapping[str, Any]) -> None:
    """One page; the next one is another message. Twice is as good as once."""
    request = Repricing.model_validate(message)
    after = _SYNCS[request.entities](OrganizationId(request.organization_id), request)
    if after is not None:
        _send(request.model_copy(update={"after": after}))


def _sync_assignments(organization: OrganizationId, request: Repricing) -> str | None:
    chosen = AssignmentFilter(
        position_id=request.position_id, worker_id=request.worker_id, since=request.since, until=request.until
    )
    page = assignment_search.find(
        organization, chosen, clock.now(), after=request.after, limit=_A_MESSAGE, forward=True
    )
    sync(organization, "assignments", page.ids).require()
    return page.last


def _sync_time_sessions(organization: OrganizationId, request: Repricing) -> str | None:
    chosen = SessionFilter(
        user_id=request.user_id, project_id=request.project_id, since=request.since, until=request.until
    )
    page: Slice = session_search.find(organization, chosen, after=request.after, limit=_A_MESSAGE)
    sync(organization, "timeSessions", page.ids).require()
    return page.last


def _sync_timers(organization: OrganizationId, request: Repricing) -> str | None:
    page = session_spans.running_page(organization, after=request.after, limit=_A_MESSAGE)
    holders = {
        span.id: span.user_id
        for span in page.spans
        if request.user_id in {None, span.user_id}
        and request.project_id in {None, span.project_id}
        and (request.until is None or span.start_at < request.until)
    }
    sync(organization, "timeSessions", holders, holders=holders).require()
    return page.last


_SYNCS: Mapping[Repriced, Callable[[OrganizationId, Repricing], str | None]] = {
    Repriced.ASSIGNMENTS: _sync_assignments,
    Repriced.TIME_SESSIONS: _sync_time_sessions,
    Repriced.TIMERS: _sync_timers,
}
"""Each syncs a page, and returns where it ends; None at the end."""


def _send(*messages: Repricing) -> None:
    queues.send(
        settings().metrics_queue_url, [message.model_dump(mode="json", exclude_none=True) for message in messages]
    )


def _changed_days(change: Change) -> tuple[date, date | None] | None:
    """Return the first day on which another rate holds, and the one after the last; None for no change."""
    before, after = table.plain(change.old, "rates"), table.plain(change.new, "rates")
    changed = [day for day in {*before, *after} if before.get(day) != after.get(day)]
    if not changed:
        return None
    later = [day for day in {*before, *after} if day > max(changed)]
    return date.fromisoformat(min(changed)), date.fromisoformat(min(later)) if later else None


def _differs(change: Change, *names: str) -> bool:
    before, after = (table.plain(image, "data") for image in (change.old, change.new))
    return any(before.get(name) != after.get(name) for name in names)
