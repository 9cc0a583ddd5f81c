"""Workers: the people whose time is lent out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chalicelib.core import phones
from chalicelib.core.contracts import Contract
from chalicelib.core.field_types import Instant
from chalicelib.core.money import Money
from chalicelib.core.phones import FullPhone
from chalicelib.dal.collection import Unique, has_dependencies
from chalicelib.dal.page_lists import ListedCollection
from chalicelib.dal.records import ATTRIBUTE, INTERNAL, DeletableRecord
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.staffing import workload
from chalicelib.models.staffing.workload import LongRunning, Workload, new_workload
from chalicelib.models.users import PersonName


class Worker(DeletableRecord):
    first_name: Annotated[PersonName, Field(examples=["Mehmet"])]
    last_name: Annotated[PersonName, Field(examples=["Yılmaz"])]
    phone: FullPhone

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"


class StoredWorker(Worker):
    normalized_phone: Annotated[str, INTERNAL]
    """The phone as it is unique, stored so that it stays taken in one form when the organization's region changes."""
    workload: Annotated[Workload, ATTRIBUTE] = Workload()
    rates: Annotated[Mapping[date, Money], ATTRIBUTE] = {}
    """Hourly pay, by the day it takes effect."""
    long_running: Annotated[Mapping[UUID, LongRunning], ATTRIBUTE] = {}
    """Assignments without end, or too long for the months of the workload, by id."""
    first_booked_at: Annotated[Instant | None, ATTRIBUTE] = None
    """When the worker was first booked. Metrics go by it: apart from the workload, which changes with each booking."""


class WorkerRef(Contract):
    """A worker as an assignment shows it."""

    id: UUID
    first_name: Annotated[str, Field(examples=["Mehmet"])]
    last_name: Annotated[str, Field(examples=["Yılmaz"])]
    phone: FullPhone

    @classmethod
    def of(cls, worker: Worker) -> WorkerRef:
        return cls(id=worker.id, first_name=worker.first_name, last_name=worker.last_name, phone=worker.phone)


PHONE: Unique[StoredWorker] = Unique(
    "phone", lambda worker: worker.normalized_phone, "another worker has this phone number"
)

WORKERS = ListedCollection(
    entity="worker",
    record=StoredWorker,
    shown_as=Worker,
    # Sorted by last name, as people look each other up; the name as it is spoken matches, too.
    search=lambda worker: (
        f"{worker.last_name} {worker.first_name}",
        worker.full_name,
        worker.phone,
        worker.normalized_phone,
        phones.searchable(worker.phone),
    ),
    sort_fields=("name",),
    cursor_list="getWorkers with `limit` and `cursor`",
    unique=(PHONE,),
    reference=lambda worker: {"name": worker.full_name},
)


def create(unit: UnitOfWork, worker: StoredWorker) -> StoredWorker:
    """Add a worker, with the maps that assignments and rates are later set in."""
    return WORKERS.create(unit, worker, attributes={"workload": new_workload(), "rates": {}, "long_running": {}})


def delete(unit: UnitOfWork, worker: StoredWorker, now: datetime) -> StoredWorker:
    """Delete a worker. HAS_DEPENDENCIES, with their count, while assignments are active or scheduled."""
    unit.require_version(worker.version, worker.updated_at)
    if live := workload.live(unit.organization, WORKERS.kind, worker.id, worker.workload, now):
        raise has_dependencies(WORKERS.entity, {"assignment": live})
    # An assignment made in the meantime moves the workload, and the delete runs again and sees it.
    return WORKERS.delete(unit, worker, condition=worker.workload.is_unchanged)
