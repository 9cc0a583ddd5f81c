"""Contracts of time sessions."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from chalicelib.core import text
from chalicelib.core.contracts import Body, Contract, CursorPage, CursorQuery, Patch, optional
from chalicelib.core.field_types import AtMost, Flag, Instant, Timezone
from chalicelib.core.money import Money
from chalicelib.models.time.rounding import RoundPer
from chalicelib.models.time.sessions import MAX_TAGS, ExternalId, SessionDescription, Tag, TimeSession
from chalicelib.models.time.spans import MAX_PAUSES, End, PauseInput, Start
from chalicelib.models.time.tags import TagUse
from chalicelib.modules.analytics.contracts import DayRange, RoundingField


def _unique(tags: tuple[str, ...]) -> tuple[str, ...]:
    if len({text.fold(tag) for tag in tags}) < len(tags):
        raise PydanticCustomError("tags", "must be different, whatever their case")
    return tags


Tags = Annotated[tuple[Tag, ...], AtMost(MAX_TAGS), Field(strict=False), AfterValidator(_unique)]
Pauses = Annotated[tuple[PauseInput, ...], AtMost(MAX_PAUSES), Field(strict=False)]
ForUser = Annotated[
    UUID | None, Field(description="By default the caller; for another user with the permission to manage their time.")
]


class CreateTimeSession(Body):
    user_id: ForUser = None
    project_id: UUID | None = None
    task_id: Annotated[UUID | None, Field(description="A task of the project; alone, it says the project, too.")] = None
    description: SessionDescription | None = None
    billable: Annotated[bool | None, Field(description="By default the project's, else false.", examples=[True])] = None
    tags: Tags = ()
    start_at: Start
    end_at: End
    pauses: Pauses = ()
    external_id: Annotated[
        ExternalId | None,
        Field(description="Unique for the user: a repeated create is refused with the id of the first one."),
    ] = None


class UpdateTimeSession(Patch, of=CreateTimeSession, without={"user_id"}):
    """The fields to change."""

    billable: Annotated[bool, Field(examples=[True])] = optional()


class ListTimeSessions(CursorQuery):
    from_: Annotated[Instant | None, Field(alias="from", description="Those that overlap the time from here …")] = None
    to: Annotated[Instant | None, Field(description="… to here, exclusively.")] = None
    project_id: UUID | None = None
    task_id: UUID | None = None
    client_id: UUID | None = None
    user_id: Annotated[
        UUID | None, Field(description="By default everybody's for who may manage others' time, else one's own.")
    ] = None
    tag: Tag | None = None
    billable: Flag | None = None
    modified_since: Annotated[
        Instant | None,
        Field(
            description="Sessions of one user that changed at this instant or later, in the order of their changes, "
            "with `{id, deletedAt, version}` of deleted ones. Goes with `userId` alone."
        ),
    ] = None

    @model_validator(mode="after")
    def _changes_or_time(self) -> Self:
        others = {"from_", "to", "project_id", "task_id", "client_id", "tag", "billable"}
        if self.modified_since is not None and others & self.model_fields_set:
            raise PydanticCustomError("mixed_lists", "modifiedSince goes with userId alone")
        return self


class ExportTimeSessions(DayRange):
    timezone: Annotated[
        Timezone | None, Field(description="Of days and times; by default the caller's, else the organization's.")
    ] = None
    project_id: UUID | None = None
    task_id: UUID | None = None
    client_id: UUID | None = None
    user_id: Annotated[
        UUID | None, Field(description="By default everybody's for who may manage others' time, else one's own.")
    ] = None
    tag: Tag | None = None
    billable: Flag | None = None
    round: RoundingField | None = None
    round_per: RoundPer = RoundPer.SESSION


class Tombstone(Contract):
    """The rest of a deleted session, for clients that sync."""

    id: UUID
    deleted_at: Instant
    version: int


class OverlapWarning(Contract):
    """Other time of the user at the same time; it counts twice in sums."""

    code: Annotated[str, Field(examples=["OVERLAP"])]
    message: Annotated[str, Field(examples=["the user has other time then"])]
    session_ids: Annotated[list[UUID], Field(description="At most 20; a running timer has its session's id.")]


class TimeSessionDetails(TimeSession):
    client_id: Annotated[UUID | None, Field(description="The project's.")]
    amount: Annotated[
        Money | None,
        Field(
            description="Shown to those who may read rates, if any of it has a rate.",
            exclude_if=lambda amount: amount is None,
        ),
    ] = None
    locked_by: Annotated[
        str | None, Field(description="LOCK, SUBMITTED or APPROVED where it cannot be changed.", examples=[None])
    ] = None


class TimeSessions(CursorPage[TimeSessionDetails | Tombstone]):
    """A page of sessions, with the rest of deleted ones where a client syncs."""


class TimeSessionWithWarnings(TimeSessionDetails):
    warnings: list[OverlapWarning]


SessionIds = Annotated[tuple[UUID, ...], Field(min_length=1), AtMost(100), Field(strict=False)]


class BulkChanges(Patch, of=UpdateTimeSession, without={"external_id"}):
    """The fields to change in all of them."""


class UpdateTimeSessions(Body):
    ids: SessionIds
    changes: BulkChanges


class DeleteTimeSessions(Body):
    ids: SessionIds


class BulkOutcome(StrEnum):
    UPDATED = "updated"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    ERROR = "error"


class BulkResult(Contract):
    id: UUID
    result: BulkOutcome
    code: Annotated[str | None, Field(examples=[None])] = None
    field: Annotated[str | None, Field(examples=[None])] = None
    message: Annotated[str | None, Field(examples=[None])] = None


class BulkResults(Contract):
    results: list[BulkResult]


class TagUses(Contract):
    tags: list[TagUse]
