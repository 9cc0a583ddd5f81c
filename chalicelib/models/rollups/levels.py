"""Levels and integrals at any minute, read from buckets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.core.clock import milliseconds
from chalicelib.dal import keys, table
from chalicelib.dal.keys import Key
from chalicelib.models.rollups.buckets import (
    DAY,
    HOUR,
    INTEGRATED,
    MINUTE,
    amounts_of,
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
        """The sum of the deltas of all level changes before `at`."""
        return self._sums[at].get(measure, 0)

    def integral(self, measure: str, at: int) -> int:
        """The integral of the level up to `at`, in milliseconds times the level's unit."""
        sums = self._sums[at]
        return at * sums.get(measure, 0) - sums.get(f"{measure}{INTEGRATED}", 0)

    def total(self, measure: str) -> int:
        """The sum of the deltas of all level changes."""
        return self._everything.get(measure, 0)


def read(requested: Mapping[str, Iterable[int]]) -> dict[str, Levels]:
    """Read partitions at instants, in milliseconds since 1970 and at whole minutes.

    One query for each partition (and one more for each further run of months with instants), and one batch
    for each hundred of the days and hours of whole sources. Eventually consistent, like all data of the stream.
    """
    instants = {partition: sorted({*requested_at}) for partition, requested_at in requested.items()}
    cells = {
        Key(partition, sk)
        for partition, sorted_instants in instants.items()
        if not keys.is_rollup_of_value(partition)  # there the minutes are part of the day
        for instant in sorted_instants
        for sk, length in ((hours_of(instant), DAY), (minutes_of(instant), HOUR))
        if instant % length
    }
    split = {key: amounts_of(item) for key, item in table.raw_batch(cells).items()}
    return {partition: _levels(partition, sorted_instants, split) for partition, sorted_instants in instants.items()}


def _levels(partition: str, instants: Sequence[int], split: Mapping[Key, Mapping[str, int]]) -> Levels:
    cells = dict(_cells(partition, instants))
    months = {sk.removeprefix("M#"): amounts for sk, amounts in cells.items() if sk.startswith("M#")}
    beginnings = {month: _month_begins(month) for month in months}
    days = {
        (begins := _day_begins(sk.removeprefix("D#"))): _Split.of(amounts, begins, DAY, MINUTE)
        for sk, amounts in cells.items()
        if sk.startswith("D#")
    }
    sums = {}
    for instant in instants:
        midnight = instant // DAY * DAY
        label, first = month_of(midnight)
        before: Counter[str] = Counter()
        for month, amounts in months.items():
            if month < label:
                _collect(before, amounts, beginnings[month])
        for begins in range(first, midnight + 1, DAY):
            if begins in days:
                days[begins].add_to(before, instant)
        for sk, length, part in ((hours_of(instant), DAY, HOUR), (minutes_of(instant), HOUR, MINUTE)):
            # The hours that are over; the running one is in the bucket of its minutes.
            if instant % length and (of_parts := split.get(Key(partition, sk))):
                _Split.of(of_parts, instant // length * length, length, part).add_to(before, instant)
        sums[instant] = before
    everything: Counter[str] = Counter()
    for amounts in months.values():
        everything.update(amounts)
    return Levels(sums, everything)


@dataclass(frozen=True)
class _Split:
    """A bucket with its hours or minutes: sums from 1970 on."""

    ends: int
    total: Counter[str]
    parts: Sequence[tuple[int, Counter[str]]]
    """Sums by the instant at which the part ends."""

    @classmethod
    def of(cls, amounts: Mapping[str, int], begins: int, length: int, part_length: int) -> _Split:
        total: Counter[str] = Counter()
        parts = []
        for number, of_part in parts_of(amounts).items():
            since, until = begins, begins + length
            if number is not None:
                since, until = begins + number * part_length, begins + (number + 1) * part_length
            part: Counter[str] = Counter()
            _collect(part, of_part, since)
            parts.append((until, part))
            _add(total, part)
        return cls(begins + length, total, parts)

    def add_to(self, sums: Counter[str], instant: int) -> None:
        """Add the parts that are over."""
        if self.ends <= instant:
            _add(sums, self.total)
            return
        for ends, part in self.parts:
            if ends <= instant:
                _add(sums, part)


def _add(sums: Counter[str], amounts: Mapping[str, int]) -> None:
    for name, amount in amounts.items():
        sums[name] += amount


def _collect(into: Counter[str], amounts: Mapping[str, int], begins: int) -> None:
    """Add amounts, and move the origin of their products from the bucket's beginning to 1970."""
    for name, amount in amounts.items():
        into[name] += amount
        if not name.endswith(INTEGRATED):
            into[f"{name}{INTEGRATED}"] += amount * begins


def _month_begins(label: str) -> int:
    year, _, month = label.partition("-")
    return milliseconds(datetime(int(year), int(month), 1, tzinfo=UTC))


def _day_begins(day: str) -> int:
    return milliseconds(datetime.fromisoformat(day).replace(tzinfo=UTC))


def _cells(partition: str, instants: Sequence[int]) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield all months, and the days of the instants' months."""
    for low, high in _runs(instants):
        for row in table.query_all(partition, between=(low, high), consistent=False):
            yield row["sk"]["S"], amounts_of(row)


def _runs(instants: Sequence[int]) -> list[tuple[str, str]]:
    """Return bounds of sort keys. Days sort before months, so the last run of days reads on into the months."""
    months = sorted({month_of(instant // DAY * DAY)[0] for instant in instants})
    runs: list[list[str]] = []
    for month in months:
        if runs and _distance(runs[-1][-1], month) <= _GAP:
            runs[-1].append(month)
        else:
            runs.append([month])
    bounds = [(f"D#{run[0]}", f"D#{run[-1]}~") for run in runs]
    return [*bounds[:-1], (bounds[-1][0], "M#~")]


_GAP = 3
"""Months between two requested ones: with fewer, their days are read along rather than queried apart."""


def _distance(first: str, second: str) -> int:
    (a, b), (c, d) = (map(int, label.split("-")) for label in (first, second))
    return (c - a) * 12 + d - b
