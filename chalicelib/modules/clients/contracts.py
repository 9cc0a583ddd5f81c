"""What creating, changing and listing clients takes, and a client with its locations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.core.contracts import Body, Contract, Email, Flag, Name, PageQuery, Patch, Phone, optional
from chalicelib.dal.clients import Address, Client


class CreateClient(Body):
    name: Annotated[Name, Field(examples=["Hansekontor Logistik GmbH"])]
    email: Annotated[Email | None, Field(examples=["dispo@hansekontor.example"])] = None
    phone: Phone | None = None
    address: Address | None = None


class UpdateClient(Patch):
    name: Annotated[Name, Field(examples=["Hansekontor Logistik SE"])] = optional()
    email: Annotated[Email | None, Field(examples=["dispo@hansekontor.example"])] = optional()
    phone: Phone | None = optional()
    address: Address | None = optional()


class GetClients(PageQuery[Literal["name", "createdAt"]]):
    include_deleted: Flag = False


class WorkLocation(Contract):
    """Comes with the actions that make work locations; until then there are none."""


class ClientWithLocations(Client):
    work_locations: Annotated[list[WorkLocation], Field(examples=[[]])]
