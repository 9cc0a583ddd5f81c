"""Contracts of reading the audit log."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from chalicelib.core.contracts import CursorQuery
from chalicelib.core.entity_names import EntityId, EntityType
from chalicelib.core.field_types import Instant
from chalicelib.models.audit import AuditEvent


class GetAuditLog(CursorQuery):
    actor_id: UUID | None = None
    action: AuditEvent | None = None
    entity_type: EntityType | None = None
    entity_id: EntityId | None = None
    from_: Annotated[Instant | None, Field(alias="from")] = None
    to: Instant | None = None

    @model_validator(mode="after")
    def _entity_whole(self) -> Self:
        if self.entity_id is not None and self.entity_type is None:
            raise PydanticCustomError("entity", "entityId needs entityType")
        return self
