"""Plans without a table: nodes name their reads before they compute, and compute from nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given

from chalicelib.core import ids
from chalicelib.core.clock import milliseconds
from chalicelib.metrics.definitions import SYSTEM_METRICS
from chalicelib.metrics.engine.nodes import (
    Accumulated,
    Combination,
    Constant,
    ForwardOnly,
    LevelsRead,
    Linear,
    Node,
    Quotient,
    Read,
    RowScan,
    ScanRead,
)
from chalicelib.metrics.engine.plan import Planner
from chalicelib.metrics.engine.scan import Entities
from chalicelib.metrics.language import periods
from chalicelib.metrics.language.aggregation import SimpleOperand
from chalicelib.metrics.language.outcomes import CannotTell
from chalicelib.metrics.language.query import MetricQuery, parse
from chalicelib.metrics.language.units import Operation
from chalicelib.metrics.rollups.formulas import at_end, flow, within
from chalicelib.metrics.rollups.ranges import Range
from chalicelib.metrics.rollups.sources.fields import Aggregate
from chalicelib.models.organizations import StoredOrganization, new_organization
from chalicelib.models.rollups.levels import Levels
from tests.support.metric_queries import queries

pytestmark = pytest.mark.storeless

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
DAY = Range(START, END, is_running=False)
FIRST, LAST = milliseconds(START), milliseconds(END)


class Given:
    """Data of named reads only: anything else is an error of the node that looks for it."""

    def __init__(self, reads: Iterator[Read], sums: dict[str, int] | None = None) -> None:
        instants: dict[str, set[int]] = {}
        self._sources = set()
        for read in reads:
            if isinstance(read, ScanRead):
                self._sources.add(read.source)
            else:
                instants.setdefault(read.partition, set()).update((read.start, read.end))
        self._levels = {
            partition: Levels({at: sums or {} if at >= LAST else {} for at in at_instants}, sums or {})
            for partition, at_instants in instants.items()
        }

    def levels(self, partition: str) -> Levels:
        return self._levels[partition]

    def entities(self, source: str) -> Entities:
        assert source in self._sources, f"{source} is scanned without a read that names it"
        raise CannotTell("there are too many")


def value(node: Node, **sums: int) -> Fraction | None:
    """Return the number over a day that began at 0 and ended with these levels."""
    return node.value(DAY, Given(node.reads(DAY), sums))


COUNT, HOURS = Linear(((1, "A"),), (at_end("s"),)), Linear(((1, "A"), (-1, "B")), (flow("s"),))


def test_a_linear_node_reads_both_ends_of_the_range_in_its_partitions() -> None:
    assert [*HOURS.reads(DAY)] == [LevelsRead("A", FIRST, LAST), LevelsRead("B", FIRST, LAST)]


def test_partitions_are_added_up_by_sign() -> None:
    assert value(COUNT, s=3) == 3
    assert value(HOURS, s=3) == 0
    assert value(Linear(((1, "A"),), (within("s"), at_end("e", -1))), s=5, e=2) == 3


def test_a_quotient_by_zero_is_not_known() -> None:
    ended = Linear(((1, "A"),), (at_end("e"),))
    assert value(Quotient(COUNT, ended, 100), s=1, e=4) == 25
    assert value(Quotient(COUNT, ended), s=1) is None
    assert value(Quotient(Quotient(COUNT, ended), COUNT), s=1) is None


@pytest.mark.parametrize(("operation", "expected"), [(Operation.ADD, 5), (Operation.SUB, 1), (Operation.MUL, 6)])
def test_operations(operation: Operation, expected: int) -> None:
    assert value(Combination(operation, COUNT, Constant(Fraction(2))), s=3) == expected
    unknown = Quotient(COUNT, Constant(Fraction(0)))
    assert value(Combination(operation, COUNT, unknown), s=3) is None


def test_a_sum_of_which_nothing_is_known_is_not_known() -> None:
    total, unknown, known = (Linear(((1, "A"),), (at_end(measure),)) for measure in "tuk")
    node = Accumulated(total, unknown, known, 10)
    assert value(node, t=50) == 5
    assert value(node, t=50, u=1, k=1) == 5
    assert value(node, u=1) is None


def test_a_number_without_a_history_reads_nothing_of_the_past() -> None:
    later = ForwardOnly(COUNT, END + timedelta(minutes=1))
    assert [*later.reads(DAY)] == []
    assert value(later, s=3) is None
    assert value(ForwardOnly(COUNT, END), s=3) == 3


def test_a_row_scan_names_its_source() -> None:
    aggregation = SimpleOperand(source="assignments", aggregate=Aggregate.MAX, field="hours")
    assert [*RowScan(aggregation).reads(DAY)] == [ScanRead("assignments")]


# -- every plan computes from its reads alone ------------------------------------------------------------------------


def computed(query: MetricQuery, organization: StoredOrganization, at: datetime) -> None:
    over = periods.resolve(query.period, zone=organization.timezone, week_start=organization.week_start, at=at)
    node = Planner(organization, at).query(query)
    reads = [*node.reads(over)]
    assert reads == [*node.reads(over)], "reads depend on nothing but the range"
    try:
        node.value(over, Given(iter(reads), {"s": 7, "e": 2}))
    except CannotTell:
        assert any(isinstance(read, ScanRead) for read in reads)


ORGANIZATION = new_organization(name="Berg", id=ids.new_id(), timezone="Europe/Berlin")


@pytest.mark.parametrize("metric", SYSTEM_METRICS.values(), ids=lambda metric: metric.name)
def test_built_in_metrics_compute_from_their_reads_alone(metric: Any) -> None:
    computed(parse(metric.query), ORGANIZATION, END)


@given(queries())
def test_any_query_computes_from_its_reads_alone(query: dict[str, Any]) -> None:
    computed(parse(query), ORGANIZATION, END)
