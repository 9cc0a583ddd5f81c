"""Workers with their hours and present positions: from their workloads, at a cost that no past assignment adds to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.core import hours
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.collection import NEIGHBOURS, are_neighbours
from chalicelib.dal.page_lists import JoinedRead, ListedPage
from chalicelib.models.staffing import packed_months, workload
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS
from chalicelib.models.staffing.workers import StoredWorker, Worker
from chalicelib.models.staffing.workload import Present
from chalicelib.modules.workers.contracts import WorkerWithStats

_POSITIONS = 60
"""Positions of which one look at the index shows where they are: it costs two units, four positions by key."""


def joined(ctx: Context) -> Mapping[str, JoinedRead]:
    """Return what a page of workers reads together with them: this month of neighbours, and where positions are."""

    def months(organization: OrganizationId, listed: ListedPage) -> Mapping[UUID, bytes] | None:
        ids = [row.sk for row in listed.page]
        if not are_neighbours(ids, (row.sk for row in listed.rows)):
            return None
        month, most = packed_months.label_of(ctx.now), NEIGHBOURS * len(ids)
        return packed_months.of_neighbours(organization, month, [UUID(id_) for id_ in ids], most)

    return {"months": months, "positions": lambda organization, _: POSITIONS.oldest(organization, _POSITIONS)}


def with_stats(
    ctx: Context,
    workers: Sequence[StoredWorker],
    months: Mapping[UUID, bytes] | None = None,
    positions: Mapping[UUID, Mapping[str, Any]] | None = None,
) -> list[WorkerWithStats]:
    """One read for this month's assignments of all workers, one for their positions, one for their work locations.

    `months` and `positions`, by their facets, are those that were read before.
    """
    of_workers = {worker.id: (worker.workload, worker.long_running) for worker in workers}
    present = workload.present(ctx.organization, of_workers, ctx.now, months)
    active = {id_ for held in present.values() for id_ in held.active}
    places = {id_: UUID(facets["workLocationId"]) for id_, facets in (positions or {}).items()}
    # If these are all positions, their work locations are all that have any.
    among = {str(place) for place in places.values()} if len(places) < _POSITIONS else set()
    others = POSITIONS.get_shown(ctx.organization, active - places.keys())
    places |= {id_: position.work_location_id for id_, position in others.items()}
    locations = WORK_LOCATIONS.get_shown(ctx.organization, {places[id_] for id_ in active}, among)
    names = {id_: locations[places[id_]].name for id_ in active}
    return [_with_stats(worker, present[worker.id], names) for worker in workers]


def _with_stats(worker: StoredWorker, present: Present, location_names: Mapping[UUID, str]) -> WorkerWithStats:
    return WorkerWithStats(
        **{name: getattr(worker, name) for name in Worker.model_fields},
        total_hours=hours.hours(hours.seconds(present.worked)),
        scheduled_hours=hours.hours(hours.seconds(present.ahead)),
        active_assignments=len(present.active),
        assigned_locations=sorted({location_names[position] for position in present.active}),
    )
