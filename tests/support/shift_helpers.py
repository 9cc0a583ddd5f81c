"""An organization whose workers work, with a record of their shifts in minutes since 1970."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from chalicelib.core import clock
from chalicelib.core.clock import from_milliseconds
from chalicelib.core.money import Money
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.staffing.clients import CLIENTS, StoredClient
from chalicelib.models.staffing.positions import POSITIONS, StoredPosition
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS, WorkLocation
from chalicelib.models.staffing.workers import WORKERS, StoredWorker
from chalicelib.models.staffing.workload import new_workload
from tests.support.api import Answer, Api
from tests.support.factories import Member, Organization, new_organization, unique

Rates = Mapping[date, Money]


@dataclass(frozen=True)
class Shift:
    worker: str
    position: str
    start: int
    end: int | None


@dataclass(frozen=True)
class Place:
    """A position's work location and client."""

    location: str
    client: str


@dataclass
class Crew:
    """Two workers, and three positions at two places of one client and at one of another."""

    organization: Organization
    zone: str
    workers: list[str]
    places: dict[str, Place]
    rates: dict[str, Rates]
    names: dict[str, str]
    shifts: dict[str, Shift] = field(default_factory=dict)
    """Shifts that count, by the assignment's id."""

    @classmethod
    def hired(cls, api: Api, zone: str = "UTC", rates: Sequence[Rates] = ()) -> Crew:
        """`rates`: of the two workers, then of the three positions; by default none."""
        organization = new_organization(api, timezone=zone)
        all_rates = [*rates, *[{}] * (5 - len(rates))]
        clients = [StoredClient.new(name=unique("Client")) for _ in range(2)]
        locations = [
            WorkLocation.new(client_id=client.id, name=unique("Location"), timezone=zone)
            for client in (clients[0], clients[0], clients[1])
        ]
        positions = [
            StoredPosition.new(work_location_id=location.id, client_id=location.client_id, name=unique("Position"))
            for location in locations
        ]
        workers = [
            StoredWorker.new(first_name="Mehmet", last_name=unique("Yılmaz"), phone=phone, normalized_phone=phone)
            for phone in ("+4930123456", "+4930123457")
        ]
        unit = UnitOfWork(organization.id)
        for client, count in zip(clients, (2, 1), strict=True):
            CLIENTS.create(unit, client, counts={"workLocation": count})
        for location in locations:
            WORK_LOCATIONS.create(unit, location, counts={"position": 1})
        for position, position_rates in zip(positions, all_rates[2:], strict=True):
            POSITIONS.create(unit, position, attributes={"workload": new_workload(), "rates": _stored(position_rates)})
        for worker, worker_rates in zip(workers, all_rates, strict=False):
            attributes = {"workload": new_workload(), "long_running": {}, "rates": _stored(worker_rates)}
            WORKERS.create(unit, worker, attributes=attributes)
        unit.commit()
        return cls(
            organization,
            zone,
            [str(worker.id) for worker in workers],
            {
                str(position.id): Place(str(position.work_location_id), str(position.client_id))
                for position in positions
            },
            {str(entity.id): rate for entity, rate in zip([*workers, *positions], all_rates, strict=True)},
            {
                **{str(entity.id): entity.name for entity in (*clients, *locations, *positions)},
                **{str(worker.id): worker.full_name for worker in workers},
            },
        )

    @property
    def member(self) -> Member:
        return self.organization.owner

    @property
    def positions(self) -> list[str]:
        return list(self.places)

    # -- changes of assignments --------------------------------------------------------------------------------------

    def assign(self, worker: int, position: int, start: int, end: int | None) -> str:
        shift = Shift(self.workers[worker], self.positions[position], start, end)
        times = {"startAt": written(start), "endAt": None if end is None else written(end)}
        body = {"workerId": shift.worker, "positionId": shift.position, **times}
        identifier = str(self.done("createAssignment", body=body)["id"])
        self.shifts[identifier] = shift
        return identifier

    def cancel(self, assignment: str) -> None:
        self.done("cancelAssignment", path={"id": assignment})
        del self.shifts[assignment]

    def delete(self, assignment: str) -> None:
        self.done("deleteAssignment", path={"id": assignment})
        del self.shifts[assignment]

    def end(self, assignment: str, at: int) -> None:
        self.done("endAssignment", path={"id": assignment}, body={"endAt": written(at)})
        self.shifts[assignment] = replace(self.shifts[assignment], end=at)

    def move(self, assignment: str, position: int) -> None:
        to = self.positions[position]
        self.done("updateAssignment", path={"id": assignment}, body={"positionId": to})
        self.shifts[assignment] = replace(self.shifts[assignment], position=to)

    def done(self, action: str, **parts: Any) -> dict[str, Any]:
        answer = self.member.call(action, **parts)
        assert answer.status < 300, answer.text
        data: dict[str, Any] = answer.data
        return data

    def sign_in(self) -> None:
        """Anew, because no session lasts for as long as the clock may be moved."""
        self.member.token = self.organization.session(self.member.user)

    # -- reports -----------------------------------------------------------------------------------------------------

    def ask(self, first: Any, last: Any, action: str = "getHoursReport", **query: Any) -> Answer:
        """Request the report by query or, where the action takes one, by body."""
        dates = {"startDate": str(first), "endDate": str(last), **query}
        return self.member.call(action, **{"body" if action == "generateHoursReport" else "query": dates})

    def report(self, first: Any, last: Any, **query: Any) -> dict[str, Any]:
        answer = self.ask(first, last, **query)
        assert answer.status == 200, answer.text
        data: dict[str, Any] = answer.data
        return data


def written(minute: int) -> str:
    return clock.to_text(from_milliseconds(minute * 60_000))


def minute_of(text: str) -> int:
    """Return the minute of an ISO 8601 instant."""
    return int(datetime.fromisoformat(text).timestamp()) // 60


def _stored(rates: Rates) -> dict[str, Any]:
    return {day.isoformat(): money.model_dump(mode="json") for day, money in rates.items()}
