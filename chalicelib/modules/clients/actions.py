"""Clients: the companies that workers are lent to."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from chalicelib.action import lists
from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import ChildrenQuery, CursorPage, Page
from chalicelib.core.errors import ErrorCode
from chalicelib.models.audit import AuditEvent
from chalicelib.models.staffing import clients
from chalicelib.models.staffing.clients import CLIENTS, Client, StoredClient
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS
from chalicelib.modules.clients.contracts import ClientWithLocations, CreateClient, GetClients, UpdateClient


@action(
    "createClient",
    "POST /clients",
    permission=Permission.CLIENTS_WRITE,
    audit=AuditEvent.CLIENT_CREATED,
    status=201,
    errors=(ErrorCode.DUPLICATE_ENTRY,),
)
def create_client(ctx: Context, data: CreateClient) -> Client:
    """Adds a client; its name is unique in the organization, in any case."""
    return CLIENTS.create(ctx.unit, StoredClient.new(**dict(data)))


@action("getClient", "GET /clients/{id}", permission=Permission.WORKSPACE_READ, entity=CLIENTS)
def get_client(ctx: Context, id_: UUID) -> Client:
    """One client."""
    return CLIENTS.get(ctx.organization, id_)


@action("getClients", "GET /clients", permission=Permission.WORKSPACE_READ)
def get_clients(ctx: Context, data: GetClients) -> Page[Client] | CursorPage[Client]:
    """The clients; `search` looks at name, e-mail address, phone and address."""
    return lists.answer(ctx, CLIENTS, data, default_sort="name", include_deleted=data.include_deleted)


@action(
    "updateClient",
    "PATCH /clients/{id}",
    permission=Permission.CLIENTS_WRITE,
    entity=CLIENTS,
    audit=AuditEvent.CLIENT_UPDATED,
    errors=(ErrorCode.DUPLICATE_ENTRY,),
)
def update_client(ctx: Context, id_: UUID, data: UpdateClient) -> Client:
    """Changes a client."""
    return clients.update(ctx.unit, CLIENTS.get(ctx.organization, id_), data.changes())


@action(
    "deleteClient",
    "DELETE /clients/{id}",
    permission=Permission.CLIENTS_WRITE,
    entity=CLIENTS,
    audit=AuditEvent.CLIENT_DELETED,
    errors=(ErrorCode.HAS_DEPENDENCIES,),
)
def delete_client(ctx: Context, id_: UUID) -> Client:
    """Deletes a client softly; its name may be used again. Refused while it has live work locations."""
    return CLIENTS.delete(ctx.unit, CLIENTS.get(ctx.organization, id_))


@action(
    "getClientWithLocations", "GET /clients/{id}/work-locations", permission=Permission.WORKSPACE_READ, entity=CLIENTS
)
def get_client_with_locations(ctx: Context, id_: UUID, data: ChildrenQuery) -> ClientWithLocations:
    """A client with its work locations, oldest first. A page holds up to 500, if they fit 1 MB."""
    client, page = lists.with_children(ctx, partial(CLIENTS.get, ctx.organization, id_), WORK_LOCATIONS, id_, data)
    return ClientWithLocations.extending(client, work_locations=page.items, next_cursor=page.next_cursor)
