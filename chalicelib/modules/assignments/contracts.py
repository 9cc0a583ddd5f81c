"""Contracts of assignments, and an assignment as it is shown."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from chalicelib.core.contracts import (
    Body,
    Contract,
    CursorQuery,
    Limit,
    NextCursor,
    PageNumber,
    PageSize,
    Patch,
    Query,
    SortOrder,
)
from chalicelib.core.field_types import Instant, Line
from chalicelib.core.money import Priced
from chalicelib.models.staffing.assignments import Assignment, AssignmentStatus
from chalicelib.models.staffing.positions import PositionRef
from chalicelib.models.staffing.workers import Worker, WorkerRef
from chalicelib.models.users import UserRef

Start = Annotated[Instant, Field(examples=["2026-03-02T08:00:00.000Z"])]
End = Annotated[Instant | None, Field(examples=["2026-03-02T16:30:00.000Z"])]


class CreateAssignment(Body):
    worker_id: UUID
    position_id: UUID
    start_at: Start
    end_at: Annotated[End, Field(description="Null: without an end for now.")] = None


class UpdateAssignment(Patch, of=CreateAssignment, without={"worker_id"}):
    """The fields to change."""


class EndAssignment(Body):
    end_at: Annotated[End, Field(description="By default now.")] = None


class GetAssignments(CursorQuery):
    """A cursor list; with `page` or `pageSize`, a page list with totals, of up to 10,000 assignments."""

    worker_id: UUID | None = None
    position_id: UUID | None = None
    work_location_id: UUID | None = None
    client_id: UUID | None = None
    status: AssignmentStatus | None = None
    search: Annotated[
        Line | None,
        Field(max_length=100, description="In the names of the worker, position, work location and client."),
    ] = None
    from_: Annotated[Instant | None, Field(alias="from", description="Those that overlap the time from here …")] = None
    to: Annotated[Instant | None, Field(description="… to here, exclusively.")] = None
    sort_order: Annotated[SortOrder, Field(description="By start.")] = "desc"
    page: PageNumber | None = None
    page_size: PageSize | None = None

    @property
    def is_page_list(self) -> bool:
        return self.page is not None or self.page_size is not None

    @model_validator(mode="after")
    def _one_kind_of_list(self) -> Self:
        if self.is_page_list and {"cursor", "limit"} & self.model_fields_set:
            raise PydanticCustomError("mixed_lists", "cursor and limit do not go with page and pageSize")
        return self


class GetWorkerWithAssignments(CursorQuery):
    limit: Limit = 100


class CheckWorkerAvailability(Query):
    at: Start
    until: Annotated[End, Field(description="By default the very instant `at`.")] = None


class AssignmentDetails(Priced, Assignment):
    """An assignment with the entities it refers to, its hours, and the amounts of those worked."""

    status: AssignmentStatus
    total_hours: Annotated[
        float, Field(description="Decimal hours worked up to now; a cancelled one has none.", examples=[8.5])
    ]
    scheduled_hours: Annotated[
        float, Field(description="Decimal hours ahead; one without an end has none.", examples=[0.0])
    ]
    worker: WorkerRef
    position: PositionRef
    created_by: UserRef
    ended_by: UserRef | None = None
    cancelled_by: UserRef | None = None


class WarningCode(StrEnum):
    OVERLAP = "OVERLAP"
    """The worker has another assignment at the same time."""
    OTHER_LOCATION = "OTHER_LOCATION"
    """… and it is at another work location."""
    SHORT_REST = "SHORT_REST"
    """There are less than 11 hours between this and another assignment of the worker."""
    OVER_HEADCOUNT = "OVER_HEADCOUNT"
    """At some time the position has more workers than its headcount."""


class Clash(Contract):
    """An assignment that a warning is about."""

    id: UUID
    worker_id: UUID
    position_id: UUID
    work_location_id: UUID
    start_at: Instant
    end_at: Instant | None


class AssignmentWarning(Contract):
    code: WarningCode
    message: Annotated[str, Field(examples=["the worker has another assignment at that time"])]
    assignments: Annotated[list[Clash], Field(description="At most 20 of those concerned.")]
    count: Annotated[int, Field(description="How many are concerned.", examples=[1])]


class AssignmentWithWarnings(AssignmentDetails):
    warnings: Annotated[list[AssignmentWarning], Field(description="They never block.")]


class WorkerWithAssignments(Worker):
    assignments: list[AssignmentDetails]
    next_cursor: NextCursor


class Availability(Contract):
    available: bool
    assignments: Annotated[list[AssignmentDetails], Field(description="In the way: by start, at most 100.")]
