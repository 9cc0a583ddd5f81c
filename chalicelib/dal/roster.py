"""The roster: what the assignments of a worker and of a position come to, moved in their own transactions.

Beside worker and position lie counts that answer exactly, at any instant and at no further read, what no index could:
whether anything is active or scheduled (so a delete cannot race with a new assignment), and how many hours there are.
Beside the worker lie its long assignments; the others lie packed by month, for reports (see `dal.months`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import Field
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action

from chalicelib.core import clock
from chalicelib.core.contracts import Contract, Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, months, table
from chalicelib.dal.keys import Key
from chalicelib.dal.months import Spans
from chalicelib.dal.table import Item
from chalicelib.dal.timeline import Lane, lane_of
from chalicelib.dal.unit_of_work import StaleRead, UnitOfWork, stale

WITHOUT_END = "open"

_PRUNED_AT_ONCE = 20
"""An update expression may have 4 KB."""
_SPENT_AT_MOST = 20


class Moment(NamedTuple):
    """Where in a roster it is counted what starts, or ends, at an instant."""

    name: str
    instant: str

    @property
    def path(self) -> Path:
        return Item.roster[self.name][self.instant]


class Roster(Contract):
    changes: int = 0
    """Moves with every change: what was read is still so while it has not moved."""
    milliseconds: int = 0
    """Of all assignments with an end that are not cancelled."""
    starts: dict[str, int] = Field(default_factory=dict)
    ends: dict[str, int] = Field(default_factory=dict)
    """How many assignments, cancelled ones aside, start and end at which instant; past ones may be missing."""
    lanes: dict[Lane, int] = Field(default_factory=dict)
    """How many assignments, cancelled ones aside, lie on each lane of the timeline."""

    def live(self, now: datetime) -> int:
        """How many are active or scheduled."""
        since = clock.to_text(now)
        return sum(count for end, count in self.ends.items() if end == WITHOUT_END or end > since)

    def spent(self, now: datetime) -> list[Moment]:
        """Starts and ends ahead at which nothing starts or ends any more, once there are many.

        They can go only while the roster `is_unchanged`: another request may just count there again.
        """
        since = clock.to_text(now)
        found = [moment for moment, count in self.moments.items() if count <= 0 and moment.instant > since]
        return found if len(found) > _SPENT_AT_MOST else []

    @property
    def moments(self) -> dict[Moment, int]:
        return {
            Moment(name, instant): count
            for name, counts in (("starts", self.starts), ("ends", self.ends))
            for instant, count in counts.items()
        }

    @property
    def occupied(self) -> list[Lane]:
        """The lanes of the timeline that hold anything."""
        return [lane for lane, count in self.lanes.items() if count > 0]

    def condition(self, now: datetime) -> Condition | None:
        """What a `Tally` of it relies on."""
        return self.is_unchanged if self.spent(now) else None

    @property
    def is_unchanged(self) -> Condition:
        return Item.roster["changes"] == self.changes


def new_roster() -> dict[str, Any]:
    """The attribute of a new entity: its maps are there to be counted in."""
    return Roster().model_dump()


class Standing(Contract):
    """An assignment without an end, or too long for the months."""

    position_id: UUID
    start_at: Instant
    end_at: Instant | None = None

    def covers(self, instant: datetime) -> bool:
        return self.start_at <= instant and (self.end_at is None or instant < self.end_at)


class Occupation(NamedTuple):
    """What an assignment takes of its worker's and its position's time, unless it is cancelled."""

    position: UUID
    start: datetime
    end: datetime | None

    @property
    def lane(self) -> Lane:
        return lane_of(self.start, self.end)

    @property
    def pieces(self) -> list[months.Piece]:
        """By month, for what lies in months."""
        return [] if self.end is None or self.lane is Lane.LONGER else months.split(self.start, self.end)


# -- the counts beside worker and position ---------------------------------------------------------------------------


class Tally:
    """How the counts of one worker or position move."""

    def __init__(self) -> None:
        self.milliseconds = 0
        self.moments: Counter[Moment] = Counter()
        self.lanes: Counter[Lane] = Counter()

    def add(self, occupation: Occupation, by: int) -> None:
        self.lanes[occupation.lane] += by
        self.moments[Moment("starts", clock.to_text(occupation.start))] += by
        self.moments[Moment("ends", WITHOUT_END if occupation.end is None else clock.to_text(occupation.end))] += by
        if occupation.end is not None:
            self.milliseconds += by * clock.milliseconds(occupation.end)
            self.milliseconds -= by * clock.milliseconds(occupation.start)

    def roster(self, now: datetime) -> Roster:
        """Of something whose assignments are all in here."""
        present = clock.to_text(now)
        starts, ends = (
            {at: count for (of, at), count in self.moments.items() if of == name and at > present}
            for name in ("starts", "ends")
        )
        return Roster(milliseconds=self.milliseconds, lanes=dict(self.lanes), starts=starts, ends=ends)

    def actions(self, roster: Roster, now: datetime) -> list[Action]:
        """Counts of what has passed are of no use any more: they are left out, and removed where they lie.

        Together with `condition`.
        """
        present = clock.to_text(now)
        past = [moment for moment in roster.moments if moment.instant <= present]
        useless = [*past, *(moment for moment in roster.spent(now) if not self.moments[moment])]
        counts = [
            *((moment.path, by) for moment, by in self.moments.items() if moment.instant > present),
            *((Item.roster["lanes"][lane], by) for lane, by in self.lanes.items()),
            (Item.roster["milliseconds"], self.milliseconds),
            (Item.roster["changes"], 1),
        ]
        return [
            *(path.set((path | 0) + by) for path, by in counts if by),
            *(moment.path.remove() for moment in useless[:_PRUNED_AT_ONCE]),
        ]


def standing_action(assignment: UUID, before: Occupation | None, after: Occupation | None) -> list[Action]:
    """Puts the assignment among its worker's long ones, or takes it from there."""
    path = Item.standing[str(assignment)]
    if after is not None and after.lane is Lane.LONGER:
        held = Standing(position_id=after.position, start_at=after.start, end_at=after.end)
        return [path.set(table.encoded(held.model_dump(mode="json", exclude_none=True)))]
    return [path.remove()] if before is not None and before.lane is Lane.LONGER else []


