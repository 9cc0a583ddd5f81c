"""Periods of the local calendar: their range, the range they are compared with, and their days, weeks and months.

All instants are whole minutes in UTC. Callers pass `evaluation_instant(now)` as `at`: the end of the running minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from chalicelib.core.contracts import Body
from chalicelib.core.days import Day, day_of, instant_at, months_after, start_of
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.models.organizations import WeekDay

MAX_YEARS = 10

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_MILLISECOND = timedelta(milliseconds=1)


class NamedPeriod(StrEnum):
    TODAY = "today"
    YESTERDAY = "yesterday"
    THIS_WEEK = "this_week"
    LAST_WEEK = "last_week"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"
    THIS_QUARTER = "this_quarter"
    THIS_YEAR = "this_year"
    LAST_7_DAYS = "last_7_days"
    LAST_30_DAYS = "last_30_days"
    LAST_90_DAYS = "last_90_days"


class Days(Body):
    """Days of the organization's calendar; first and last are included."""

    first: Annotated[Day, Field(alias="from")]
    last: Annotated[Day, Field(alias="to", description="At most ten years after `from`.")]

    @field_validator("last")
    @classmethod
    def check_last(cls, last: date, info: ValidationInfo) -> date:
        first = info.data.get("first")
        if first is None:
            return last
        if last < first:
            raise PydanticCustomError("period", "must not be before from")
        if last >= months_after(first, 12 * MAX_YEARS):
            raise PydanticCustomError("period", "must be less than {years} years after from", {"years": MAX_YEARS})
        return last


@dataclass(frozen=True)
class Trailing:
    """A number of whole days up to and including today."""

    days: int


Period = NamedPeriod | Days | Trailing


class Comparison(StrEnum):
    PREVIOUS_PERIOD = "previous_period"
    """The preceding period of the same kind; for a running period, as much of it as has elapsed."""
    PREVIOUS_YEAR = "previous_year"
    """The same dates a year before; for a running period, up to the same date and time."""
    NONE = "none"


class Step(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def evaluation_instant(now: datetime) -> datetime:
    """Return the end of the minute that runs at `now`."""
    return _floor(now) + _MINUTE


def resolve(period: Period, *, zone: str, week_start: WeekDay, at: datetime) -> Range:
    """Return the range of the period at the whole minute `at`; empty before it begins, or if its days do not exist."""
    span = span_of(period, local_today(at, zone), week_start)
    return span.range(zone, at)


def compared(period: Period, comparison: Comparison, *, zone: str, week_start: WeekDay, at: datetime) -> Range | None:
    """Return the range that the period is compared with; None without a comparison."""
    if comparison is Comparison.NONE:
        return None
    span = span_of(period, local_today(at, zone), week_start)
    before = span.previous() if comparison is Comparison.PREVIOUS_PERIOD else span.year_before()
    start, end = before.instants(zone)
    if span.range(zone, at).is_running:
        shown = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        if comparison is Comparison.PREVIOUS_PERIOD:
            then = shown - (span.first - before.first)
        else:
            then = datetime.combine(months_after(shown.date(), -12), shown.time())
        end = max(start, min(_floor(instant_at(then, zone)), end))
    return Range(start, end, is_running=False)


def steps(range_: Range, step: Step, *, zone: str, week_start: WeekDay) -> list[tuple[datetime, datetime]]:
    """Return the days, weeks or months of the range, clipped to it, without days that a zone skips."""
    result: list[tuple[datetime, datetime]] = []
    day = first_day_of(step, day_of(range_.start, zone), week_start)
    while (start := _start(day, zone)) < range_.end:
        day = months_after(day, 1) if step is Step.MONTH else day + timedelta(days=1 if step is Step.DAY else 7)
        clipped = max(start, range_.start), min(_start(day, zone), range_.end)
        if clipped[0] < clipped[1]:
            result.append(clipped)
    return result


# -- days of the calendar --------------------------------------------------------------------------------------------


class _Span(NamedTuple):
    """Local days [first, end): whole months, or any days if `months` is 0."""

    first: date
    end: date
    months: int = 0

    def previous(self) -> Self:
        first = months_after(self.first, -self.months) if self.months else self.first - (self.end - self.first)
        return self._replace(first=first, end=self.first)

    def year_before(self) -> Self:
        first = months_after(self.first, -12)
        if self.months:
            return self._replace(first=first, end=months_after(self.end, -12))
        return self._replace(first=first, end=months_after(self.end - _DAY, -12) + _DAY)

    def instants(self, zone: str) -> tuple[datetime, datetime]:
        return _start(self.first, zone), _start(self.end, zone)

    def range(self, zone: str, at: datetime) -> Range:
        start, end = self.instants(zone)
        return Range(start, max(start, min(at, end)), is_running=at <= end)


def span_of(period: Period, today: date, week_start: WeekDay) -> _Span:
    if isinstance(period, Days):
        return _Span(period.first, period.last + _DAY)
    if isinstance(period, Trailing):
        return _Span(today + _DAY - timedelta(days=period.days), today + _DAY)
    return span_of_name(period, today, week_start)


def span_of_name(period: NamedPeriod, today: date, week_start: WeekDay) -> _Span:
    week = first_day_of(Step.WEEK, today, week_start)
    month = first_day_of(Step.MONTH, today, week_start)
    year = month.replace(month=1)
    quarter = month.replace(month=(month.month - 1) // 3 * 3 + 1)
    tomorrow, a_week = today + _DAY, timedelta(days=7)
    return {
        NamedPeriod.TODAY: _Span(today, tomorrow),
        NamedPeriod.YESTERDAY: _Span(today - _DAY, today),
        NamedPeriod.THIS_WEEK: _Span(week, week + a_week),
        NamedPeriod.LAST_WEEK: _Span(week - a_week, week),
        NamedPeriod.THIS_MONTH: _Span(month, months_after(month, 1), 1),
        NamedPeriod.LAST_MONTH: _Span(months_after(month, -1), month, 1),
        NamedPeriod.THIS_QUARTER: _Span(quarter, months_after(quarter, 3), 3),
        NamedPeriod.THIS_YEAR: _Span(year, months_after(year, 12), 12),
        NamedPeriod.LAST_7_DAYS: _Span(tomorrow - timedelta(days=7), tomorrow),
        NamedPeriod.LAST_30_DAYS: _Span(tomorrow - timedelta(days=30), tomorrow),
        NamedPeriod.LAST_90_DAYS: _Span(tomorrow - timedelta(days=90), tomorrow),
    }[period]


def local_today(at: datetime, zone: str) -> date:
    """Return the latest day that had begun before `at`: clocks that are set back may show the day before again."""
    last = at - _MILLISECOND
    shown = day_of(last, zone)
    return shown + _DAY if _start(shown + _DAY, zone) <= last else shown


def first_day_of(step: Step, day: date, week_start: WeekDay) -> date:
    if step is Step.DAY:
        return day
    if step is Step.MONTH:
        return day.replace(day=1)
    return day - timedelta(days=(day.weekday() - list(WeekDay).index(week_start)) % 7)


def _start(day: date, zone: str) -> datetime:
    """Return the first whole minute of a day. Historic offsets have seconds; rounding down keeps days adjacent."""
    return _floor(start_of(day, zone))


def _floor(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)
