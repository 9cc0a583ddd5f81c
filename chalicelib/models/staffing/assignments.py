"""Assignments: a worker at a position for a time. Status is a function of time; see docs/decisions/assignments.md.

Their rules are methods of the record; lists are in `assignment_search`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from pydantic.alias_generators import to_camel

from chalicelib.core import clock
from chalicelib.core.errors import ActionError, invalid_field, invalid_fields, invalid_state, not_found
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import intervals, keys, table
from chalicelib.dal.collection import Collection, is_deleted
from chalicelib.dal.intervals import LengthClass
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.records import Record
from chalicelib.dal.table import all_of
from chalicelib.dal.unit_of_work import StaleRead, UnitOfWork
from chalicelib.models.staffing import workload, workload_days
from chalicelib.models.staffing.attributes import FIRST_BOOKED_AT
from chalicelib.models.staffing.filling import filled_action, fills
from chalicelib.models.staffing.positions import POSITIONS, StoredPosition
from chalicelib.models.staffing.workers import WORKERS, StoredWorker
from chalicelib.models.staffing.workload import Booking, WorkloadDelta

T = TypeVar("T", datetime, str)

MAX_LONG_RUNNING = 200
"""Assignments of one worker that have no end or last more than half a year."""


class AssignmentStatus(StrEnum):
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


def status_of(start: T, end: T | None, now: T, *, is_cancelled: bool) -> AssignmentStatus:
    """The one rule: by choice cancelled, else by time. Instants, or their stored texts, whose order is the same."""
    if is_cancelled:
        return AssignmentStatus.CANCELLED
    if now < start:
        return AssignmentStatus.SCHEDULED
    if end is None or now < end:
        return AssignmentStatus.ACTIVE
    return AssignmentStatus.COMPLETED


_CHANGEABLE = {
    AssignmentStatus.SCHEDULED: frozenset({"start_at", "end_at", "position_id"}),
    AssignmentStatus.ACTIVE: frozenset({"end_at"}),
}
"""Fields that may change, by status; none in others."""


class Assignment(Record):
    worker_id: UUID
    position_id: UUID
    work_location_id: UUID
    client_id: UUID
    start_at: Instant
    end_at: Instant | None = None
    created_by_id: UUID
    ended_at: Instant | None = None
    """When somebody ended it, which is not when it ends."""
    ended_by_id: UUID | None = None
    cancelled_at: Instant | None = None
    cancelled_by_id: UUID | None = None

    def status_at(self, now: datetime) -> AssignmentStatus:
        return status_of(self.start_at, self.end_at, now, is_cancelled=self.cancelled_at is not None)

    def require_changeable(self, changes: Iterable[str], now: datetime) -> None:
        """Refuse fields (by attribute name) that do not change in this status: VALIDATION_ERROR."""
        status = self.status_at(now)
        if status not in _CHANGEABLE:
            raise invalid_state(f"an assignment that is {status} cannot be changed")
        refused = [to_camel(name) for name in changes if name not in _CHANGEABLE[status]]
        if refused:
            raise invalid_fields({name: [f"cannot be changed while the assignment is {status}"] for name in refused})

    def require_endable(self, now: datetime) -> None:
        """Refuse an assignment that has ended, was ended before, or is cancelled: VALIDATION_ERROR."""
        status = self.status_at(now)
        if status in {AssignmentStatus.COMPLETED, AssignmentStatus.CANCELLED}:
            raise invalid_state(f"an assignment that is {status} cannot be ended")
        if self.ended_at is not None:
            raise invalid_state("this assignment was ended before; its end can still be changed")

    def require_cancellable(self, now: datetime) -> None:
        """Refuse an assignment that has begun: VALIDATION_ERROR."""
        status = self.status_at(now)
        if status is not AssignmentStatus.SCHEDULED:
            raise invalid_state(f"only a scheduled assignment can be cancelled, and this one is {status}")

    @property
    def booking(self) -> Booking | None:
        """None when cancelled."""
        return None if self.cancelled_at is not None else Booking(self.position_id, self.start_at, self.end_at)


SCOPES: Mapping[str, str] = {
    "worker_id": "WORKER",
    "position_id": "POSITION",
    "work_location_id": "WORKLOCATION",
    "client_id": "CLIENT",
}
"""Fields that assignments are listed by, the narrowest first, with the name of their timeline in keys."""


_SCOPE_NAMES = {field: to_camel(field) for field in SCOPES}
_KEPT_IN_INDEX = Assignment.model_fields.keys() - {"id", "start_at", *SCOPES}
"""The other fields, which the indexes hold so that lists need no further read; id and start are in their keys."""


def of_index(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return an assignment as the API shows it from a row of a timeline; None for one that does not hold all of it."""
    facets = row["facets"]["M"]
    if "version" not in facets:  # written before the indexes held them
        return None
    start, _, identifier = row["at"]["S"][2:].partition("#")
    shown = Assignment.json_of(facets, identifier, int(facets["version"]["N"]))
    shown["startAt"] = start
    for field, name in _SCOPE_NAMES.items():
        shown[name] = facets[field]["S"]
    return shown


