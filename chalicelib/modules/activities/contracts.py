"""Contracts of recording, listing and marking activities."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Body, Contract, CursorQuery
from chalicelib.core.entity_names import EntityId, EntityType
from chalicelib.core.field_types import Flag, Name
from chalicelib.models.activities.activities import ActionName, ActivityType, Description, Metadata, Severity


class RecordActivity(Body):
    title: Annotated[Name, Field(examples=["Payroll exported"])]
    description: Annotated[Description, Field(examples=["Batch 17, 42 workers"])] | None = None
    type: Annotated[ActivityType, Field(examples=[ActivityType.INTEGRATION_EVENT])]
    entity_type: Annotated[EntityType, Field(examples=["payrollRun"])]
    entity_id: Annotated[EntityId, Field(examples=["2026-03"])]
    action: ActionName
    metadata: Annotated[Metadata, Field(default_factory=dict)]
    severity: Severity = Severity.INFO


class GetActivities(CursorQuery):
    archived: Annotated[Flag, Field(description="Those that the caller has archived, instead of all others.")] = False


class ReadActivity(Contract):
    id: UUID
    is_read: Literal[True] = True


class ArchivedActivity(Contract):
    id: UUID
    is_archived: bool


class UnreadCount(Contract):
    count: int
    is_exact: Annotated[bool, Field(description="False: there may be more than `count`.", examples=[True])]
