"""Timesheets: a user's week, submitted, approved or rejected. Submitting freezes the week as two instants."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, computed_field

from chalicelib.core import days
from chalicelib.core.contracts import Contract, CursorPage
from chalicelib.core.days import Day
from chalicelib.core.errors import invalid_state
from chalicelib.core.field_types import Instant, Lines, Timezone
from chalicelib.core.ids import OrganizationId
from chalicelib.core.money import Money
from chalicelib.dal import table
from chalicelib.dal.cursors import Cursors, walk
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.table import all_of
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models.time import accounts
from chalicelib.models.time import keys as time_keys
from chalicelib.models.time.accounts import TimeAccount

ENTITY = "timesheet"
MAX_HISTORY = 100
"""Steps of one timesheet that its history has; older ones are in the audit log."""

Reason = Annotated[Lines, Field(max_length=1000, examples=["Der Freitag fehlt."])]


class TimesheetState(StrEnum):
    OPEN = "OPEN"
    SUBMITTED = "SUBMITTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class TimesheetStep(Contract):
    """One change of a timesheet's state."""

    at: Instant
    state: TimesheetState
    by_id: UUID
    reason: Reason | None = None


class Timesheet(Contract):
    user_id: UUID
    week_start: Day
    state: TimesheetState = TimesheetState.OPEN
    start_at: Instant
    end_at: Instant
    timezone: Timezone
    approved_seconds: int | None = None
    approved_amount: Money | None = None
    history: tuple[TimesheetStep, ...] = ()
    version: int = 0
    """0: it was never submitted."""

    @computed_field(description="Of its last step.", examples=["2026-03-01T08:30:00.000Z"])  # type: ignore[prop-decorator]
    @property
    def updated_at(self) -> Instant | None:
        return self.history[-1].at if self.history else None

    @property
    def id(self) -> str:
        """Its id in the audit log."""
        return f"{self.user_id}/{self.week_start}"

    def shown(self) -> dict[str, Any]:
        """Return the fields that the audit log compares."""
        fields = self.model_dump(mode="json", exclude={"history", "updated_at", "version"}) if self.version else {}
        return {**fields, "reason": self.history[-1].reason} if self.history else fields


_NONE = -1
"""The version of a timesheet that was never submitted, which no `If-Match` has."""
_FROM: dict[TimesheetState, frozenset[TimesheetState]] = {
    TimesheetState.SUBMITTED: frozenset({TimesheetState.OPEN, TimesheetState.REJECTED}),
    TimesheetState.APPROVED: frozenset({TimesheetState.SUBMITTED}),
    TimesheetState.REJECTED: frozenset({TimesheetState.SUBMITTED}),
}
"""States that a step may come from; OPEN comes from SUBMITTED by its owner, from APPROVED by an admin."""


def key(organization: OrganizationId, user: UUID, week_start: date) -> Key:
    return Key(time_keys.timesheets(organization), f"{user}#{week_start}")


def of(item: Item | None) -> Timesheet | None:
    if item is None:
        return None
    user, _, week_start = item.sk.partition("#")
    stored = {**(item.data or {}), "userId": user, "weekStart": week_start, "version": item.version}
    return Timesheet.model_validate(stored, extra="ignore")


def step(
    unit: UnitOfWork,
    account: TimeAccount,
    sheet: Timesheet,
    state: TimesheetState,
    *,
    by: UUID,
    now: datetime,
    reason: str | None = None,
    sources: frozenset[TimesheetState] | None = None,
    **fields: Any,
) -> Timesheet:
    """Move a timesheet to a state, and freeze or release its week. VALIDATION_ERROR from any other state.

    The account's condition lets one of a submission and a change of the week's sessions win.
    """
    allowed = _FROM.get(state, frozenset()) if sources is None else sources
    if sheet.state not in allowed:
        raise invalid_state(f"a timesheet that is {sheet.state} cannot become {state}")
    unit.require_version(sheet.version or _NONE, sheet.updated_at)
    history = (*sheet.history, TimesheetStep(at=now, state=state, by_id=by, reason=reason))[-MAX_HISTORY:]
    after = sheet.model_copy(update={"state": state, "history": history, "version": sheet.version + 1, **fields})
    data = after.model_dump(mode="json", exclude={"updated_at", "user_id", "version"}, exclude_none=True)
    item = Item(*key(unit.organization, sheet.user_id, sheet.week_start), version=after.version, data=data)
    unit.put(item, Item.version == sheet.version if sheet.version else Item.pk.does_not_exist(), stale)
    frozen = state if state in {TimesheetState.SUBMITTED, TimesheetState.APPROVED} else None
    accounts.freeze(unit, account, (sheet.start_at, sheet.end_at), frozen)
    week = f"week from {days.in_words(after.week_start, now.date())}"
    unit.audit_target(ENTITY, after.id, sheet.shown(), after.shown(), user=sheet.user_id, name=week)
    return after


def walk_sheets(
    organization: OrganizationId,
    cursors: Cursors,
    *,
    user: UUID | None,
    state: TimesheetState | None,
    first: date | None,
    last: date | None,
    cursor: str | None,
    limit: int,
) -> CursorPage[Timesheet]:
    """Timesheets that were submitted, by user and week. `first` and `last`: of the weeks' first days, inclusive."""
    conditions = [
        *([] if state is None else [Item.data["state"] == state.value]),
        *([] if first is None else [Item.data["weekStart"] >= first.isoformat()]),
        *([] if last is None else [Item.data["weekStart"] <= last.isoformat()]),
    ]
    return walk(
        time_keys.timesheets(organization),
        cursors,
        CursorPage[Timesheet],
        lambda rows: [sheet for row in rows if (sheet := of(table.item_from_raw(row))) is not None],
        cursor=cursor,
        limit=limit,
        forward=True,
        between=None if user is None else (f"{user}#", f"{user}#~"),
        condition=all_of(conditions),
    )
