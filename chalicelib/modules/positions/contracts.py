"""Contracts of positions, and a position with its work location."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Body, PageQuery, Patch
from chalicelib.core.field_types import Flag, Name
from chalicelib.models.staffing.positions import Headcount, Position
from chalicelib.models.staffing.work_locations import WorkLocationRef


class CreatePosition(Body):
    work_location_id: UUID
    name: Annotated[Name, Field(examples=["Kommissionierung Frühschicht"])]
    headcount: Headcount = 1
    is_active: bool = True


class UpdatePosition(Patch, of=CreatePosition, without={"work_location_id"}):
    """The fields to change."""


class GetPositions(PageQuery[Literal["name", "createdAt"]]):
    work_location_id: UUID | None = None
    client_id: UUID | None = None
    is_active: Flag | None = None


class PositionWithLocation(Position):
    work_location: WorkLocationRef
