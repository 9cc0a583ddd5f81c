"""Workloads of workers and positions, packed months and long-running assignments match the assignments."""

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
    bookings: dict[str, list[tuple[Assignment, Booking]]] = defaultdict(list)
    for key, item in items.items():
        if key.entity == "assignment":
            assignment = layout.record_of(key.entity, item)
            if assignment.booking is not None:
                bookings[str(assignment.worker_id)].append((assignment, assignment.booking))
                bookings[str(assignment.position_id)].append((assignment, assignment.booking))
    for key, item in items.items():
        if key.entity in {"worker", "position"}:
            record = layout.record_of(key.entity, item)
            for error in _errors(key, record, bookings[key.id], now):
                world.report("workload", f"{key.entity} {key.id} {error}", entity=key.id, organization=key.organization)
    for organization in layout.organizations(snapshot):
        _check_months(world, organization, items, bookings)


def _errors(key: EntityKey, record: Any, bookings: list[tuple[Assignment, Booking]], now: datetime) -> Iterator[str]:
    stored, expected = _stored(key, record, now), _expected(key, record.workload.since, bookings, now)
    for name, value in expected.items():
        if stored[name] != value:
            yield f"has {name} {stored[name]} instead of {value}"


def _stored(key: EntityKey, record: Any, now: datetime) -> dict[str, Any]:
    """Return the workload as the product reads it."""
    organization, kind = OrganizationId(UUID(key.organization)), layout.COLLECTIONS[key.entity].kind
    long_running = record.long_running if key.entity == "worker" else {}
    steps = workload_days.steps(organization, kind, record.id, record.workload.since) if record.workload.since else []
    return {
        "live assignments": workload.live(organization, kind, record.id, record.workload, now),
        "milliseconds": record.workload.milliseconds,
        "classes": {length_class: count for length_class, count in record.workload.classes.items() if count},
        "steps": Counter({(step.at, step.is_end): step.number for step in steps}),
        "long assignments": {
            identifier: Booking(long.position_id, long.start_at, long.end_at)
            for identifier, long in long_running.items()
        },
    }


def _expected(
    key: EntityKey, since: str | None, bookings: list[tuple[Assignment, Booking]], now: datetime
) -> dict[str, Any]:
    """Return the same from the assignments. Steps are counted by day, from the day of the last change on."""
    all_bookings = [booking for _, booking in bookings]
    ended = [(booking.start, booking.end) for booking in all_bookings if booking.end is not None]
    steps = Counter((clock.milliseconds(end), True) for _, end in ended)
    if key.entity == "position":
        steps.update((clock.milliseconds(booking.start), False) for booking in all_bookings)
    return {
        "live assignments": sum(booking.end is None or booking.end > now for booking in all_bookings),
        "milliseconds": sum(clock.milliseconds(end) - clock.milliseconds(start) for start, end in ended),
        "classes": dict(Counter(booking.length_class for booking in all_bookings)),
        "steps": Counter({step: number for step, number in steps.items() if since and _day_of(step) >= since}),
        "long assignments": {
            assignment.id: booking
            for assignment, booking in bookings
            if key.entity == "worker" and booking.length_class is LengthClass.LONGER
        },
    }


def _day_of(step: tuple[int, bool]) -> str:
    """Return the day of a step. An end at midnight belongs to the day before."""
    at, is_end = step
    return clock.from_milliseconds(at - is_end).date().isoformat()


def _check_months(
    world: World, organization: OrganizationId, items: Any, bookings: dict[str, list[tuple[Assignment, Booking]]]
) -> None:
    """Report differences of the packed months of all workers, as the hours report reads them."""
    expected: dict[tuple[str, int], dict[UUID, list[tuple[int, int]]]] = {}
    for key in items:
        if key.entity == "worker" and key.organization == str(organization):
            for _, booking in bookings[key.id]:
                for piece in booking.pieces:
                    place = (key.id, packed_months.bounds(piece.month)[0])
                    spans = expected.setdefault(place, {}).setdefault(booking.position, [])
                    spans.append((piece.start, piece.end))
    stored = {
        (str(month.worker), month.start): packed_months.unpack(month.packed)
        for month in packed_months.read(organization, _EARLIEST, _LATEST)
    }
    for place in stored.keys() | expected.keys():
        actual, computed = stored.get(place, {}), expected.get(place, {})
        if {position: sorted(spans) for position, spans in actual.items()} != {
            position: sorted(spans) for position, spans in computed.items()
        }:
            month = clock.from_milliseconds(place[1]).strftime("%Y-%m")
            message = f"{month} of worker {place[0]} has {actual} instead of {computed}"
            world.report("month", message, entity=place[0], organization=organization)
