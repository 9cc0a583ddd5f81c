"""Figures of a weekly report: the metrics that a role may see, over one week, and their change to the week before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from chalicelib.core import text
from chalicelib.jobs.safe_names import safe_name
from chalicelib.metrics.charts.vega import Subject
from chalicelib.metrics.definitions import SYSTEM_METRICS, shown_to
from chalicelib.metrics.language.errors import InvalidQuery
from chalicelib.metrics.language.outcomes import Outcome
from chalicelib.metrics.language.periods import Comparison, Days, evaluation_instant
from chalicelib.metrics.language.query import CumulativeQuery, MetricQuery, parse
from chalicelib.metrics.results import evaluate_safely
from chalicelib.models.dashboards.metrics import MAX_METRICS, METRICS, Metric
from chalicelib.models.organizations import StoredOrganization
from chalicelib.models.users import Role

MAX_FIGURES = 40
"""Figures of a report; its text says how many more metrics there are."""


@dataclass(frozen=True)
class Figure:
    name: str
    value: str
    """Its number and unit, or the reason why there is none."""
    change: str | None
    """The difference to the week before; None where that is not known."""


@dataclass(frozen=True)
class Listed:
    figures: list[Figure]
    further: int
    """Metrics beyond MAX_FIGURES."""


def figures(organization: StoredOrganization, role: Role, week: date, now: datetime) -> Listed:
    """Return the figures by category and name."""
    own = [metric for metric in METRICS.all_of(organization.tenant, MAX_METRICS + 1) or [] if metric.deleted_at is None]
    visible = [metric for metric in (*SYSTEM_METRICS.values(), *own) if shown_to(role, metric)]
    visible.sort(key=lambda metric: (metric.category, text.fold(metric.name), metric.id))
    days = Days(**{"from": week, "to": week + timedelta(days=6)})
    metrics: dict[UUID, Metric] = {}
    queries: dict[UUID, MetricQuery] = {}
    for metric in visible[:MAX_FIGURES]:
        metrics[metric.id] = metric
        try:
            queries[metric.id] = over(parse(metric.query), days)
        except InvalidQuery:  # it was valid when it was saved: the figure says so
            continue
    outcomes = evaluate_safely(organization, queries, evaluation_instant(now))
    shown = [
        figure(metric, queries[id_], outcomes[id_], organization.currency)
        if id_ in queries
        else Figure(metric.name, "its query is no longer valid", None)
        for id_, metric in metrics.items()
    ]
    return Listed(shown, len(visible) - len(shown))


def over(query: MetricQuery, days: Days) -> MetricQuery:
    """Return the query over some days, compared with as many before; one that looks back by itself stays as it is."""
    changes: dict[str, Any] = {"compare": Comparison.PREVIOUS_PERIOD, "group_by": ()}
    if not isinstance(query, CumulativeQuery):
        changes["period"] = days
    return query.model_copy(update={name: value for name, value in changes.items() if name in type(query).model_fields})


def figure(metric: Metric, query: MetricQuery, outcome: Outcome, currency: str) -> Figure:
    if outcome.error is not None:
        return Figure(metric.name, "could not be calculated", None)
    subject = Subject(metric.name, query.unit, currency, suffix=metric.unit and safe_name(metric.unit))
    change = _change(outcome)
    return Figure(
        metric.name, subject.text(outcome.value), None if change is None else subject.text(change, signed=True)
    )


def _change(outcome: Outcome) -> Decimal | None:
    if outcome.value is None or outcome.previous is None:
        return None
    return outcome.value - outcome.previous
