"""Rollups of an organization with many assignments, written without the assignments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from chalicelib.core import clock, ids
from chalicelib.core.money import Money
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.models.organizations import StoredOrganization
from chalicelib.models.rollups import buckets, rollups
from chalicelib.models.rollups.buckets import Increments
from chalicelib.models.staffing.assignments import Assignment
from chalicelib.models.staffing.positions import StoredPosition
from chalicelib.models.staffing.workers import StoredWorker

SOURCE = "assignments"
_DAYS = 1000
_IDENTICAL = 40
"""Shifts of a day with the same start and end, in large organizations."""
_BUCKETS_PER_TRANSACTION = 95


def build(organization: StoredOrganization, assignments: int) -> float:
    """Write the rollups; return the hours of the seven days before today, added up shift by shift.

    The source's own code computes the level changes of each distinct shift, which are multiplied by the number of such
    shifts. Only buckets of the whole organization are written: no built-in metric reads those of a worker or client.
    """
    inputs = (organization, _rated(StoredPosition, 4200), _rated(StoredWorker, 2100))
    increments: Increments = {}
    hours = 0.0
    today = clock.now().date()
    for day, start, end, count in shifts(today, assignments):
        assignment = Assignment.new(
            worker_id=ids.new_id(),
            position_id=ids.new_id(),
            work_location_id=ids.new_id(),
            client_id=ids.new_id(),
            created_by_id=ids.new_id(),
            start_at=start,
            end_at=end,
        )
        for change in SOURCES[SOURCE].contribution(assignment, inputs):
            buckets.add(increments, change._replace(dimensions=()), count)
        if today - timedelta(days=7) <= day < today:
            hours += count * (end - start).total_seconds() / 3600
    changed = list(increments.items())
    for first in range(0, len(changed), _BUCKETS_PER_TRANSACTION):
        unit = UnitOfWork(organization.tenant)
        rollups.write(unit, SOURCE, dict(changed[first : first + _BUCKETS_PER_TRANSACTION]))
        unit.commit()
    return hours


def shifts(today: date, assignments: int) -> Iterator[tuple[date, datetime, datetime, int]]:
    """Yield day, start, end and count: shifts of eight hours and some seconds within a UTC day, up to tomorrow."""
    per_day = assignments // _DAYS
    identical = _IDENTICAL if per_day > _IDENTICAL * 10 else 1
    for back in range(_DAYS):
        day = today + timedelta(days=1 - back)
        for number in range(per_day // identical):
            hour = 13 if number % 2 else 5
            start = datetime(day.year, day.month, day.day, hour, number * 7 % 60, tzinfo=UTC)
            yield day, start, start + timedelta(hours=8, seconds=number), identical


def _rated(record: type[StoredPosition | StoredWorker], amount: int) -> StoredPosition | StoredWorker:
    return record.model_construct(rates={date(2020, 1, 1): Money(amount=amount, currency="EUR")})
