"""Positions: how many there are, how many workers they want, and how many of those they have.

What fills a position is told by its roster, which holds what is still ahead: so it is right from the last write of one
of its assignments on, and says nothing about the past before that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from pydantic import TypeAdapter

from chalicelib.core import clock
from chalicelib.core.clock import milliseconds
from chalicelib.core.contracts import Instant
from chalicelib.dal.cells import Edge, Spread
from chalicelib.dal.positions import POSITIONS, StoredPosition
from chalicelib.dal.roster import WITHOUT_END
from chalicelib.metrics.formulas import at_end
from chalicelib.metrics.periods import Range
from chalicelib.metrics.sources.base import PRESENT, Grounds, RolledUp, Row, States, Value, created_row, lifetime

HEADCOUNT, FILLED, OPEN = "h", "f", "o"
"""Of those that are live and active. Open: with fewer active assignments than they want."""

_INSTANT = TypeAdapter(Instant)


def _spread(position: StoredPosition, _: Grounds) -> Spread:
    dimensions = (
        ("clientId", str(position.client_id)),
        ("workLocationId", str(position.work_location_id)),
        ("isActive", "true" if position.is_active else "false"),
    )
    if not position.is_active or position.deleted_at is not None:
        return tuple(lifetime(position, dimensions))
    roster = position.roster
    active = sum(roster.ends.values()) - sum(roster.starts.values())
    filled, is_open = _filled(position, active)
    edges = lifetime(position, dimensions, **{HEADCOUNT: position.headcount, FILLED: filled, OPEN: is_open})
    for at, is_end, by in _steps(position):
        active += by
        before = filled, is_open
        filled, is_open = _filled(position, active)
        heights = ((FILLED, filled - before[0]), (OPEN, is_open - before[1]))
        changed = tuple((measure, height) for measure, height in heights if height)
        if changed:
            edges.append(Edge(at, changed, is_end=is_end, dimensions=dimensions))
    return tuple(edges)


def _filled(position: StoredPosition, active: int) -> tuple[int, int]:
    filled = max(0, min(active, position.headcount))
    return filled, int(filled < position.headcount)


def _steps(position: StoredPosition) -> Iterator[tuple[int, bool, int]]:
    """When how many active assignments more or fewer there are, in order: who follows at once comes after who ends."""
    starts = [(_since_1970(at), False, count) for at, count in position.roster.starts.items()]
    ends = [(_since_1970(at), True, -count) for at, count in position.roster.ends.items() if at != WITHOUT_END]
    yield from sorted([*starts, *ends], key=lambda step: step[0] - step[1])


def _since_1970(text: str) -> int:
    return milliseconds(_INSTANT.validate_python(text))


def _row(position: StoredPosition, _: Grounds, over: Range) -> Row:
    since = clock.to_text(over.end)
    roster = position.roster
    # As the edges have it: what starts at the very end has not begun, what ends there is over.
    active = sum(count for end, count in roster.ends.items() if end > since)
    active -= sum(count for start, count in roster.starts.items() if start >= since)
    wanted = position.is_active and position.deleted_at is None
    filled, is_open = _filled(position, active) if wanted else (0, 0)
    values: dict[str, Value] = {
        "name": position.name,
        "clientId": str(position.client_id),
        "workLocationId": str(position.work_location_id),
        "isActive": position.is_active,
        "isOpen": bool(is_open),
        "headcount": Fraction(position.headcount if wanted else 0),
        "filled": Fraction(filled),
    }
    row = created_row(position, values, over)
    return replace(row, moment_states=frozenset({"true" if is_open else "false"} if row.in_moment else ()))


POSITION_SOURCE = RolledUp(
    collection=POSITIONS,
    spread=_spread,
    row=_row,
    depends_on=("data", "roster"),
    dimensions=frozenset({"clientId", "workLocationId", "isActive"}),
    moment={"": PRESENT, "headcount": (at_end(HEADCOUNT),), "filled": (at_end(FILLED),)},
    states=States(
        field="isOpen",
        in_period={},
        in_moment={"true": (at_end(OPEN),), "false": (*PRESENT, at_end(OPEN, -1))},
    ),
    ahead=frozenset({"filled", "isOpen"}),
)