@dataclass(frozen=True, kw_only=True)
class _Assignments(Collection[Assignment]):
    def index(self, organization: OrganizationId, record: Assignment) -> dict[str, Any]:
        length_class = intervals.length_class_of(
            record.start_at, record.end_at, cancelled=record.cancelled_at is not None
        )
        facets: dict[str, Any] = {field: str(getattr(record, field)) for field in SCOPES}
        facets |= record.model_dump(mode="json", include=_KEPT_IN_INDEX, exclude_none=True)
        timelines = [
            keys.timeline(organization, self.kind),
            *(keys.timeline(organization, self.kind, scope, getattr(record, field)) for field, scope in SCOPES.items()),
        ]
        return {
            **super().index(organization, record),
            "at": intervals.place(length_class, record.start_at, record.id),
            "facets": facets,
            **{timeline.attribute: timeline.pk for timeline in timelines},
        }


ASSIGNMENTS = _Assignments(entity="assignment", record=Assignment)


# -- write -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WriteContext:
    """The entities that a write of an assignment needs, as read."""

    worker: StoredWorker
    positions: Mapping[UUID, StoredPosition]
    stored: Mapping[Key, Item]
    """Months and workload days, as far as they exist."""
    now: datetime


def context_keys(
    organization: OrganizationId, worker: UUID, occupations: Iterable[Booking | None], now: datetime
) -> list[Key]:
    """Return the keys of the months and workload days that a write of these occupations needs."""
    occupations = list(occupations)
    return [
        *workload.month_keys(organization, worker, *occupations),
        *_day_keys(organization, worker, occupations, now),
    ]


def write_context(
    organization: OrganizationId,
    worker: UUID,
    positions: Iterable[UUID],
    occupations: Iterable[Booking | None],
    now: datetime,
) -> WriteContext:
    """One read. NOT_FOUND for a worker or a position that never was; they may be deleted."""
    worker_key = WORKERS.key(organization, worker)
    position_keys = {identifier: POSITIONS.key(organization, identifier) for identifier in set(positions)}
    counted = context_keys(organization, worker, occupations, now)
    items = table.batch_get([worker_key, *position_keys.values(), *counted])
    return WriteContext(
        WORKERS.record.of(items.get(worker_key), WORKERS.entity),
        {
            identifier: POSITIONS.record.of(items.get(key), POSITIONS.entity)
            for identifier, key in position_keys.items()
        },
        {key: items[key] for key in counted if key in items},
        now,
    )


def _day_keys(
    organization: OrganizationId, worker: UUID, occupations: Iterable[Booking | None], now: datetime
) -> set[Key]:
    """Return the keys of the workload days that a move from or to any of the occupations can change."""
    of_worker, of_positions = WorkloadDelta(with_starts=False), defaultdict[UUID, WorkloadDelta](WorkloadDelta)
    for booking in occupations:
        if booking is not None:
            of_worker.add(booking, 1)
            of_positions[booking.position].add(booking, 1)
    days = workload_days.days(organization, WORKERS.kind, worker, of_worker.slots, now)
    for position, tally in of_positions.items():
        days += workload_days.days(organization, POSITIONS.kind, position, tally.slots, now)
    return {day.key for day in days}


def create(unit: UnitOfWork, write_context: WriteContext, assignment: Assignment) -> Assignment:
    """Add an assignment. NOT_FOUND for a deleted worker or position, VALIDATION_ERROR for one that is not active."""
    ASSIGNMENTS.create(unit, assignment)
    _move(unit, write_context, assignment.id, None, assignment.booking)
    return assignment


def update(
    unit: UnitOfWork, write_context: WriteContext, assignment: Assignment, changes: Mapping[str, Any]
) -> Assignment:
    after = ASSIGNMENTS.update(unit, assignment, changes)
    _move(unit, write_context, assignment.id, assignment.booking, after.booking)
    return after


def erase(unit: UnitOfWork, write_context: WriteContext, assignment: Assignment) -> Assignment:
    """Erase an assignment; the audit log keeps its fields."""
    ASSIGNMENTS.erase(unit, assignment)
    _move(unit, write_context, assignment.id, assignment.booking, None)
    return assignment


