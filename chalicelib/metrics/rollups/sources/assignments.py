"""Assignments: from start to end, with the money that flows meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel

from chalicelib.core.clock import milliseconds
from chalicelib.core.ids import OrganizationId
from chalicelib.core.money import minor_digits
from chalicelib.core.pricing import HOUR, RateTimeline
from chalicelib.dal.collection import Collection
from chalicelib.metrics.language.periods import Range
from chalicelib.metrics.rollups.formulas import Formula, Sum, at_end, at_start, ever, flow, within
from chalicelib.metrics.rollups.sources.base import ENDED, PRESENT, STARTED, Inputs, Row, SourceRollup, States, Value
from chalicelib.models.organizations import ORGANIZATIONS
from chalicelib.models.rollups.buckets import Contribution, LevelChange
from chalicelib.models.staffing.assignments import ASSIGNMENTS, SCOPES, Assignment, AssignmentStatus
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.workers import WORKERS

CANCELLED = "x"
BILLED, PAID = "b", "p"
"""Minor units an hour, of assignments that have a rate …"""
UNBILLED, UNPAID = "u", "v"
"""… and how many have none."""
BILLED_ONLY, PAID_ONLY, UNPRICED = "c", "d", "y"
"""Amounts where only one rate is known, and how many have neither: these have no margin."""


def _relies_on(organization: OrganizationId, assignment: Assignment) -> list[tuple[Collection[Any], UUID]]:
    """On rates, and on the zone and currency in which they hold."""
    if assignment.cancelled_at is not None:
        return []
    return [(ORGANIZATIONS, organization), (POSITIONS, assignment.position_id), (WORKERS, assignment.worker_id)]


def _contribution(assignment: Assignment, inputs: Inputs) -> Contribution:
    dimensions = tuple((to_camel(field), str(getattr(assignment, field))) for field in SCOPES)
    if assignment.cancelled_at is not None:
        return (LevelChange(milliseconds(assignment.cancelled_at), ((CANCELLED, 1),), dimensions=dimensions),)
    start = milliseconds(assignment.start_at)
    end = None if assignment.end_at is None else milliseconds(assignment.end_at)
    level_changes = []
    level: Counter[str] = Counter()
    for at, bill, pay in _rates(inputs, start, end):
        before, level = level, _level(bill, pay)
        level_changes.append(LevelChange(at, _deltas(level, before), dimensions=dimensions))
    if end is not None:
        level_changes.append(
            LevelChange(end, _deltas(Counter({STARTED: 1, ENDED: 1}), level), is_end=True, dimensions=dimensions)
        )
    return tuple(level_changes)


def _rates(inputs: Inputs, start: int, end: int | None) -> list[tuple[int, int | None, int | None]]:
    """Yield instants with the bill and pay rate from then on, in minor units an hour; None where there is no rate."""
    organization, position, worker = inputs
    bills, pays = (
        dict(RateTimeline(entity.rates, zone=organization.timezone, currency=organization.currency).changes(start, end))
        for entity in (position, worker)
    )
    changes = []
    bill = pay = None
    for at in sorted(bills.keys() | pays.keys()):
        bill, pay = bills.get(at, bill), pays.get(at, pay)
        changes.append((at, bill, pay))
    return changes


def _level(bill: int | None, pay: int | None) -> Counter[str]:
    level = Counter({STARTED: 1})
    level.update({UNBILLED: 1} if bill is None else {BILLED: bill})
    level.update({UNPAID: 1} if pay is None else {PAID: pay})
    if bill is None:
        level.update({UNPRICED: 1} if pay is None else {PAID_ONLY: pay})
    elif pay is None:
        level[BILLED_ONLY] = bill
    return level


def _deltas(level: Counter[str], before: Counter[str]) -> tuple[tuple[str, int], ...]:
    raised = {measure: level[measure] - before[measure] for measure in level.keys() | before.keys()}
    return tuple(sorted((measure, delta) for measure, delta in raised.items() if delta))


def _row(assignment: Assignment, inputs: Inputs, over: Range) -> Row:
    start, end, cancelled = assignment.start_at, assignment.end_at, assignment.cancelled_at
    values: dict[str, Value] = {
        **{to_camel(field): str(getattr(assignment, field)) for field in SCOPES},
        "startAt": start,
        "endAt": end,
        "cancelledAt": cancelled,
        "createdAt": assignment.created_at,
    }
    if cancelled is not None:
        state = frozenset({AssignmentStatus.CANCELLED.value})
        is_meanwhile = over.start <= cancelled < over.end
        return Row(
            values={**values, "status": AssignmentStatus.CANCELLED.value, **dict.fromkeys(_MEASURES, Fraction(0))},
            in_period=False,
            in_moment=False,
            states=state if is_meanwhile else frozenset(),
            moment_states=state if cancelled < over.end else frozenset(),
            instants=_instants({"cancelledAt": cancelled, "createdAt": assignment.created_at}, over),
        )
    has_begun, is_over = start < over.end, end is not None and end <= over.end
    status = _status(has_begun=has_begun, is_over=is_over)
    overlaps = has_begun and (end is None or end > over.start)
    state = frozenset({status.value})
    return Row(
        values={**values, "status": status.value, **_measured(assignment, inputs, over)},
        in_period=overlaps,
        in_moment=status is AssignmentStatus.ACTIVE,
        states=state if overlaps or status is AssignmentStatus.SCHEDULED else frozenset(),
        moment_states=state,
        instants=_instants({"startAt": start, "createdAt": assignment.created_at}, over)
        | frozenset({"endAt"} if end is not None and over.start < end <= over.end else ()),
    )


def _status(*, has_begun: bool, is_over: bool) -> AssignmentStatus:
    if not has_begun:
        return AssignmentStatus.SCHEDULED
    return AssignmentStatus.COMPLETED if is_over else AssignmentStatus.ACTIVE


def _instants(instants: Mapping[str, datetime], over: Range) -> frozenset[str]:
    return frozenset(name for name, instant in instants.items() if over.start <= instant < over.end)


def _measured(assignment: Assignment, inputs: Inputs, over: Range) -> dict[str, Value]:
    """Return the measures of the part in the range; an amount is None where no hour of it has a rate."""
    organization, *_ = inputs
    first = milliseconds(max(assignment.start_at, over.start))
    last = milliseconds(over.end if assignment.end_at is None else min(assignment.end_at, over.end))
    rates = _rates(inputs, first, last) if first < last else []
    ends = [*(at for at, *_ in rates[1:]), last]
    stretches = [(until - since, bill, pay) for (since, bill, pay), until in zip(rates, ends, strict=False)]
    billed = [(length, bill) for length, bill, _ in stretches if bill is not None]
    paid = [(length, pay) for length, _, pay in stretches if pay is not None]
    base = [(length, bill) for length, bill, pay in stretches if bill is not None and pay is not None]
    margin = [(length, bill - pay) for length, bill, pay in stretches if bill is not None and pay is not None]

    def amount(known: list[tuple[int, int]]) -> Fraction | None:
        product = sum(length * rate for length, rate in known)
        is_known = known or not stretches
        return Fraction(product, HOUR * 10 ** minor_digits(organization.currency)) if is_known else None

    whole = max(0, last - first)
    return {
        "hours": Fraction(whole, HOUR),
        "billed": amount(billed),
        "paid": amount(paid),
        "margin": amount(margin),
        "marginBase": amount(base),
        "unbilledHours": Fraction(whole - sum(length for length, _ in billed), HOUR),
        "unpaidHours": Fraction(whole - sum(length for length, _ in paid), HOUR),
    }


_MEASURES = ("hours", "billed", "paid", "margin", "marginBase", "unbilledHours", "unpaidHours")
_TIME: Formula = (flow(STARTED), flow(ENDED, -1))
_WITHOUT_MARGIN: Formula = (flow(UNBILLED), flow(UNPAID), flow(UNPRICED, -1))
_WITH_MARGIN: Formula = (*_TIME, flow(UNBILLED, -1), flow(UNPAID, -1), flow(UNPRICED))

ASSIGNMENT_SOURCE = SourceRollup(
    collection=ASSIGNMENTS,
    contribution=_contribution,
    row=_row,
    dependencies=_relies_on,
    dimensions=frozenset(to_camel(field) for field in SCOPES),
    counts={
        "": (at_end(STARTED), at_start(ENDED, -1)),
        "startAt": (within(STARTED),),
        "endAt": (within(ENDED),),
        "cancelledAt": (within(CANCELLED),),
    },
    sums={
        "hours": Sum(_TIME),
        "billed": Sum((flow(BILLED),), unknown=(flow(UNBILLED),), known=(*_TIME, flow(UNBILLED, -1))),
        "paid": Sum((flow(PAID),), unknown=(flow(UNPAID),), known=(*_TIME, flow(UNPAID, -1))),
        "margin": Sum(
            (flow(BILLED), flow(BILLED_ONLY, -1), flow(PAID, -1), flow(PAID_ONLY)),
            unknown=_WITHOUT_MARGIN,
            known=_WITH_MARGIN,
        ),
        "marginBase": Sum((flow(BILLED), flow(BILLED_ONLY, -1)), unknown=_WITHOUT_MARGIN, known=_WITH_MARGIN),
        "unbilledHours": Sum((flow(UNBILLED),)),
        "unpaidHours": Sum((flow(UNPAID),)),
    },
    states=States(
        field="status",
        in_period={
            "scheduled": (ever(STARTED), at_end(STARTED, -1)),
            "active": PRESENT,
            "completed": (within(ENDED),),
            "cancelled": (within(CANCELLED),),
        },
        in_moment={
            "scheduled": (ever(STARTED), at_end(STARTED, -1)),
            "active": PRESENT,
            "completed": (at_end(ENDED),),
            "cancelled": (at_end(CANCELLED),),
        },
        accumulating=frozenset({"active", "completed"}),
    ),
)
