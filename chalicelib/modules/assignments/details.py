"""An assignment with the entities it refers to, its hours and their amounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.core import hours
from chalicelib.core.clock import milliseconds
from chalicelib.core.money import Money, Priced
from chalicelib.core.pricing import RateTimeline, amount_of
from chalicelib.dal import table
from chalicelib.dal.collection import get_together
from chalicelib.dal.records import Record
from chalicelib.models.staffing.assignments import Assignment, WriteContext
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.staffing.positions import POSITIONS, PositionRef, StoredPosition
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS, WorkLocationRef
from chalicelib.models.staffing.workers import WORKERS, StoredWorker, WorkerRef
from chalicelib.models.users import USERS, UserRef
from chalicelib.modules.assignments.contracts import AssignmentDetails


def detail(ctx: Context, assignment: Assignment, context: WriteContext | None = None) -> AssignmentDetails:
    """Return an assignment with details. `context`: the data that its write has read, which is not read again."""
    return details(ctx, [assignment], [] if context is None else [context.worker, *context.positions.values()])[0]


def details(ctx: Context, assignments: Sequence[Assignment], known: Iterable[Record] = ()) -> list[AssignmentDetails]:
    """One read for all that they name, deleted things too."""
    if not assignments:
        return []
    workers, positions, locations, clients, users = get_together(
        ctx.organization,
        [
            (WORKERS, {assignment.worker_id for assignment in assignments}),
            (POSITIONS, {assignment.position_id for assignment in assignments}),
            (WORK_LOCATIONS, {assignment.work_location_id for assignment in assignments}),
            (CLIENTS, {assignment.client_id for assignment in assignments}),
            (USERS, {user for assignment in assignments for user in _users(assignment)}),
        ],
        [ctx.user, *known],
        read=table.batch_get_shown,
    )
    people: dict[UUID | None, UserRef] = {identifier: UserRef.of(user) for identifier, user in users.items()}
    shown: list[AssignmentDetails] = []
    for assignment in assignments:
        location = WorkLocationRef.of(locations[assignment.work_location_id], clients[assignment.client_id])
        worker, position = workers[assignment.worker_id], positions[assignment.position_id]
        start, now_or_end, end = _times(assignment, ctx.now)
        fields: dict[str, Any] = {
            **dict(assignment),
            **_amounts(ctx, worker, position, start, now_or_end),
            "status": assignment.status_at(ctx.now),
            "total_hours": hours.hours(hours.seconds(now_or_end - start)),
            "scheduled_hours": hours.hours(hours.seconds(end - now_or_end)),
            "worker": WorkerRef.of(worker),
            "position": PositionRef.of(position, location),
            "created_by": people[assignment.created_by_id],
            "ended_by": people.get(assignment.ended_by_id),
            "cancelled_by": people.get(assignment.cancelled_by_id),
        }
        shown.append(AssignmentDetails(**fields))
    return shown


def _users(assignment: Assignment) -> list[UUID]:
    named = (assignment.created_by_id, assignment.ended_by_id, assignment.cancelled_by_id)
    return [user for user in named if user is not None]


def _times(assignment: Assignment, now: datetime) -> tuple[int, int, int]:
    """Return the start, the end of the time worked, and the end, in milliseconds since 1970.

    Nothing of a cancelled one is worked or ahead; one without an end has nothing ahead.
    """
    start, present = milliseconds(assignment.start_at), milliseconds(now)
    if assignment.cancelled_at is not None:
        return start, start, start
    end = max(start, present if assignment.end_at is None else milliseconds(assignment.end_at))
    return start, max(start, min(present, end)), end


def _amounts(ctx: Context, worker: StoredWorker, position: StoredPosition, start: int, end: int) -> dict[str, Money]:
    if start == end or not ctx.principal.sees_money:
        return {}
    organization = ctx.principal.organization
    billed, paid = (
        None if price is None else amount_of(price)
        for price in (
            RateTimeline(rates, zone=organization.timezone, currency=organization.currency).price(start, end)
            for rates in (position.rates, worker.rates)
        )
    )
    return Priced.amounts(billed, paid, organization.currency)
