"""Work locations as they are read: with their clients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.action.context import Context
from chalicelib.dal import table
from chalicelib.dal.collection import Collection, get_together
from chalicelib.dal.records import Record
from chalicelib.models.staffing.clients import CLIENTS, ClientRef
from chalicelib.models.staffing.work_locations import WorkLocation
from chalicelib.modules.work_locations.contracts import WorkLocationWithClient

PARENTS: Mapping[str, Collection[Any]] = {"clientId": CLIENTS}


def with_clients(
    ctx: Context, locations: Sequence[WorkLocation], known: Iterable[Record] = ()
) -> list[WorkLocationWithClient]:
    """One read for all that are not `known`."""
    needed = {location.client_id for location in locations}
    [clients] = get_together(ctx.organization, [(CLIENTS, needed)], known, read=table.batch_get_shown)
    return [
        WorkLocationWithClient.extending(location, client=ClientRef.of(clients[location.client_id]))
        for location in locations
    ]
