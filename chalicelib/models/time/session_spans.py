"""Session spans: tracked time as metrics count it. A running timer is the open span of the session that it becomes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.core.clock import milliseconds
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import table
from chalicelib.dal.collection import Collection
from chalicelib.dal.records import DeletableRecord
from chalicelib.models.time import keys as time_keys
from chalicelib.models.time import timers
from chalicelib.models.time.sessions import TIME_SESSIONS
from chalicelib.models.time.spans import Pause
from chalicelib.models.time.timers import Timer


class Part(NamedTuple):
    """Worked time, or a pause, in milliseconds since 1970."""

    since: int
    until: int | None
    """None while it lasts."""
    is_worked: bool


class SessionSpan(DeletableRecord):
    user_id: UUID
    project_id: UUID | None = None
    billable: bool
    start_at: Instant
    end_at: Instant | None = None
    """None while the timer runs or is paused."""
    pauses: tuple[Pause, ...] = ()
    paused_at: Instant | None = None
    """The start of the pause that lasts."""

    @classmethod
    def of_timer(cls, timer: Timer) -> SessionSpan:
        started = {"created_at": timer.start_at, "updated_at": timer.start_at}
        return cls.model_validate({**dict(timer), **started}, extra="ignore")

    @property
    def parts(self) -> list[Part]:
        """Return worked time and pauses in turn, from the start on, without gaps."""
        edges: list[Any] = [self.start_at]
        for pause in self.pauses:
            edges += (pause.start_at, pause.end_at)
        if self.paused_at is not None:
            edges.append(self.paused_at)
        instants = [milliseconds(edge) for edge in edges]
        ends = [*instants[1:], None if self.end_at is None else milliseconds(self.end_at)]
        return [
            Part(since, until, number % 2 == 0)
            for number, (since, until) in enumerate(zip(instants, ends, strict=True))
            if since != until
        ]


@dataclass(frozen=True, kw_only=True)
class _SessionSpans(Collection[SessionSpan]):
    def all_of(self, organization: OrganizationId, maximum: int) -> list[SessionSpan] | None:
        """Return all sessions, deleted ones too, and running timers; None for more than `maximum`."""
        # Timers first: one that stops meanwhile is a session then, and counts as that.
        running = all_running(organization)
        sessions = super().all_of(organization, maximum)
        if sessions is None:
            return None
        spans = {**running, **{session.id: session for session in sessions}}
        return None if len(spans) > maximum else list(spans.values())


SESSION_SPANS = _SessionSpans(entity=TIME_SESSIONS.entity, record=SessionSpan)
"""Reads `TIME_SESSIONS`, which writes them."""


def running(organization: OrganizationId, users: Iterable[UUID]) -> dict[UUID, SessionSpan]:
    """Return the running timers of some users, by the id of their session."""
    items = table.batch_get(timers.key(organization, user) for user in users)
    return _by_id(timers.of(item) for item in items.values())


def all_running(organization: OrganizationId) -> dict[UUID, SessionSpan]:
    """Return all running timers, by the id of their session: one a user at most."""
    rows = table.query_all(time_keys.timers(organization))
    return _by_id(timers.of(table.item_from_raw(row)) for row in rows)


class RunningPage(NamedTuple):
    """Consecutive running timers, by user."""

    spans: list[SessionSpan]
    last: str | None
    """The user to go on after; None at the end."""


def running_page(organization: OrganizationId, *, after: str | None, limit: int) -> RunningPage:
    page = table.query(time_keys.timers(organization), after=after, limit=limit)
    return RunningPage(list(_by_id(timers.of(table.item_from_raw(row)) for row in page.items).values()), page.last)


def _by_id(read: Iterable[Timer | None]) -> dict[UUID, SessionSpan]:
    return {timer.id: SessionSpan.of_timer(timer) for timer in read if timer is not None}