def _move(
    unit: UnitOfWork, write_context: WriteContext, assignment: UUID, before: Booking | None, after: Booking | None
) -> None:
    """Move the workloads: subtract the booking before, add the one after."""
    if before == after:
        return
    _move_worker(unit, write_context, assignment, before, after)
    for position in write_context.positions.values():
        if position.id in {booking.position for booking in (before, after) if booking}:
            _move_position(unit, write_context, position, before, after)
    workload.move_months(unit, write_context.worker.id, write_context.stored, before, after)


def _move_worker(
    unit: UnitOfWork, write_context: WriteContext, assignment: UUID, before: Booking | None, after: Booking | None
) -> None:
    worker = write_context.worker
    conditions = [worker.workload.condition(write_context.now)]
    if after is not None:
        _require_live(WORKERS.entity, worker)
        conditions.append(Item.data["deletedAt"].does_not_exist())
        is_another = after.length_class is LengthClass.LONGER and assignment not in worker.long_running
        if is_another and len(worker.long_running) >= MAX_LONG_RUNNING:
            raise invalid_state(
                f"a worker can have {MAX_LONG_RUNNING} assignments that have no end or last more than half a year"
            )

    def refuse(item: Item | None) -> Exception:
        stored = WORKERS.record.of(item, WORKERS.entity)
        return not_found(WORKERS.entity) if after is not None and is_deleted(stored) else StaleRead()

    is_first = after is not None and worker.first_booked_at is None
    tally = _tally(before, after, with_starts=False)
    tally.require_room(WORKERS.entity, worker.workload, write_context.now)
    unit.update(
        WORKERS.key(unit.organization, worker.id),
        [
            *tally.actions(worker.workload, write_context.now),
            *workload.long_running_action(assignment, before, after),
            *([FIRST_BOOKED_AT.set(clock.to_text(write_context.now))] if is_first else ()),
        ],
        all_of(conditions),
        refuse,
    )
    days = workload_days.days(unit.organization, WORKERS.kind, worker.id, tally.slots, write_context.now)
    workload_days.move(unit, WORKERS.entity, write_context.stored, days)


def _move_position(
    unit: UnitOfWork,
    write_context: WriteContext,
    position: StoredPosition,
    before: Booking | None,
    after: Booking | None,
) -> None:
    held = before if before and before.position == position.id else None
    taken = after if after and after.position == position.id else None
    conditions = [position.workload.condition(write_context.now)]
    if taken is not None:
        _require_live(POSITIONS.entity, position)
        conditions.append(Item.data["deletedAt"].does_not_exist())
    if taken is not None and held is None:
        _require_active(position)
        conditions.append(Item.data["isActive"] == True)  # noqa: E712  an expression

    def refuse(item: Item | None) -> Exception:
        stored = POSITIONS.record.of(item, POSITIONS.entity)
        if taken is not None and is_deleted(stored):
            return not_found(POSITIONS.entity)
        return _inactive() if taken is not None and held is None and not stored.is_active else StaleRead()

    is_filled = False
    if taken is not None and position.workload.filled_at is None:
        is_filled = fills(
            unit.organization,
            POSITIONS.kind,
            position.id,
            position.workload,
            position.headcount,
            write_context.now,
            before=held,
            after=taken,
        )
        # Two bookings at once could each see the position one short of its headcount, which another update may change.
        conditions += [position.workload.is_unchanged, Item.data["headcount"] == position.headcount]

    tally = _tally(held, taken)
    tally.require_room(POSITIONS.entity, position.workload, write_context.now)
    unit.update(
        POSITIONS.key(unit.organization, position.id),
        [
            *tally.actions(position.workload, write_context.now),
            *([filled_action(write_context.now)] if is_filled else ()),
        ],
        all_of(conditions),
        refuse,
    )
    days = workload_days.days(unit.organization, POSITIONS.kind, position.id, tally.slots, write_context.now)
    workload_days.move(unit, POSITIONS.entity, write_context.stored, days)


def _tally(before: Booking | None, after: Booking | None, *, with_starts: bool = True) -> WorkloadDelta:
    tally = WorkloadDelta(with_starts=with_starts)
    if before is not None:
        tally.add(before, -1)
    if after is not None:
        tally.add(after, 1)
    return tally


def _require_live(entity: str, record: Record) -> None:
    if is_deleted(record):
        raise not_found(entity)


def _require_active(position: StoredPosition) -> None:
    if not position.is_active:
        raise _inactive()


def _inactive() -> ActionError:
    return invalid_field("positionId", "is a position that is not active")
