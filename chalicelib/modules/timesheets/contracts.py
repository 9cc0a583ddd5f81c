"""Contracts of timesheets and locks."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Body, Contract, CursorQuery
from chalicelib.core.days import Day
from chalicelib.core.money import Money
from chalicelib.models.time.timesheets import Reason, Timesheet, TimesheetState


class ListTimesheets(CursorQuery):
    user_id: Annotated[
        UUID | None, Field(description="By default everybody's for who may manage others' time, else one's own.")
    ] = None
    status: TimesheetState | None = None
    from_: Annotated[Day | None, Field(alias="from", description="First days of weeks from here …")] = None
    to: Annotated[Day | None, Field(description="… to here, included.")] = None


class TimesheetDay(Contract):
    day: Day
    seconds: Annotated[int, Field(examples=[28800])]


class Difference(Contract):
    """Live figures less the approved ones."""

    seconds: Annotated[int, Field(examples=[0])]
    amount: Annotated[
        Money | None, Field(description="Shown to those who may read rates.", exclude_if=lambda amount: amount is None)
    ] = None


class TimesheetDetails(Timesheet):
    days: list[TimesheetDay]
    seconds: Annotated[int, Field(examples=[144000])]
    billable_seconds: Annotated[int, Field(examples=[108000])]
    amount: Annotated[
        Money | None, Field(description="Shown to those who may read rates.", exclude_if=lambda amount: amount is None)
    ] = None
    differs_by: Annotated[
        Difference | None, Field(description="Of an approved week, if live figures differ now.", examples=[None])
    ] = None


class WithReason(Body):
    reason: Reason


class LockTimesheet(Body):
    before: Annotated[Day, Field(description="All time before the local midnight that begins this day.")]
    user_id: Annotated[UUID | None, Field(description="By default everybody, also those who join later.")] = None


class Locked(Contract):
    before: Day
    users: Annotated[int, Field(description="Users whose time it concerns by now.", examples=[12])]
