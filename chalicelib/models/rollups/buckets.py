"""Buckets: sums of level changes by month, day, hour and minute. See docs/decisions/rollups.md.

A bucket is an item of a partition of `keys.rollup`. `M#2026-11` and `D#2026-11-21` (UTC) hold two sums for a measure
`m`: attribute `m` is the sum of the deltas of that month or day, `m_` the sum of delta times milliseconds since the
start of the bucket. `T#2026-11-21` holds both sums per hour of the day, as `14m` and `14m_`, and `T#2026-11-21T14` per
minute of the hour. The size of an item is bounded, however many level changes there are.

A value of a dimension has two buckets where the whole source has four: `M#2026-11`, and `D#2026-11-21` with both sums
per minute of the day with a change, as `840m` and `840m_`. One worker, position or client has few such minutes a day,
so the item stays within the smallest unit of capacity; its limit is 1,440 minutes.
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
"""Pairs of field and value; a level change adds to the buckets of the whole source and of every pair."""


class LevelChange(NamedTuple):
    """A change of levels at an instant."""

    at: int
    """Milliseconds since 1970."""
    deltas: tuple[tuple[str, int], ...]
    """Amounts by measure."""
    is_end: bool = False
    """Ends belong to the millisecond before `at`: an end at midnight is part of the day that is over."""
    dimensions: Dimensions = ()


Contribution = tuple[LevelChange, ...]
"""The level changes of one entity."""


@lru_cache(maxsize=4096)
def month_of(since_1970: int) -> tuple[str, int]:
    day = clock.from_milliseconds(since_1970).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return f"{day.year:04}-{day.month:02}", milliseconds(day)


@lru_cache(maxsize=4096)
def day_of(number: int) -> str:
    """Return the ISO date of a day since 1970."""
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


def day_bucket_of(since_1970: int) -> str:
    """Return the sort key of the bucket of a day."""
    return f"D#{day_of(since_1970 // DAY)}"


def hours_of(since_1970: int) -> str:
    """Return the sort key of the bucket with the hours of a day."""
    return f"T#{day_of(since_1970 // DAY)}"


def minutes_of(since_1970: int) -> str:
    """Return the sort key of the bucket with the minutes of an hour."""
    return f"T#{day_of(since_1970 // DAY)}T{since_1970 % DAY // HOUR:02}"


class BucketKey(NamedTuple):
    dimension: tuple[str, str] | None
    sk: str

    @property
    def is_of_day(self) -> bool:
        """Return True for a day of a whole source."""
        return self.dimension is None and self.sk.startswith("D#")


Increments = dict[BucketKey, Counter[str]]
"""Amounts that a transaction adds to the attributes of buckets."""


def add(increments: Increments, change: LevelChange, sign: int) -> None:
    """Add a level change, times `sign`, to the increments of all its buckets."""
    placed = change.at - change.is_end
    month, first = month_of(placed // DAY * DAY)
    day = day_of(placed // DAY)
    midnight, hour, minute = (placed // length * length for length in (DAY, HOUR, MINUTE))
    of_month = (f"M#{month}", "", first)
    of_source = (
        of_month,
        (f"D#{day}", "", midnight),
        (hours_of(midnight), str(hour % DAY // HOUR), hour),
        (minutes_of(hour), str((minute - hour) // MINUTE), minute),
    )
    of_value = (of_month, (f"D#{day}", str((minute - midnight) // MINUTE), minute))
    for dimension in (None, *change.dimensions):
        for sk, prefix, begins in of_source if dimension is None else of_value:
            key = BucketKey(dimension, sk)
            bucket = increments.get(key)
            if bucket is None:
                bucket = increments[key] = Counter()
            for measure, delta in change.deltas:
                bucket[f"{prefix}{measure}"] += sign * delta
                bucket[f"{prefix}{measure}{INTEGRATED}"] += sign * delta * (change.at - begins)


def parts_of(amounts: Mapping[str, int]) -> dict[int | None, dict[str, int]]:
    """Return the sums per hour or minute of a bucket, by number; those of the whole bucket under None."""
    parts: dict[int | None, dict[str, int]] = {}
    for name, amount in amounts.items():
        measure = name.lstrip("0123456789")
        number = name[: len(name) - len(measure)]
        parts.setdefault(int(number) if number else None, {})[measure] = amount
    return parts


def amounts_of(attributes: Mapping[str, Any]) -> dict[str, int]:
    """Return the amounts in the item of a bucket."""
    return {
        name: int(value["N"]) for name, value in attributes.items() if "N" in value and name != Item.derived.attr_name
    }
