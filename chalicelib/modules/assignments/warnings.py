"""Warnings for those who assign a worker. None of them blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.models.staffing import assignment_search
from chalicelib.models.staffing.assignment_search import AssignmentFilter
from chalicelib.models.staffing.assignments import Assignment, WriteContext
from chalicelib.models.staffing.workload import Workload
from chalicelib.modules.assignments.contracts import AssignmentWarning, Clash, WarningCode

REST = timedelta(hours=11)
_SHOWN = 20
_READ = 500
"""Assignments of a worker or a position in the time concerned: more than anyone would look through."""
_NEVER = datetime.max.replace(tzinfo=UTC)

_MESSAGES = {
    WarningCode.OVERLAP: "the worker has another assignment at that time",
    WarningCode.OTHER_LOCATION: "the worker is at another work location at that time",
    WarningCode.SHORT_REST: "there are less than 11 hours between this and another assignment of the worker",
    WarningCode.OVER_HEADCOUNT: "the position has more workers than its headcount",
}


def of(organization: OrganizationId, context: WriteContext, assignment: Assignment) -> list[AssignmentWarning]:
    """Return the warnings about an assignment as it will be."""
    of_worker = AssignmentFilter(worker_id=assignment.worker_id)
    near = _others(organization, context, assignment, of_worker, context.worker.workload, rest=REST)
    overlapping = [other for other in near if _overlap(other, assignment)]
    elsewhere = [other for other in overlapping if other.work_location_id != assignment.work_location_id]
    close = [other for other in near if not _overlap(other, assignment)]
    crowd = _crowd(organization, context, assignment)
    others_by_code = {
        WarningCode.OVERLAP: overlapping,
        WarningCode.OTHER_LOCATION: elsewhere,
        WarningCode.SHORT_REST: close,
        WarningCode.OVER_HEADCOUNT: crowd,
    }
    return [_warning(code, others) for code, others in others_by_code.items() if others]


def _others(
    organization: OrganizationId,
    context: WriteContext,
    assignment: Assignment,
    criteria: AssignmentFilter,
    workload: Workload,
    *,
    rest: timedelta = timedelta(),
) -> list[Assignment]:
    """Those that are not cancelled and come closer to it than `rest`, oldest first."""
    start = max(assignment.start_at, datetime.min.replace(tzinfo=UTC) + rest) - rest
    end = None if assignment.end_at is None else min(assignment.end_at, _NEVER - rest) + rest
    criteria = replace(criteria, since=start, until=end)
    near = assignment_search.in_the_way(organization, criteria, context.now, classes=workload.occupied, maximum=_READ)
    return [other for other in near if other.id != assignment.id]


def _crowd(organization: OrganizationId, context: WriteContext, assignment: Assignment) -> list[Assignment]:
    """Those at the position at a time when it has, with this one, more workers than its headcount."""
    position = context.positions[assignment.position_id]
    if position.headcount > position.workload.bookings:
        return []  # not even if all were at once
    others = _others(organization, context, assignment, AssignmentFilter(position_id=position.id), position.workload)
    crowded: set[UUID] = set()
    # The number there rises only where one starts: these instants are all there is to look at.
    for instant in {max(other.start_at, assignment.start_at) for other in others} | {assignment.start_at}:
        there = _at(others, instant)
        if len(there) + 1 > position.headcount:
            crowded |= {other.id for other in there}
    return [other for other in others if other.id in crowded]


def _overlap(one: Assignment, other: Assignment) -> bool:
    return one.start_at < (other.end_at or _NEVER) and other.start_at < (one.end_at or _NEVER)


def _at(others: Iterable[Assignment], instant: datetime) -> list[Assignment]:
    return [other for other in others if other.start_at <= instant < (other.end_at or _NEVER)]


def _warning(code: WarningCode, others: Sequence[Assignment]) -> AssignmentWarning:
    return AssignmentWarning(
        code=code,
        message=_MESSAGES[code],
        assignments=[Clash(**{name: getattr(other, name) for name in Clash.model_fields}) for other in others[:_SHOWN]],
        count=len(others),
    )
