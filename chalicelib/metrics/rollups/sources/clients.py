"""Clients, from creation to deletion."""

from __future__ import annotations

from chalicelib.auth.permissions import Permission
from chalicelib.metrics.rollups.sources.base import Source, created_row, lifetime
from chalicelib.metrics.rollups.sources.fields import TimeBinding, fields, instant_field, text_field
from chalicelib.models.staffing.clients import CLIENTS

CLIENT_SOURCE = Source(
    name="clients",
    label="Clients",
    permission=Permission.WORKSPACE_READ,
    time=TimeBinding.INSTANT,
    time_field="createdAt",
    fields=fields(
        text_field("name", "Name"),
        instant_field("createdAt", "Created"),
    ),
    collection=CLIENTS,
    contribution=lambda client, _: tuple(lifetime(client)),
    row=lambda client, _, over: created_row(client, {"name": client.name}, over),
)
