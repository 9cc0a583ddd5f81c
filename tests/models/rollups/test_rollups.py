"""Rollups: levels and integrals are those of the last contributions, in any order of changes."""

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
from chalicelib.models.rollups.buckets import HOUR, MINUTE, BucketKey, Contribution, Increments, LevelChange
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
    """Draw the contribution of a span, with or without an end, in one of two dimensions."""
    dimensions = (draw(st.sampled_from(DIMENSIONS)),)
    start = draw(instants)
    rate = draw(st.integers(0, 10_000))
    level_changes = [LevelChange(start, (("s", 1), ("b", rate)), dimensions=dimensions)]
    if draw(st.booleans()):
        end = start + draw(
            st.one_of(st.integers(1, 40 * 86_400_000), st.integers(1, 40 * 24).map(lambda h: h * 60 * MINUTE))
        )
        level_changes.append(LevelChange(end, (("e", 1), ("b", -rate)), is_end=True, dimensions=dimensions))
    return tuple(level_changes)


def _apply(
    organization: OrganizationId, identifier: UUID, expected: Contribution, before: AppliedContribution | None = None
) -> bool:
    before = before or rollups.applied(organization, SOURCE, [identifier])[identifier]
    transactions = list(rollups.transactions([Target(identifier, before, expected)]))
    for parts in transactions:
        rollups.commit(organization, SOURCE, parts)
    return bool(transactions)


def _level(spread: Sequence[LevelChange], measure: str, at: int) -> int:
    return sum(dict(change.deltas).get(measure, 0) for change in spread if change.at - change.is_end < at)


