"""Filling: the first time that as many workers as a position's headcount are booked for one instant."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.expressions import Action
from chalicelib.models.staffing import workload_days
from chalicelib.models.staffing.attributes import WORKLOAD
from chalicelib.models.staffing.workload import Booking, Workload
from chalicelib.models.staffing.workload_days import Step


def fills(
    organization: OrganizationId,
    kind: str,
    position: UUID,
    workload: Workload,
    headcount: int,
    now: datetime,
    *,
    before: Booking | None = None,
    after: Booking | None = None,
) -> bool:
    """Return True if a change of one booking of the position, or of its headcount, fills it.

    A read more, if there are bookings enough and more than one is needed. Exact if the workload `is_unchanged`. Of
    bookings that end before today only their number is known: they fill a position for one worker, and no others.
    """
    bookings = workload.bookings + (after is not None) - (before is not None)
    if headcount == 1 or bookings < headcount:
        return bookings >= headcount
    since = workload.since or workload_days.day_of(now)
    steps = workload_days.steps(organization, kind, position, since)
    active = workload.open + sum(step.number if step.is_end else -step.number for step in steps)
    first = workload_days.midnight(since)
    for booking, by in ((before, -1), (after, 1)):
        if booking is None or (booking.end is not None and clock.milliseconds(booking.end) <= first):
            continue
        start = clock.milliseconds(booking.start)
        if start < first:
            active += by
        else:
            steps.append(Step(start, is_end=False, number=by))
        if booking.end is not None:
            steps.append(Step(clock.milliseconds(booking.end), is_end=True, number=by))
    most = active
    # At one instant, ends come before starts: a worker who takes over at once does not count twice.
    for step in sorted(steps, key=lambda step: (step.at, not step.is_end)):
        active += -step.number if step.is_end else step.number
        most = max(most, active)
    return most >= headcount


def filled_action(now: datetime) -> Action:
    """Note on the position's item that it is filled; for good, whatever is cancelled later."""
    return WORKLOAD["filledAt"].set(clock.to_text(now))
