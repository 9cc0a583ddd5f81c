"""Work locations as they are read: with their clients."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.action.context import Context
from chalicelib.models.staffing.clients import CLIENTS, ClientRef
from chalicelib.models.staffing.work_locations import WorkLocation
from chalicelib.modules.work_locations.contracts import WorkLocationWithClient


def with_clients(ctx: Context, locations: Sequence[WorkLocation]) -> list[WorkLocationWithClient]:
    """One read for them all."""
    clients = CLIENTS.get_many(ctx.organization, {location.client_id for location in locations})
    return [
        WorkLocationWithClient.extending(location, client=ClientRef.of(clients[location.client_id]))
        for location in locations
    ]
