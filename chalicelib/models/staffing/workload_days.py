"""Workload days: how many assignments start and end when on one day (UTC), one small item a day and entity.

`ORG#…#WORKLOAD#POSITION` / `<position>#<yyyy-mm-dd>` holds in `day` counts by milliseconds since midnight: `s28800000`
of starts, `e61200000` of ends. Cancelled assignments are not counted. Counts of past days are not updated: readers
start at `Workload.since`. An item changes only in a transaction that moves the entity's `Workload.changes`, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.errors import invalid_field
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.table import all_of
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models.staffing.attributes import DAY

MAX_TIMES_A_DAY = 1_000
"""Different start and end times of one entity on one day: 13 KB."""

_DAY = 86_400_000
_RETENTION = 400 * _DAY
"""TTL of a past day: so long that metrics of past days change by writes, and hardly ever because the day expired."""
_MAX_ZEROS = 20
"""Counts of 0 are removed once there are more; an update expression may have 4 KB."""

_START, _END = "s", "e"


class Slot(NamedTuple):
    """One count of one day."""

    day: str
    entry: str


class Step(NamedTuple):
    """The number of assignments that start, or end, at an instant."""

    at: int
    """In milliseconds since 1970."""
    is_end: bool
    number: int


def start_slot(start: datetime) -> Slot:
    day, offset = divmod(clock.milliseconds(start), _DAY)
    return Slot(_label(day), f"{_START}{offset}")


def end_slot(end: datetime) -> Slot:
    """Return the day of an end: one at midnight belongs to the day before."""
    day, offset = divmod(clock.milliseconds(end) - 1, _DAY)
    return Slot(_label(day), f"{_END}{offset + 1}")


def day_of(instant: datetime) -> str:
    return instant.date().isoformat()


def _label(day: int) -> str:
    return day_of(clock.from_milliseconds(day * _DAY))


def midnight(day: str) -> int:
    """Return the start of a day (UTC), in milliseconds since 1970."""
    return clock.milliseconds(datetime.fromisoformat(day).replace(tzinfo=UTC))


def _day_in(key: Key) -> str:
    return key.sk.rpartition("#")[2]


# -- read ------------------------------------------------------------------------------------------------------------


def steps(organization: OrganizationId, kind: str, identifier: UUID, since: str, until: str = "~") -> list[Step]:
    """Return the steps of one entity from day to day, both included; strongly consistent."""
    return [step for _, step in _steps(organization, kind, (f"{identifier}#{since}", f"{identifier}#{until}"))]


def all_steps(organization: OrganizationId, kind: str, since: Mapping[UUID, str]) -> dict[UUID, list[Step]]:
    """Return the steps of several entities, each from its own day on, in one pass over the range of their ids."""
    by_entity: dict[UUID, list[Step]] = {identifier: [] for identifier in since}
    if since:
        bounds = f"{min(since)}#", f"{max(since)}#~"
        first = {identifier: midnight(day) for identifier, day in since.items()}
        for identifier, step in _steps(organization, kind, bounds):
            if identifier in since and step.at - step.is_end >= first[identifier]:
                by_entity[identifier].append(step)
    return by_entity


def _steps(organization: OrganizationId, kind: str, between: tuple[str, str]) -> Iterator[tuple[UUID, Step]]:
    for row in table.query_all(keys.workload(organization, kind), between=between):
        identifier, _, day = row["sk"]["S"].partition("#")
        start = midnight(day)
        for entry, count in table.plain(row, "day").items():
            if count:
                yield UUID(identifier), Step(start + int(entry[1:]), entry[0] == _END, count)


# -- write -----------------------------------------------------------------------------------------------------------


class Day(NamedTuple):
    """The changes of one day's item."""

    key: Key
    changes: dict[str, int]


def days(
    organization: OrganizationId, kind: str, identifier: UUID, slots: Mapping[Slot, int], now: datetime
) -> list[Day]:
    """Group changes of counts by day. Past days are left out."""
    by_day: dict[str, dict[str, int]] = {}
    for (day, entry), by in slots.items():
        if by and day >= day_of(now):
            by_day.setdefault(day, {})[entry] = by
    return [Day(keys.workload_day(organization, kind, identifier, day), changes) for day, changes in by_day.items()]


def move(unit: UnitOfWork, entity: str, stored: Mapping[Key, Item], days: list[Day]) -> None:
    """Add the changes of the counts to the days' items, of which `stored` holds those that exist.

    VALIDATION_ERROR for a day with too many different times.
    """
    for key, changes in days:
        held = stored[key].value(DAY) if key in stored else None
        counts: Mapping[str, int] = held or {}
        _require_room(entity, key, counts, changes)
        if key not in stored:
            added = {entry: by for entry, by in changes.items() if by > 0}
            if added:
                unit.put_new(new_item(key, added), stale)
            continue
        zeros = [entry for entry, count in counts.items() if count <= 0 and entry not in changes]
        zeros = zeros[:_MAX_ZEROS] if len(zeros) > _MAX_ZEROS else []
        paths = {entry: DAY[entry] for entry in (*changes, *zeros)}
        unit.update(
            key,
            [
                *(table.increment(paths[entry], by) for entry, by in changes.items()),
                *(paths[entry].remove() for entry in zeros),
            ],
            # Another request may just count there again.
            all_of(paths[entry] == counts[entry] for entry in zeros),
            stale,
        )


def new_item(key: Key, counts: Mapping[str, int]) -> Item:
    expiry = (midnight(_day_in(key)) + _RETENTION) // 1000
    return Item(*key, day=dict(counts), derived=1, ttl=expiry)


def _require_room(entity: str, key: Key, counts: Mapping[str, int], changes: Mapping[str, int]) -> None:
    used = sum(count > 0 for count in counts.values())
    for entry, by in changes.items():
        if by > 0 and counts.get(entry, 0) <= 0:
            used += 1
            if used > MAX_TIMES_A_DAY:
                raise invalid_field(
                    "startAt" if entry.startswith(_START) else "endAt",
                    f"the {entity} already has {MAX_TIMES_A_DAY} different start and end times "
                    f"on {_day_in(key)} (UTC): use one of these, or another day",
                )
