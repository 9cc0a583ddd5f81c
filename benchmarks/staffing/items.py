"""The items of an organization with many assignments, in the form in which the product stores them."""

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
from chalicelib.models.staffing.clients import CLIENTS, StoredClient
from chalicelib.models.staffing.positions import POSITIONS, StoredPosition
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS, WorkLocation
from chalicelib.models.staffing.workers import WORKERS, StoredWorker
from chalicelib.models.staffing.workload import Booking, LongRunning, WorkloadDelta
from chalicelib.models.users import USERS, Role, StoredUser

_LONG_AGO = date(2020, 1, 1)


class Staffing:
    """The items of one organization, without guards of unique values and the audit log: nothing here reads them."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.organization = OrganizationId(ids.new_id())
        self.assignments = 0
        self._now = clock.now()
        self._user = StoredUser.new(
            email="dispatch@example.com", first_name="Dana", last_name="Ruiz", role=Role.OWNER, accepted_at=self._now
        )
        self.clients = [
            StoredClient.new(name=f"Hansekontor Logistik {number:02d} GmbH") for number in range(plan.CLIENTS)
        ]
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
        self._worker_workloads = [_Workload(with_starts=False) for _ in self.workers]
        self._position_workloads = [_Workload() for _ in self.positions]

    def _position(self, number: int) -> StoredPosition:
        location = self.locations[number % plan.LOCATIONS]
        return StoredPosition.new(work_location_id=location.id, client_id=location.client_id, name=f"Picking {number}")

    def items(self) -> Iterator[Item]:
        """Yield the items, assignments first: their counts are stored with workers and positions."""
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
                "workload": self._position_workloads[number].stored(self._now),
            }
            yield self._stored(POSITIONS, position, attributes=attributes)
            yield from self._position_workloads[number].days(self.organization, POSITIONS.kind, position.id, self._now)
        for number, worker in enumerate(self.workers):
            workload = self._worker_workloads[number]
            attributes = {"rates": _rates(plan.pay_rate, number), "workload": workload.stored(self._now)}
            yield self._stored(WORKERS, worker, attributes={**attributes, "long_running": workload.long_running})
            yield from workload.days(self.organization, WORKERS.kind, worker.id, self._now)
            for month, spans in workload.spans.items():
                yield Item(*keys.packed_month(self.organization, month, worker.id), spans=packed_months.pack(spans))

    def _live(self) -> Iterator[Item]:
        """Yield assignments of this month: active (every other one without an end), scheduled and cancelled."""
        started = max(
            self._now - timedelta(hours=1), self._now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        )
        later = self._now + timedelta(days=3)
        for worker in range(min(plan.LIVE, self.shape.workers)):
            position = worker % plan.POSITIONS
            yield self._assigned(worker, position, started, None if worker % 2 else self._now + timedelta(hours=7))
            yield self._assigned(worker, position, later, later + timedelta(hours=8))
            yield self._assigned(worker, position, later, later + timedelta(hours=8), cancelled_at=self._now)

    def _assigned(self, worker: int, position: int, start: datetime, end: datetime | None, **fields: Any) -> Item:
        stored = self.positions[position]
        assignment = Assignment.new(
            worker_id=self.workers[worker].id,
            position_id=stored.id,
            work_location_id=stored.work_location_id,
            client_id=stored.client_id,
            start_at=start,
            end_at=end,
            created_by_id=self._user.id,
            **fields,
        )
        if assignment.booking is not None:
            self._worker_workloads[worker].add(assignment.id, assignment.booking)
            self._position_workloads[position].add(assignment.id, assignment.booking)
        self.assignments += 1
        return self._stored(ASSIGNMENTS, assignment)

    def _stored(self, collection: Collection[Any], record: Record, **more: Any) -> Item:
        return collection.item(self.organization, record, **more)

    def contents(self) -> dict[str, Any]:
        """Return the expected totals of reports and lists, and ids to query them with."""
        return {
            "organization": str(self.organization),
            "workers": len(self.workers),
            "assignments": self.assignments,
            "totals": self._totals(),
            "workerId": str(self.workers[0].id),
            "clientId": str(self.clients[0].id),
        }

    def _totals(self) -> dict[str, int]:
        """Return the totals of the reported month, added up shift by shift."""
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


class _Workload:
    """The workload of one worker or position, as `models.staffing.workload` counts it."""

    def __init__(self, *, with_starts: bool = True) -> None:
        self.spans: dict[str, dict[UUID, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        self.long_running: dict[str, Any] = {}
        self._delta = WorkloadDelta(with_starts=with_starts)
        self._changes = 0

    def add(self, assignment: UUID, booking: Booking) -> None:
        self._delta.add(booking, 1)
        self._changes += 1
        for piece in booking.pieces:
            self.spans[piece.month][booking.position].append((piece.start, piece.end))
        if booking.length_class is LengthClass.LONGER:
            entry = LongRunning(position_id=booking.position, start_at=booking.start, end_at=booking.end)
            self.long_running[str(assignment)] = entry.model_dump(mode="json", exclude_none=True)

    def stored(self, now: datetime) -> dict[str, Any]:
        return self._delta.to_workload(now).model_copy(update={"changes": self._changes}).model_dump(mode="json")

    def days(self, organization: OrganizationId, kind: str, identifier: UUID, now: datetime) -> Iterator[Item]:
        for key, changes in workload_days.days(organization, kind, identifier, self._delta.slots, now):
            yield workload_days.new_item(key, changes)


def _rates(rate: Callable[[int, date], int], number: int) -> Mapping[str, Any]:
    days = [_LONG_AGO] if rate(number, _LONG_AGO) == rate(number, plan.rise()) else [_LONG_AGO, plan.rise()]
    return {day.isoformat(): Money(amount=rate(number, day), currency="EUR").model_dump(mode="json") for day in days}
