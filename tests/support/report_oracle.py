"""The hours report the slow way: every minute that somebody worked is looked up on the local calendar, and priced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from tests.support.oracle import local_day, rate_on
from tests.support.shift_helpers import Crew, Shift


def rows_of(crew: Crew, first: date, last: date, now: int, client: str | None = None) -> list[dict[str, Any]]:
    """Return the rows of the report, sorted by ids. `now`: the minute up to which time is worked, not scheduled."""
    worked: dict[tuple[str, str, str], list[tuple[Shift, date]]] = {}
    scheduled: Counter[tuple[str, str, str]] = Counter()
    calendar = _calendar(first, last, crew.zone)
    for shift in crew.shifts.values():
        place = crew.places[shift.position]
        end = now if shift.end is None else shift.end
        minutes = [minute for minute, day in calendar.items() if shift.start <= minute < end and first <= day <= last]
        if minutes and client in {None, place.client}:
            row = shift.worker, place.location, place.client
            worked.setdefault(row, []).extend((shift, calendar[minute]) for minute in minutes if minute < now)
            scheduled[row] += sum(minute >= now for minute in minutes)
    return [_row(crew, key, worked[key], 60 * scheduled[key]) for key in sorted(worked)]


def totals_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Expected values, from the rows as they are shown."""
    sums = {
        name: {"amount": sum(row[name]["amount"] for row in rows if name in row), "currency": "EUR"}
        for name in ("billed", "paid", "margin")
        if any(name in row for row in rows)
    }
    return {
        **sums,
        "totalSeconds": sum(row["totalSeconds"] for row in rows),
        "totalHours": hours(sum(row["totalSeconds"] for row in rows)),
        "scheduledSeconds": sum(row["scheduledSeconds"] for row in rows),
        "scheduledHours": hours(sum(row["scheduledSeconds"] for row in rows)),
        "hoursWithoutBillRate": hours(sum(row["totalSeconds"] for row in rows if "billed" not in row)),
        "hoursWithoutPayRate": hours(sum(row["totalSeconds"] for row in rows if "paid" not in row)),
    }


def hours(seconds: int) -> float:
    return float((Decimal(seconds) / 3600).quantize(Decimal("0.01"), ROUND_HALF_UP))


def _calendar(first: date, last: date, zone: str) -> dict[int, date]:
    """The local day of each minute about the days asked for: no zone is two days from UTC."""
    low, high = (datetime.combine(day, datetime.min.time(), UTC) for day in (first, last))
    minutes = range(_minute(low - timedelta(days=2)), _minute(high + timedelta(days=3)))
    return {minute: local_day(minute, zone) for minute in minutes}


def _minute(instant: datetime) -> int:
    return int(instant.timestamp()) // 60


def _row(
    crew: Crew, key: tuple[str, str, str], minutes: list[tuple[Shift, date]], scheduled_seconds: int
) -> dict[str, Any]:
    worker, location, client = key
    billed = _amount(rate_on(day, crew.rates[shift.position]) for shift, day in minutes)
    paid = _amount(rate_on(day, crew.rates[shift.worker]) for shift, day in minutes)
    margin = None if billed is None or paid is None else billed - paid
    amounts = {"billed": billed, "paid": paid, "margin": margin} if minutes else {}
    return {
        "workerId": worker,
        "workerName": crew.names[worker],
        "workLocationId": location,
        "workLocationName": crew.names[location],
        "clientId": client,
        "clientName": crew.names[client],
        "totalSeconds": 60 * len(minutes),
        "totalHours": hours(60 * len(minutes)),
        "scheduledSeconds": scheduled_seconds,
        "scheduledHours": hours(scheduled_seconds),
        **{name: {"amount": amount, "currency": "EUR"} for name, amount in amounts.items() if amount is not None},
    }


def _amount(rates: Iterator[int | None]) -> int | None:
    """Return the amount of one minute at each rate; None without a rate."""
    known = list(rates)
    if None in known:
        return None
    exact = Fraction(sum(rate or 0 for rate in known), 60)
    return int((Decimal(exact.numerator) / exact.denominator).to_integral_value(ROUND_HALF_UP))
