"""Workers, from creation to deletion."""

from __future__ import annotations

from chalicelib.auth.permissions import Permission
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.base import Inputs, Row, Source, created_row, flag_dimension, lifetime
from chalicelib.metrics.rollups.sources.fields import TimeBinding, fields, flag_field, instant_field, text_field
from chalicelib.models.rollups.buckets import Contribution
from chalicelib.models.staffing.workers import WORKERS, StoredWorker


def contribution_of(worker: StoredWorker, _: Inputs) -> Contribution:
    return tuple(lifetime(worker, (flag_dimension("isPlaced", worker.first_booked_at),)))


def row_of(worker: StoredWorker, _: Inputs, over: Range) -> Row:
    return created_row(worker, {"name": worker.full_name, "isPlaced": worker.first_booked_at is not None}, over)


WORKER_SOURCE = Source(
    name="workers",
    label="Workers",
    permission=Permission.WORKSPACE_READ,
    time=TimeBinding.INSTANT,
    time_field="createdAt",
    fields=fields(
        text_field("name", "Name"),
        flag_field("isPlaced", "Was ever assigned"),
        instant_field("createdAt", "Created"),
    ),
    collection=WORKERS,
    triggers=("data", "first_booked_at"),
    contribution=contribution_of,
    row=row_of,
)
