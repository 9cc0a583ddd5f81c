"""Work locations: the places of a client where workers work."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from chalicelib.action import lists
from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import ChildrenQuery, CursorPage, Page
from chalicelib.core.errors import ErrorCode
from chalicelib.dal.page_lists import Rows
from chalicelib.models.audit import AuditEvent
from chalicelib.models.staffing import work_locations
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS, WorkLocation
from chalicelib.modules.work_locations.contracts import (
    CreateWorkLocation,
    GetWorkLocations,
    UpdateWorkLocation,
    WorkLocationWithClient,
    WorkLocationWithPositions,
)
from chalicelib.modules.work_locations.views import JOINED, with_clients


@action(
    "createWorkLocation",
    "POST /work-locations",
    permission=Permission.WORK_LOCATIONS_WRITE,
    audit=AuditEvent.WORK_LOCATION_CREATED,
    status=201,
    errors=(ErrorCode.NOT_FOUND,),
)
def create_work_location(ctx: Context, data: CreateWorkLocation) -> WorkLocation:
    """Adds a work location to a client, for good: it never moves to another. Its time zone is as it was created."""
    zone = data.timezone or ctx.principal.organization.timezone
    return work_locations.create(ctx.unit, WorkLocation.new(**{**dict(data), "timezone": zone}))


@action("getWorkLocation", "GET /work-locations/{id}", permission=Permission.WORKSPACE_READ, entity=WORK_LOCATIONS)
def get_work_location(ctx: Context, id_: UUID) -> WorkLocationWithClient:
    """One work location, with its client."""
    return with_clients(ctx, [WORK_LOCATIONS.get(ctx.organization, id_)])[0]


@action("getWorkLocations", "GET /work-locations", permission=Permission.WORKSPACE_READ)
def get_work_locations(
    ctx: Context, data: GetWorkLocations
) -> Page[WorkLocationWithClient] | CursorPage[WorkLocationWithClient]:
    """The work locations, with their clients; `search` looks at name, e-mail address, phone and address."""
    return lists.answer(
        ctx,
        WORK_LOCATIONS,
        data,
        default_sort="name",
        facets={"clientId": data.client_id},
        rows=Rows(WorkLocationWithClient, partial(with_clients, ctx), JOINED),
    )


@action(
    "getWorkLocationWithPositions",
    "GET /work-locations/{id}/positions",
    permission=Permission.WORKSPACE_READ,
    entity=WORK_LOCATIONS,
)
def get_work_location_with_positions(ctx: Context, id_: UUID, data: ChildrenQuery) -> WorkLocationWithPositions:
    """A work location with its client and its positions, oldest first. A page holds up to 500, if they fit 1 MB."""
    location, page = lists.with_children(ctx, partial(get_work_location, ctx, id_), POSITIONS, id_, data)
    return WorkLocationWithPositions.extending(location, positions=page.items, next_cursor=page.next_cursor)


@action(
    "updateWorkLocation",
    "PATCH /work-locations/{id}",
    permission=Permission.WORK_LOCATIONS_WRITE,
    entity=WORK_LOCATIONS,
    audit=AuditEvent.WORK_LOCATION_UPDATED,
)
def update_work_location(ctx: Context, id_: UUID, data: UpdateWorkLocation) -> WorkLocation:
    """Changes a work location."""
    return WORK_LOCATIONS.update(ctx.unit, WORK_LOCATIONS.get(ctx.organization, id_), data.changes())


@action(
    "deleteWorkLocation",
    "DELETE /work-locations/{id}",
    permission=Permission.WORK_LOCATIONS_WRITE,
    entity=WORK_LOCATIONS,
    audit=AuditEvent.WORK_LOCATION_DELETED,
    errors=(ErrorCode.HAS_DEPENDENCIES,),
)
def delete_work_location(ctx: Context, id_: UUID) -> WorkLocation:
    """Deletes a work location softly. Refused while it has live positions."""
    return work_locations.delete(ctx.unit, WORK_LOCATIONS.get(ctx.organization, id_))
