"""Rollups: sums of edges, by month, day and minute, that tell levels and integrals at any minute.

See docs/decisions/rollups.md. A cell is an item of a partition of `keys.rollup`: `M#2026-11` and `D#2026-11-21` (UTC)
hold for a measure `m` the sum of the heights of the edges of that month or day as attribute `m`, and the sum of height
times milliseconds from its beginning as `m_`. `T#2026-11-21` holds both for each hour of the day, as `14m` and `14m_`,
and `T#2026-11-21T14` for each minute of the hour: bounded, however many edges there are.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from pynamodb.expressions.operand import Path

from chalicelib.core import clock
from chalicelib.core.clock import milliseconds
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table, tags
from chalicelib.dal.collection import Collection
from chalicelib.dal.keys import Key
from chalicelib.dal.records import Record
from chalicelib.dal.table import Item
from chalicelib.dal.unit_of_work import MAXIMUM_WRITES, UnitOfWork, stale

MINUTE = 60_000
_HOUR = 60 * MINUTE
_DAY = 24 * _HOUR
_REMEMBERED = timedelta(days=1)
_INTEGRATED = "_"

R = TypeVar("R", bound=Record)

Dimensions = tuple[tuple[str, str], ...]
"""Field and value; an edge lies in the cells of the whole source and in those of each of them."""


class Edge(NamedTuple):
    """An instant at which levels change."""

    at: int
    """In milliseconds since 1970."""
    heights: tuple[tuple[str, int], ...]
    """By measure."""
    is_end: bool = False
    """It lies at its last millisecond: what ends at midnight ended on the day that is over."""
    dimensions: Dimensions = ()


Spread = tuple[Edge, ...]
"""What an entity adds to the rollups of its source."""


@lru_cache(maxsize=4096)
def _month_of(since_1970: int) -> tuple[str, int]:
    day = clock.from_milliseconds(since_1970).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return f"{day.year:04}-{day.month:02}", milliseconds(day)


@lru_cache(maxsize=4096)
def _day_of(number: int) -> str:
    """Of a day since 1970."""
    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


def _hour_of(since_1970: int) -> int:
    return since_1970 % _DAY // _HOUR


def _hours_of(since_1970: int) -> str:
    """The cell of the hours of a day."""
    return f"T#{_day_of(since_1970 // _DAY)}"


def _minutes_of(since_1970: int) -> str:
    """The cell of the minutes of an hour."""
    return f"T#{_day_of(since_1970 // _DAY)}T{_hour_of(since_1970):02}"


# -- write -----------------------------------------------------------------------------------------------------------


class CellKey(NamedTuple):
    dimension: tuple[str, str] | None
    sk: str


Moves = dict[CellKey, Counter[str]]
"""What is added to the attributes of cells."""


def add(moves: Moves, edge: Edge, sign: int) -> None:
    placed = edge.at - edge.is_end
    month, first = _month_of(placed // _DAY * _DAY)
    day = _day_of(placed // _DAY)
    midnight, hour, minute = (placed // length * length for length in (_DAY, _HOUR, MINUTE))
    cells = [
        (f"M#{month}", "", first),
        (f"D#{day}", "", midnight),
        (_hours_of(midnight), str(_hour_of(hour)), hour),
        (_minutes_of(hour), str((minute - hour) // MINUTE), minute),
    ]
    for dimension in (None, *edge.dimensions):
        for sk, prefix, begins in cells:
            cell = moves.setdefault(CellKey(dimension, sk), Counter())
            for measure, height in edge.heights:
                cell[f"{prefix}{measure}"] += sign * height
                cell[f"{prefix}{measure}{_INTEGRATED}"] += sign * height * (edge.at - begins)


@dataclass(frozen=True)
class Applied:
    """What the cells hold of an entity. `revision` is 0 where they hold nothing."""

    revision: int
    spread: Spread


def applied(organization: OrganizationId, source: str, identifier: UUID) -> Applied:
    return _applied_of(table.get(keys.applied(organization, source, identifier)))


def _applied_of(item: Item | None) -> Applied:
    if item is None or item.data is None:
        return Applied(0, ())
    return Applied(int(item.version or 0), _read(item.data["spread"]))


def apply(
    organization: OrganizationId,
    source: str,
    identifier: UUID,
    before: Applied,
    wanted: Spread,
    unchanged: Mapping[Key, int] | None = None,
) -> bool:
    """Makes the cells hold `wanted` of an entity instead of what was `applied`; whether anything changed.

    `unchanged`: keys of entities and the versions at which they must still be. Raises StaleRead when they are not, or
    when another has applied the entity meanwhile: read everything again. Large changes take several transactions, each
    of which leaves cells and what is applied in step.
    """
    steps = list(_steps(before.spread, wanted, MAXIMUM_WRITES - 2 - len(unchanged or {})))
    revision = before.revision
    for spread, moves in steps:
        unit = UnitOfWork(organization)
        _put_applied(unit, keys.applied(organization, source, identifier), revision, spread)
        for key, version in (unchanged or {}).items():
            unit.check(key, Item.version == version, stale)
        write(unit, source, moves)
        tags.bump(unit, source)
        unit.commit()
        revision += 1
    return bool(steps)


def write(unit: UnitOfWork, source: str, moves: Moves) -> None:
    for (dimension, sk), amounts in moves.items():
        actions = [Path(name).add(amount) for name, amount in amounts.items() if amount]
        if actions:
            partition = keys.rollup(unit.organization, source, *(dimension or ()))
            unit.upsert(Key(partition, sk), [*actions, Item.derived.set(1)])


def correct(organization: OrganizationId, source: str, moves: Moves) -> None:
    """Adds to cells what they lack, whatever else is added at the same time."""
    unit = UnitOfWork(organization)
    write(unit, source, moves)
    tags.bump(unit, source)
    unit.commit()


def _steps(before: Spread, wanted: Spread, most: int) -> Iterator[tuple[Spread, Moves]]:
    """What is applied after each transaction, and what it adds to which cells; `most` of these at a time."""
    held = Counter(before)
    changes = Counter(wanted)
    changes.subtract(held)
    moves: Moves = {}
    pending = False
    for edge, by in sorted((edge, by) for edge, by in changes.items() if by):
        alone: Moves = {}
        add(alone, edge, by)
        if pending and len({*moves, *alone}) > most:
            yield _spread(held), moves
            moves, pending = {}, False
        for cell, amounts in alone.items():
            moves.setdefault(cell, Counter()).update(amounts)
        held[edge] += by
        pending = True
    if pending:
        yield _spread(held), moves


def _spread(held: Counter[Edge]) -> Spread:
    return tuple(sorted(held.elements()))


def _put_applied(unit: UnitOfWork, key: Key, revision: int, spread: Spread) -> None:
    """Of what is gone, the revision stays for a while: who read it before must not take a new beginning for it."""
    item = Item(*key, version=revision + 1, data={"spread": _written(spread)}, derived=1)
    item.ttl = None if spread else int((clock.now() + _REMEMBERED).timestamp())
    unit.put(item, Item.pk.does_not_exist() if revision == 0 else Item.version == revision, stale)


def _written(spread: Spread) -> str:
    dimensions = sorted({edge.dimensions for edge in spread})
    edges = [[edge.at, int(edge.is_end), dimensions.index(edge.dimensions), dict(edge.heights)] for edge in spread]
    return json.dumps([dimensions, edges], separators=(",", ":"))


def _read(text: str) -> Spread:
    dimensions, edges = json.loads(text)
    named = [tuple((field, value) for field, value in each) for each in dimensions]
    return tuple(Edge(at, tuple(heights.items()), bool(is_end), named[number]) for at, is_end, number, heights in edges)


# -- read ------------------------------------------------------------------------------------------------------------


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
        return at * sums.get(measure, 0) - sums.get(f"{measure}{_INTEGRATED}", 0)

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
        for sk, length in ((_hours_of(instant), _DAY), (_minutes_of(instant), _HOUR))
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
        label, first = _month_of(instant // _DAY * _DAY)
        found: Counter[str] = Counter()
        for month, amounts in months:
            if month < label:
                _collect(found, amounts, _month_begins(month))
        for number in range(first // _DAY, instant // _DAY):
            _collect(found, cells.get(f"D#{_day_of(number)}", {}), number * _DAY)
        for sk, length, part in ((_hours_of(instant), _DAY, _HOUR), (_minutes_of(instant), _HOUR, MINUTE)):
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
        if not name.endswith(_INTEGRATED):
            into[f"{name}{_INTEGRATED}"] += amount * begins


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
                yield row["sk"]["S"], _amounts(row)
            after = page.last
            if after is None:
                break


def _stretches(instants: Sequence[int]) -> list[tuple[str, str]]:
    """Bounds of sort keys. Days lie before months, so that the last stretch of days reads on into the months."""
    months = sorted({_month_of(instant // _DAY * _DAY)[0] for instant in instants})
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
    for name, amount in _amounts(attributes).items():
        digits = len(name) - len(name.lstrip("0123456789"))
        found.setdefault(int(name[:digits]), {})[name[digits:]] = amount
    return sorted(found.items())


def _amounts(attributes: Mapping[str, Any]) -> dict[str, int]:
    return {
        name: int(value["N"]) for name, value in attributes.items() if "N" in value and name != Item.derived.attr_name
    }


# -- read, to compare --------------------------------------------------------------------------------------------------


def all_applied(organization: OrganizationId, source: str) -> Iterator[tuple[UUID, Applied]]:
    """What is applied of each entity, by id; consistent row by row."""
    for row in _all(keys.all_applied(organization, source)):
        yield UUID(row["sk"]["S"]), _applied_of(table.item_from_raw(row))


def all_cells(
    organization: OrganizationId, source: str, dimension: tuple[str, str] | None
) -> Iterator[tuple[str, Counter[str]]]:
    for row in _all(keys.rollup(organization, source, *(dimension or ()))):
        yield row["sk"]["S"], Counter(_amounts(row))


class Beside(NamedTuple, Generic[R]):
    """Consecutive entities, each beside what is applied of it, either of which may be missing."""

    rows: list[tuple[UUID, R | None, Applied]]
    last: str | None
    """Where to go on; None at the end."""


def beside(organization: OrganizationId, source: str, collection: Collection[R], after: str | None) -> Beside[R]:
    """A page of the entities, deleted ones too."""
    page = table.query(keys.partition(organization, collection.kind), after=after)
    records = {
        UUID(row["sk"]["S"]): collection.record.of(table.item_from_raw(row), collection.entity) for row in page.items
    }
    applied = {
        UUID(row["sk"]["S"]): _applied_of(table.item_from_raw(row))
        for row in _all(keys.all_applied(organization, source), (after or " ", page.last or "\uffff"))
        if row["sk"]["S"] != after
    }
    nothing = Applied(0, ())
    rows = [(each, records.get(each), applied.get(each, nothing)) for each in sorted({*records, *applied})]
    return Beside(rows, page.last)


def _all(partition: str, between: tuple[str, str] | None = None) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        page = table.query(partition, between=between, after=after)
        yield from page.items
        after = page.last
        if after is None:
            return
