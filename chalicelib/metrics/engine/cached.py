"""Cached results of queries: valid until a source of theirs changes, for a minute at most.

A cached result depends on no caller: permission to see a metric is checked before. Names of groups follow within
that minute.
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
"""Points of a time series: longer periods have longer steps."""

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Scalar:
    """A query over its whole period."""

    as_of: datetime
    outcome: Outcome


@dataclass(frozen=True)
class TimeSeries:
    """A query step by step, and the period it is compared with."""

    as_of: datetime
    step: Step
    current: tuple[Point, ...] = ()
    previous: tuple[Point, ...] = ()
    """Values of the other period, each at the place of the current one; empty without a comparison."""
    error: str | None = None


def scalar(organization: StoredOrganization, query: MetricQuery, now: datetime) -> Scalar:
    at = evaluation_instant(now)
    question = _question(organization, "figure", query)
    return cached(question, _scalars(), lambda: Scalar(at, evaluate(organization, {"": query}, at)[""]), now=now)


def time_series(
    organization: StoredOrganization, query: MetricQuery, step: Step, now: datetime, *, compared: bool
) -> TimeSeries:
    """`compared`: bounds of the other period."""
    at = evaluation_instant(now)

    def compute() -> TimeSeries:
        fitting = _fitting(organization, query, at, step)
        try:
            current = series(organization, query, at, fitting)
            previous = _previous(organization, query, at, fitting) if compared else []
        except CannotTell as fault:
            return TimeSeries(at, fitting, error=str(fault))
        return TimeSeries(at, fitting, tuple(current), tuple(previous[: len(current)]))

    return cached(_question(organization, "course", query, step, compared), _time_series_of(), compute, now=now)


def _fitting(organization: StoredOrganization, query: MetricQuery, at: datetime, step: Step) -> Step:
    """Return the requested step, or the first longer one with few enough points."""
    zone, week_start = organization.timezone, organization.week_start
    over = periods.resolve(query.period, zone=zone, week_start=week_start, at=at)
    longer = list(Step)[list(Step).index(step) :]
    return next(
        (step for step in longer if len(periods.steps(over, step, zone=zone, week_start=week_start)) <= MAX_POINTS),
        Step.MONTH,
    )


def _previous(organization: StoredOrganization, query: MetricQuery, at: datetime, step: Step) -> list[Point]:
    if isinstance(query, CumulativeQuery):  # each of its steps looks back by itself
        return []
    before = periods.compared(
        query.period, query.compare, zone=organization.timezone, week_start=organization.week_start, at=at
    )
    if before is None or before.start >= before.end:
        return []
    first, last = day_of(before.start, organization.timezone), day_of(before.end - _MILLISECOND, organization.timezone)
    moved = query.model_copy(update={"period": Days(**{"from": first, "to": last})})
    # As much of it as has elapsed of the current one. A state at an instant is still seen from now.
    return series(organization, moved, at if isinstance(query, SnapshotQuery) else before.end, step)


def _question(organization: StoredOrganization, name: str, query: MetricQuery, *more: Any) -> CacheKey:
    about = {
        "query": query.model_dump(mode="json"),
        "timezone": organization.timezone,
        "weekStart": organization.week_start,
        "currency": organization.currency,
        "more": more,
    }
    return CacheKey(organization.tenant, name, about, frozenset(sources_of(query)))


# Built on first use: a cold start pays for no adapter that it does not need.


@cache
def _scalars() -> TypeAdapter[Scalar]:
    return TypeAdapter(Scalar)


@cache
def _time_series_of() -> TypeAdapter[TimeSeries]:
    return TypeAdapter(TimeSeries)
