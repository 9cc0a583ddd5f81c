"""The cells of rollups: sums of edges, by month, day, hour and minute.

See docs/decisions/rollups.md. A cell is an item of a partition of `keys.rollup`: `M#2026-11` and `D#2026-11-21` (UTC)
hold for a measure `m` the sum of the heights of the edges of that month or day as attribute `m`, and the sum of height
times milliseconds from its beginning as `m_`. `T#2026-11-21` holds both for each hour of the day, as `14m` and `14m_`,
and `T#2026-11-21T14` for each minute of the hour: bounded, however many edges there are.

A value of a dimension has two cells where the whole source has four: `M#2026-11`, and `D#2026-11-21` with both sums
for each minute of the day at which something changes, as `840m` and `840m_`. Few minutes of a day are in use at one
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
"""Field and value; an edge lies in the cells of the whole source and in those of each of them."""


class LevelChange(NamedTuple):
    """An instant at which levels change."""

    at: int
    """In milliseconds since 1970."""
    deltas: tuple[tuple[str, int], ...]
    """By measure."""
    is_end: bool = False
    """It lies at its last millisecond: what ends at midnight ended on the day that is over."""
    dimensions: Dimensions = ()


Contribution = tuple[LevelChange, ...]
"""What an entity adds to the rollups of its source."""


@lru_cache(maxsize=4096)
def month_of(since_1970: int) -> tuple[str, int]:
    day = clock.from_milliseconds(since_1970).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return f"{day.year:04}-{day.month:02}", milliseconds(day)


@lru_cache(maxsize=4096)
def day_of(number: int) -> str:
    """Of a day since 1970."""
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


def _hour_of(since_1970: int) -> int:
    return since_1970 % DAY // HOUR


def hours_of(since_1970: int) -> str:
    """The cell of the hours of a day."""
    return f"T#{day_of(since_1970 // DAY)}"


def minutes_of(since_1970: int) -> str:
    """The cell of the minutes of an hour."""
    return f"T#{day_of(since_1970 // DAY)}T{_hour_of(since_1970):02}"


class BucketKey(NamedTuple):
    dimension: tuple[str, str] | None
    sk: str


Increments = dict[BucketKey, Counter[str]]
"""What is added to the attributes of cells."""


def add(moves: Increments, edge: LevelChange, sign: int) -> None:
    placed = edge.at - edge.is_end
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
    for dimension in (None, *edge.dimensions):
        for sk, prefix, begins in of_source if dimension is None else of_value:
            key = BucketKey(dimension, sk)
            cell = moves.get(key)
            if cell is None:
                cell = moves[key] = Counter()
            for measure, height in edge.deltas:
                cell[f"{prefix}{measure}"] += sign * height
                cell[f"{prefix}{measure}{INTEGRATED}"] += sign * height * (edge.at - begins)


def parts_of(amounts: Mapping[str, int]) -> dict[int | None, dict[str, int]]:
    """The sums of each hour or minute that a cell is split into, by number; under None those of the cell as a whole."""
    parts: dict[int | None, dict[str, int]] = {}
    for name, amount in amounts.items():
        measure = name.lstrip("0123456789")
        number = name[: len(name) - len(measure)]
        parts.setdefault(int(number) if number else None, {})[measure] = amount
    return parts


def amounts_of(attributes: Mapping[str, Any]) -> dict[str, int]:
    """What the item of a cell holds."""
    return {
        name: int(value["N"]) for name, value in attributes.items() if "N" in value and name != Item.derived.attr_name
    }
