"""Periods of the local calendar: their bounds, the periods they compare with, and their days, weeks and months.

All instants are whole minutes in UTC. An evaluation passes `evaluation_instant(now)` as `at`: the end
of the minute that runs.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from chalicelib.core.contracts import Body
from chalicelib.core.days import Day, day_of, instant_at, start_of
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
    """Days of the organization's calendar, both of them included."""

    first: Annotated[Day, Field(alias="from")]
    last: Annotated[Day, Field(alias="to", description="At most ten years after `from`.")]

    @field_validator("last")
    @classmethod
    def _follows(cls, last: date, info: ValidationInfo) -> date:
        first = info.data.get("first")
        if first is None:
            return last
        if last < first:
            raise PydanticCustomError("period", "must not be before from")
        if last >= _months_after(first, 12 * MAX_YEARS):
            raise PydanticCustomError("period", "must be less than {years} years after from", {"years": MAX_YEARS})
        return last


@dataclass(frozen=True)
class Trailing:
    """The last days, today included."""

    days: int


Period = NamedPeriod | Days | Trailing


class Comparison(StrEnum):
    PREVIOUS_PERIOD = "previous_period"
    """The one before of the same kind; of a period that runs, as much as has elapsed of it."""
    PREVIOUS_YEAR = "previous_year"
    """The same dates a year before; of a period that runs, up to the same date and time."""
    NONE = "none"


class Step(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Range:
    """[start, end) in UTC."""

    start: datetime
    end: datetime
    is_running: bool
    """True until it is over: `end` is the instant of evaluation, or `start` where that is earlier."""


def evaluation_instant(now: datetime) -> datetime:
    """The end of the minute that runs at `now`."""
    return _floor(now) + _MINUTE


def resolve(period: Period, *, zone: str, week_start: WeekDay, at: datetime) -> Range:
    """Return the bounds of the period at the whole minute `at`; empty when it is in the future or has no days."""
    span = _span(period, _today(at, zone), week_start)
    return span.range(zone, at)


def compared(period: Period, comparison: Comparison, *, zone: str, week_start: WeekDay, at: datetime) -> Range | None:
    """Return the period to compare with; None for no comparison."""
    if comparison is Comparison.NONE:
        return None
    span = _span(period, _today(at, zone), week_start)
    before = span.previous() if comparison is Comparison.PREVIOUS_PERIOD else span.year_before()
    start, end = before.instants(zone)
    if span.range(zone, at).is_running:
        shown = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        if comparison is Comparison.PREVIOUS_PERIOD:
            then = shown - (span.first - before.first)
        else:
            then = datetime.combine(_months_after(shown.date(), -12), shown.time())
        end = max(start, min(_floor(instant_at(then, zone)), end))
    return Range(start, end, is_running=False)


def steps(range_: Range, step: Step, *, zone: str, week_start: WeekDay) -> list[tuple[datetime, datetime]]:
    """The days, weeks or months that the range touches, clipped to it; days that a zone skips are none."""
    ranges: list[tuple[datetime, datetime]] = []
    day = _first_of(step, day_of(range_.start, zone), week_start)
    while (start := _start(day, zone)) < range_.end:
        day = _months_after(day, 1) if step is Step.MONTH else day + timedelta(days=1 if step is Step.DAY else 7)
        clipped = max(start, range_.start), min(_start(day, zone), range_.end)
        if clipped[0] < clipped[1]:
            ranges.append(clipped)
    return ranges


# -- days of the calendar --------------------------------------------------------------------------------------------


class _Span(NamedTuple):
    """Local days [first, end): so many whole months, or, where `months` is 0, any days."""

    first: date
    end: date
    months: int = 0

    def previous(self) -> Self:
        first = _months_after(self.first, -self.months) if self.months else self.first - (self.end - self.first)
        return self._replace(first=first, end=self.first)

    def year_before(self) -> Self:
        first = _months_after(self.first, -12)
        if self.months:
            return self._replace(first=first, end=_months_after(self.end, -12))
        return self._replace(first=first, end=_months_after(self.end - _DAY, -12) + _DAY)

    def instants(self, zone: str) -> tuple[datetime, datetime]:
        return _start(self.first, zone), _start(self.end, zone)

    def range(self, zone: str, at: datetime) -> Range:
        start, end = self.instants(zone)
        return Range(start, max(start, min(at, end)), is_running=at <= end)


def _span(period: Period, today: date, week_start: WeekDay) -> _Span:
    if isinstance(period, Days):
        return _Span(period.first, period.last + _DAY)
    if isinstance(period, Trailing):
        return _Span(today + _DAY - timedelta(days=period.days), today + _DAY)
    return _named(period, today, week_start)


def _named(period: NamedPeriod, today: date, week_start: WeekDay) -> _Span:
    week = _first_of(Step.WEEK, today, week_start)
    month = _first_of(Step.MONTH, today, week_start)
    year = month.replace(month=1)
    quarter = month.replace(month=(month.month - 1) // 3 * 3 + 1)
    tomorrow, a_week = today + _DAY, timedelta(days=7)
    return {
        NamedPeriod.TODAY: _Span(today, tomorrow),
        NamedPeriod.YESTERDAY: _Span(today - _DAY, today),
        NamedPeriod.THIS_WEEK: _Span(week, week + a_week),
        NamedPeriod.LAST_WEEK: _Span(week - a_week, week),
        NamedPeriod.THIS_MONTH: _Span(month, _months_after(month, 1), 1),
        NamedPeriod.LAST_MONTH: _Span(_months_after(month, -1), month, 1),
        NamedPeriod.THIS_QUARTER: _Span(quarter, _months_after(quarter, 3), 3),
        NamedPeriod.THIS_YEAR: _Span(year, _months_after(year, 12), 12),
        NamedPeriod.LAST_7_DAYS: _Span(tomorrow - timedelta(days=7), tomorrow),
        NamedPeriod.LAST_30_DAYS: _Span(tomorrow - timedelta(days=30), tomorrow),
        NamedPeriod.LAST_90_DAYS: _Span(tomorrow - timedelta(days=90), tomorrow),
    }[period]


def _today(at: datetime, zone: str) -> date:
    """The latest day that had begun a moment before `at`: clocks that are set back may show the one before again."""
    last = at - _MILLISECOND
    shown = day_of(last, zone)
    return shown + _DAY if _start(shown + _DAY, zone) <= last else shown


def _first_of(step: Step, day: date, week_start: WeekDay) -> date:
    if step is Step.DAY:
        return day
    if step is Step.MONTH:
        return day.replace(day=1)
    return day - timedelta(days=(day.weekday() - list(WeekDay).index(week_start)) % 7)


def _months_after(day: date, months: int) -> date:
    """The same day of another month, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _start(day: date, zone: str) -> datetime:
    """Offsets of long ago have seconds: down to the minute, so that days adjoin at whole ones."""
    return _floor(start_of(day, zone))


def _floor(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)
