"""Workload: counts of the assignments of a worker and of a position, moved in the assignments' own transactions.

They answer exactly what no index could: how many are active or scheduled (so a delete cannot race with a new
assignment), and how many hours there are. Counts by instant are in items of a day each
(`models.staffing.workload_days`), so a write costs the same however many assignments there are. The worker's item also
holds its long assignments; the others are packed by month, for reports (`models.staffing.packed_months`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import Field
from pydantic.alias_generators import to_camel

from chalicelib.core import clock
from chalicelib.core.contracts import Contract
from chalicelib.core.errors import invalid_field
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.expressions import Action, Condition
from chalicelib.dal.intervals import LengthClass, length_class_of
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import StaleRead, UnitOfWork, stale
from chalicelib.models.staffing import packed_months, workload_days
from chalicelib.models.staffing.attributes import LONG_RUNNING, SPANS, WORKLOAD
from chalicelib.models.staffing.packed_months import Spans
from chalicelib.models.staffing.workload_days import Slot

MAX_LIVE = 20_000
"""Assignments of one worker or position that end this month or later, or have no end."""
MAX_MONTHS = 240
"""Different months, this one included, in which they end: 3 KB."""
MAX_SPANS_A_MONTH = 500
"""Intervals of one worker in a packed month: at most 13 KB."""

_BY_MONTH = ("months", "milliseconds_ahead")
"""Counts by month, of which those of past months are removed."""
_PRUNED_AT_ONCE = 20
"""An update expression may have 4 KB."""
_MAX_ZEROS = 20


class Workload(Contract):
    """The counts on the item of a worker or position. Their size does not depend on the number of assignments."""

    changes: int = 0
    """A counter of changes: while it has not moved, everything that was read is current."""
    milliseconds: int = 0
    """Total length of the assignments that have an end and are not cancelled."""
    open: int = 0
    """Assignments without an end."""
    months: dict[str, int] = Field(default_factory=dict)
    """Number of uncancelled assignments by the month (UTC) in which they end; past months may be missing."""
    milliseconds_ahead: dict[str, int] = Field(default_factory=dict)
    """The part of a worker's `milliseconds` in each later month (UTC), as far as packed months hold it; past months
    may be missing. At most 1,680 months: those in which assignments end, and six before each."""
    since: str | None = None
    """The first current workload day: the day of the last change."""
    classes: dict[LengthClass, int] = Field(default_factory=dict)
    """Number of assignments by length class, cancelled ones left out."""
    filled_at: Instant | None = None
    """When a position was first booked for as many workers as its headcount; see `models.staffing.filling`."""

    def ahead(self, now: datetime) -> int:
        """Count the assignments that end in the month of `now` or later, or have no end."""
        this_month = packed_months.label_of(now)
        return self.open + sum(count for month, count in self.months.items() if month >= this_month)

    def empty_months(self, name: str, now: datetime) -> list[str]:
        """Return the months ahead with a count of 0, of `months` or `milliseconds_ahead`, once there are many.

        They can go only while the workload `is_unchanged`: another request may just count there again.
        """
        counts: Mapping[str, int] = getattr(self, name)
        empty = [month for month, count in counts.items() if count <= 0 and month >= packed_months.label_of(now)]
        return empty if len(empty) > _MAX_ZEROS else []

    @property
    def bookings(self) -> int:
        """Count the assignments of any time that are not cancelled."""
        return sum(self.classes.values())

    @property
    def occupied(self) -> list[LengthClass]:
        """The lanes of the timeline that hold anything."""
        return [length_class for length_class, count in self.classes.items() if count > 0]

    def condition(self, now: datetime) -> Condition | None:
        """The condition on which the actions of a `WorkloadDelta` rely."""
        return self.is_unchanged if any(self.empty_months(name, now) for name in _BY_MONTH) else None

    @property
    def is_unchanged(self) -> Condition:
        return WORKLOAD["changes"] == self.changes


def new_workload() -> dict[str, Any]:
    """The attribute of a new entity: its maps are there to be counted in."""
    return Workload().model_dump(exclude_none=True)


def live(organization: OrganizationId, kind: str, identifier: UUID, workload: Workload, now: datetime) -> int:
    """Count the active and scheduled assignments: exact, on condition that the workload `is_unchanged`.

    Later months are counted on the entity. The ends of this month after `now` are in its workload days.
    """
    this_month = packed_months.label_of(now)
    later = workload.open + sum(count for month, count in workload.months.items() if month > this_month)
    if workload.months.get(this_month, 0) <= 0:
        return later
    steps = workload_days.steps(organization, kind, identifier, workload_days.day_of(now), f"{this_month}-31")
    return later + sum(step.number for step in steps if step.is_end and step.at > clock.milliseconds(now))


class LongRunning(Contract):
    """An assignment without an end, or too long for the months."""

    position_id: UUID
    start_at: Instant
    end_at: Instant | None = None

    def covers(self, instant: datetime) -> bool:
        return self.start_at <= instant and (self.end_at is None or instant < self.end_at)


class Booking(NamedTuple):
    """The time that an assignment takes of its worker and its position, unless it is cancelled."""

    position: UUID
    start: datetime
    end: datetime | None

    @property
    def length_class(self) -> LengthClass:
        return length_class_of(self.start, self.end)

    @property
    def pieces(self) -> list[packed_months.Piece]:
        """Parts by month, of a booking that packed months hold."""
        return (
            []
            if self.end is None or self.length_class is LengthClass.LONGER
            else packed_months.split(self.start, self.end)
        )


# -- the counts of worker and position -------------------------------------------------------------------------------


class WorkloadDelta:
    """The changes of the counts of one worker or position."""

    def __init__(self, *, with_starts: bool = True) -> None:
        """Begin a delta. `with_starts`: of a position, whose workload days count starts, too, so that they tell how
        many are active when; otherwise of a worker, whose lengths are counted by month.
        """
        self.milliseconds = 0
        self.open = 0
        self.slots: Counter[Slot] = Counter()
        self.months: Counter[str] = Counter()
        self.milliseconds_ahead: Counter[str] = Counter()
        self.classes: Counter[LengthClass] = Counter()
        self._with_starts = with_starts

    def add(self, booking: Booking, by: int) -> None:
        self.classes[booking.length_class] += by
        if self._with_starts:
            self.slots[workload_days.start_slot(booking.start)] += by
        if booking.end is None:
            self.open += by
            return
        end = workload_days.end_slot(booking.end)
        self.slots[end] += by
        self.months[_month_of(end)] += by
        self.milliseconds += by * clock.milliseconds(booking.end)
        self.milliseconds -= by * clock.milliseconds(booking.start)
        if not self._with_starts:
            for piece in booking.pieces:
                self.milliseconds_ahead[piece.month] += by * (piece.end - piece.start)

    def to_workload(self, now: datetime) -> Workload:
        """Return the workload of an entity all of whose assignments were added."""
        this_month = packed_months.label_of(now)
        return Workload(
            milliseconds=self.milliseconds,
            open=self.open,
            months={month: count for month, count in self.months.items() if month >= this_month},
            milliseconds_ahead={month: sum_ for month, sum_ in self.milliseconds_ahead.items() if month > this_month},
            since=workload_days.day_of(now),
            classes=dict(self.classes),
        )

    def require_room(self, entity: str, workload: Workload, now: datetime) -> None:
        """Refuse more assignments ahead, or in more months, than one entity can have: VALIDATION_ERROR."""
        this_month = packed_months.label_of(now)
        added = self.open + sum(by for month, by in self.months.items() if month >= this_month)
        if added > 0 and workload.ahead(now) + added > MAX_LIVE:
            raise invalid_field(
                f"{entity}Id",
                f"the {entity} already has {MAX_LIVE} assignments that end this month or later, or have no end",
            )
        used = {month for month, count in workload.months.items() if count > 0 and month >= this_month}
        new = {month for month, by in self.months.items() if by > 0 and month >= this_month} - used
        if new and len(used | new) > MAX_MONTHS:
            raise invalid_field(
                "endAt",
                f"the {entity} already has assignments that end in {MAX_MONTHS} different months: use one of these",
            )

    def actions(self, workload: Workload, now: datetime) -> list[Action]:
        """Move the counts on the entity's item. Those of past months are left out, and removed where they are stored.

        Together with `condition`.
        """
        this_month = packed_months.label_of(now)
        counts = [
            *((WORKLOAD["months"][month], by) for month, by in self.months.items() if month >= this_month),
            *(
                (WORKLOAD["millisecondsAhead"][month], by)
                for month, by in self.milliseconds_ahead.items()
                if month > this_month
            ),
            *((WORKLOAD["classes"][length_class], by) for length_class, by in self.classes.items()),
            (WORKLOAD["open"], self.open),
            (WORKLOAD["milliseconds"], self.milliseconds),
            (WORKLOAD["changes"], 1),
        ]
        return [
            *(table.increment(path, by) for path, by in counts if by),
            *(
                WORKLOAD[to_camel(name)][month].remove()
                for name in _BY_MONTH
                for month in self._useless(name, workload, now)[:_PRUNED_AT_ONCE]
            ),
            WORKLOAD["since"].set(workload_days.day_of(now)),
        ]

    def _useless(self, name: str, workload: Workload, now: datetime) -> list[str]:
        """Return the months whose counts can be removed, and are not moved."""
        counts, moves = getattr(workload, name), getattr(self, name)
        past = [month for month in counts if month < packed_months.label_of(now)]
        return [*past, *(month for month in workload.empty_months(name, now) if not moves[month])]


def _month_of(slot: Slot) -> str:
    return slot.day[:7]


def long_running_action(assignment: UUID, before: Booking | None, after: Booking | None) -> list[Action]:
    """Puts the assignment among its worker's long ones, or takes it from there."""
    path = LONG_RUNNING[str(assignment)]
    if after is not None and after.length_class is LengthClass.LONGER:
        held = LongRunning(position_id=after.position, start_at=after.start, end_at=after.end)
        return [path.set(table.encoded(held.model_dump(mode="json", exclude_none=True)))]
    return [path.remove()] if before is not None and before.length_class is LengthClass.LONGER else []


