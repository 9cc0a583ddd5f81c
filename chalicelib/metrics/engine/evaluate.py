"""Evaluation of queries: results over a period, and time series."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TypeVar

from chalicelib.core.money import minor_digits
from chalicelib.metrics.engine.group_by import Groups, plan_groups
from chalicelib.metrics.engine.nodes import Data, Node, Read
from chalicelib.metrics.engine.plan import Planner
from chalicelib.metrics.engine.read_set import ReadSet
from chalicelib.metrics.language import periods
from chalicelib.metrics.language.outcomes import CannotTell, Group, Outcome, Point
from chalicelib.metrics.language.periods import Comparison, Step
from chalicelib.metrics.language.query import MetricQuery, SimpleQuery, SnapshotQuery
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.fields import Unit
from chalicelib.models.organizations import StoredOrganization

K = TypeVar("K", bound=Hashable)

_GREATEST = 10**15
"""Limit of a value: JSON numbers are exact to the cent up to here."""


@dataclass(frozen=True)
class QueryPlan:
    """The plan of a query over its period, of its comparison and of its groups."""

    query: MetricQuery
    node: Node
    over: Range
    before: Range | None
    """The range that the query is compared with."""
    groups: Groups | None

    def reads(self) -> list[Read]:
        reads = [*self.node.reads(self.over)]
        if self.before is not None:
            reads += self.node.reads(self.before)
        if self.groups is not None:
            reads += self.groups.reads(self.over)
        return reads

    def outcome(self, data: Data, currency: str) -> Outcome:
        unit = self.query.unit
        try:
            groups = {} if self.groups is None else self.groups.numbers(self.over, data)
            value = self.node.value(self.over, data)
            previous = None if self.before is None else self.node.value(self.before, data)
            return Outcome(
                unit,
                rounded(value, unit, currency),
                rounded(previous, unit, currency),
                tuple(Group(key, label, rounded(number, unit, currency)) for key, (label, number) in groups.items()),
            )
        except CannotTell as error:
            return Outcome(unit, error=str(error))


def evaluate(organization: StoredOrganization, queries: Mapping[K, MetricQuery], at: datetime) -> dict[K, Outcome]:
    """Evaluate queries at `at`, a `periods.evaluation_instant`. Everything they need is read in one batch."""
    reads = ReadSet(organization.tenant)
    planner = Planner(organization, at)
    plans = {key: plan_query(planner, query, reads) for key, query in queries.items()}
    reads.read(plan.reads() for plan in plans.values())
    return {key: plan.outcome(reads, organization.currency) for key, plan in plans.items()}


def plan_query(planner: Planner, query: MetricQuery, reads: ReadSet) -> QueryPlan:
    zone, week_start = planner.organization.timezone, planner.organization.week_start
    over = periods.resolve(query.period, zone=zone, week_start=week_start, at=planner.at)
    before = None
    if query.compare is not Comparison.NONE:
        before = periods.compared(query.period, query.compare, zone=zone, week_start=week_start, at=planner.at)
    groups = None
    if isinstance(query, SimpleQuery | SnapshotQuery) and query.group_by:
        groups = plan_groups(planner, query, query.group_by[0], lambda: reads.directory)
    return QueryPlan(query, planner.query(query), over, before, groups)


def series(organization: StoredOrganization, query: MetricQuery, at: datetime, step: Step) -> list[Point]:
    """Evaluate the query over each day, week or month of its period. Raises CannotTell."""
    reads = ReadSet(organization.tenant)
    zone, week_start = organization.timezone, organization.week_start
    over = periods.resolve(query.period, zone=zone, week_start=week_start, at=at)
    steps = periods.steps(over, step, zone=zone, week_start=week_start)
    node = Planner(organization, at).query(query)
    ranges = [Range(start, end, is_running=over.is_running and end == over.end) for start, end in steps]
    reads.read([[read for range_ in ranges for read in node.reads(range_)]])
    return [
        Point(range_.start, range_.end, rounded(node.value(range_, reads), query.unit, organization.currency))
        for range_ in ranges
    ]


def rounded(value: Fraction | None, unit: Unit, currency: str) -> Decimal | None:
    """Round half up: money to its minor unit, numbers to four places, hours and percent to two. Raises CannotTell."""
    if value is None:
        return None
    if abs(value) > _GREATEST:
        raise CannotTell(f"the result is beyond ±{_GREATEST:,}")
    digits = {Unit.MONEY: minor_digits(currency), Unit.NUMBER: 4}.get(unit, 2)
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
