"""Positions: work to be done at a work location, by a number of workers."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from chalicelib.action import lists
from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import CursorPage, Page
from chalicelib.core.errors import ErrorCode
from chalicelib.dal.page_lists import Rows
from chalicelib.models.audit import AuditEvent
from chalicelib.models.staffing import positions
from chalicelib.models.staffing.positions import POSITIONS, Position, StoredPosition
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS
from chalicelib.modules.positions.contracts import CreatePosition, GetPositions, PositionWithLocation, UpdatePosition
from chalicelib.modules.positions.views import JOINED, with_locations


@action(
    "createPosition",
    "POST /positions",
    permission=Permission.POSITIONS_WRITE,
    audit=AuditEvent.POSITION_CREATED,
    status=201,
    errors=(ErrorCode.NOT_FOUND,),
)
def create_position(ctx: Context, data: CreatePosition) -> Position:
    """Adds a position to a work location, for good: it never moves to another."""
    location = WORK_LOCATIONS.get(ctx.organization, data.work_location_id)
    return positions.create(ctx.unit, StoredPosition.new(**dict(data), client_id=location.client_id))


@action("getPosition", "GET /positions/{id}", permission=Permission.WORKSPACE_READ, entity=POSITIONS)
def get_position(ctx: Context, id_: UUID) -> PositionWithLocation:
    """One position, with its work location and client."""
    return with_locations(ctx, [POSITIONS.get(ctx.organization, id_)])[0]


@action("getPositions", "GET /positions", permission=Permission.WORKSPACE_READ)
def get_positions(ctx: Context, data: GetPositions) -> Page[PositionWithLocation] | CursorPage[PositionWithLocation]:
    """The positions, with their work locations and clients; `search` takes their names."""
    return lists.answer(
        ctx,
        POSITIONS,
        data,
        default_sort="name",
        facets={"workLocationId": data.work_location_id, "clientId": data.client_id, "isActive": data.is_active},
        rows=Rows(PositionWithLocation, partial(with_locations, ctx), JOINED),
    )


@action(
    "updatePosition",
    "PATCH /positions/{id}",
    permission=Permission.POSITIONS_WRITE,
    entity=POSITIONS,
    audit=AuditEvent.POSITION_UPDATED,
)
def update_position(ctx: Context, id_: UUID, data: UpdatePosition) -> Position:
    """Changes a position. One that is not active takes no new assignments and keeps those it has."""
    return positions.update(ctx.unit, POSITIONS.get(ctx.organization, id_), data.changes(), ctx.now)


@action(
    "deletePosition",
    "DELETE /positions/{id}",
    permission=Permission.POSITIONS_WRITE,
    entity=POSITIONS,
    audit=AuditEvent.POSITION_DELETED,
    errors=(ErrorCode.HAS_DEPENDENCIES,),
)
def delete_position(ctx: Context, id_: UUID) -> Position:
    """Deletes a position softly. Refused while it has active or scheduled assignments."""
    return positions.delete(ctx.unit, POSITIONS.get(ctx.organization, id_), ctx.now)
