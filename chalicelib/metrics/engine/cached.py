"""Cached results of queries: valid until one of their sources changes, for a minute at most.

A result depends on no caller: access to the metric is checked before. Renamed groups show within the minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from chalicelib.core.days import day_of
from chalicelib.dal.cache import CacheKey, cached
from chalicelib.metrics.engine.evaluate import evaluate, series
from chalicelib.metrics.language import periods
from chalicelib.metrics.language.outcomes import CannotTell, Outcome, Point
from chalicelib.metrics.language.periods import Days, Step, evaluation_instant
from chalicelib.metrics.language.query import CumulativeQuery, MetricQuery, SnapshotQuery, sources_of
from chalicelib.models.organizations import StoredOrganization

MAX_POINTS = 400
"""Limit of a time series; longer periods are shown in longer steps."""

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Scalar:
    """The result of a query over its whole period."""

    as_of: datetime
    outcome: Outcome


@dataclass(frozen=True)
class TimeSeries:
    """The time series of a query, and the series it is compared with."""

    as_of: datetime
    step: Step
    current: tuple[Point, ...] = ()
    previous: tuple[Point, ...] = ()
    """The n-th point is compared with the n-th current one; empty without a comparison."""
    error: str | None = None


def scalar(organization: StoredOrganization, query: MetricQuery, now: datetime) -> Scalar:
    """Return the result over the whole period."""
    at = evaluation_instant(now)
    key = cache_key(organization, "figure", query)
    return cached(key, scalar_adapter(), lambda: Scalar(at, evaluate(organization, {"": query}, at)[""]), now=now)


def time_series(
    organization: StoredOrganization, query: MetricQuery, step: Step, now: datetime, *, compared: bool
) -> TimeSeries:
    """Return the time series; `compared` adds the series of the comparison."""
    at = evaluation_instant(now)

    def compute() -> TimeSeries:
        fitting = fitting_step(organization, query, at, step)
        try:
            current = series(organization, query, at, fitting)
            previous = previous_series(organization, query, at, fitting) if compared else []
        except CannotTell as error:
            return TimeSeries(at, fitting, error=str(error))
        return TimeSeries(at, fitting, tuple(current), tuple(previous[: len(current)]))

    return cached(cache_key(organization, "course", query, step, compared), time_series_adapter(), compute, now=now)


def fitting_step(organization: StoredOrganization, query: MetricQuery, at: datetime, step: Step) -> Step:
    """Return the step, or the first longer one with at most MAX_POINTS points."""
    zone, week_start = organization.timezone, organization.week_start
    over = periods.resolve(query.period, zone=zone, week_start=week_start, at=at)
    for longer in list(Step)[list(Step).index(step) :]:
        if len(periods.steps(over, longer, zone=zone, week_start=week_start)) <= MAX_POINTS:
            return longer
    return Step.MONTH


def previous_series(organization: StoredOrganization, query: MetricQuery, at: datetime, step: Step) -> list[Point]:
    if isinstance(query, CumulativeQuery):  # its steps each look back by themselves
        return []
    before = periods.compared(
        query.period, query.compare, zone=organization.timezone, week_start=organization.week_start, at=at
    )
    if before is None or before.start >= before.end:
        return []
    first, last = day_of(before.start, organization.timezone), day_of(before.end - _MILLISECOND, organization.timezone)
    moved = query.model_copy(update={"period": Days(**{"from": first, "to": last})})
    # As much of it as has elapsed of the current period; snapshots are evaluated as of now.
    return series(organization, moved, at if isinstance(query, SnapshotQuery) else before.end, step)


def cache_key(organization: StoredOrganization, name: str, query: MetricQuery, *more: Any) -> CacheKey:
    inputs = {
        "query": query.model_dump(mode="json"),
        "timezone": organization.timezone,
        "weekStart": organization.week_start,
        "currency": organization.currency,
        "more": more,
    }
    return CacheKey(organization.tenant, name, inputs, frozenset(sources_of(query)))


# Built on first use: a cold start does not pay for adapters that it does not need.


@cache
def scalar_adapter() -> TypeAdapter[Scalar]:
    return TypeAdapter(Scalar)


@cache
def time_series_adapter() -> TypeAdapter[TimeSeries]:
    return TypeAdapter(TimeSeries)
