"""Positions as they are read: with their work locations and clients."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.action.context import Context
from chalicelib.dal.collection import get_together
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.staffing.positions import Position
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS, WorkLocationRef
from chalicelib.modules.positions.contracts import PositionWithLocation


def with_locations(ctx: Context, positions: Sequence[Position]) -> list[PositionWithLocation]:
    """One read for them all."""
    locations, clients = get_together(
        ctx.organization,
        [
            (WORK_LOCATIONS, {position.work_location_id for position in positions}),
            (CLIENTS, {position.client_id for position in positions}),
        ],
    )
    return [
        PositionWithLocation.extending(
            position,
            work_location=WorkLocationRef.of(locations[position.work_location_id], clients[position.client_id]),
        )
        for position in positions
    ]
