"""Work locations: the places of a client where workers work."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from chalicelib.core import phones
from chalicelib.core.contracts import Contract
from chalicelib.core.field_types import Name, StoredEmail, Timezone
from chalicelib.core.phones import Phone
from chalicelib.dal.page_lists import ListedCollection
from chalicelib.dal.records import DeletableRecord
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.staffing.clients import CLIENTS, Address, Client, ClientRef


class WorkLocation(DeletableRecord):
    client_id: UUID
    name: Annotated[Name, Field(examples=["Lager Süd"])]
    address: Address | None = None
    email: Annotated[StoredEmail | None, Field(examples=["lager.sued@hansekontor.example"])] = None
    phone: Phone | None = None
    timezone: Timezone


class WorkLocationRef(Contract):
    """The reference to a work location in other entities."""

    id: UUID
    name: Annotated[str, Field(examples=["Lager Süd"])]
    client: ClientRef

    @classmethod
    def of(cls, location: WorkLocation, client: Client) -> WorkLocationRef:
        return cls(id=location.id, name=location.name, client=ClientRef.of(client))


WORK_LOCATIONS = ListedCollection(
    entity="workLocation",
    record=WorkLocation,
    shown_as=WorkLocation,
    search=lambda location: (
        location.name,
        location.email,
        location.phone,
        phones.searchable(location.phone),
        location.address,
    ),
    sort_fields=("name",),
    facets=lambda location: {"clientId": str(location.client_id)},
    cursor_list="getWorkLocations with `limit` and `cursor`",
    parent=lambda location: location.client_id,
    reference=lambda location: {"name": location.name, "parent": str(location.client_id)},
    children=("position",),
)


def create(unit: UnitOfWork, location: WorkLocation) -> WorkLocation:
    """Add a work location. NOT_FOUND for a client that is not live."""
    WORK_LOCATIONS.create(unit, location)
    CLIENTS.count_child(unit, location.client_id, WORK_LOCATIONS.entity, 1)
    return location


def delete(unit: UnitOfWork, location: WorkLocation) -> WorkLocation:
    """Delete a work location. HAS_DEPENDENCIES while there are live positions."""
    deleted = WORK_LOCATIONS.delete(unit, location)
    CLIENTS.count_child(unit, location.client_id, WORK_LOCATIONS.entity, -1)
    return deleted
