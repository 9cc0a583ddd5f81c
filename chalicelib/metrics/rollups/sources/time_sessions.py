"""Time sessions: counted by their start, with the hours and money of their time without pauses.

A running timer is one open span: it has the id of the session that it becomes, so that the sums stay when it stops.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any
from uuid import UUID

from chalicelib.auth.permissions import Permission
from chalicelib.core.clock import milliseconds
from chalicelib.core.ids import OrganizationId
from chalicelib.core.money import minor_digits
from chalicelib.core.pricing import HOUR
from chalicelib.dal import table
from chalicelib.dal.collection import Collection
from chalicelib.metrics.rollups.formulas import Formula, Sum, at_end, at_start, flow, within
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.base import (
    ENDED,
    PRESENT,
    STARTED,
    Inputs,
    Row,
    Source,
    Split,
    Unfinished,
    Value,
    dimension_of,
    stepped,
)
from chalicelib.metrics.rollups.sources.fields import (
    FieldType,
    TimeBinding,
    fields,
    flag_field,
    id_field,
    instant_field,
    measure_field,
)
from chalicelib.models.organizations import ORGANIZATIONS
from chalicelib.models.rollups.buckets import Contribution
from chalicelib.models.time import rates, session_spans, timers
from chalicelib.models.time.pricing import Pricer, levels_of
from chalicelib.models.time.projects import PROJECTS
from chalicelib.models.time.session_spans import SESSION_SPANS, SessionSpan
from chalicelib.models.users import USERS

PAUSED = "p"
BILLED = "b"
"""Level of money: minor units per hour of billable sessions with a rate."""
UNPRICED = "u"
"""Number of billable sessions without a rate."""

BILLABLE = Split(field="billable", suffixes={"true": "", "false": "n"})

_READ_APART = 10
"""Up to this many pairs of user and project have their rates read by key; more, with all of the organization's."""


def dependencies_of(organization: OrganizationId, span: SessionSpan) -> list[tuple[Collection[Any], UUID]]:
    """Name the project, which has the client, and the entities whose versions move with the rates of the span."""
    if span.deleted_at is not None:
        return []
    named: list[tuple[Collection[Any], UUID]] = []
    if span.project_id is not None:
        named.append((PROJECTS, span.project_id))
    if span.billable:
        named += [(ORGANIZATIONS, organization), (USERS, span.user_id)]
    return named


def read_prices(organization: OrganizationId, spans: Sequence[SessionSpan]) -> dict[UUID, list[Pricer]]:
    """Read the rates that price the billable spans; they share one pricer."""
    billable = [span for span in spans if span.billable and span.deleted_at is None]
    pairs = {(span.user_id, span.project_id) for span in billable}
    if not pairs:
        return {}
    own = ORGANIZATIONS.key(organization, organization)
    if len(pairs) <= _READ_APART:
        levels = {level.key(organization) for pair in pairs for level in levels_of(organization, *pair)}
        items = table.batch_get([own, *levels])
        by_level = rates.rates_in(organization, items)
    else:
        items = table.batch_get([own])
        by_level = rates.read_all(organization, consistent=True)
    pricer = Pricer(ORGANIZATIONS.record.of(items.get(own), ORGANIZATIONS.entity), by_level)
    return {span.id: [pricer] for span in billable}


def contribution_of(span: SessionSpan, inputs: Inputs) -> Contribution:
    if span.deleted_at is not None:
        return ()
    dimensions = (
        ("userId", str(span.user_id)),
        dimension_of("projectId", span.project_id),
        dimension_of("clientId", client_of(span, inputs)),
    )
    suffix = BILLABLE.suffixes["true" if span.billable else "false"]
    levels: list[tuple[int, Counter[str]]] = []
    for since, until, is_worked in span.parts:
        if not is_worked:
            levels.append((since, Counter({STARTED: 1, PAUSED: 1})))
        elif not span.billable:
            levels.append((since, Counter({STARTED: 1})))
        else:
            prices = inputs[-1].changes(span.user_id, span.project_id, since, until)
            priced = ({UNPRICED: 1} if amount is None else {BILLED: amount} for _, amount in prices)
            levels += [(at, Counter({STARTED: 1, **level})) for (at, _), level in zip(prices, priced, strict=True)]
    if span.end_at is not None:
        levels.append((milliseconds(span.end_at), Counter({STARTED: 1, ENDED: 1})))
    named = [(at, Counter({f"{name}{suffix}": number for name, number in level.items()})) for at, level in levels]
    return stepped(named, dimensions, has_end=span.end_at is not None)


