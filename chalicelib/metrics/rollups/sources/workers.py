"""Workers, from creation to deletion."""

from __future__ import annotations

from chalicelib.auth.permissions import Permission
from chalicelib.metrics.rollups.sources.base import Source, created_row, lifetime
from chalicelib.metrics.rollups.sources.fields import TimeBinding, fields, instant_field, text_field
from chalicelib.models.staffing.workers import WORKERS

WORKER_SOURCE = Source(
    name="workers",
    label="Workers",
    permission=Permission.WORKSPACE_READ,
    time=TimeBinding.INSTANT,
    time_field="createdAt",
    fields=fields(
        text_field("name", "Name"),
        instant_field("createdAt", "Created"),
    ),
    collection=WORKERS,
    contribution=lambda worker, _: tuple(lifetime(worker)),
    row=lambda worker, _, over: created_row(worker, {"name": worker.full_name}, over),
)
