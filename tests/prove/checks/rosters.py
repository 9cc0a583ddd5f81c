"""What assignments come to: counts beside workers and positions, months and long assignments."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import hours, months
from chalicelib.dal.assignments import Assignment
from chalicelib.dal.roster import Occupation, Tally
from chalicelib.dal.timeline import Lane
from tests.prove import layout
from tests.prove.world import World
from tests.support.store import Snapshot

_EARLIEST, _LATEST = datetime(2020, 1, 1, tzinfo=clock.UTC), datetime(2040, 1, 1, tzinfo=clock.UTC)


def check(world: World, snapshot: Snapshot) -> None:
    now = clock.now()
    items = layout.entities(snapshot)
    taken: dict[str, list[tuple[Assignment, Occupation]]] = defaultdict(list)
    for key, item in items.items():
        if key.entity == "assignment":
            assignment = layout.record_of(key.entity, item)
            if assignment.occupation is not None:
                taken[str(assignment.worker_id)].append((assignment, assignment.occupation))
                taken[str(assignment.position_id)].append((assignment, assignment.occupation))
    for key, item in items.items():
        if key.entity in {"worker", "position"}:
            record = layout.record_of(key.entity, item)
            for fault in _faults(key.entity, record, taken[key.id], now):
                world.report("roster", f"{key.entity} {key.id} {fault}", entity=key.id, organization=key.organization)
    for organization in layout.organizations(snapshot):
        _check_months(world, organization, items, taken)


def _faults(entity: str, record: Any, taken: list[tuple[Assignment, Occupation]], now: datetime) -> list[str]:
    tally = Tally()
    for _, occupation in taken:
        tally.add(occupation, 1)
    expected = tally.roster(now)
    pairs = {
        "live assignments": (record.roster.live(now), expected.live(now)),
        "milliseconds": (record.roster.milliseconds, expected.milliseconds),
        "lanes": (_ahead(record.roster.lanes), _ahead(expected.lanes)),
        "starts": (_ahead(record.roster.starts, now), _ahead(expected.starts, now)),
        "ends": (_ahead(record.roster.ends, now), _ahead(expected.ends, now)),
    }
    if entity == "worker":
        longer = {assignment.id: occupation for assignment, occupation in taken if occupation.lane is Lane.LONGER}
        standing = {
            identifier: Occupation(held.position_id, held.start_at, held.end_at)
            for identifier, held in record.standing.items()
        }
        pairs["long assignments"] = (standing, longer)
    return [f"has {name} {held} instead of {counted}" for name, (held, counted) in pairs.items() if held != counted]


def _ahead(counts: dict[Any, int], now: datetime | None = None) -> dict[Any, int]:
    """Without what is 0, and without past instants, which may be left out."""
    since = "" if now is None else clock.to_text(now)
    return {key: count for key, count in counts.items() if count and str(key) > since}


def _check_months(
    world: World, organization: OrganizationId, items: Any, taken: dict[str, list[tuple[Assignment, Occupation]]]
) -> None:
    """The packed hours of all workers, as the hours report reads them."""
    expected: dict[tuple[str, int], dict[UUID, list[tuple[int, int]]]] = {}
    for key in items:
        if key.entity == "worker" and key.organization == str(organization):
            for _, occupation in taken[key.id]:
                for piece in occupation.pieces:
                    place = (key.id, months.bounds(piece.month)[0])
                    spans = expected.setdefault(place, {}).setdefault(occupation.position, [])
                    spans.append((piece.start, piece.end))
    stored = {
        (str(month.worker), month.start): months.unpack(month.packed)
        for month in hours.between(organization, _EARLIEST, _LATEST)
    }
    for place in stored.keys() | expected.keys():
        held, counted = stored.get(place, {}), expected.get(place, {})
        if {each: sorted(spans) for each, spans in held.items()} != {
            each: sorted(spans) for each, spans in counted.items()
        }:
            month = clock.from_milliseconds(place[1]).strftime("%Y-%m")
            message = f"{month} of worker {place[0]} holds {held} instead of {counted}"
            world.report("month", message, entity=place[0], organization=organization)
