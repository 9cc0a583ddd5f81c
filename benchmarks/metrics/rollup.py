"""What the rollups of an organization with many assignments hold, without the assignments."""

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
_ALIKE = 40
"""In large organizations, so many shifts of a day begin and end together."""
_CELLS_AT_ONCE = 95


def build(organization: StoredOrganization, assignments: int) -> float:
    """Through the rollup writer; the hours of the last seven days before today, added up one by one.

    Each distinct shift makes its edges by the source's own code. They are added up as often as there are such shifts,
    for the organization as a whole: no system metric reads the cells of single workers or clients.
    """
    inputs = (organization, _rated(StoredPosition, 4200), _rated(StoredWorker, 2100))
    moves: Increments = {}
    hours = 0.0
    today = clock.now().date()
    for day, start, end, count in _shifts(today, assignments):
        assignment = Assignment.new(
            worker_id=ids.new_id(),
            position_id=ids.new_id(),
            work_location_id=ids.new_id(),
            client_id=ids.new_id(),
            created_by_id=ids.new_id(),
            start_at=start,
            end_at=end,
        )
        for edge in SOURCES[SOURCE].contribution(assignment, inputs):
            buckets.add(moves, edge._replace(dimensions=()), count)
        if today - timedelta(days=7) <= day < today:
            hours += count * (end - start).total_seconds() / 3600
    changed = list(moves.items())
    for first in range(0, len(changed), _CELLS_AT_ONCE):
        unit = UnitOfWork(organization.tenant)
        rollups.write(unit, SOURCE, dict(changed[first : first + _CELLS_AT_ONCE]))
        unit.commit()
    return hours


def _shifts(today: date, assignments: int) -> Iterator[tuple[date, datetime, datetime, int]]:
    """Of eight hours and some seconds, within a UTC day; the last ones are today's and tomorrow's."""
    a_day = assignments // _DAYS
    alike = _ALIKE if a_day > _ALIKE * 10 else 1
    for back in range(_DAYS):
        day = today + timedelta(days=1 - back)
        for number in range(a_day // alike):
            hour = 13 if number % 2 else 5
            start = datetime(day.year, day.month, day.day, hour, number * 7 % 60, tzinfo=UTC)
            yield day, start, start + timedelta(hours=8, seconds=number), alike


def _rated(record: type[StoredPosition | StoredWorker], amount: int) -> StoredPosition | StoredWorker:
    return record.model_construct(rates={date(2020, 1, 1): Money(amount=amount, currency="EUR")})
