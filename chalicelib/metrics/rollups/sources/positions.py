"""Positions: their count, headcount and filled headcount.

A position is opened when it is created, and filled when it is first booked for as many workers as its headcount
(`models.staffing.filling`). `filled`, the number, follows from the workload days of a position, which hold only current
and future assignments: it is known from the last write of one of its assignments on, and has no history before that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from uuid import UUID

from chalicelib.auth.permissions import Permission
from chalicelib.core.clock import milliseconds
from chalicelib.core.ids import OrganizationId
from chalicelib.metrics.rollups.formulas import Sum, at_end, within
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.base import (
    CREATED,
    PRESENT,
    STARTED,
    Inputs,
    Row,
    Source,
    States,
    Value,
    conversion,
    converted,
    created_row,
    instants_in,
    lifetime,
)
from chalicelib.metrics.rollups.sources.fields import (
    FieldType,
    TimeBinding,
    fields,
    flag_field,
    id_field,
    instant_field,
    measure_field,
    text_field,
)
from chalicelib.models.rollups.buckets import Contribution, Dimensions, LevelChange
from chalicelib.models.staffing import workload_days
from chalicelib.models.staffing.positions import POSITIONS, StoredPosition
from chalicelib.models.staffing.workload_days import Step

FIRST_FILLED = "c"
"""Measure of positions that were filled for the first time."""
HEADCOUNT, FILLED, OPEN = "h", "f", "o"
"""Measures of live and active positions. Open: with fewer active assignments than its headcount."""

_QUERIED_APART = 10
"""Up to this many positions are queried one by one; more in one pass over the range of their ids."""


def contribution_of(position: StoredPosition, inputs: Inputs) -> Contribution:
    dimensions = (
        ("clientId", str(position.client_id)),
        ("workLocationId", str(position.work_location_id)),
        ("isActive", "true" if position.is_active else "false"),
    )
    if not position.is_active or position.deleted_at is not None:
        return (*lifetime(position, dimensions), *filling(position, dimensions))
    [steps] = inputs
    active = active_before(position, steps)
    filled, is_open = filled_and_open(position, active)
    changes = lifetime(position, dimensions, **{HEADCOUNT: position.headcount, FILLED: filled, OPEN: is_open})
    # At one instant, ends sort before starts: a worker who takes over at once does not count twice.
    for at, is_end, number in sorted(steps, key=lambda step: step.at - step.is_end):
        active += -number if is_end else number
        before = filled, is_open
        filled, is_open = filled_and_open(position, active)
        deltas = ((FILLED, filled - before[0]), (OPEN, is_open - before[1]))
        changed = tuple((measure, delta) for measure, delta in deltas if delta)
        if changed:
            changes.append(LevelChange(at, changed, is_end=is_end, dimensions=dimensions))
    return (*changes, *filling(position, dimensions))


def filling(position: StoredPosition, dimensions: Dimensions) -> list[LevelChange]:
    """Return the level changes of the first time that a position is filled."""
    filled_at = position.workload.filled_at
    if filled_at is None:
        return []
    within_windows = tuple(converted(STARTED, position.created_at, {FIRST_FILLED: filled_at}).items())
    changes = [LevelChange(milliseconds(filled_at), ((FIRST_FILLED, 1),), dimensions=dimensions)]
    if within_windows:
        changes.append(LevelChange(milliseconds(position.created_at), within_windows, dimensions=dimensions))
    return changes


def filled_and_open(position: StoredPosition, active: int) -> tuple[int, int]:
    filled = max(0, min(active, position.headcount))
    return filled, int(filled < position.headcount)


def active_before(position: StoredPosition, steps: Sequence[Step]) -> int:
    """Count the assignments that are active before all steps: open + ends - starts."""
    return position.workload.open + sum(step.number if step.is_end else -step.number for step in steps)


def row_of(position: StoredPosition, inputs: Inputs, over: Range) -> Row:
    [steps] = inputs
    end = milliseconds(over.end)
    # In agreement with the level changes: a start at the very end has not begun, an end there is over.
    active = active_before(position, [step for step in steps if step.at - step.is_end >= end])
    is_live = position.is_active and position.deleted_at is None
    filled, is_open = filled_and_open(position, active) if is_live else (0, 0)
    values: dict[str, Value] = {
        "name": position.name,
        "clientId": str(position.client_id),
        "workLocationId": str(position.work_location_id),
        "isActive": position.is_active,
        "isOpen": bool(is_open),
        "headcount": Fraction(position.headcount if is_live else 0),
        "filled": Fraction(filled),
        "filledAt": position.workload.filled_at,
    }
    row = created_row(position, values, over, instants_in(values, over))
    return replace(row, snapshot_states=frozenset({"isOpen"} if row.in_snapshot else ()))


def read_workload(organization: OrganizationId, positions: Sequence[StoredPosition]) -> dict[UUID, list[list[Step]]]:
    """Read the steps of the positions that have any."""
    since = {position.id: position.workload.since for position in positions}
    first = {identifier: day for identifier, day in since.items() if day is not None}
    if len(first) <= _QUERIED_APART:
        steps = {id_: workload_days.steps(organization, POSITIONS.kind, id_, day) for id_, day in first.items()}
    else:
        steps = workload_days.all_steps(organization, POSITIONS.kind, first)
    return {identifier: [steps.get(identifier, [])] for identifier in since}


POSITION_SOURCE = Source(
    name="positions",
    label="Positions",
    permission=Permission.WORKSPACE_READ,
    time=TimeBinding.INSTANT,
    time_field="createdAt",
    fields=fields(
        text_field("name", "Name"),
        id_field("clientId", "Client", "client"),
        id_field("workLocationId", "Work location", "workLocation"),
        flag_field("isActive", "Active"),
        flag_field("isOpen", "Active, with fewer active assignments than its headcount", is_forward_only=True),
        instant_field("createdAt", "Created"),
        instant_field("filledAt", "First booked for as many workers as its headcount", nullable=True),
        measure_field("headcount", FieldType.NUMBER, "Headcount"),
        measure_field("filled", FieldType.NUMBER, "Active assignments, up to the headcount", is_forward_only=True),
    ),
    collection=POSITIONS,
    contribution=contribution_of,
    row=row_of,
    triggers=("data", "workload"),
    further=read_workload,
    counts={"": CREATED, "createdAt": CREATED, "filledAt": (within(FIRST_FILLED),)},
    conversions={("opened", "filled"): conversion(STARTED, FIRST_FILLED)},
    snapshot_sums={"headcount": Sum((at_end(HEADCOUNT),)), "filled": Sum((at_end(FILLED),))},
    states={
        "isOpen": States(in_period={}, snapshots={"true": (at_end(OPEN),), "false": (*PRESENT, at_end(OPEN, -1))}),
    },
)
