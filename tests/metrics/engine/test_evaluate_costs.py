"""Cost of an evaluation: one query per partition and one batch, for any number of queries and entities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import pytest

from chalicelib.metrics.engine import scan
from chalicelib.metrics.engine.evaluate import series
from chalicelib.metrics.language.periods import Step
from chalicelib.metrics.language.query import parse
from chalicelib.models.organizations import StoredOrganization
from tests.support.api import Api
from tests.support.client_hooks import recorded
from tests.support.measuring import (
    MEASURES,
    Json,
    days,
    outcomes,
    simple,
    snapshot,
    sync_entities,
    total,
    where,
)
from tests.support.shift_helpers import Crew, minute_of

MIDDAY, MIDNIGHT = "2026-11-18T12:00Z", "2026-11-18T00:00Z"


@pytest.fixture(scope="module")
def crew(api: Api) -> Crew:
    """Return a crew with a shift each day: hours are read only of days that have any."""
    crew, first = Crew.hired(api), minute_of("2026-06-30T08:00Z")
    for day in range(142):
        start = first + 1440 * day
        crew.assign(0, 0, start, start + 480)
    sync_entities(crew.organization.id, "assignments", list(crew.shifts))
    return crew


def _cost(organization: StoredOrganization, queries: Sequence[Json], at: str = MIDDAY) -> dict[str, int]:
    with recorded() as recording:
        results = outcomes(organization, at, queries)
    assert len(results) == len(queries)
    return Counter(recording.operations)


def test_many_queries_over_one_source_cost_as_much_as_one(seen: StoredOrganization) -> None:
    periods = ("today", "this_week", "last_week", "this_month", "last_month", "last_30_days")
    queries = [total(measure, period=period) for measure in MEASURES for period in periods]
    queries += [simple("assignments", "avg", measure, compare="previous_period") for measure in MEASURES]
    states = ("scheduled", "active", "completed", "cancelled")
    queries += [snapshot("assignments", where=where("status", "eq", state)) for state in states]
    hours = {"type": "simple", "source": "assignments", "aggregate": "sum", "field": "hours"}
    queries.append({"type": "ratio", "numerator": hours, "denominator": hours, "period": "this_month"})
    assert len(queries) > 40
    assert _cost(seen, queries) == _cost(seen, queries[:1]) == {"Query": 1, "BatchGetItem": 1}


def test_at_midnight_no_minutes_are_read(seen: StoredOrganization) -> None:
    assert _cost(seen, [total("hours", period="last_month")], MIDNIGHT) == {"Query": 1}
    in_kolkata = seen.model_copy(update={"timezone": "Asia/Kolkata"})
    assert _cost(in_kolkata, [total("hours", period="last_month")], MIDNIGHT) == {"Query": 1, "BatchGetItem": 1}


def test_the_minutes_of_a_value_are_read_with_its_days(crew: Crew, seen: StoredOrganization) -> None:
    queries = [total("hours", where=where("workerId", "eq", crew.workers[0]))]
    assert _cost(seen, queries, "2026-11-18T12:34Z") == {"Query": 1}


def test_each_value_and_each_source_has_a_partition(crew: Crew, seen: StoredOrganization) -> None:
    position, other, worker = crew.positions[0], crew.positions[1], crew.workers[0]
    queries = [total("hours", where=where("positionId", "eq", position))]
    assert _cost(seen, queries)["Query"] == 1
    queries += [total("hours", where=where("positionId", "in", [position, other]))]
    assert _cost(seen, queries)["Query"] == 2
    queries += [total("hours", where=where("positionId", "ne", position))]  # everything but one
    assert _cost(seen, queries)["Query"] == 3
    queries += [total("hours", where=where("workerId", "eq", worker)), snapshot("clients"), simple("clients")]
    assert _cost(seen, queries) == {"Query": 5, "BatchGetItem": 1}


def test_days_far_apart_cost_a_query_each(seen: StoredOrganization) -> None:
    for period, compare, expected in [
        ("this_week", "previous_period", 1),
        ("this_week", "previous_year", 2),
        ("this_year", "previous_year", 3),
        (days("2026-02-01", "2026-05-31"), "none", 2),
        (days("2026-02-01", "2026-04-30"), "none", 1),
    ]:
        assert _cost(seen, [total("hours", period=period, compare=compare)])["Query"] == expected, period


def test_groups_cost_a_partition_each_and_the_names(crew: Crew, seen: StoredOrganization) -> None:
    # One for the whole, three positions, the directory
    assert _cost(seen, [total("hours", groupBy=["positionId"])]) == {"Query": 5, "BatchGetItem": 1}
    # Names are read once
    twice = [total("hours", groupBy=["positionId"]), total("billed", groupBy=["clientId"])]
    assert _cost(seen, twice) == {"Query": 7, "BatchGetItem": 1}
    # A state is no partition
    assert _cost(seen, [simple("assignments", groupBy=["status"])]) == {"Query": 1, "BatchGetItem": 1}


def test_a_series_costs_a_batch_for_a_hundred_days_that_are_not_those_of_utc(seen: StoredOrganization) -> None:
    for zone, first, batches in [
        ("UTC", "2026-07-01", 0),
        ("Asia/Tokyo", "2026-08-12", 1),
        ("Asia/Tokyo", "2026-07-01", 2),
        ("Asia/Kolkata", "2026-08-12", 2),  # at half past
    ]:
        query = parse(total("hours", period=days(first, "2026-11-17")))
        with recorded() as recording:
            points = series(
                seen.model_copy(update={"timezone": zone}), query, datetime.fromisoformat(MIDNIGHT), Step.DAY
            )
        assert len(points) > 90
        assert Counter(recording.operations) == {"Query": 1, **({"BatchGetItem": batches} if batches else {})}, zone


def test_entities_are_read_once_for_all_queries(crew: Crew, seen: StoredOrganization) -> None:
    queries = [simple("assignments", aggregate, "hours") for aggregate in ("min", "max")]
    queries += [simple("assignments", "countDistinct", "workerId", compare="previous_period")]
    # The assignments, then their inputs
    assert _cost(seen, queries) == {"Query": 1, "BatchGetItem": 1}
    # Together with a query that reads buckets
    assert _cost(seen, [*queries, total("hours")]) == {"Query": 2, "BatchGetItem": 2}


def test_too_many_entities_are_read_once(seen: StoredOrganization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "MAX_ROWS", 1)
    queries = [simple("assignments", aggregate, "hours") for aggregate in ("min", "max")] * 5
    assert _cost(seen, queries) == {"Query": 1}


def test_nothing_costs_nothing(seen: StoredOrganization) -> None:
    assert _cost(seen, []) == {}


def test_a_query_that_needs_too_many_rows_reads_no_levels(
    seen: StoredOrganization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given two assignments and a limit of one, when a ratio scans them, then it costs the scan alone."""
    monkeypatch.setattr(scan, "MAX_ROWS", 1)
    operands = {
        "numerator": {"type": "simple", "source": "assignments", "aggregate": "max", "field": "hours"},
        "denominator": {"type": "simple", "source": "assignments", "aggregate": "sum", "field": "hours"},
    }
    ratio: Json = {"type": "ratio", **operands, "period": "last_month", "compare": "none"}
    with recorded() as recording:
        [result] = outcomes(seen, MIDDAY, [ratio])
    assert result.error is not None
    assert Counter(recording.operations) == {"Query": 1}
