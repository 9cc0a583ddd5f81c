"""Contracts of the hours report."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Body, Contract, Query
from chalicelib.core.days import Day
from chalicelib.core.field_types import Instant
from chalicelib.core.money import Priced

StartDate = Annotated[
    Day, Field(description="The first day, in the organization's time zone.", examples=["2026-03-01"])
]
EndDate = Annotated[Day, Field(description="The last day, inclusive.", examples=["2026-03-31"])]
OfClient = Annotated[UUID | None, Field(description="Only hours at this client's work locations.")]


class GetHoursReport(Query):
    start_date: StartDate
    end_date: EndDate
    client_id: OfClient = None


class GenerateHoursReport(Body):
    start_date: StartDate
    end_date: EndDate
    client_id: OfClient = None


class Duration(Contract):
    total_hours: Annotated[
        float, Field(description="Decimal hours worked up to `asOf`, rounded to two places.", examples=[162.25])
    ]
    total_seconds: Annotated[int, Field(description="The same to the second.", examples=[584100])]
    scheduled_hours: Annotated[float, Field(description="Decimal hours that lie ahead of `asOf`.", examples=[8.0])]
    scheduled_seconds: Annotated[int, Field(description="The same to the second.", examples=[28800])]


class WorkerAtLocation(Contract):
    worker_id: UUID
    worker_name: Annotated[str, Field(examples=["Mehmet Yılmaz"])]
    work_location_id: UUID
    work_location_name: Annotated[str, Field(examples=["Lager Süd"])]
    client_id: UUID
    client_name: Annotated[str, Field(examples=["Hansekontor Logistik GmbH"])]


class HoursRow(Priced, Duration, WorkerAtLocation):
    """The hours of one worker at one work location, and the amounts of those worked."""


HoursWithout = Annotated[
    float | None,
    Field(
        description="Hours worked, of rows that lack a rate; shown to callers who may see amounts.",
        examples=[0.0],
        exclude_if=lambda hours: hours is None,
    ),
]


class HoursTotals(Priced, Duration):
    """Sums of the rows. Seconds and amounts are authoritative: the rounded hours of the rows may add up differently.

    `margin` is that of the rows whose hours have both rates: it may differ from `billed` less `paid` of these sums.
    """

    hours_without_bill_rate: HoursWithout = None
    """Not in `billed`."""
    hours_without_pay_rate: HoursWithout = None
    """Not in `paid`."""


class HoursReport(Contract):
    start_date: StartDate
    end_date: EndDate
    rows: Annotated[list[HoursRow], Field(description="By worker, client and work location.")]
    totals: HoursTotals
    as_of: Annotated[Instant, Field(description="Time before is worked, time ahead is scheduled.")]
