"""Rollups: whatever was applied and taken back, in whatever order, levels and integrals are those of what is left."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.core import ids
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys
from chalicelib.dal.unit_of_work import MAX_WRITES, StaleRead
from chalicelib.models.rollups import buckets, levels, rollups
from chalicelib.models.rollups.buckets import MINUTE, BucketKey, Contribution, Increments, LevelChange
from chalicelib.models.rollups.rollups import AppliedContribution, Target
from chalicelib.models.staffing.workload import MAX_LIVE

SOURCE = "spans"
DIMENSIONS = (("clientId", "a"), ("clientId", "b"))
EPOCH_DAY = 20_000 * 86_400_000

instants = st.one_of(
    st.integers(0, 120 * 86_400_000),
    st.integers(0, 120).map(lambda day: day * 86_400_000),
    st.integers(0, 120 * 24 * 60).map(lambda minute: minute * MINUTE),
).map(lambda offset: EPOCH_DAY + offset)


@st.composite
def spreads(draw: st.DrawFn) -> Contribution:
    """Of a span, with or without an end, in the one or the other dimension."""
    dimensions = (draw(st.sampled_from(DIMENSIONS)),)
    start = draw(instants)
    rate = draw(st.integers(0, 10_000))
    edges = [LevelChange(start, (("s", 1), ("b", rate)), dimensions=dimensions)]
    if draw(st.booleans()):
        end = start + draw(
            st.one_of(st.integers(1, 40 * 86_400_000), st.integers(1, 40 * 24).map(lambda h: h * 60 * MINUTE))
        )
        edges.append(LevelChange(end, (("e", 1), ("b", -rate)), is_end=True, dimensions=dimensions))
    return tuple(edges)


def _apply(
    organization: OrganizationId, identifier: UUID, wanted: Contribution, before: AppliedContribution | None = None
) -> bool:
    before = before or rollups.applied(organization, SOURCE, [identifier])[identifier]
    transactions = list(rollups.transactions([Target(identifier, before, wanted)]))
    for parts in transactions:
        rollups.commit(organization, SOURCE, parts)
    return bool(transactions)


def _level(spread: Sequence[LevelChange], measure: str, at: int) -> int:
    return sum(dict(edge.deltas).get(measure, 0) for edge in spread if edge.at - edge.is_end < at)


def _integral(spread: Sequence[LevelChange], measure: str, at: int) -> int:
    return sum(dict(edge.deltas).get(measure, 0) * (at - edge.at) for edge in spread if edge.at - edge.is_end < at)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    changes=st.lists(st.tuples(st.integers(0, 3), st.one_of(st.just(()), spreads())), max_size=10),
    asked=st.lists(instants.map(lambda instant: instant // MINUTE * MINUTE), min_size=1, max_size=6),
)
def test_levels_and_integrals_are_those_of_what_was_applied_last(
    changes: list[tuple[int, Contribution]], asked: list[int]
) -> None:
    organization = OrganizationId(ids.new_id())
    entities = [ids.new_id() for _ in range(4)]
    last: dict[int, Contribution] = {}
    for number, spread in changes:
        _apply(organization, entities[number], spread)
        last[number] = spread
    # Also where something changes, to the millisecond.
    asked = [*asked, *(edge.at // MINUTE * MINUTE for spread in last.values() for edge in spread)]
    partitions = {dimension: keys.rollup(organization, SOURCE, *(dimension or ())) for dimension in (None, *DIMENSIONS)}

    found = levels.read(dict.fromkeys(partitions.values(), asked))

    for dimension, partition in partitions.items():
        there = [edge for each in last.values() for edge in each if dimension is None or dimension in edge.dimensions]
        for at in asked:
            for measure in ("s", "e", "b"):
                assert found[partition].level(measure, at) == _level(there, measure, at)
                assert found[partition].integral(measure, at) == _integral(there, measure, at)
        assert found[partition].total("s") == sum(dict(edge.deltas).get("s", 0) for edge in there)


def test_applying_the_same_again_writes_nothing() -> None:
    organization, entity = OrganizationId(ids.new_id()), ids.new_id()
    spread = (LevelChange(EPOCH_DAY, (("s", 1),)),)
    assert _apply(organization, entity, spread)
    assert not _apply(organization, entity, spread)


def test_who_applied_from_an_older_reading_is_told_to_read_again() -> None:
    organization, entity = OrganizationId(ids.new_id()), ids.new_id()
    _apply(organization, entity, (LevelChange(EPOCH_DAY, (("s", 1),)),))
    with pytest.raises(StaleRead):
        _apply(organization, entity, (LevelChange(EPOCH_DAY + 1, (("s", 1),)),), AppliedContribution(0, ()))


def test_more_edges_than_a_transaction_holds_are_applied_in_steps() -> None:
    organization, entity = OrganizationId(ids.new_id()), ids.new_id()
    spread = tuple(LevelChange(EPOCH_DAY + day * 86_400_000, (("s", 1),)) for day in range(MAX_WRITES))
    _apply(organization, entity, spread)
    at = EPOCH_DAY + 50 * 86_400_000 + MINUTE
    partition = keys.rollup(organization, SOURCE)
    assert levels.read({partition: [at]})[partition].level("s", at) == 51
    _apply(organization, entity, ())
    assert levels.read({partition: [at]})[partition].level("s", at) == 0


def test_what_is_gone_is_not_taken_for_what_never_was() -> None:
    # Given one who read what was applied first, before it was taken away and applied anew
    organization, entity = OrganizationId(ids.new_id()), ids.new_id()
    spread = (LevelChange(EPOCH_DAY, (("s", 1),)),)
    _apply(organization, entity, spread)
    early = rollups.applied(organization, SOURCE, [entity])[entity]
    for wanted in ((), spread):
        _apply(organization, entity, wanted)
    # Then what they make of it is refused
    with pytest.raises(StaleRead):
        _apply(organization, entity, (), early)


def test_the_day_of_a_value_stays_within_an_item() -> None:
    """With something of every measure in each of its minutes, in sums as large as thousands of people make them."""
    counts, money = ("s", "e", "u", "v", "y", "x"), ("b", "p", "c", "d")
    deltas = (*((measure, 9_999) for measure in counts), *((measure, 10**11) for measure in money))
    moves: Increments = {}
    for minute in range(24 * 60):
        buckets.add(moves, LevelChange(EPOCH_DAY + minute * MINUTE + 59_999, deltas, dimensions=DIMENSIONS[:1]), 1)
    day = moves[BucketKey(DIMENSIONS[0], f"D#{buckets.day_of(EPOCH_DAY // buckets.DAY)}")]
    assert len(day) == 24 * 60 * len(deltas) * 2
    # As DynamoDB counts: a name by its bytes, a number by half its digits and one
    size = sum(len(name) + (len(str(amount)) + 1) // 2 + 1 for name, amount in day.items())
    assert size < 400 * 1024


def test_more_attributes_than_an_expression_holds_are_added_in_several_transactions() -> None:
    organization = OrganizationId(ids.new_id())
    dimensions = DIMENSIONS[:1]
    spread = tuple(
        LevelChange(EPOCH_DAY + minute * MINUTE, (("s", 1), ("b", 5)), dimensions=dimensions) for minute in range(300)
    )
    others = [Target(ids.new_id(), AppliedContribution(0, ()), (edge,)) for edge in spread]
    day = buckets.day_of(EPOCH_DAY // buckets.DAY)
    for targets in ([Target(ids.new_id(), AppliedContribution(0, ()), spread)], others):
        transactions = list(rollups.transactions(targets))
        assert len(transactions) > 2
        for parts in transactions:
            named = {name for part in parts for name in part.increments[BucketKey(dimensions[0], f"D#{day}")]}
            assert len(named) <= 200  # an expression has at most 300 operators
            rollups.commit(organization, SOURCE, parts)
    partition = keys.rollup(organization, SOURCE, *dimensions[0])
    at = EPOCH_DAY + 250 * MINUTE
    assert levels.read({partition: [at]})[partition].level("s", at) == 2 * 250
    assert levels.read({partition: [at]})[partition].level("b", at) == 2 * 250 * 5


def test_a_transaction_holds_so_many_entities_and_so_much_of_them() -> None:
    edge = LevelChange(EPOCH_DAY, (("s", 1),))
    many = [Target(ids.new_id(), AppliedContribution(0, ()), (edge,)) for _ in range(MAX_WRITES)]
    # Four cells and the tag, beside what is applied of each
    assert [len(parts) for parts in rollups.transactions(many)] == [MAX_WRITES - 5, 5]
    assert [len(parts) for parts in rollups.transactions(many[:5], most=2)] == [2, 2, 1]
    large = [Target(ids.new_id(), AppliedContribution(0, ()), (edge,) * 6000) for _ in range(3)]
    assert [len(parts) for parts in rollups.transactions(large)] == [1, 1, 1]


def test_what_is_applied_of_the_largest_position_fits_an_item() -> None:
    """20,000 assignments ahead, each with a start and an end of its own, in milliseconds that nothing compresses."""
    random = Random(7)
    dimensions = (("clientId", str(ids.new_id())), ("workLocationId", str(ids.new_id())), ("isActive", "true"))
    offsets = sorted(random.sample(range(10 * 366 * 86_400_000), 2 * MAX_LIVE))
    spread = tuple(
        LevelChange(
            EPOCH_DAY + at,
            (("f", random.randint(-9, 9)), ("o", random.choice((-1, 1)))),
            is_end=random.random() < 0.5,
            dimensions=dimensions,
        )
        for at in offsets
    )
    packed = rollups._packed(spread)
    assert len(packed) < 300_000  # an item may have 400 KB
    assert rollups._unpacked(packed) == spread
