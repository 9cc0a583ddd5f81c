"""Positions: work to be done at a work location, by a number of workers, at hourly bill rates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Contract
from chalicelib.core.field_types import Name
from chalicelib.core.money import Money
from chalicelib.dal.collection import has_dependencies
from chalicelib.dal.page_lists import ListedCollection
from chalicelib.dal.records import ATTRIBUTE, DeletableRecord
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.staffing import workload
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.staffing.filling import filled_action, fills
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS, WorkLocationRef
from chalicelib.models.staffing.workload import Workload, new_workload

Headcount = Annotated[int, Field(ge=1, le=10_000, description="Number of workers needed.")]


class Position(DeletableRecord):
    work_location_id: UUID
    client_id: UUID
    """The work location's, which never changes."""
    name: Annotated[Name, Field(examples=["Kommissionierung Frühschicht"])]
    headcount: Headcount = 1
    is_active: bool = True


class StoredPosition(Position):
    workload: Annotated[Workload, ATTRIBUTE] = Workload()
    rates: Annotated[Mapping[date, Money], ATTRIBUTE] = {}
    """Hourly bill, by the day it takes effect."""


class PositionRef(Contract):
    """The reference to a position in other entities."""

    id: UUID
    name: Annotated[str, Field(examples=["Kommissionierung Frühschicht"])]
    work_location: WorkLocationRef

    @classmethod
    def of(cls, position: Position, location: WorkLocationRef) -> PositionRef:
        return cls(id=position.id, name=position.name, work_location=location)


POSITIONS = ListedCollection(
    entity="position",
    record=StoredPosition,
    shown_as=Position,
    search=lambda position: (position.name,),
    sort_fields=("name",),
    facets=lambda position: {
        "workLocationId": str(position.work_location_id),
        "clientId": str(position.client_id),
        "isActive": position.is_active,
    },
    related={"workLocationId": WORK_LOCATIONS, "clientId": CLIENTS},
    cursor_list="getPositions with `limit` and `cursor`",
    parent=lambda position: position.work_location_id,
    reference=lambda position: {"name": position.name, "parent": str(position.work_location_id)},
)


def create(unit: UnitOfWork, position: StoredPosition) -> StoredPosition:
    """Add a position. NOT_FOUND for a work location that is not live."""
    POSITIONS.create(unit, position, attributes={"workload": new_workload(), "rates": {}})
    WORK_LOCATIONS.count_child(unit, position.work_location_id, POSITIONS.entity, 1)
    return position


def update(unit: UnitOfWork, position: StoredPosition, changes: Mapping[str, Any], now: datetime) -> StoredPosition:
    """Change a position. A smaller headcount may fill it."""
    work, headcount = position.workload, changes.get("headcount", position.headcount)
    if work.filled_at is not None or headcount >= position.headcount:
        return POSITIONS.update(unit, position, changes)
    is_filled = fills(unit.organization, POSITIONS.kind, position.id, work, headcount, now)
    return POSITIONS.update(
        unit,
        position,
        changes,
        actions=[filled_action(now)] if is_filled else [],
        condition=work.is_unchanged,
    )


def delete(unit: UnitOfWork, position: StoredPosition, now: datetime) -> StoredPosition:
    """Delete a position. HAS_DEPENDENCIES while assignments are active or scheduled."""
    unit.require_version(position.version, position.updated_at)
    if live := workload.live(unit.organization, POSITIONS.kind, position.id, position.workload, now):
        raise has_dependencies(POSITIONS.entity, {"assignment": live})
    # An assignment that is made meanwhile moves the workload: then this runs again and counts it.
    deleted = POSITIONS.delete(unit, position, condition=position.workload.is_unchanged)
    WORK_LOCATIONS.count_child(unit, position.work_location_id, POSITIONS.entity, -1)
    return deleted