# -- the months ------------------------------------------------------------------------------------------------------


def month_keys(organization: OrganizationId, worker: UUID, *occupations: Booking | None) -> set[Key]:
    """Return the keys of the packed months that bookings of a worker are in."""
    return {
        keys.packed_month(organization, piece.month, worker)
        for booking in occupations
        if booking is not None
        for piece in booking.pieces
    }


def move_months(
    unit: UnitOfWork,
    worker: UUID,
    stored: Mapping[Key, Item],
    before: Booking | None,
    after: Booking | None,
) -> None:
    """Write the packed months. `stored`: items of the `month_keys` of both; a change since then is a stale read."""
    moves: dict[Key, list[tuple[int, UUID, tuple[int, int]]]] = {}
    for booking, by in ((before, -1), (after, 1)):
        if booking is None:
            continue
        for piece in booking.pieces:
            key = keys.packed_month(unit.organization, piece.month, worker)
            moves.setdefault(key, []).append((by, booking.position, (piece.start, piece.end)))
    for key, pieces in moves.items():
        packed = (stored[key].value(SPANS) if key in stored else None) or b""
        spans = _moved(packed_months.unpack(packed), pieces)
        added = sum(by for by, *_ in pieces)
        if added > 0 and sum(map(len, spans.values())) > MAX_SPANS_A_MONTH:
            month = key.sk.partition("#")[0]
            raise invalid_field("startAt", f"the worker already has {MAX_SPANS_A_MONTH} assignments in {month} (UTC)")
        changed = packed_months.pack(spans)
        if changed == packed:
            continue
        as_read: Condition = SPANS == packed  # noqa: SIM300  an expression
        if not packed:
            unit.put_new(Item(*key, spans=changed), stale)
        elif not changed:
            unit.delete(key, as_read, stale)
        else:
            unit.update(key, [SPANS.set(changed)], as_read, stale)


