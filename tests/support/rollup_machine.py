"""A state machine over one organization, whose rollups are compared with a row scan after any deliveries."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from chalicelib.core import clock
from chalicelib.metrics.engine.evaluate import evaluate, rounded
from chalicelib.metrics.engine.scan import Entities
from chalicelib.metrics.language import periods
from chalicelib.metrics.language.aggregation import Aggregation
from chalicelib.metrics.language.query import parse
from chalicelib.models.organizations import ORGANIZATIONS, StoredOrganization
from infra.local.stack import Stack
from tests.support.api import Api
from tests.support.deliveries import Deliveries
from tests.support.factories import new_organization

PERIODS = ("today", "this_week", "last_month", "this_year", "last_90_days", {"from": "2025-12-01", "to": "2026-06-14"})

Condition = tuple[str, str, Any]


def with_conditions(counts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return queries for counts, or what they ask for, with their conditions written out."""
    return [
        {
            "aggregate": "count",
            **count,
            "where": [{"field": field, "op": op, "value": value} for field, op, value in count.get("where", ())],
        }
        for count in counts
    ]


class RollupMachine(RuleBasedStateMachine):
    stack: Stack

    def __init__(self) -> None:
        super().__init__()
        self.deliveries = Deliveries(self.stack)
        self.organization = new_organization(Api())
        self.now = 0.0

    def queries(self) -> list[dict[str, Any]]:
        """Return queries, apart from their period, that buckets suffice for."""
        raise NotImplementedError

    def check(self, organization: StoredOrganization, period: Any, at: datetime) -> None:
        """Compare more than aggregates with their recount."""

    @rule(zone=st.sampled_from(("Asia/Kolkata", "America/New_York")))
    def move(self, zone: str) -> None:
        assert self.organization.owner.call("updateOrganization", body={"timezone": zone}).status == 200

    @rule(hours=st.sampled_from((0.5, 8.0, 400.0)))
    def wait(self, hours: float) -> None:
        if self.now + hours < 700:
            self.now += hours
            clock._Shift.by += timedelta(hours=hours)

    @rule(seed=st.integers(0, 2**32), period=st.sampled_from(PERIODS))
    def rollup_equals_scan(self, seed: int, period: Any) -> None:
        self.deliveries.deliver(random.Random(seed))
        organization = ORGANIZATIONS.get(self.organization.id, self.organization.id)
        instant = periods.evaluation_instant(clock.now())
        written = [
            {"version": 1, "type": "simple", "compare": "none", "period": period, **query} for query in self.queries()
        ]
        queries = {number: parse(query) for number, query in enumerate(written)}
        outcomes = evaluate(organization, queries, instant)
        entities: dict[str, Entities] = {}
        for number, query in queries.items():
            assert isinstance(query, Aggregation)
            over = periods.resolve(
                query.period,
                zone=organization.timezone,
                week_start=organization.week_start,
                at=instant,
            )
            if written[number]["source"] == "positions" and over.end < instant:
                continue  # `filled` has no history
            scanned = entities.setdefault(query.source, Entities(organization.tenant, query.source))
            expected = rounded(scanned.aggregate(query, over), query.unit, organization.currency)
            assert (outcomes[number].error, outcomes[number].value) == (None, expected), str(written[number])
        self.check(organization, period, instant)

    def teardown(self) -> None:
        self.rollup_equals_scan(0, "this_year")
        clock._Shift.by -= timedelta(hours=self.now)
