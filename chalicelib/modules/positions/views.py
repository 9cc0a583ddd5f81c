"""Positions as they are read: with their work locations and clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.dal import table
from chalicelib.dal.collection import get_together
from chalicelib.dal.page_lists import parents
from chalicelib.dal.records import Record
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.staffing.positions import Position
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS, WorkLocationRef
from chalicelib.modules.positions.contracts import PositionWithLocation

JOINED = {"locations": parents(WORK_LOCATIONS, "workLocationId"), "clients": parents(CLIENTS, "clientId")}


def with_locations(
    ctx: Context, positions: Sequence[Position], **known: Mapping[UUID, Record]
) -> list[PositionWithLocation]:
    """One read for all parents that are not `known`."""
    locations, clients = get_together(
        ctx.organization,
        [
            (WORK_LOCATIONS, {position.work_location_id for position in positions}),
            (CLIENTS, {position.client_id for position in positions}),
        ],
        [parent for of_kind in known.values() for parent in of_kind.values()],
        read=table.batch_get_shown,
    )
    return [
        PositionWithLocation.extending(
            position,
            work_location=WorkLocationRef.of(locations[position.work_location_id], clients[position.client_id]),
        )
        for position in positions
    ]
