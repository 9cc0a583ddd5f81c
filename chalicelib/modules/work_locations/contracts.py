"""Contracts of work locations, and a work location with its client and its positions."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Body, NextCursor, PageQuery, Patch, optional
from chalicelib.core.field_types import Email, Name, Timezone
from chalicelib.core.phones import Phone
from chalicelib.models.staffing.clients import Address, ClientRef
from chalicelib.models.staffing.positions import Position
from chalicelib.models.staffing.work_locations import WorkLocation


class CreateWorkLocation(Body):
    client_id: UUID
    name: Annotated[Name, Field(examples=["Lager Süd"])]
    address: Address | None = None
    email: Annotated[Email | None, Field(examples=["lager.sued@hansekontor.example"])] = None
    phone: Phone | None = None
    timezone: Annotated[Timezone | None, Field(description="By default the organization's.")] = None


class UpdateWorkLocation(Patch, of=CreateWorkLocation, without={"client_id"}):
    timezone: Timezone = optional()


class GetWorkLocations(PageQuery[Literal["name", "createdAt"]]):
    client_id: UUID | None = None


class WorkLocationWithClient(WorkLocation):
    client: ClientRef


class WorkLocationWithPositions(WorkLocationWithClient):
    positions: list[Position]
    next_cursor: NextCursor