def _integral(spread: Sequence[LevelChange], measure: str, at: int) -> int:
    return sum(
        dict(change.deltas).get(measure, 0) * (at - change.at) for change in spread if change.at - change.is_end < at
    )


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    changes=st.lists(st.tuples(st.integers(0, 3), st.one_of(st.just(()), spreads())), max_size=10),
    sample=st.lists(instants.map(lambda instant: instant // MINUTE * MINUTE), min_size=1, max_size=6),
)
def test_levels_and_integrals_are_those_of_the_last_contributions(
    changes: list[tuple[int, Contribution]], sample: list[int]
) -> None:
    organization = OrganizationId(ids.new_id())
    entities = [ids.new_id() for _ in range(4)]
    last: dict[int, Contribution] = {}
    for number, spread in changes:
        _apply(organization, entities[number], spread)
        last[number] = spread
    # Include the minutes in which a level changes.
    sample = [*sample, *(change.at // MINUTE * MINUTE for spread in last.values() for change in spread)]
    partitions = {dimension: keys.rollup(organization, SOURCE, *(dimension or ())) for dimension in (None, *DIMENSIONS)}

    result = levels.read(dict.fromkeys(partitions.values(), sample))

    for dimension, partition in partitions.items():
        changed = [change for spread in last.values() for change in spread]
        applied = tuple(change for change in changed if dimension is None or dimension in change.dimensions)
        for at in sample:
            for measure in ("s", "e", "b"):
                assert result[partition].level(measure, at) == _level(applied, measure, at)
                assert result[partition].integral(measure, at) == _integral(applied, measure, at)
        assert result[partition].total("s") == sum(dict(change.deltas).get("s", 0) for change in applied)


def test_applying_the_same_again_writes_nothing() -> None:
    organization, entity = OrganizationId(ids.new_id()), ids.new_id()
    spread = (LevelChange(EPOCH_DAY, (("s", 1),)),)
    assert _apply(organization, entity, spread)
    assert not _apply(organization, entity, spread)


def test_applying_from_a_stale_read_fails() -> None:
    organization, entity = OrganizationId(ids.new_id()), ids.new_id()
    _apply(organization, entity, (LevelChange(EPOCH_DAY, (("s", 1),)),))
    with pytest.raises(StaleRead):
        _apply(organization, entity, (LevelChange(EPOCH_DAY + 1, (("s", 1),)),), AppliedContribution(0, ()))


def test_hours_of_a_day_are_found_though_its_own_amounts_add_up_to_nothing() -> None:
    organization, entity = OrganizationId(ids.new_id()), ids.new_id()
    steps = ((8, 1), (9, -1), (10, -1), (11, 1))
    _apply(organization, entity, tuple(LevelChange(EPOCH_DAY + hour * HOUR, (("s", by),)) for hour, by in steps))
    partition, at = keys.rollup(organization, SOURCE), [EPOCH_DAY + hour * HOUR + MINUTE for hour, _ in steps]

    levels_then = levels.read({partition: at})[partition]

    assert [levels_then.level("s", instant) for instant in at] == [1, 0, -1, 0]


def test_more_changes_than_fit_a_transaction_are_applied_in_several() -> None:
    organization, entity = OrganizationId(ids.new_id()), ids.new_id()
    spread = tuple(LevelChange(EPOCH_DAY + day * 86_400_000, (("s", 1),)) for day in range(MAX_WRITES))
    _apply(organization, entity, spread)
    at = EPOCH_DAY + 50 * 86_400_000 + MINUTE
    partition = keys.rollup(organization, SOURCE)
    assert levels.read({partition: [at]})[partition].level("s", at) == 51
    _apply(organization, entity, ())
    assert levels.read({partition: [at]})[partition].level("s", at) == 0


def test_an_emptied_contribution_is_not_mistaken_for_a_new_one() -> None:
    # Given a contribution that was read before it was emptied and applied anew
    organization, entity = OrganizationId(ids.new_id()), ids.new_id()
    spread = (LevelChange(EPOCH_DAY, (("s", 1),)),)
    _apply(organization, entity, spread)
    early = rollups.applied(organization, SOURCE, [entity])[entity]
    for expected in ((), spread):
        _apply(organization, entity, expected)
    # Then a write that follows from that read is refused
    with pytest.raises(StaleRead):
        _apply(organization, entity, (), early)


def test_the_day_of_a_value_stays_within_an_item() -> None:
    """The largest bucket: every measure changes in every minute, with sums of thousands of workers."""
    counts, money = ("s", "e", "u", "v", "y", "x"), ("b", "p", "c", "d")
    deltas = (*((measure, 9_999) for measure in counts), *((measure, 10**11) for measure in money))
    increments: Increments = {}
    for minute in range(24 * 60):
        buckets.add(increments, LevelChange(EPOCH_DAY + minute * MINUTE + 59_999, deltas, dimensions=DIMENSIONS[:1]), 1)
    day = increments[BucketKey(DIMENSIONS[0], f"D#{buckets.day_of(EPOCH_DAY // buckets.DAY)}")]
    assert len(day) == 24 * 60 * len(deltas) * 2
    # DynamoDB counts a name by its bytes, a number by half its digits and one.
    size = sum(len(name) + (len(str(amount)) + 1) // 2 + 1 for name, amount in day.items())
    assert size < 400 * 1024


def test_more_attributes_than_an_expression_holds_are_added_in_several_transactions() -> None:
    organization = OrganizationId(ids.new_id())
    dimensions = DIMENSIONS[:1]
    spread = tuple(
        LevelChange(EPOCH_DAY + minute * MINUTE, (("s", 1), ("b", 5)), dimensions=dimensions) for minute in range(300)
    )
    others = [Target(ids.new_id(), AppliedContribution(0, ()), (change,)) for change in spread]
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


def test_a_transaction_is_limited_in_entities_and_in_size() -> None:
    change = LevelChange(EPOCH_DAY, (("s", 1),))
    many = [Target(ids.new_id(), AppliedContribution(0, ()), (change,)) for _ in range(MAX_WRITES)]
    # Four buckets, the tag and the applied contributions
    assert [len(parts) for parts in rollups.transactions(many)] == [MAX_WRITES - 5, 5]
    assert [len(parts) for parts in rollups.transactions(many[:5], most=2)] == [2, 2, 1]
    large = [Target(ids.new_id(), AppliedContribution(0, ()), (change,) * 6000) for _ in range(3)]
    assert [len(parts) for parts in rollups.transactions(large)] == [1, 1, 1]


def test_the_contribution_of_the_largest_position_fits_an_item() -> None:
    """20,000 assignments, each with its own start and end, in milliseconds that do not compress."""
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
    packed = rollups.pack(spread)
    assert len(packed) < 300_000  # an item may have 400 KB
    assert rollups.unpacked(packed) == spread
