"""Days of the calendar, and when they begin in a time zone."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_FIRST = date(1900, 1, 1)
_LAST = date(2199, 12, 31)
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def _read(value: Any) -> date:
    """Pydantic alone would take numbers and midnights too, and Python weeks such as `2026-W09-7`."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and _ISO_DATE.fullmatch(value.strip()):
            return date.fromisoformat(value.strip())
    except ValueError:  # a 30th of February
        pass
    raise PydanticCustomError("day", "must be a date, YYYY-MM-DD")


def is_in_bounds(day: date) -> bool:
    """Return True for the years 1900 to 2199, the days that the API takes."""
    return _FIRST <= day <= _LAST


def _within_bounds(day: date) -> date:
    if not is_in_bounds(day):
        raise PydanticCustomError(
            "day_range",
            "must be from {first} to {last}",
            {"first": _FIRST.isoformat(), "last": _LAST.isoformat()},
        )
    return day


Day = Annotated[
    date,
    BeforeValidator(_read),
    AfterValidator(_within_bounds),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date",
            "pattern": "^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$",
            "examples": ["2026-03-01"],
        }
    ),
]
"""A date as `YYYY-MM-DD`, from 1900 to 2199: no date-time, no number."""


@lru_cache(maxsize=4096)
def start_of(day: date, zone: str) -> datetime:
    """The first instant, in UTC, at which the local calendar of `zone` shows `day` or a later one.

    So a day that the zone skips begins where the next one does, and is 0 hours long.
    """
    return instant_at(datetime.combine(day, time()), zone)


def instant_at(local: datetime, zone: str) -> datetime:
    """The first instant, in UTC, at which clocks in `zone` show `local`, which names no zone, or a later time."""
    shown = local.replace(tzinfo=ZoneInfo(zone), fold=0)  # the earlier one, where clocks show it twice
    instant = shown.astimezone(UTC)
    if instant.astimezone(shown.tzinfo).replace(tzinfo=None) == local:
        return instant
    return _end_of_gap(shown)


def instants_of(local: datetime, zone: str) -> list[datetime]:
    """Return the instants, in UTC, at which clocks in `zone` show `local`: none in a gap, two where it comes twice."""
    readings = {local.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(
        instant for instant in readings if instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) == local
    )


def _end_of_gap(missing: datetime) -> datetime:
    """The instant of the transition that jumps over `missing`, a local time that no clock shows."""
    # Read with the offset from after the transition it is before it, and the other way round (PEP 495).
    before, after = missing.replace(fold=1).astimezone(UTC), missing.replace(fold=0).astimezone(UTC)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // timedelta(seconds=2) * timedelta(seconds=1)
        if middle.astimezone(missing.tzinfo).replace(tzinfo=None) < missing.replace(tzinfo=None):
            before = middle
        else:
            after = middle
    return after


def span_of(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    """When `first` begins and when `last` is over, in UTC: half-open."""
    return start_of(first, zone), start_of(last + timedelta(days=1), zone)


def day_of(instant: datetime, zone: str) -> date:
    """The date on the local calendar; at the ends of the years 1 to 9999, where there is none, the date in UTC."""
    try:
        return instant.astimezone(ZoneInfo(zone)).date()
    except OverflowError:
        return instant.astimezone(UTC).date()


def in_words(day: date, today: date) -> str:
    """Return a date as a sentence has it: 3 Dec, with the year where it is not this one."""
    return f"{day.day} {day:%b}" if day.year == today.year else f"{day.day} {day:%b %Y}"


def months_after(day: date, months: int) -> date:
    """Return the same day of another month, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
