"""The organizations and their shifts, in whole UTC months; reports are about the last one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from chalicelib.core import clock

POSITIONS, LOCATIONS, CLIENTS = 40, 20, 10
LIVE = 200
"""Assignments in each state other than completed: at most one of each per worker."""
_POSITIONS_PER_WORKER = 3
_DAYS = 28


@dataclass(frozen=True)
class Shape:
    workers: int
    shifts: int
    """Per worker and month."""
    months: int = 1

    @property
    def completed(self) -> int:
        return self.workers * self.shifts * self.months


SHAPES = {
    "10,000": Shape(workers=500, shifts=20),
    "110,000": Shape(workers=500, shifts=20, months=11),
    "1,000 workers": Shape(workers=1000, shifts=10),
    "100 each": Shape(workers=20, shifts=20, months=5),
    "1,000 each": Shape(workers=20, shifts=20, months=50),
}


@dataclass(frozen=True)
class Shift:
    worker: int
    position: int
    start: datetime
    end: datetime


def month(back: int = 0) -> date:
    """Return the first day of the reported month, or of the month `back` months earlier."""
    today = clock.now().date()
    number = today.year * 12 + today.month - 2 - back
    return date(number // 12, number % 12 + 1, 1)


def last_day() -> date:
    return (month() + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def shifts(shape: Shape) -> Iterator[Shift]:
    """Yield shifts of eight hours and some seconds, early or late: within a day, in UTC and in Europe."""
    for back in range(shape.months):
        first = datetime.combine(month(back), datetime.min.time(), UTC)
        for worker in range(shape.workers):
            for number in range(shape.shifts):
                hour = 5 if (worker + number) % 2 else 13
                start = first + timedelta(days=number * _DAYS // shape.shifts, hours=hour, minutes=worker % 60)
                position = (worker * 7 + number % _POSITIONS_PER_WORKER) % POSITIONS
                yield Shift(worker, position, start, start + timedelta(hours=8, seconds=number))


def bill_rate(position: int, day: date) -> int:
    """Return cents per hour: the rate of every fourth position rises in the middle of the reported month."""
    return 3600 + 50 * position + (175 if position % 4 == 0 and day >= rise() else 0)


def pay_rate(worker: int, day: date) -> int:
    return 1500 + worker + (75 if worker % 4 == 0 and day >= rise() else 0)


def rise() -> date:
    return month().replace(day=15)
