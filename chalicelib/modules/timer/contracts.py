"""Contracts of the timer."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Body, Contract, Patch, optional
from chalicelib.core.field_types import Instant
from chalicelib.models.time.sessions import ExternalId, SessionDescription
from chalicelib.models.time.spans import End, Start
from chalicelib.models.time.timers import Timer
from chalicelib.modules.time_sessions.contracts import Tags, TimeSessionDetails, TimeSessionWithWarnings


class StartTimer(Body):
    project_id: Annotated[
        UUID | None, Field(description="By default the project of the caller's preferences; null means none.")
    ] = None
    task_id: UUID | None = None
    description: SessionDescription | None = None
    billable: Annotated[bool | None, Field(description="By default the project's, else false.", examples=[True])] = None
    tags: Tags = ()
    start_at: Annotated[
        Start | None, Field(description="By default now; up to 24 hours back, never ahead.", examples=[None])
    ] = None
    stop_running: Annotated[
        bool, Field(description="End a running timer where this one starts, or at `runningEndAt`.")
    ] = False
    running_end_at: Annotated[End | None, Field(examples=[None])] = None
    external_id: ExternalId | None = None


class UpdateTimer(Patch):
    project_id: UUID | None = optional()
    task_id: UUID | None = optional()
    description: SessionDescription | None = optional()
    billable: Annotated[bool, Field(examples=[True])] = optional()
    tags: Tags = optional()
    start_at: Annotated[Start, Field(description="Not after the first pause.")] = optional()


class At(Body):
    at: Annotated[Instant | None, Field(description="By default now.", examples=[None])] = None


class StopTimer(Body):
    session_id: Annotated[
        UUID | None,
        Field(
            description="The timer to stop. One that has stopped before is answered as it is, and a newer one runs on.",
            examples=[None],
        ),
    ] = None
    end_at: Annotated[
        End | None, Field(description="By default now; of a paused timer, the start of the pause.", examples=[None])
    ] = None


class TimerWarning(Contract):
    code: Annotated[str, Field(examples=["LONG_RUNNING"])]
    message: Annotated[str, Field(examples=["the timer has run for more than 12 hours"])]


class TimerDetails(Timer):
    client_id: Annotated[UUID | None, Field(description="The project's.")]
    elapsed_seconds: Annotated[int, Field(description="Net of pauses.", examples=[5400])]
    is_paused: bool
    warnings: list[TimerWarning]


class CurrentTimer(Contract):
    timer: TimerDetails | None
    server_time: Instant


class StartedTimer(CurrentTimer):
    stopped: Annotated[TimeSessionDetails | None, Field(description="The session of the timer that ran before.")]


class StoppedTimer(TimeSessionWithWarnings):
    already_stopped: Annotated[bool, Field(description="It had been stopped before: nothing has changed.")]
