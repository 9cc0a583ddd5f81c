"""Clients: the companies that workers are lent to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chalicelib.core import phones
from chalicelib.core.contracts import Contract
from chalicelib.core.field_types import Lines, Name, StoredEmail
from chalicelib.core.phones import Phone
from chalicelib.dal.collection import Unique
from chalicelib.dal.page_lists import ListedCollection
from chalicelib.dal.records import DeletableRecord, Stored
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models import labels

Address = Annotated[Lines, Field(max_length=500, examples=["Hafenstraße 12, 20457 Hamburg"])]


class Client(DeletableRecord):
    name: Annotated[Name, Field(examples=["Hansekontor Logistik GmbH"])]
    email: Annotated[StoredEmail | None, Field(examples=["dispo@hansekontor.example"])] = None
    phone: Phone | None = None
    address: Address | None = None


class StoredClient(Client):
    work_locations: Annotated[int, Stored(counter="workLocation")] = 0
    """Live ones."""


class ClientRef(Contract):
    """The reference to a client in other entities."""

    id: UUID
    name: Annotated[str, Field(examples=["Hansekontor Logistik GmbH"])]

    @classmethod
    def of(cls, client: Client) -> ClientRef:
        return cls(id=client.id, name=client.name)


CLIENTS = ListedCollection(
    entity="client",
    record=StoredClient,
    shown_as=Client,
    is_stored_as_shown=True,
    search=lambda client: (client.name, client.email, client.phone, phones.searchable(client.phone), client.address),
    sort_fields=("name",),
    cursor_list="getClients with `limit` and `cursor`",
    unique=(Unique("name", lambda client: client.name, "another client has this name"),),
    reference=lambda client: {"name": client.name},
    children=("project", "workLocation"),
)


def update(unit: UnitOfWork, client: StoredClient, changes: Mapping[str, Any]) -> StoredClient:
    """DUPLICATE_ENTRY for another client's name."""
    after = CLIENTS.update(unit, client, changes)
    if after.name != client.name:
        labels.move_names(unit)
    return after
