"""The hours report: the time of all assignments, clipped to the requested days, by worker and work location.

Time up to now is worked; time ahead is scheduled, and has no amounts. Cancelled assignments are not in the months it
reads. One without an end has nothing ahead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.core import hours as decimal_hours
from chalicelib.core.clock import milliseconds
from chalicelib.core.days import span_of
from chalicelib.core.errors import invalid_field, not_found, require_order
from chalicelib.core.money import Money, Priced
from chalicelib.core.pricing import RateTimeline, amount_of
from chalicelib.models.organizations import StoredOrganization
from chalicelib.models.staffing import packed_months
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.staffing.directory import NameIndex, Reference
from chalicelib.models.staffing.packed_months import TooManyHours, WorkerMonth
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS
from chalicelib.models.staffing.workers import WORKERS
from chalicelib.modules.reports.contracts import HoursReport, HoursRow, HoursTotals

MAX_ROWS = 10_000
"""Some 5 MB of JSON, of the 6 that Lambda answers."""

WhoAndWhere = tuple[Reference, Reference, Reference]
"""A row's worker, client and work location, in the order in which rows are sorted."""


class Part(NamedTuple):
    """Time of one worker at one position. Worked: start, end, start, end, … in milliseconds since `origin`, clipped."""

    worker: UUID
    position: UUID
    origin: int
    edges: Sequence[int]
    worked: int
    """Milliseconds of all edges."""
    first: int
    """Nothing is worked before, and nothing …"""
    last: int
    """… after these, in milliseconds since 1970."""
    scheduled: int
    """Milliseconds ahead."""

    def price(self, rates: RateTimeline) -> int | None:
        rate = rates.rate_throughout(self.first, self.last)
        if rate is not None:
            return rate * self.worked
        total = 0
        for start, end in zip(self.edges[0::2], self.edges[1::2], strict=True):
            price = rates.price(self.origin + start, self.origin + end)
            if price is None:
                return None
            total += price
        return total


class Rates(NamedTuple):
    bill: RateTimeline
    pay: RateTimeline


@dataclass
class _Sum:
    """Sums of one row. None: nothing is worked, or there are hours without a rate."""

    worked: int = 0
    scheduled: int = 0
    billed: int | None = 0
    paid: int | None = 0

    def add(self, part: Part, rates: Rates | None) -> None:
        self.worked += part.worked
        self.scheduled += part.scheduled
        if part.worked and rates is not None:
            billed, paid = part.price(rates.bill), part.price(rates.pay)
            self.billed = None if self.billed is None or billed is None else self.billed + billed
            self.paid = None if self.paid is None or paid is None else self.paid + paid


def report(
    organization: StoredOrganization,
    start_date: date,
    end_date: date,
    client: UUID | None,
    now: datetime,
    *,
    with_money: bool,
) -> HoursReport:
    """Compute the report. INVALID_DATE_RANGE, NOT_FOUND for a client, VALIDATION_ERROR for more than can be read.

    `with_money`: for callers who may see amounts.
    """
    require_order(("startDate", "endDate"), start_date, end_date, inclusive=True)
    start, end = span_of(start_date, end_date, organization.timezone)
    directory = NameIndex(organization.tenant)
    if client is not None:
        directory.complete(CLIENTS, [client])
        if not directory.has(CLIENTS, client):
            raise not_found(CLIENTS.entity)
    try:
        parts = [*_in_months(organization, start, end, now), *_long_running(directory, start, end, now)]
    except TooManyHours:
        raise invalid_field("endDate", "there are too many hours in this range: ask for fewer days at once") from None
    _complete(directory, parts)
    sums = _sums(organization, directory, parts, client, with_money=with_money)
    if len(sums) > MAX_ROWS:
        raise invalid_field("endDate", f"there are more than {MAX_ROWS:,} rows: ask for fewer days, or one client")
    rows = [
        _row(organization.currency, who_and_where, sums[who_and_where], with_money=with_money)
        for who_and_where in sorted(sums, key=lambda references: [reference.sorted_by for reference in references])
    ]
    return HoursReport(
        start_date=start_date,
        end_date=end_date,
        rows=rows,
        totals=_totals(rows, organization.currency, with_money=with_money),
        as_of=now,
    )


# -- time ------------------------------------------------------------------------------------------------------------


def _in_months(organization: StoredOrganization, start: datetime, end: datetime, now: datetime) -> Iterator[Part]:
    low, high, present = milliseconds(start), milliseconds(end), milliseconds(now)
    for month in packed_months.read(organization.tenant, start, end):
        first, beyond = max(low, month.start), min(high, month.end)
        last = max(first, min(present, beyond))
        for position, edges in packed_months.groups(month.packed):
            worked = _clipped(month, edges, first, last)
            scheduled = _duration(_clipped(month, edges, last, beyond))
            if worked or scheduled:
                duration = _duration(worked)
                yield Part(month.worker, _position(position), month.start, worked, duration, first, last, scheduled)


