"""Workers with their hours and present positions: from their workloads, at a cost that no past assignment adds to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.core import hours
from chalicelib.core.clock import milliseconds
from chalicelib.models.staffing import workload
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS
from chalicelib.models.staffing.workers import StoredWorker, Worker
from chalicelib.modules.workers.contracts import WorkerWithStats


def with_stats(ctx: Context, workers: Sequence[StoredWorker]) -> list[WorkerWithStats]:
    """One read for this month's assignments of all workers, one for their positions, one for their work locations."""
    active = workload.active_positions(
        ctx.organization, {worker.id: worker.long_running for worker in workers}, ctx.now
    )
    positions = POSITIONS.get_many(ctx.organization, {position for held in active.values() for position in held})
    places = {position: worker.work_location_id for position, worker in positions.items()}
    locations = WORK_LOCATIONS.get_many(ctx.organization, places.values())
    names = {position: locations[place].name for position, place in places.items()}
    return [_with_stats(ctx, worker, active[worker.id], names) for worker in workers]


def _with_stats(
    ctx: Context, worker: StoredWorker, active: Sequence[UUID], location_names: Mapping[UUID, str]
) -> WorkerWithStats:
    now = milliseconds(ctx.now)
    without_end = [milliseconds(worker.start_at) for worker in worker.long_running.values() if worker.end_at is None]
    total = worker.workload.milliseconds + sum(max(0, now - start) for start in without_end)
    return WorkerWithStats(
        **{name: getattr(worker, name) for name in Worker.model_fields},
        total_hours=hours.hours(hours.seconds(total)),
        active_assignments=len(active),
        assigned_locations=sorted({location_names[position] for position in active}),
    )
