"""Contracts of clients, and a client with its work locations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.core.contracts import Body, NextCursor, PageQuery, Patch
from chalicelib.core.field_types import Email, Flag, Name
from chalicelib.core.phones import Phone
from chalicelib.models.staffing.clients import Address, Client
from chalicelib.models.staffing.work_locations import WorkLocation


class CreateClient(Body):
    name: Annotated[Name, Field(examples=["Hansekontor Logistik GmbH"])]
    email: Annotated[Email | None, Field(examples=["dispo@hansekontor.example"])] = None
    phone: Phone | None = None
    address: Address | None = None


class UpdateClient(Patch, of=CreateClient):
    """The fields to change."""


class GetClients(PageQuery[Literal["name", "createdAt"]]):
    include_deleted: Flag = False


class ClientWithLocations(Client):
    work_locations: list[WorkLocation]
    next_cursor: NextCursor
