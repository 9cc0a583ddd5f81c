"""Workers with their hours and present positions: from their workloads, at a cost that no past assignment adds to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.core import hours
from chalicelib.models.staffing import workload
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS
from chalicelib.models.staffing.workers import StoredWorker, Worker
from chalicelib.models.staffing.workload import Present
from chalicelib.modules.workers.contracts import WorkerWithStats


def with_stats(ctx: Context, workers: Sequence[StoredWorker]) -> list[WorkerWithStats]:
    """One read for this month's assignments of all workers, one for their positions, one for their work locations."""
    present = workload.present(
        ctx.organization, {worker.id: (worker.workload, worker.long_running) for worker in workers}, ctx.now
    )
    positions = POSITIONS.get_shown(ctx.organization, {id_ for held in present.values() for id_ in held.active})
    places = {position: worker.work_location_id for position, worker in positions.items()}
    locations = WORK_LOCATIONS.get_shown(ctx.organization, places.values())
    names = {position: locations[place].name for position, place in places.items()}
    return [_with_stats(worker, present[worker.id], names) for worker in workers]


def _with_stats(worker: StoredWorker, present: Present, location_names: Mapping[UUID, str]) -> WorkerWithStats:
    return WorkerWithStats(
        **{name: getattr(worker, name) for name in Worker.model_fields},
        total_hours=hours.hours(hours.seconds(present.worked)),
        scheduled_hours=hours.hours(hours.seconds(present.ahead)),
        active_assignments=len(present.active),
        assigned_locations=sorted({location_names[position] for position in present.active}),
    )
