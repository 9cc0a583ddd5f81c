"""A slow reference of tracked time: it walks every second of every session, with the zone's clock of that second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

HOUR = 3600

Rates = Mapping[str, Mapping[date, int]]
"""Minor units an hour by level and first day."""


@dataclass(frozen=True)
class WalkedSession:
    start: int
    """Seconds since 1970."""
    end: int
    pause: tuple[int, int] | None
    keys: Mapping[str, Sequence[str | None]]
    """Its keys by dimension: project, client, task, user, tag, billable."""
    levels: Sequence[str]
    """Levels of rates that may price it, the most specific first."""

    @property
    def is_billable(self) -> bool:
        return self.keys["billable"] == ["true"]

    def seconds(self) -> list[int]:
        low, high = self.pause or (0, 0)
        return [second for second in range(self.start, self.end) if not low <= second < high]


@dataclass
class Figures:
    seconds: int = 0
    billable: int = 0
    product: int = 0
    """Minor units × seconds."""
    unpriced: int = 0

    def shown(self) -> tuple[int, int, int | None, int]:
        """Return seconds, billable seconds, the amount rounded half up, and seconds without a rate."""
        amount = (2 * self.product + HOUR) // (2 * HOUR) if self.unpriced < self.billable else None
        return self.seconds, self.billable, amount, self.unpriced


def figures(
    sessions: Sequence[WalkedSession], dimensions: Sequence[str], zone: str, pricing_zone: str, rates: Rates
) -> dict[tuple[str | None, ...], Figures]:
    """Return the figures by the keys of up to two dimensions; () is the total, which counts a session once."""
    groups: dict[tuple[str | None, ...], Figures] = {(): Figures()}
    for session in sessions:
        for second in session.seconds():
            day = datetime.fromtimestamp(second, ZoneInfo(zone)).date()
            rate = _rate(session, datetime.fromtimestamp(second, ZoneInfo(pricing_zone)).date(), rates)
            keys: list[tuple[str | None, ...]] = [()]
            for dimension in dimensions:
                keys = [(*key, value) for key in keys for value in _keys(session, dimension, day)]
            for key in {(), *keys}:
                group = groups.setdefault(key, Figures())
                group.seconds += 1
                if session.is_billable:
                    group.billable += 1
                    group.product += rate or 0
                    group.unpriced += rate is None
    return groups


def _rate(session: WalkedSession, day: date, rates: Rates) -> int | None:
    for level in session.levels:
        days = [first for first in rates.get(level, {}) if first <= day]
        if days:
            return rates[level][max(days)]
    return None


def _keys(session: WalkedSession, dimension: str, day: date) -> Sequence[str | None]:
    match dimension:
        case "day":
            return [day.isoformat()]
        case "week":
            return [(day - timedelta(days=day.weekday())).isoformat()]
        case "month":
            return [f"{day:%Y-%m}"]
    return session.keys[dimension]


def by_day(sessions: Sequence[WalkedSession], zone: str) -> Counter[date]:
    return Counter(
        datetime.fromtimestamp(second, ZoneInfo(zone)).date() for session in sessions for second in session.seconds()
    )


def by_hour(sessions: Sequence[WalkedSession], zone: str) -> Counter[tuple[int, int]]:
    """Return the seconds by ISO weekday and clock hour."""
    clock = (datetime.fromtimestamp(second, ZoneInfo(zone)) for session in sessions for second in session.seconds())
    return Counter((local.isoweekday(), local.hour) for local in clock)


def current_run(days: Sequence[date], today: date) -> int:
    """Return the length of the run of days up to today, or to yesterday while today has none."""
    last = today if today in days else today - timedelta(days=1)
    length = 0
    while last - timedelta(days=length) in days:
        length += 1
    return length


def longest_run(days: Sequence[date]) -> tuple[int, date | None, date | None]:
    """Return the length of the longest run of days, the earlier of equals, with its first and last day."""
    best: tuple[int, date | None, date | None] = (0, None, None)
    for first in sorted(days):
        last = first
        while last + timedelta(days=1) in days:
            last += timedelta(days=1)
        length = (last - first).days + 1
        if length > best[0]:
            best = (length, first, last)
    return best
