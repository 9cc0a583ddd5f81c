"""Contracts of workers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.core.contracts import Body, PageQuery, Patch, optional
from chalicelib.core.field_types import Flag
from chalicelib.core.phones import FullPhone
from chalicelib.models.staffing.workers import Worker
from chalicelib.models.users import PersonName


class CreateWorker(Body):
    first_name: Annotated[PersonName, Field(examples=["Mehmet"])]
    last_name: Annotated[PersonName, Field(examples=["Yılmaz"])]
    phone: FullPhone


class UpdateWorker(Patch, of=CreateWorker):
    phone: FullPhone = optional()


class GetWorkers(PageQuery[Literal["name", "createdAt"]]):
    include_deleted: Flag = False


class WorkerWithStats(Worker):
    total_hours: Annotated[
        float,
        Field(
            description="Decimal hours worked up to now; cancelled assignments have none.",
            examples=[1162.25],
        ),
    ]
    scheduled_hours: Annotated[
        float, Field(description="Decimal hours ahead; assignments without an end have none.", examples=[40.0])
    ]
    active_assignments: int
    assigned_locations: Annotated[
        list[str], Field(description="Names of the work locations of the active assignments.", examples=[["Lager Süd"]])
    ]
