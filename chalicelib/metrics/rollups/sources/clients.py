"""Clients, from creation to deletion."""

from __future__ import annotations

from chalicelib.auth.permissions import Permission
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.base import Inputs, Row, Source, created_row, flag_dimension, lifetime
from chalicelib.metrics.rollups.sources.fields import TimeBinding, fields, flag_field, instant_field, text_field
from chalicelib.models.rollups.buckets import Contribution
from chalicelib.models.staffing.clients import CLIENTS, StoredClient


def contribution_of(client: StoredClient, _: Inputs) -> Contribution:
    return tuple(lifetime(client, (flag_dimension("hasWorkLocations", client.work_locations),)))


def row_of(client: StoredClient, _: Inputs, over: Range) -> Row:
    return created_row(client, {"name": client.name, "hasWorkLocations": client.work_locations > 0}, over)


CLIENT_SOURCE = Source(
    name="clients",
    label="Clients",
    permission=Permission.WORKSPACE_READ,
    time=TimeBinding.INSTANT,
    time_field="createdAt",
    fields=fields(
        text_field("name", "Name"),
        flag_field("hasWorkLocations", "Has work locations"),
        instant_field("createdAt", "Created"),
    ),
    collection=CLIENTS,
    triggers=("data", "children"),
    contribution=contribution_of,
    row=row_of,
)
