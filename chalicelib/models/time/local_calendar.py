"""Days and clock hours of a time zone as spans of seconds since 1970, by the zone's rules of each date."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chalicelib.core.days import start_of
from chalicelib.models.organizations import WeekDay
from chalicelib.models.time.spans import Seconds


class HourCell(NamedTuple):
    """A part of a local day within one clock hour. An hour that comes twice has two, one that is skipped none."""

    start: int
    end: int
    iso_weekday: int
    hour: int


class Days:
    """The local days from `first` to `last`, both included."""

    def __init__(self, first: date, last: date, zone: str) -> None:
        self.first, self.last, self.zone = first, last, zone
        self.starts = [round(start_of(day, zone).timestamp()) for day in [*self.dates(), last + timedelta(days=1)]]
        """The beginning of each day, and the end of the last one."""
        self.start, self.end = self.starts[0], self.starts[-1]

    def dates(self) -> Iterator[date]:
        for number in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=number)

    def day_at(self, instant: int) -> date:
        """Return the local day of an instant from start to end."""
        return self.first + timedelta(days=bisect_right(self.starts, instant) - 1)

    def split(self, spans: Seconds) -> Iterator[tuple[date, Seconds]]:
        """Yield the parts of spans that are in each local day, in order; days without any are left out."""
        by_day: dict[int, Seconds] = {}
        for low, high in self.clip(spans):
            since, place = low, bisect_right(self.starts, low) - 1
            while since < high:
                until = min(high, self.starts[place + 1])
                if since < until:
                    by_day.setdefault(place, []).append((since, until))
                since, place = until, place + 1
        for place, parts in by_day.items():
            yield self.first + timedelta(days=place), parts

    def clip(self, spans: Seconds) -> Seconds:
        """Return the parts of spans that are within these days."""
        return [
            (max(low, self.start), min(high, self.end)) for low, high in spans if low < self.end and self.start < high
        ]

    def hours(self) -> Iterator[HourCell]:
        zone = ZoneInfo(self.zone)
        for day, start, end in zip(self.dates(), self.starts, self.starts[1:], strict=False):
            at = start
            while at < end:
                local = datetime.fromtimestamp(at, zone)
                until = min(at + 3600 - local.minute * 60 - local.second, end)
                if _offset(until - 1, zone) != _offset(at, zone):
                    until = _transition(at, until, zone)
                yield HourCell(at, until, day.isoweekday(), local.hour)
                at = until


def _offset(at: int, zone: ZoneInfo) -> timedelta:
    return datetime.fromtimestamp(at, zone).utcoffset() or timedelta()


def _transition(low: int, high: int, zone: ZoneInfo) -> int:
    """Return the first second of (low, high) at which the zone has another offset than at `low`."""
    before = _offset(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high


def first_of_week(day: date, week_start: WeekDay) -> date:
    return day - timedelta(days=(day.weekday() - list(WeekDay).index(week_start)) % 7)
