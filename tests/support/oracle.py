"""A slow oracle for time and money: reads the local calendar at every minute of an interval.

Minutes are counted since 1970. All offsets from UTC here are whole minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from chalicelib.core.money import Money

DAY = 24 * 60

YEARS = [
    ("Africa/Casablanca", 2026),  # an hour back for Ramadan
    ("America/Havana", 2026),  # back from 1:00 to 0:00: midnight twice
    ("America/New_York", 2026),
    ("America/Nuuk", 2026),  # back from 0:00 to 23:00
    ("America/Sao_Paulo", 2017),  # on from 0:00 to 1:00: no midnight
    ("America/Toronto", 1919),  # on from 23:30 to 0:30
    ("Asia/Beirut", 2026),
    ("Asia/Kathmandu", 1986),  # on from 0:00 to 0:15 in the new year
    ("Asia/Kolkata", 2026),
    ("Asia/Pyongyang", 2015),
    ("Asia/Pyongyang", 2018),
    ("Asia/Tokyo", 2026),
    ("Atlantic/Azores", 1993),
    ("Atlantic/Azores", 2026),
    ("Australia/Lord_Howe", 2026),  # half an hour
    ("Europe/Berlin", 2026),
    ("Europe/Istanbul", 2016),
    ("Europe/Lisbon", 1992),
    ("Europe/Lisbon", 1996),
    ("Pacific/Apia", 2011),  # without a 30th of December
    ("Pacific/Chatham", 2026),
    ("UTC", 2024),
]


@dataclass(frozen=True)
class Stretch:
    """Minutes [start, end) in a zone, drawn around a turning point."""

    zone: str
    about: int
    start: int
    end: int

    def days(self) -> list[date]:
        """Return the local date of each minute."""
        zone = ZoneInfo(self.zone)
        return [datetime.fromtimestamp(minute * 60, zone).date() for minute in range(self.start, self.end)]


def local_day(minute: int, zone: str) -> date:
    return datetime.fromtimestamp(minute * 60, ZoneInfo(zone)).date()


@cache
def _turning_points(zone: str, year: int) -> list[int]:
    """Return the ends of the year and of its February and, with more weight, the transitions, to the hour."""
    edges = [datetime(*first, 1, tzinfo=UTC) for first in ((year, 1), (year, 3), (year + 1, 1))]
    january, march, end = (int(edge.timestamp()) // 60 for edge in edges)
    hours = range(january, end, 60)
    offsets = [datetime.fromtimestamp(hour * 60, ZoneInfo(zone)).utcoffset() for hour in hours]
    transitions = [hour for hour, (here, next_) in zip(hours, pairwise(offsets), strict=False) if here != next_]
    return [january, march, end] + 4 * transitions


@cache
def _midnights(zone: str, about: int) -> list[int]:
    """Return the minutes within two days of `about` at which the local date changes."""
    return [
        minute
        for hour in range(about - 2 * DAY, about + 2 * DAY, 60)
        if local_day(hour, zone) != local_day(hour + 60, zone)
        for minute in range(hour + 1, hour + 61)
        if local_day(minute - 1, zone) != local_day(minute, zone)
    ]


def stretches(zone: str, year: int) -> st.SearchStrategy[Stretch]:
    """Draw up to four days around a transition or an end of the year, often from or to a midnight."""
    return st.sampled_from(_turning_points(zone, year)).flatmap(lambda about: stretches_about(zone, about))


@st.composite
def stretches_about(draw: st.DrawFn, zone: str, about: int) -> Stretch:
    midnights = _midnights(zone, about)
    start = draw(st.sampled_from(midnights) | st.integers(about - 2 * DAY, about))
    end = draw(st.sampled_from(midnights) | st.integers(about, about + 2 * DAY))
    return Stretch(zone, about, min(start, end), max(start, end))


def days_about(stretch: Stretch) -> st.SearchStrategy[date]:
    """Draw a day from the day before the turning point to two days after it."""
    day = local_day(stretch.about, stretch.zone)
    return st.integers(-1, 2).map(lambda shift: day + timedelta(days=shift))


def rate_on(day: date, rates: Mapping[date, Money], currency: str = "EUR") -> int | None:
    """Return the rate in force on a day; None if there is none, or one in another currency."""
    effective = [since for since in rates if since <= day]
    if not effective or rates[max(effective)].currency != currency:
        return None
    return rates[max(effective)].amount
