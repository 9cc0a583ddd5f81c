"""The hours report: the time of all assignments, clipped to the requested days, by worker and work location.

Cancelled assignments are not in the months it reads. One without an end counts up to now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


class Worked(NamedTuple):
    """Time of one worker at one position: start, end, start, end, … in milliseconds since `origin`, clipped."""

    worker: UUID
    position: UUID
    origin: int
    edges: tuple[int, ...] | list[int]
    milliseconds: int
    """All of it."""
    first: int
    """Nothing of it is before, and nothing …"""
    last: int
    """… after these, in milliseconds since 1970."""

    def price(self, rates: RateTimeline) -> int | None:
        rate = rates.rate_throughout(self.first, self.last)
        if rate is not None:
            return rate * self.milliseconds
        total = 0
        for start, end in zip(self.edges[0::2], self.edges[1::2], strict=True):
            price = rates.price(self.origin + start, self.origin + end)
            if price is None:
                return None
            total += price
        return total


@dataclass
class _Sum:
    """Sums of one row. None: there are hours without a rate."""

    milliseconds: int = 0
    billed: int | None = 0
    paid: int | None = 0

    def add(self, duration: int, billed: int | None, paid: int | None) -> None:
        self.milliseconds += duration
        self.billed = None if self.billed is None or billed is None else self.billed + billed
        self.paid = None if self.paid is None or paid is None else self.paid + paid


def report(
    organization: StoredOrganization, start_date: date, end_date: date, client: UUID | None, now: datetime
) -> HoursReport:
    """Compute the report. INVALID_DATE_RANGE, NOT_FOUND for a client, VALIDATION_ERROR for more than can be read."""
    require_order(("startDate", "endDate"), start_date, end_date, inclusive=True)
    start, end = span_of(start_date, end_date, organization.timezone)
    directory = NameIndex(organization.tenant)
    if client is not None:
        directory.complete(CLIENTS, [client])
        if not directory.has(CLIENTS, client):
            raise not_found(CLIENTS.entity)
    try:
        worked = [*_in_months(organization, start, end), *_long_running(directory, start, end, now)]
    except TooManyHours:
        raise invalid_field("endDate", "there are too many hours in this range: ask for fewer days at once") from None
    _complete(directory, worked)
    sums = _sums(organization, directory, worked, client)
    if len(sums) > MAX_ROWS:
        raise invalid_field("endDate", f"there are more than {MAX_ROWS:,} rows: ask for fewer days, or one client")
    rows = [
        _row(organization.currency, who_and_where, sums[who_and_where])
        for who_and_where in sorted(sums, key=lambda references: [reference.sorted_by for reference in references])
    ]
    return HoursReport(
        start_date=start_date,
        end_date=end_date,
        rows=rows,
        totals=_totals(rows, organization.currency),
        as_of=now,
    )


# -- time worked -----------------------------------------------------------------------------------------------------


def _in_months(organization: StoredOrganization, start: datetime, end: datetime) -> Iterator[Worked]:
    low, high = milliseconds(start), milliseconds(end)
    for month in packed_months.read(organization.tenant, start, end):
        first, last = max(low, month.start), min(high, month.end)
        is_whole = (first, last) == (month.start, month.end)
        for position, edges in packed_months.groups(month.packed):
            clipped = edges if is_whole else _clipped(month, edges, first, last)
            if clipped:
                duration = sum(clipped[1::2]) - sum(clipped[0::2])
                yield Worked(month.worker, _position(position), month.start, clipped, duration, first, last)


@lru_cache(maxsize=1024)
def _position(packed: bytes) -> UUID:
    return UUID(bytes=packed)


def _clipped(month: WorkerMonth, edges: tuple[int, ...], first: int, last: int) -> list[int]:
    low, high = first - month.start, last - month.start
    clipped: list[int] = []
    for start, end in zip(edges[0::2], edges[1::2], strict=True):
        since, until = max(start, low), min(end, high)
        if since < until:
            clipped += (since, until)
    return clipped


def _long_running(directory: NameIndex, start: datetime, end: datetime, now: datetime) -> Iterator[Worked]:
    """Yield the time of assignments that are too long for months, or have no end."""
    for worker, long in directory.long_running():
        first = milliseconds(max(start, long.start_at))
        last = milliseconds(min(end, long.end_at or now))
        if first < last:
            yield Worked(worker, long.position_id, 0, [first, last], last - first, first, last)


# -- rows ------------------------------------------------------------------------------------------------------------


def _complete(directory: NameIndex, worked: Iterable[Worked]) -> None:
    positions = {part.position for part in worked}
    directory.complete(WORKERS, {part.worker for part in worked})
    directory.complete(POSITIONS, positions)
    locations = {parent for position in positions if (parent := directory[position].parent)}
    directory.complete(WORK_LOCATIONS, locations)
    directory.complete(CLIENTS, {parent for location in locations if (parent := directory[location].parent)})


def _sums(
    organization: StoredOrganization, directory: NameIndex, worked: Iterable[Worked], client: UUID | None
) -> dict[WhoAndWhere, _Sum]:
    @cache
    def rates_of(reference: Reference) -> RateTimeline:
        return RateTimeline(reference.rates, zone=organization.timezone, currency=organization.currency)

    @cache
    def place_of(position: Reference) -> tuple[Reference, Reference]:
        location = directory.parent_of(position)
        return directory.parent_of(location), location

    sums: dict[WhoAndWhere, _Sum] = {}
    for part in worked:
        worker, position = directory[part.worker], directory[part.position]
        owner, location = place_of(position)
        if client is None or client == owner.id:
            row = sums.setdefault((worker, owner, location), _Sum())
            row.add(part.milliseconds, part.price(rates_of(position)), part.price(rates_of(worker)))
    return sums


def _row(currency: str, who_and_where: WhoAndWhere, sum_: _Sum) -> HoursRow:
    worker, client, location = who_and_where
    seconds = decimal_hours.seconds(sum_.milliseconds)
    billed, paid = (None if product is None else amount_of(product) for product in (sum_.billed, sum_.paid))
    amounts: dict[str, Any] = Priced.amounts(billed, paid, currency)
    return HoursRow(
        worker_id=worker.id,
        worker_name=worker.name,
        work_location_id=location.id,
        work_location_name=location.name,
        client_id=client.id,
        client_name=client.name,
        total_seconds=seconds,
        total_hours=decimal_hours.hours(seconds),
        **amounts,
    )


def _totals(rows: list[HoursRow], currency: str) -> HoursTotals:
    """Sums of the seconds and amounts as the rows show them."""
    seconds = sum(row.total_seconds for row in rows)
    amounts: dict[str, Any] = {
        name: Money(amount=sum(money.amount for money in known), currency=currency)
        for name in ("billed", "paid", "margin")
        if (known := [money for row in rows if (money := getattr(row, name)) is not None])
    }
    unbilled, unpaid = (
        decimal_hours.hours(sum(row.total_seconds for row in rows if getattr(row, name) is None))
        for name in ("billed", "paid")
    )
    return HoursTotals(
        total_seconds=seconds,
        total_hours=decimal_hours.hours(seconds),
        hours_without_bill_rate=unbilled,
        hours_without_pay_rate=unpaid,
        **amounts,
    )
