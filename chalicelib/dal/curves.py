"""What the cells of rollups tell: levels and integrals at any minute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from chalicelib.core.clock import milliseconds
from chalicelib.dal import table
from chalicelib.dal.cells import DAY, HOUR, INTEGRATED, MINUTE, amounts_of, day_of, hours_of, minutes_of, month_of
from chalicelib.dal.keys import Key


class Curve:
    """The levels and integrals of one partition at the instants it was read for."""

    def __init__(self, sums: Mapping[int, Mapping[str, int]], everything: Mapping[str, int]) -> None:
        self._sums = sums
        self._everything = everything

    def level(self, measure: str, at: int) -> int:
        """The sum of the heights of all edges before `at`."""
        return self._sums[at].get(measure, 0)

    def integral(self, measure: str, at: int) -> int:
        """Of the level up to `at`, in milliseconds times what the level counts."""
        sums = self._sums[at]
        return at * sums.get(measure, 0) - sums.get(f"{measure}{INTEGRATED}", 0)

    def total(self, measure: str) -> int:
        """The sum of the heights of all edges there are."""
        return self._everything.get(measure, 0)


def read(wanted: Mapping[str, Iterable[int]]) -> dict[str, Curve]:
    """Of each partition the instants that are wanted, in milliseconds since 1970 and at whole minutes.

    One query for each partition (and one more for each further stretch of months that instants lie in), and one batch
    for each hundred of their days and hours. Eventually consistent, like all that the stream carries.
    """
    instants = {partition: sorted({*each}) for partition, each in wanted.items()}
    parts = {
        Key(partition, sk)
        for partition, each in instants.items()
        for instant in each
        for sk, length in ((hours_of(instant), DAY), (minutes_of(instant), HOUR))
        if instant % length
    }
    split = {key: _split(item) for key, item in table.raw_batch(parts).items()}
    return {partition: _curve(partition, each, split) for partition, each in instants.items()}


_Split = Mapping[Key, Sequence[tuple[int, Mapping[str, int]]]]
"""What cells hold of each of their hours or minutes."""


def _curve(partition: str, instants: Sequence[int], split: _Split) -> Curve:
    cells = dict(_cells(partition, instants))
    months = sorted((sk.removeprefix("M#"), amounts) for sk, amounts in cells.items() if sk.startswith("M#"))
    sums = {}
    for instant in instants:
        label, first = month_of(instant // DAY * DAY)
        found: Counter[str] = Counter()
        for month, amounts in months:
            if month < label:
                _collect(found, amounts, _month_begins(month))
        for number in range(first // DAY, instant // DAY):
            _collect(found, cells.get(f"D#{day_of(number)}", {}), number * DAY)
        for sk, length, part in ((hours_of(instant), DAY, HOUR), (minutes_of(instant), HOUR, MINUTE)):
            begins = instant // length * length
            for part_number, of_part in split.get(Key(partition, sk), ()):
                # Of the hours those that are over; the one that runs is told by its minutes.
                if begins + (part_number + 1) * part <= instant:
                    _collect(found, of_part, begins + part_number * part)
        sums[instant] = found
    everything: Counter[str] = Counter()
    for _, amounts in months:
        everything.update(amounts)
    return Curve(sums, everything)


def _collect(into: Counter[str], amounts: Mapping[str, int], begins: int) -> None:
    """The products are told from the cell's beginning; together they are told from 1970."""
    for name, amount in amounts.items():
        into[name] += amount
        if not name.endswith(INTEGRATED):
            into[f"{name}{INTEGRATED}"] += amount * begins


def _month_begins(label: str) -> int:
    year, _, month = label.partition("-")
    return milliseconds(datetime(int(year), int(month), 1, tzinfo=UTC))


def _cells(partition: str, instants: Sequence[int]) -> Iterator[tuple[str, dict[str, int]]]:
    """All months, and the days of those that instants lie in."""
    for low, high in _stretches(instants):
        after = None
        while True:
            page = table.query(partition, between=(low, high), after=after, consistent=False)
            for row in page.items:
                yield row["sk"]["S"], amounts_of(row)
            after = page.last
            if after is None:
                break


def _stretches(instants: Sequence[int]) -> list[tuple[str, str]]:
    """Bounds of sort keys. Days lie before months, so that the last stretch of days reads on into the months."""
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
"""Months between two that are wanted: their days are read rather than asked for apart."""


def _distance(first: str, second: str) -> int:
    (a, b), (c, d) = (map(int, each.split("-")) for each in (first, second))
    return (c - a) * 12 + d - b


def _split(attributes: Mapping[str, Any]) -> list[tuple[int, dict[str, int]]]:
    found: dict[int, dict[str, int]] = {}
    for name, amount in amounts_of(attributes).items():
        digits = len(name) - len(name.lstrip("0123456789"))
        found.setdefault(int(name[:digits]), {})[name[digits:]] = amount
    return sorted(found.items())