def _moved(spans: dict[UUID, Spans], pieces: Iterable[tuple[int, UUID, tuple[int, int]]]) -> dict[UUID, Spans]:
    for by, position, span in pieces:
        held = spans.setdefault(position, [])
        if by > 0:
            held.append(span)
        elif span in held:
            held.remove(span)
        else:  # moved by another request since the assignment was read
            raise StaleRead
    return spans


class Present(NamedTuple):
    """The assignments of a worker as of an instant. Times in milliseconds; one without an end has nothing ahead."""

    active: list[UUID]
    """The position of each active one."""
    worked: int
    ahead: int


def present(
    organization: OrganizationId,
    workers: Mapping[UUID, tuple[Workload, Mapping[UUID, LongRunning]]],
    now: datetime,
    months: Mapping[UUID, bytes] | None = None,
) -> dict[UUID, Present]:
    """Return the workers' assignments at `now`; `workers`: with their workloads and long assignments.

    The other active assignments are in the month of `now`, and its rest is the only part of a month that no workload
    counts, so one read finds both for up to 100 workers, unless they are known as `months`. Those of whom nothing ends
    from this month on have neither.
    """
    month, instant = packed_months.label_of(now), clock.milliseconds(now)
    offset = instant - packed_months.bounds(month)[0]
    if months is None:
        ending = [
            worker
            for worker, (workload, _) in workers.items()
            if any(count > 0 for label, count in workload.months.items() if label >= month)
        ]
        months = packed_months.of_workers(organization, month, ending)
    result = {}
    for worker, (workload, long_running) in workers.items():
        active = [assignment.position_id for assignment in long_running.values() if assignment.covers(now)]
        ahead = sum(length for label, length in workload.milliseconds_ahead.items() if label > month)
        for position, spans in packed_months.unpack(months.get(worker, b"")).items():
            active += [position for start, end in spans if start <= offset < end]
            ahead += sum(max(0, end - max(start, offset)) for start, end in spans)
        without_end = 0
        for assignment in long_running.values():
            start = clock.milliseconds(assignment.start_at)
            if assignment.end_at is None:
                without_end += max(0, instant - start)
            else:
                ahead += max(0, clock.milliseconds(assignment.end_at) - max(start, instant))
        result[worker] = Present(active, workload.milliseconds - ahead + without_end, ahead)
    return result