@lru_cache(maxsize=1024)
def _position(packed: bytes) -> UUID:
    return UUID(bytes=packed)


def _clipped(month: WorkerMonth, edges: tuple[int, ...], first: int, last: int) -> Sequence[int]:
    """Return the parts of a month's spans within [first, last), in milliseconds since its beginning."""
    if (first, last) == (month.start, month.end):
        return edges
    if first == last:
        return ()
    low, high = first - month.start, last - month.start
    clipped: list[int] = []
    for start, end in zip(edges[0::2], edges[1::2], strict=True):
        since, until = max(start, low), min(end, high)
        if since < until:
            clipped += (since, until)
    return clipped


def _duration(edges: Sequence[int]) -> int:
    return sum(edges[1::2]) - sum(edges[0::2])


def _long_running(directory: NameIndex, start: datetime, end: datetime, now: datetime) -> Iterator[Part]:
    """Yield the time of assignments that are too long for months, or have no end."""
    for worker, long in directory.long_running():
        first = milliseconds(max(start, long.start_at))
        beyond = milliseconds(min(end, long.end_at or now))
        if first < beyond:
            last = max(first, min(milliseconds(now), beyond))
            edges = [first, last] if first < last else []
            yield Part(worker, long.position_id, 0, edges, last - first, first, last, beyond - last)


# -- rows ------------------------------------------------------------------------------------------------------------


def _complete(directory: NameIndex, parts: Iterable[Part]) -> None:
    positions = {part.position for part in parts}
    directory.complete(WORKERS, {part.worker for part in parts})
    directory.complete(POSITIONS, positions)
    locations = {parent for position in positions if (parent := directory[position].parent)}
    directory.complete(WORK_LOCATIONS, locations)
    directory.complete(CLIENTS, {parent for location in locations if (parent := directory[location].parent)})


def _sums(
    organization: StoredOrganization,
    directory: NameIndex,
    parts: Iterable[Part],
    client: UUID | None,
    *,
    with_money: bool,
) -> dict[WhoAndWhere, _Sum]:
    @cache
    def rates_of(reference: Reference) -> RateTimeline:
        return RateTimeline(reference.rates, zone=organization.timezone, currency=organization.currency)

    @cache
    def place_of(position: Reference) -> tuple[Reference, Reference]:
        location = directory.parent_of(position)
        return directory.parent_of(location), location

    sums: dict[WhoAndWhere, _Sum] = {}
    for part in parts:
        worker, position = directory[part.worker], directory[part.position]
        owner, location = place_of(position)
        if client is None or client == owner.id:
            row = sums.setdefault((worker, owner, location), _Sum())
            row.add(part, Rates(rates_of(position), rates_of(worker)) if with_money else None)
    return sums


def _row(currency: str, who_and_where: WhoAndWhere, sum_: _Sum, *, with_money: bool) -> HoursRow:
    worker, client, location = who_and_where
    worked, scheduled = decimal_hours.seconds(sum_.worked), decimal_hours.seconds(sum_.scheduled)
    billed, paid = (
        amount_of(product) if with_money and sum_.worked and product is not None else None
        for product in (sum_.billed, sum_.paid)
    )
    amounts: dict[str, Any] = Priced.amounts(billed, paid, currency)
    return HoursRow(
        worker_id=worker.id,
        worker_name=worker.name,
        work_location_id=location.id,
        work_location_name=location.name,
        client_id=client.id,
        client_name=client.name,
        total_seconds=worked,
        total_hours=decimal_hours.hours(worked),
        scheduled_seconds=scheduled,
        scheduled_hours=decimal_hours.hours(scheduled),
        **amounts,
    )


def _totals(rows: list[HoursRow], currency: str, *, with_money: bool) -> HoursTotals:
    """Sums of the seconds and amounts as the rows show them."""
    worked, scheduled = (sum(getattr(row, name) for row in rows) for name in ("total_seconds", "scheduled_seconds"))
    amounts: dict[str, Any] = {
        name: Money(amount=sum(money.amount for money in known), currency=currency)
        for name in ("billed", "paid", "margin")
        if (known := [money for row in rows if (money := getattr(row, name)) is not None])
    }
    unbilled, unpaid = (
        decimal_hours.hours(sum(row.total_seconds for row in rows if getattr(row, name) is None))
        if with_money
        else None
        for name in ("billed", "paid")
    )
    return HoursTotals(
        total_seconds=worked,
        total_hours=decimal_hours.hours(worked),
        scheduled_seconds=scheduled,
        scheduled_hours=decimal_hours.hours(scheduled),
        hours_without_bill_rate=unbilled,
        hours_without_pay_rate=unpaid,
        **amounts,
    )
