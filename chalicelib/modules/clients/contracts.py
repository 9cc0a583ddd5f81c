"""What creating, changing and listing clients takes, and a client with its locations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.core.contracts import Body, Contract, Email, Flag, Name, PageQuery, Patch, Phone, optional
from chalicelib.dal.clients import Address, Client


class CreateClient(Body):
    name: Annotated[Name, Field(examples=["Hansekontor Logistik GmbH"])]
    email: Email | None = None
    phone: Phone | None = None
    address: Address | None = None


class UpdateClient(Patch):
    name: Name = optional()
    email: Email | None = optional()
    phone: Phone | None = optional()
    address: Address | None = optional()


class GetClients(PageQuery[Literal["name", "createdAt"]]):
    include_deleted: Flag = False


class ClientWithLocations(Client):
    work_locations: list[Contract]
