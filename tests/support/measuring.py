"""Helpers for metrics: queries, results at a minute, and a reference that computes measures minute by minute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from typing import Any
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.metrics.engine.evaluate import evaluate
from chalicelib.metrics.language.outcomes import Outcome
from chalicelib.metrics.language.query import parse
from chalicelib.metrics.rollups.apply import sync_entity
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.models.organizations import ORGANIZATIONS, StoredOrganization
from tests.support.oracle import local_day, rate_on
from tests.support.shift_helpers import Crew, Shift

Json = dict[str, Any]

MEASURES = ("hours", "billed", "paid", "margin", "marginBase", "unbilledHours", "unpaidHours")


# -- queries ---------------------------------------------------------------------------------------------------------


def simple(source: str, aggregate: str = "count", field: str | None = None, **more: Any) -> Json:
    """Return a simple query, by default over this month and without a comparison."""
    named = {} if field is None else {"field": field}
    terms = {"type": "simple", "period": "this_month", "compare": "none", **more}
    return {"version": 1, "source": source, "aggregate": aggregate, **named, **terms}


def total(field: str, **more: Any) -> Json:
    """Return a query for the sum of a measure of assignments."""
    return simple("assignments", "sum", field, **more)


def snapshot(source: str, field: str | None = None, **more: Any) -> Json:
    """Return a snapshot query, by default for now."""
    terms = {"type": "snapshot", "period": "today", **more}
    return simple(source, "count" if field is None else "sum", field, **terms)


def where(field: str, op: str, value: Any = None) -> list[Json]:
    return [{"field": field, "op": op, **({} if value is None else {"value": value})}]


def days(first: Any, last: Any = None) -> Json:
    return {"from": str(first), "to": str(last or first)}


def stored(organization: OrganizationId, **changes: Any) -> StoredOrganization:
    """Return the stored organization, with `changes` applied."""
    return ORGANIZATIONS.get(organization, organization).model_copy(update=changes)


def outcomes(organization: StoredOrganization, at: str, queries: Sequence[Json]) -> list[Outcome]:
    """Evaluate queries at a whole minute."""
    results = evaluate(
        organization, {number: parse(query) for number, query in enumerate(queries)}, datetime.fromisoformat(at)
    )
    return [results[number] for number in range(len(queries))]


def outcome(organization: StoredOrganization, at: str, query: Json) -> Outcome:
    (result,) = outcomes(organization, at, [query])
    return result


def values(organization: StoredOrganization, at: str, queries: Sequence[Json]) -> list[Decimal | None]:
    results = outcomes(organization, at, queries)
    assert not [result.error for result in results if result.error]
    return [result.value for result in results]


def value(organization: StoredOrganization, at: str, query: Json) -> Decimal | None:
    (number,) = values(organization, at, [query])
    return number


# -- rolling up ------------------------------------------------------------------------------------------------------


def roll_up(organization: OrganizationId, *sources: str) -> None:
    """Sync all entities, as the stream would have done by now."""
    for source in sources or SOURCES:
        for record in SOURCES[source].collection.all_of(organization, 1000) or []:
            sync_entity(organization, source, record.id)


def sync_entities(organization: OrganizationId, source: str, identifiers: Sequence[Any]) -> None:
    for identifier in identifiers:
        sync_entity(organization, source, UUID(str(identifier)))


# -- minute by minute ------------------------------------------------------------------------------------------------


def by_minutes(crew: Crew, first: date, last: date, at: int) -> dict[str, Decimal | None]:
    """Return the measures of assignments over days, at a minute; money in euros."""
    worked = [
        (shift, day)
        for shift in crew.shifts.values()
        for minute, day in _calendar(first, last, crew.zone).items()
        if shift.start <= minute < min(at, at if shift.end is None else shift.end) and first <= day <= last
    ]
    billed, paid = list(_rates(crew, worked, "position")), list(_rates(crew, worked, "worker"))
    both = [(one, other) for one, other in zip(billed, paid, strict=True) if one is not None and other is not None]
    return {
        "hours": _rounded(Fraction(len(worked), 60)),
        "billed": _money(billed),
        "paid": _money(paid),
        "margin": _money([one - other for one, other in both]) if both or not billed else None,
        "marginBase": _money([one for one, _ in both]) if both or not billed else None,
        "unbilledHours": _rounded(Fraction(billed.count(None), 60)),
        "unpaidHours": _rounded(Fraction(paid.count(None), 60)),
    }


@cache
def _calendar(first: date, last: date, zone: str) -> dict[int, date]:
    """Return the local day of each minute around the days: no zone is two days from UTC."""
    low, high = (datetime.combine(day, datetime.min.time(), UTC) for day in (first, last))
    ends = [int(instant.timestamp()) // 60 for instant in (low - timedelta(days=2), high + timedelta(days=3))]
    return {minute: local_day(minute, zone) for minute in range(*ends)}


def _rates(crew: Crew, worked: Sequence[tuple[Shift, date]], of: str) -> Iterator[int | None]:
    known: dict[tuple[str, date], int | None] = {}
    for shift, day in worked:
        key = getattr(shift, of), day
        if key not in known:
            known[key] = rate_on(day, crew.rates[key[0]])
        yield known[key]


def _money(rates: Sequence[int | None]) -> Decimal | None:
    """Return the amount for a minute at each rate; None if no rate is known, 0 for no minutes."""
    known = [rate for rate in rates if rate is not None]
    return _rounded(Fraction(sum(known), 60 * 100)) if known or not rates else None


def _rounded(exact: Fraction) -> Decimal:
    return (Decimal(exact.numerator) / exact.denominator).quantize(Decimal("0.01"), ROUND_HALF_UP)
