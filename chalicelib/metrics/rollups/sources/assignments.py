"""Assignments: counted from start to end, with the money billed and paid over that time."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel

from chalicelib.auth.permissions import Permission
from chalicelib.core.clock import milliseconds
from chalicelib.core.ids import OrganizationId
from chalicelib.core.money import minor_digits
from chalicelib.core.pricing import HOUR, RateTimeline
from chalicelib.dal.collection import Collection
from chalicelib.metrics.rollups.formulas import Formula, Sum, at_end, at_start, ever, flow, within
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.base import (
    ENDED,
    PRESENT,
    STARTED,
    Inputs,
    Row,
    Source,
    States,
    Value,
    instants_in,
    stepped,
)
from chalicelib.metrics.rollups.sources.fields import (
    FieldType,
    TimeBinding,
    enum_field,
    fields,
    id_field,
    instant_field,
    measure_field,
)
from chalicelib.models.organizations import ORGANIZATIONS
from chalicelib.models.rollups.buckets import Contribution, LevelChange
from chalicelib.models.staffing.assignments import ASSIGNMENTS, SCOPES, Assignment, AssignmentStatus
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.workers import WORKERS

CANCELLED = "x"
BILLED, PAID = "b", "p"
"""Level of money: minor units per hour of assignments with a rate."""
UNBILLED, UNPAID = "u", "v"
"""Number of assignments without a bill rate, without a pay rate."""
BILLED_ONLY, PAID_ONLY, UNPRICED = "c", "d", "y"
"""Money of assignments that have only one of the two rates, and the number that have neither: no margin is known."""


def dependencies_of(organization: OrganizationId, assignment: Assignment) -> list[tuple[Collection[Any], UUID]]:
    """Name the entities with the rates, and the organization with their time zone and currency."""
    if assignment.cancelled_at is not None:
        return []
    return [(ORGANIZATIONS, organization), (POSITIONS, assignment.position_id), (WORKERS, assignment.worker_id)]


def contribution_of(assignment: Assignment, inputs: Inputs) -> Contribution:
    dimensions = tuple((to_camel(field), str(getattr(assignment, field))) for field in SCOPES)
    if assignment.cancelled_at is not None:
        return (LevelChange(milliseconds(assignment.cancelled_at), ((CANCELLED, 1),), dimensions=dimensions),)
    start = milliseconds(assignment.start_at)
    end = None if assignment.end_at is None else milliseconds(assignment.end_at)
    levels = [(at, level_of(bill, pay)) for at, bill, pay in rates_over(inputs, start, end)]
    if end is not None:
        levels.append((end, Counter({STARTED: 1, ENDED: 1})))
    return stepped(levels, dimensions, has_end=end is not None)


def rates_over(inputs: Inputs, start: int, end: int | None) -> list[tuple[int, int | None, int | None]]:
    """Return (instant, bill rate, pay rate) for each change of a rate, in minor units per hour; None for no rate."""
    organization, position, worker = inputs
    bills, pays = (
        dict(RateTimeline(entity.rates, zone=organization.timezone, currency=organization.currency).changes(start, end))
        for entity in (position, worker)
    )
    rates = []
    bill = pay = None
    for at in sorted(bills.keys() | pays.keys()):
        bill, pay = bills.get(at, bill), pays.get(at, pay)
        rates.append((at, bill, pay))
    return rates


def level_of(bill: int | None, pay: int | None) -> Counter[str]:
    level = Counter({STARTED: 1})
    level.update({UNBILLED: 1} if bill is None else {BILLED: bill})
    level.update({UNPAID: 1} if pay is None else {PAID: pay})
    if bill is None:
        level.update({UNPRICED: 1} if pay is None else {PAID_ONLY: pay})
    elif pay is None:
        level[BILLED_ONLY] = bill
    return level


def row_of(assignment: Assignment, inputs: Inputs, over: Range) -> Row:
    start, end, cancelled = assignment.start_at, assignment.end_at, assignment.cancelled_at
    values: dict[str, Value] = {
        **{to_camel(field): str(getattr(assignment, field)) for field in SCOPES},
        "startAt": start,
        "endAt": end,
        "cancelledAt": cancelled,
        "createdAt": assignment.created_at,
    }
    if cancelled is not None:
        is_in_range = over.start <= cancelled < over.end
        return Row(
            values={**values, "status": AssignmentStatus.CANCELLED.value, **dict.fromkeys(_MEASURES, Fraction(0))},
            in_period=False,
            in_snapshot=False,
            states=_STATUS if is_in_range else frozenset(),
            snapshot_states=_STATUS if cancelled < over.end else frozenset(),
            instants=instants_in({"cancelledAt": cancelled, "createdAt": assignment.created_at}, over),
        )
    has_begun, is_over = start < over.end, end is not None and end <= over.end
    status = AssignmentStatus.ACTIVE if has_begun else AssignmentStatus.SCHEDULED
    if has_begun and is_over:
        status = AssignmentStatus.COMPLETED
    overlaps = has_begun and (end is None or end > over.start)
    return Row(
        values={**values, "status": status.value, **measures_of(assignment, inputs, over)},
        in_period=overlaps,
        in_snapshot=status is AssignmentStatus.ACTIVE,
        states=_STATUS if overlaps or status is AssignmentStatus.SCHEDULED else frozenset(),
        snapshot_states=_STATUS,
        instants=instants_in({"startAt": start, "createdAt": assignment.created_at}, over)
        | frozenset({"endAt"} if end is not None and over.start < end <= over.end else ()),
    )


def measures_of(assignment: Assignment, inputs: Inputs, over: Range) -> dict[str, Value]:
    """Return the measures of the part within the range; an amount is None if no hour of it has a rate."""
    organization, *_ = inputs
    first = milliseconds(max(assignment.start_at, over.start))
    last = milliseconds(over.end if assignment.end_at is None else min(assignment.end_at, over.end))
    rates = rates_over(inputs, first, last) if first < last else []
    ends = [*(at for at, *_ in rates[1:]), last]
    slices = [(until - since, bill, pay) for (since, bill, pay), until in zip(rates, ends, strict=False)]
    billed = [(length, bill) for length, bill, _ in slices if bill is not None]
    paid = [(length, pay) for length, _, pay in slices if pay is not None]
    base = [(length, bill) for length, bill, pay in slices if bill is not None and pay is not None]
    margin = [(length, bill - pay) for length, bill, pay in slices if bill is not None and pay is not None]

    def amount(known: list[tuple[int, int]]) -> Fraction | None:
        product = sum(length * rate for length, rate in known)
        is_known = known or not slices
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


_STATUS = frozenset({"status"})
_MEASURES = ("hours", "billed", "paid", "margin", "marginBase", "unbilledHours", "unpaidHours")
_TIME: Formula = (flow(STARTED), flow(ENDED, -1))
_WITHOUT_MARGIN: Formula = (flow(UNBILLED), flow(UNPAID), flow(UNPRICED, -1))
_WITH_MARGIN: Formula = (*_TIME, flow(UNBILLED, -1), flow(UNPAID, -1), flow(UNPRICED))

ASSIGNMENT_SOURCE = Source(
    name="assignments",
    label="Assignments",
    permission=Permission.REPORTS_READ,
    time=TimeBinding.INTERVAL,
    time_field="startAt",
    fields=fields(
        id_field("clientId", "Client", "client"),
        id_field("workLocationId", "Work location", "workLocation"),
        id_field("positionId", "Position", "position"),
        id_field("workerId", "Worker", "worker"),
        enum_field("status", "Status", tuple(AssignmentStatus)),
        instant_field("startAt", "Start"),
        instant_field("endAt", "End", nullable=True),
        instant_field("cancelledAt", "Cancelled", nullable=True),
        instant_field("createdAt", "Created"),
        measure_field("hours", FieldType.DURATION, "Hours"),
        measure_field("billed", FieldType.MONEY, "Billed"),
        measure_field("paid", FieldType.MONEY, "Paid"),
        measure_field("margin", FieldType.MONEY, "Margin, of hours that have both rates"),
        measure_field("marginBase", FieldType.MONEY, "Billed, of hours that have both rates"),
        measure_field("unbilledHours", FieldType.DURATION, "Hours without a bill rate"),
        measure_field("unpaidHours", FieldType.DURATION, "Hours without a pay rate"),
    ),
    collection=ASSIGNMENTS,
    contribution=contribution_of,
    row=row_of,
    dependencies=dependencies_of,
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
    states={
        "status": States(
            in_period={
                "scheduled": (ever(STARTED), at_end(STARTED, -1)),
                "active": PRESENT,
                "completed": (within(ENDED),),
                "cancelled": (within(CANCELLED),),
            },
            snapshots={
                "scheduled": (ever(STARTED), at_end(STARTED, -1)),
                "active": PRESENT,
                "completed": (at_end(ENDED),),
                "cancelled": (at_end(CANCELLED),),
            },
            accumulating=frozenset({"active", "completed"}),
        ),
    },
)
