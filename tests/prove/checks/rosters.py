"""What assignments come to: counts beside workers and positions, months and long assignments."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.intervals import LengthClass
from chalicelib.models.staffing import packed_months, workload, workload_days
from chalicelib.models.staffing.assignments import Assignment
from chalicelib.models.staffing.workload import Booking
from tests.prove import layout
from tests.prove.layout import EntityKey
from tests.prove.world import World
from tests.support.store import Snapshot

_EARLIEST, _LATEST = datetime(2020, 1, 1, tzinfo=clock.UTC), datetime(2040, 1, 1, tzinfo=clock.UTC)


def check(world: World, snapshot: Snapshot) -> None:
    now = clock.now()
    items = layout.entities(snapshot)
    taken: dict[str, list[tuple[Assignment, Booking]]] = defaultdict(list)
    for key, item in items.items():
        if key.entity == "assignment":
            assignment = layout.record_of(key.entity, item)
            if assignment.booking is not None:
                taken[str(assignment.worker_id)].append((assignment, assignment.booking))
                taken[str(assignment.position_id)].append((assignment, assignment.booking))
    for key, item in items.items():
        if key.entity in {"worker", "position"}:
            record = layout.record_of(key.entity, item)
            for fault in _faults(key, record, taken[key.id], now):
                world.report("roster", f"{key.entity} {key.id} {fault}", entity=key.id, organization=key.organization)
    for organization in layout.organizations(snapshot):
        _check_months(world, organization, items, taken)


def _faults(key: EntityKey, record: Any, taken: list[tuple[Assignment, Booking]], now: datetime) -> Iterator[str]:
    held, counted = _held(key, record, now), _counted(key, record.roster.since, taken, now)
    for name, value in counted.items():
        if held[name] != value:
            yield f"has {name} {held[name]} instead of {value}"


def _held(key: EntityKey, record: Any, now: datetime) -> dict[str, Any]:
    """The counts, as the product reads them."""
    organization, kind = OrganizationId(UUID(key.organization)), layout.COLLECTIONS[key.entity].kind
    standing = record.standing if key.entity == "worker" else {}
    steps = workload_days.steps(organization, kind, record.id, record.roster.since) if record.roster.since else []
    return {
        "live assignments": workload.live(organization, kind, record.id, record.roster, now),
        "milliseconds": record.roster.milliseconds,
        "classes": {length_class: count for length_class, count in record.roster.classes.items() if count},
        "steps": Counter({(step.at, step.is_end): step.number for step in steps}),
        "long assignments": {
            identifier: Booking(long.position_id, long.start_at, long.end_at) for identifier, long in standing.items()
        },
    }


def _counted(
    key: EntityKey, since: str | None, taken: list[tuple[Assignment, Booking]], now: datetime
) -> dict[str, Any]:
    """The same from the assignments. Steps are counted by day, from the day of the last change on."""
    occupations = [booking for _, booking in taken]
    ended = [(booking.start, booking.end) for booking in occupations if booking.end is not None]
    steps = Counter((clock.milliseconds(end), True) for _, end in ended)
    if key.entity == "position":
        steps.update((clock.milliseconds(booking.start), False) for booking in occupations)
    return {
        "live assignments": sum(booking.end is None or booking.end > now for booking in occupations),
        "milliseconds": sum(clock.milliseconds(end) - clock.milliseconds(start) for start, end in ended),
        "classes": dict(Counter(booking.length_class for booking in occupations)),
        "steps": Counter({step: number for step, number in steps.items() if since and _day_of(step) >= since}),
        "long assignments": {
            assignment.id: booking
            for assignment, booking in taken
            if key.entity == "worker" and booking.length_class is LengthClass.LONGER
        },
    }


def _day_of(step: tuple[int, bool]) -> str:
    """What ends at midnight ends on the day that is over."""
    at, is_end = step
    return clock.from_milliseconds(at - is_end).date().isoformat()


def _check_months(
    world: World, organization: OrganizationId, items: Any, taken: dict[str, list[tuple[Assignment, Booking]]]
) -> None:
    """The packed hours of all workers, as the hours report reads them."""
    expected: dict[tuple[str, int], dict[UUID, list[tuple[int, int]]]] = {}
    for key in items:
        if key.entity == "worker" and key.organization == str(organization):
            for _, booking in taken[key.id]:
                for piece in booking.pieces:
                    place = (key.id, packed_months.bounds(piece.month)[0])
                    spans = expected.setdefault(place, {}).setdefault(booking.position, [])
                    spans.append((piece.start, piece.end))
    stored = {
        (str(month.worker), month.start): packed_months.unpack(month.packed)
        for month in packed_months.read(organization, _EARLIEST, _LATEST)
    }
    for place in stored.keys() | expected.keys():
        held, counted = stored.get(place, {}), expected.get(place, {})
        if {each: sorted(spans) for each, spans in held.items()} != {
            each: sorted(spans) for each, spans in counted.items()
        }:
            month = clock.from_milliseconds(place[1]).strftime("%Y-%m")
            message = f"{month} of worker {place[0]} holds {held} instead of {counted}"
            world.report("month", message, entity=place[0], organization=organization)
