"""Work locations as they are read: with their clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.dal import table
from chalicelib.dal.collection import get_together
from chalicelib.dal.page_lists import parents
from chalicelib.models.staffing.clients import CLIENTS, Client, ClientRef
from chalicelib.models.staffing.work_locations import WorkLocation
from chalicelib.modules.work_locations.contracts import WorkLocationWithClient

JOINED = {"clients": parents(CLIENTS, "clientId")}


def with_clients(
    ctx: Context, locations: Sequence[WorkLocation], clients: Mapping[UUID, Client] = MappingProxyType({})
) -> list[WorkLocationWithClient]:
    """One read for all that are not among the `clients`."""
    needed = {location.client_id for location in locations}
    [clients] = get_together(ctx.organization, [(CLIENTS, needed)], clients.values(), read=table.batch_get_shown)
    return [
        WorkLocationWithClient.extending(location, client=ClientRef.of(clients[location.client_id]))
        for location in locations
    ]