def client_of(span: SessionSpan, inputs: Inputs) -> UUID | None:
    client: UUID | None = None if span.project_id is None else inputs[0].client_id
    return client


def row_of(span: SessionSpan, inputs: Inputs, over: Range) -> Row:
    start, end = span.start_at, span.end_at
    client = client_of(span, inputs) if span.deleted_at is None else None
    values: dict[str, Value] = {
        "userId": str(span.user_id),
        "projectId": None if span.project_id is None else str(span.project_id),
        "clientId": None if client is None else str(client),
        "billable": span.billable,
        "startAt": start,
        "endAt": end,
    }
    if span.deleted_at is not None:
        return Row(values={**values, **dict.fromkeys(_HOURS, Fraction(0))}, in_period=False, in_snapshot=False)
    instants = {"startAt"} if over.start <= start < over.end else set()
    if end is not None and over.start < end <= over.end:
        instants.add("endAt")
    return Row(
        values={**values, **measures_of(span, inputs, over)},
        in_period=start < over.end and (end is None or end > over.start),
        in_snapshot=start < over.end and (end is None or end > over.end),
        instants=frozenset(instants),
    )


def measures_of(span: SessionSpan, inputs: Inputs, over: Range) -> dict[str, Value]:
    """Return the hours and money within the range."""
    first, last = (milliseconds(edge) for edge in (over.start, over.end))
    spans = [
        (max(since, first), last if until is None else min(until, last))
        for since, until, is_worked in span.parts
        if is_worked
    ]
    seconds = [(low // 1000, high // 1000) for low, high in spans if low < high]
    worked = sum(high - low for low, high in seconds)
    values: dict[str, Value] = {
        "hours": Fraction(worked, 3600),
        "billableHours": Fraction(worked if span.billable else 0, 3600),
        "unpricedHours": Fraction(0),
    }
    if not span.billable:
        return {**values, "billed": Fraction(0)}
    if not worked:  # in a pause throughout: nothing to price
        return values
    pricer: Pricer = inputs[-1]
    product, unpriced = pricer.price(span.user_id, span.project_id, seconds)
    scale = HOUR * 10 ** minor_digits(pricer.currency)
    return {
        **values,
        "unpricedHours": Fraction(unpriced, 3600),
        "billed": Fraction(product, scale) if unpriced < worked else None,
    }


_HOURS = ("hours", "billableHours", "unpricedHours")
_WORKED: Formula = (flow(STARTED), flow(ENDED, -1), flow(PAUSED, -1))

TIME_SESSION_SOURCE: Source[SessionSpan] = Source(
    name="timeSessions",
    label="Time sessions",
    permission=Permission.TIME_OF_OTHERS,
    time=TimeBinding.INTERVAL,
    time_field="startAt",
    fields=fields(
        id_field("userId", "User", "user"),
        id_field("projectId", "Project", "project", nullable=True),
        id_field("clientId", "Client", "client", nullable=True),
        flag_field("billable", "Billable"),
        instant_field("startAt", "Start"),
        instant_field("endAt", "End", nullable=True),
        measure_field("hours", FieldType.DURATION, "Hours, without pauses"),
        measure_field("billableHours", FieldType.DURATION, "Billable hours"),
        measure_field("billed", FieldType.MONEY, "Billed"),
        measure_field("unpricedHours", FieldType.DURATION, "Billable hours without a rate"),
    ),
    collection=SESSION_SPANS,
    contribution=contribution_of,
    row=row_of,
    dependencies=dependencies_of,
    further=read_prices,
    unfinished=Unfinished(kind=timers.KIND, read=session_spans.running, read_all=session_spans.all_running),
    counts={
        "": (at_end(STARTED), at_start(ENDED, -1)),
        "startAt": (within(STARTED),),
        "endAt": (within(ENDED),),
    },
    counted_by="startAt",
    snapshots={"": PRESENT},
    sums={
        "hours": Sum(_WORKED),
        "billableHours": Sum(_WORKED, only=frozenset({"true"})),
        "billed": Sum((flow(BILLED),), unknown=(flow(UNPRICED),), known=(*_WORKED, flow(UNPRICED, -1))),
        "unpricedHours": Sum((flow(UNPRICED),)),
    },
    split=BILLABLE,
)
