"""The items of an organization with many assignments, in the form in which the product's own code stores them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from benchmarks.staffing import plan
from benchmarks.staffing.plan import Shape
from chalicelib.core import clock, ids
from chalicelib.core.ids import OrganizationId
from chalicelib.core.money import Money
from chalicelib.dal import keys
from chalicelib.dal.collection import Collection
from chalicelib.dal.intervals import LengthClass
from chalicelib.dal.item import Item
from chalicelib.dal.records import Record
from chalicelib.models.staffing import packed_months, workload_days
from chalicelib.models.staffing.assignments import ASSIGNMENTS, Assignment
from chalicelib.models.staffing.clients import CLIENTS, Client
from chalicelib.models.staffing.positions import POSITIONS, StoredPosition
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS, WorkLocation
from chalicelib.models.staffing.workers import WORKERS, StoredWorker
from chalicelib.models.staffing.workload import Booking, LongRunning, WorkloadDelta
from chalicelib.models.users import USERS, Role, StoredUser

_LONG_AGO = date(2020, 1, 1)


class Staffing:
    """One organization's. Left out: guards of unique values and the audit log, which nothing here reads."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.organization = OrganizationId(ids.new_id())
        self.assignments = 0
        self._now = clock.now()
        self._user = StoredUser.new(
            email="dispatch@example.com", first_name="Dana", last_name="Ruiz", role=Role.OWNER, accepted_at=self._now
        )
        self.clients = [Client.new(name=f"Hansekontor Logistik {number:02d} GmbH") for number in range(plan.CLIENTS)]
        self.locations = [
            WorkLocation.new(
                client_id=self.clients[number % plan.CLIENTS].id, name=f"Lager {number:02d}", timezone="UTC"
            )
            for number in range(plan.LOCATIONS)
        ]
        self.positions = [self._position(number) for number in range(plan.POSITIONS)]
        self.workers = [
            StoredWorker.new(
                first_name="Mehmet",
                last_name=f"Yılmaz {number:04d}",
                phone=f"+49 170 {number:07d}",
                normalized_phone=f"+49170{number:07d}",
            )
            for number in range(shape.workers)
        ]
        self._of_workers = [_Occupied(with_starts=False) for _ in self.workers]
        self._of_positions = [_Occupied() for _ in self.positions]

    def _position(self, number: int) -> StoredPosition:
        location = self.locations[number % plan.LOCATIONS]
        return StoredPosition.new(work_location_id=location.id, client_id=location.client_id, name=f"Picking {number}")

    def items(self) -> Iterator[Item]:
        """The assignments first: what they come to is told beside workers and positions."""
        yield self._stored(USERS, self._user)
        for shift in plan.shifts(self.shape):
            yield self._assigned(shift.worker, shift.position, shift.start, shift.end)
        yield from self._live()
        for client in self.clients:
            yield self._stored(CLIENTS, client, counts={"workLocation": plan.LOCATIONS // plan.CLIENTS})
        for location in self.locations:
            yield self._stored(WORK_LOCATIONS, location, counts={"position": plan.POSITIONS // plan.LOCATIONS})
        for number, position in enumerate(self.positions):
            attributes = {
                "rates": _rates(plan.bill_rate, number),
                "roster": self._of_positions[number].roster(self._now),
            }
            yield self._stored(POSITIONS, position, attributes=attributes)
            yield from self._of_positions[number].days(self.organization, POSITIONS.kind, position.id, self._now)
        for number, worker in enumerate(self.workers):
            occupied = self._of_workers[number]
            attributes = {"rates": _rates(plan.pay_rate, number), "roster": occupied.roster(self._now)}
            yield self._stored(WORKERS, worker, attributes={**attributes, "standing": occupied.standing})
            yield from occupied.days(self.organization, WORKERS.kind, worker.id, self._now)
            for month, spans in occupied.spans.items():
                yield Item(*keys.roster_month(self.organization, month, worker.id), spans=packed_months.pack(spans))

    def _live(self) -> Iterator[Item]:
        """Of this month: active (every other one without an end), scheduled and cancelled ones."""
        begun = max(self._now - timedelta(hours=1), self._now.replace(day=1, hour=0, minute=0, second=0, microsecond=0))
        later = self._now + timedelta(days=3)
        for worker in range(min(plan.LIVE, self.shape.workers)):
            position = worker % plan.POSITIONS
            yield self._assigned(worker, position, begun, None if worker % 2 else self._now + timedelta(hours=7))
            yield self._assigned(worker, position, later, later + timedelta(hours=8))
            yield self._assigned(worker, position, later, later + timedelta(hours=8), cancelled_at=self._now)

    def _assigned(self, worker: int, position: int, start: datetime, end: datetime | None, **fields: Any) -> Item:
        at = self.positions[position]
        assignment = Assignment.new(
            worker_id=self.workers[worker].id,
            position_id=at.id,
            work_location_id=at.work_location_id,
            client_id=at.client_id,
            start_at=start,
            end_at=end,
            created_by_id=self._user.id,
            **fields,
        )
        if assignment.booking is not None:
            self._of_workers[worker].add(assignment.id, assignment.booking)
            self._of_positions[position].add(assignment.id, assignment.booking)
        self.assignments += 1
        return self._stored(ASSIGNMENTS, assignment)

    def _stored(self, collection: Collection[Any], record: Record, **more: Any) -> Item:
        return collection.item(self.organization, record, **more)

    def contents(self) -> dict[str, Any]:
        """What reports and lists are to find, and what to ask them for."""
        totals = self._totals()
        return {
            "organization": str(self.organization),
            "workers": len(self.workers),
            "assignments": self.assignments,
            "totals": totals,
            "workerId": str(self.workers[0].id),
            "clientId": str(self.clients[0].id),
        }

    def _totals(self) -> dict[str, int]:
        """Of the reported month, added up shift by shift."""
        rows: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        for shift in plan.shifts(Shape(self.shape.workers, self.shape.shifts)):
            seconds, day = int((shift.end - shift.start).total_seconds()), shift.start.date()
            row = rows[shift.worker, shift.position % plan.LOCATIONS]
            row[0] += seconds
            row[1] += seconds * plan.bill_rate(shift.position, day)
            row[2] += seconds * plan.pay_rate(shift.worker, day)
        return {
            "rows": len(rows),
            "seconds": sum(row[0] for row in rows.values()),
            "billed": sum((row[1] + 1800) // 3600 for row in rows.values()),
            "paid": sum((row[2] + 1800) // 3600 for row in rows.values()),
        }


class _Occupied:
    """What the assignments of one worker or position come to, as `models.staffing.workload` tells it."""

    def __init__(self, *, with_starts: bool = True) -> None:
        self.spans: dict[str, dict[UUID, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        self.standing: dict[str, Any] = {}
        self._tally = WorkloadDelta(with_starts=with_starts)
        self._changes = 0

    def add(self, assignment: UUID, booking: Booking) -> None:
        self._tally.add(booking, 1)
        self._changes += 1
        for piece in booking.pieces:
            self.spans[piece.month][booking.position].append((piece.start, piece.end))
        if booking.length_class is LengthClass.LONGER:
            held = LongRunning(position_id=booking.position, start_at=booking.start, end_at=booking.end)
            self.standing[str(assignment)] = held.model_dump(mode="json", exclude_none=True)

    def roster(self, now: datetime) -> dict[str, Any]:
        return self._tally.roster(now).model_copy(update={"changes": self._changes}).model_dump(mode="json")

    def days(self, organization: OrganizationId, kind: str, identifier: UUID, now: datetime) -> Iterator[Item]:
        for key, changes in workload_days.days(organization, kind, identifier, self._tally.slots, now):
            yield workload_days.new_item(key, changes)


def _rates(rate: Callable[[int, date], int], number: int) -> Mapping[str, Any]:
    days = [_LONG_AGO] if rate(number, _LONG_AGO) == rate(number, plan.rise()) else [_LONG_AGO, plan.rise()]
    return {day.isoformat(): Money(amount=rate(number, day), currency="EUR").model_dump(mode="json") for day in days}
