"""Buckets: sums of level changes, by month, day, hour and minute.

See docs/decisions/rollups.md. A bucket is an item of a partition of `keys.rollup`: `M#2026-11` and `D#2026-11-21` (UTC)
hold for a measure `m` the sum of the deltas of that month or day as attribute `m`, and the sum of delta
times milliseconds from its beginning as `m_`. `T#2026-11-21` holds both for each hour of the day, as `14m` and `14m_`,
and `T#2026-11-21T14` for each minute of the hour: bounded, however many level changes there are.

A value of a dimension has two buckets where the whole source has four: `M#2026-11`, and `D#2026-11-21` with both sums
for each minute of the day at which something changes, as `840m` and `840m_`. Few minutes of a day are in use for one
worker, position or client, so that item stays within the smallest unit of capacity; at most it has 1,440 of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from chalicelib.core import clock
from chalicelib.core.clock import milliseconds
from chalicelib.dal.item import Item

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
INTEGRATED = "_"

Dimensions = tuple[tuple[str, str], ...]
"""Field and value. A level change counts in the buckets of the whole source and of each of these values."""


class LevelChange(NamedTuple):
    """An instant at which levels change."""

    at: int
    """Milliseconds since 1970."""
    deltas: tuple[tuple[str, int], ...]
    """Changes by measure."""
    is_end: bool = False
    """True at an end, which takes effect at its last millisecond: an end at midnight belongs to the day before."""
    dimensions: Dimensions = ()


Contribution = tuple[LevelChange, ...]
"""The level changes of an entity."""


@lru_cache(maxsize=4096)
def month_of(since_1970: int) -> tuple[str, int]:
    day = clock.from_milliseconds(since_1970).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return f"{day.year:04}-{day.month:02}", milliseconds(day)


@lru_cache(maxsize=4096)
def day_of(number: int) -> str:
    """Return the date of a day, numbered from 1970."""
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


def _hour_of(since_1970: int) -> int:
    return since_1970 % DAY // HOUR


def hours_of(since_1970: int) -> str:
    """Sort key of the bucket that holds the hours of a day."""
    return f"T#{day_of(since_1970 // DAY)}"


def minutes_of(since_1970: int) -> str:
    """Sort key of the bucket that holds the minutes of an hour."""
    return f"T#{day_of(since_1970 // DAY)}T{_hour_of(since_1970):02}"


class BucketKey(NamedTuple):
    dimension: tuple[str, str] | None
    sk: str


Increments = dict[BucketKey, Counter[str]]
"""Additions to buckets, by attribute."""


def add(increments: Increments, change: LevelChange, sign: int) -> None:
    placed = change.at - change.is_end
    month, first = month_of(placed // DAY * DAY)
    day = day_of(placed // DAY)
    midnight, hour, minute = (placed // length * length for length in (DAY, HOUR, MINUTE))
    of_month = (f"M#{month}", "", first)
    of_source = (
        of_month,
        (f"D#{day}", "", midnight),
        (hours_of(midnight), str(_hour_of(hour)), hour),
        (minutes_of(hour), str((minute - hour) // MINUTE), minute),
    )
    of_value = (of_month, (f"D#{day}", str((minute - midnight) // MINUTE), minute))
    for dimension in (None, *change.dimensions):
        for sk, prefix, begins in of_source if dimension is None else of_value:
            key = BucketKey(dimension, sk)
            cell = increments.get(key)
            if cell is None:
                cell = increments[key] = Counter()
            for measure, delta in change.deltas:
                cell[f"{prefix}{measure}"] += sign * delta
                cell[f"{prefix}{measure}{INTEGRATED}"] += sign * delta * (change.at - begins)


def parts_of(amounts: Mapping[str, int]) -> dict[int | None, dict[str, int]]:
    """Return the sums of a bucket's hours or minutes, by number; under None those of the bucket as a whole."""
    parts: dict[int | None, dict[str, int]] = {}
    for name, amount in amounts.items():
        measure = name.lstrip("0123456789")
        number = name[: len(name) - len(measure)]
        parts.setdefault(int(number) if number else None, {})[measure] = amount
    return parts


def amounts_of(attributes: Mapping[str, Any]) -> dict[str, int]:
    """Return the sums that the item of a bucket holds."""
    return {
        name: int(value["N"]) for name, value in attributes.items() if "N" in value and name != Item.derived.attr_name
    }
