"""Levels and integrals at any minute, computed from buckets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from chalicelib.core.clock import milliseconds
from chalicelib.dal import keys, table
from chalicelib.dal.keys import Key
from chalicelib.models.rollups.buckets import (
    DAY,
    HOUR,
    INTEGRATED,
    MINUTE,
    amounts_of,
    day_bucket_of,
    hours_of,
    minutes_of,
    month_of,
    parts_of,
)


class Levels:
    """The levels and integrals of one partition at the instants it was read for."""

    def __init__(self, sums: Mapping[int, Mapping[str, int]], everything: Mapping[str, int]) -> None:
        self._sums = sums
        self._everything = everything

    def level(self, measure: str, at: int) -> int:
        """Return the sum of all deltas before `at`."""
        return self._sums[at].get(measure, 0)

    def integral(self, measure: str, at: int) -> int:
        """Return the integral of the level up to `at`, in milliseconds times the level's unit."""
        sums = self._sums[at]
        return at * sums.get(measure, 0) - sums.get(f"{measure}{INTEGRATED}", 0)

    def total(self, measure: str) -> int:
        """Return the sum of all deltas, past and future."""
        return self._everything.get(measure, 0)


def read(instants: Mapping[str, Iterable[int]]) -> dict[str, Levels]:
    """Read the levels of each partition at its instants: whole minutes, in milliseconds since 1970.

    Costs one query per partition (and one more per further run of months), all at the same time, and one batch per
    hundred hour and minute buckets of whole sources. Eventually consistent, like everything that the stream writes.
    """
    by_partition = {partition: sorted({*at}) for partition, at in instants.items()}
    queries = [partial(months_and_days, partition, at) for partition, at in by_partition.items()]
    buckets = dict(zip(by_partition, table.together(queries), strict=True))
    parts = {
        Key(partition, sk)
        for partition, at in by_partition.items()
        if not keys.is_rollup_of_value(partition)  # its day buckets hold the minutes
        for instant in at
        # Whatever adds to an hour or a minute adds to its day, and buckets stay: without the day there are none.
        if day_bucket_of(instant) in buckets[partition]
        for sk, length in ((hours_of(instant), DAY), (minutes_of(instant), HOUR))
        if instant % length
    }
    split = {key: amounts_of(item) for key, item in table.raw_batch(parts).items()}
    return {partition: levels_at(partition, at, buckets[partition], split) for partition, at in by_partition.items()}


def levels_at(
    partition: str,
    instants: Sequence[int],
    buckets: Mapping[str, Mapping[str, int]],
    split: Mapping[Key, Mapping[str, int]],
) -> Levels:
    """Add up the buckets before each instant. `buckets`: of months and days; `split`: of hours and minutes."""
    months = {sk.removeprefix("M#"): amounts for sk, amounts in buckets.items() if sk.startswith("M#")}
    beginnings = {month: start_of_day(f"{month}-01") for month in months}
    days = {
        (begins := start_of_day(sk.removeprefix("D#"))): _Split.of(amounts, begins, DAY, MINUTE)
        for sk, amounts in buckets.items()
        if sk.startswith("D#")
    }
    sums = {}
    for instant in instants:
        midnight = instant // DAY * DAY
        label, first = month_of(midnight)
        before: Counter[str] = Counter()
        for month, amounts in months.items():
            if month < label:
                collect(before, amounts, beginnings[month])
        for begins in range(first, midnight + 1, DAY):
            if begins in days:
                days[begins].add_to(before, instant)
        for sk, length, part in ((hours_of(instant), DAY, HOUR), (minutes_of(instant), HOUR, MINUTE)):
            # Whole hours from the hour buckets; the running hour from its minutes.
            if instant % length and (of_parts := split.get(Key(partition, sk))):
                _Split.of(of_parts, instant // length * length, length, part).add_to(before, instant)
        sums[instant] = before
    everything: Counter[str] = Counter()
    for amounts in months.values():
        everything.update(amounts)
    return Levels(sums, everything)


@dataclass(frozen=True)
class _Split:
    """A bucket with the hours or minutes that it is split into; sums are relative to 1970."""

    ends: int
    total: Counter[str]
    parts: Sequence[tuple[int, Counter[str]]]
    """Pairs of end and sums."""

    @classmethod
    def of(cls, amounts: Mapping[str, int], begins: int, length: int, part_length: int) -> _Split:
        total: Counter[str] = Counter()
        parts = []
        for number, of_part in parts_of(amounts).items():
            since, until = begins, begins + length
            if number is not None:
                since, until = begins + number * part_length, begins + (number + 1) * part_length
            part: Counter[str] = Counter()
            collect(part, of_part, since)
            parts.append((until, part))
            total.update(part)
        return cls(begins + length, total, parts)

    def add_to(self, sums: Counter[str], instant: int) -> None:
        """Add the parts that end by the instant."""
        if self.ends <= instant:
            sums.update(self.total)
            return
        for ends, part in self.parts:
            if ends <= instant:
                sums.update(part)


def collect(into: Counter[str], amounts: Mapping[str, int], begins: int) -> None:
    """Add amounts of a bucket. Its products are relative to its start; the sums are relative to 1970."""
    for name, amount in amounts.items():
        into[name] += amount
        if not name.endswith(INTEGRATED):
            into[f"{name}{INTEGRATED}"] += amount * begins


def start_of_day(day: str) -> int:
    return milliseconds(datetime.fromisoformat(day).replace(tzinfo=UTC))


def months_and_days(partition: str, instants: Sequence[int]) -> dict[str, dict[str, int]]:
    """Return all month buckets, and the day buckets of the months that contain an instant, by sort key."""
    return {
        row["sk"]["S"]: amounts_of(row)
        for low, high in key_ranges(instants)
        for row in table.query_all(partition, between=(low, high), consistent=False)
    }


def key_ranges(instants: Sequence[int]) -> list[tuple[str, str]]:
    """Return bounds of sort keys. Days sort before months, so the last run of days reads on into the months."""
    months = sorted({month_of(instant // DAY * DAY)[0] for instant in instants})
    runs: list[list[str]] = []
    for month in months:
        if runs and months_between(runs[-1][-1], month) <= _GAP:
            runs[-1].append(month)
        else:
            runs.append([month])
    bounds = [(f"D#{run[0]}", f"D#{run[-1]}~") for run in runs]
    return [*bounds[:-1], (bounds[-1][0], "M#~")]


_GAP = 3
"""Months between two that are needed: reading their days costs less than a query of its own."""


def months_between(first: str, second: str) -> int:
    (first_year, first_month), (second_year, second_month) = (map(int, label.split("-")) for label in (first, second))
    return (second_year - first_year) * 12 + second_month - first_month