# -- the months ------------------------------------------------------------------------------------------------------


def month_keys(organization: OrganizationId, worker: UUID, *occupations: Occupation | None) -> set[Key]:
    """Where the occupations of a worker lie, or will."""
    return {
        keys.roster_month(organization, piece.month, worker)
        for occupation in occupations
        if occupation is not None
        for piece in occupation.pieces
    }


def move_months(
    unit: UnitOfWork,
    worker: UUID,
    stored: Mapping[Key, Item],
    before: Occupation | None,
    after: Occupation | None,
) -> None:
    """`stored`: what lies at the `month_keys` of both. What has changed since it was read is a stale read."""
    moves: dict[Key, list[tuple[int, UUID, tuple[int, int]]]] = {}
    for occupation, by in ((before, -1), (after, 1)):
        if occupation is None:
            continue
        for piece in occupation.pieces:
            key = keys.roster_month(unit.organization, piece.month, worker)
            moves.setdefault(key, []).append((by, occupation.position, (piece.start, piece.end)))
    for key, pieces in moves.items():
        packed = stored[key].spans if key in stored else b""
        changed = months.pack(_moved(months.unpack(packed), pieces))
        if changed == packed:
            continue
        as_read = Item.spans == packed
        if not packed:
            unit.put_new(Item(*key, spans=changed), stale)
        elif not changed:
            unit.delete(key, as_read, stale)
        else:
            unit.update(key, [Item.spans.set(changed)], as_read, stale)


def _moved(spans: dict[UUID, Spans], pieces: Iterable[tuple[int, UUID, tuple[int, int]]]) -> dict[UUID, Spans]:
    for by, position, span in pieces:
        held = spans.setdefault(position, [])
        if by > 0:
            held.append(span)
        elif span in held:
            held.remove(span)
        else:  # moved by another request since the assignment was read
            raise StaleRead
    return spans


def active_positions(
    organization: OrganizationId, workers: Mapping[UUID, Mapping[UUID, Standing]], now: datetime
) -> dict[UUID, list[UUID]]:
    """The position of each active assignment, by worker; `workers`: with their long assignments.

    What is active and not long lies in the month of `now`, so one read finds it for up to 100 workers.
    """
    month, present = months.label_of(now), clock.milliseconds(now)
    offset = present - months.bounds(month)[0]
    month_keys = {keys.roster_month(organization, month, worker): worker for worker in workers}
    active = {
        worker: [each.position_id for each in standing.values() if each.covers(now)]
        for worker, standing in workers.items()
    }
    for key, item in table.batch_get(month_keys).items():
        for position, spans in months.unpack(item.spans or b"").items():
            active[month_keys[key]] += [position for start, end in spans if start <= offset < end]
    return active
