"""Limits: at most the quota in any window, for sequential and parallel requests, and uses that are given back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core import clock, ids
from chalicelib.core.errors import ActionError, ErrorCode
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import limits, table
from chalicelib.dal.limits import SLOTS, Allowance, Limit, RateLimited, Use
from chalicelib.dal.unit_of_work import StaleRead, UnitOfWork
from tests.support import client_hooks
from tests.support.assignment_helpers import NOW
from tests.support.client_hooks import Fault, without_waiting
from tests.support.factories import address
from tests.support.frozen_time import later, standing_still
from tests.support.hypothesis_profile import law
from tests.support.threads import at_once

LIMIT = Limit("try-outs", quota=4, seconds=900)


@pytest.fixture
def allowance() -> Allowance:
    return LIMIT.of_address(address())


def take(allowance: Allowance) -> Use:
    (use,) = limits.take(*limits.load(allowance))
    return use


def refusal(allowance: Allowance) -> RateLimited:
    with pytest.raises(RateLimited) as raised:
        take(allowance)
    return raised.value


def used(allowance: Allowance) -> int:
    return limits.load(allowance)[0].used


def test_the_quota_and_no_more(allowance: Allowance) -> None:
    with standing_still(NOW):
        assert [take(allowance).usage.left for _ in range(4)] == [3, 2, 1, 0]
        refused = refusal(allowance)
    assert refused.code is ErrorCode.RATE_LIMITED
    assert refused.retry_after_seconds is not None
    assert LIMIT.seconds < refused.retry_after_seconds <= LIMIT.seconds * (SLOTS + 1) / SLOTS


def test_subjects_and_purposes_have_separate_uses(allowance: Allowance) -> None:
    organization = OrganizationId(ids.new_id())
    others = [
        LIMIT.of_address(address()),
        LIMIT._replace(name="other").of_address("a@example.com"),
        LIMIT.of_source("203.0.113.1"),
        LIMIT.of_organization(organization),
    ]
    for _ in range(4):
        take(allowance)
    refusal(allowance)
    assert [take(other).usage.left for other in others] == [3, 3, 3, 3]
    assert LIMIT.of_organization(organization).key.pk.startswith(f"ORG#{organization}#")


def test_the_case_of_an_address_does_not_matter(allowance: Allowance) -> None:
    assert LIMIT.of_address("Anna@Example.com").key == LIMIT.of_address("anna@example.com").key


@law(60)
@given(pauses=st.lists(st.integers(0, 400), min_size=5, max_size=25))
def test_no_window_ever_holds_more_than_the_quota(pauses: list[int]) -> None:
    allowance = LIMIT.of_address(address())
    now, taken = 0, []
    with standing_still(NOW):
        for seconds in pauses:
            now += seconds
            with later(seconds=now):
                try:
                    take(allowance)
                    taken.append(now)
                except RateLimited as refused:
                    wait = refused.retry_after_seconds or 0
                    # There is room after the time in the error, and not a second earlier
                    with later(seconds=wait):
                        assert limits.load(allowance)[0].left
                    with later(seconds=wait - 1):
                        assert not limits.load(allowance)[0].left
    for start in taken:
        assert sum(start <= at < start + LIMIT.seconds for at in taken) <= LIMIT.quota


def test_a_refused_caller_gets_in_after_retry_after(allowance: Allowance) -> None:
    with standing_still(NOW):
        for _ in range(4):
            take(allowance)
        seconds = refusal(allowance).retry_after_seconds
        assert seconds is not None
        with later(seconds=seconds - 1):
            refusal(allowance)
        with later(seconds=seconds):
            assert take(allowance).usage.left == 3


def test_the_item_stays_small_and_ends_by_itself(allowance: Allowance) -> None:
    busy = allowance._replace(limit=LIMIT._replace(quota=1000))
    with standing_still(NOW):
        for minute in range(60):
            with later(minutes=minute):
                take(busy)
        with later(minutes=59):
            item = table.get(allowance.key)
            assert item is not None
            assert item.data is not None
            assert len(item.data["slots"]) == SLOTS + 1
            assert item.data["used"] == sum(item.data["slots"].values())
            assert item.ttl is not None
            assert LIMIT.seconds <= item.ttl - clock.now().timestamp() <= LIMIT.seconds * (SLOTS + 1) / SLOTS


@pytest.mark.usefixtures("on_a_safe_engine")
def test_parallel_requests_get_no_more_than_sequential_ones(allowance: Allowance) -> None:
    def attempt() -> bool:
        try:
            take(allowance)
        except RateLimited:
            return False
        return True

    with standing_still(NOW):
        # At the start of a slot and in the middle of one
        for before in (0, 1):
            with later(hours=before):
                assert sum(at_once([attempt] * 20)) == 4
                assert used(allowance) == 4


def test_two_limits_are_taken_together_or_not_at_all(allowance: Allowance) -> None:
    full = Limit("narrow", quota=1, seconds=60).of_source(address())
    limits.take(*limits.load(allowance, full))
    with pytest.raises(RateLimited) as raised:
        limits.take(*limits.load(allowance, full))
    assert raised.value.usage.allowance == full
    assert (used(allowance), used(full)) == (1, 1)


def test_it_fails_closed(allowance: Allowance, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = limits.load(allowance)
    take(allowance)
    monkeypatch.setattr(limits, "load", lambda *_: stale)
    with without_waiting(), pytest.raises(RateLimited) as raised:
        limits.take(*stale)
    assert raised.value.retry_after_seconds == 1


# -- giving back -----------------------------------------------------------------------------------------------------


def test_a_use_that_is_given_back_can_be_taken_again(allowance: Allowance) -> None:
    uses = [take(allowance) for _ in range(4)]
    limits.give_back(*uses[:2])
    assert [take(allowance).usage.left for _ in range(2)] == [1, 0]
    refusal(allowance)


def test_a_use_that_no_longer_counts_cannot_be_given_back(allowance: Allowance) -> None:
    with standing_still(NOW):
        old = take(allowance)
        with later(hours=1):
            take(allowance)
            limits.give_back(old)
            assert used(allowance) == 1
        # Nor can a forgotten use, even if others were taken since.
        unit = UnitOfWork(OrganizationId(ids.new_id()))
        limits.forget(unit, allowance)
        unit.commit()
        take(allowance)
        limits.give_back(old)
        assert used(allowance) == 1


def test_a_count_does_not_fall_below_nothing(allowance: Allowance) -> None:
    use = take(allowance)
    for _ in range(3):
        limits.give_back(use)
    assert used(allowance) == 0


# -- in a unit of work -----------------------------------------------------------------------------------------------


def test_a_use_in_a_unit_counts_if_the_unit_commits(allowance: Allowance, tenant: OrganizationId) -> None:
    unit = UnitOfWork(tenant)
    limits.take_in(unit, *limits.load(allowance))
    assert used(allowance) == 0
    unit.commit()
    assert used(allowance) == 1


@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_unit_that_was_overtaken_is_stale(allowance: Allowance, tenant: OrganizationId, before: int) -> None:
    for _ in range(before):
        take(allowance)
    unit = UnitOfWork(tenant)
    limits.take_in(unit, *limits.load(allowance))
    for _ in range(4 - before):
        take(allowance)
    with pytest.raises(StaleRead):
        unit.commit()
    assert used(allowance) == 4
    with pytest.raises(RateLimited):
        limits.take_in(UnitOfWork(tenant), *limits.load(allowance))


def test_a_use_is_not_counted_into_a_slot_that_is_over(allowance: Allowance, tenant: OrganizationId) -> None:
    with standing_still(NOW):
        take(allowance)
        unit = UnitOfWork(tenant)
        limits.take_in(unit, *limits.load(allowance))
        with later(minutes=1):
            take(allowance)
        with pytest.raises(StaleRead):
            unit.commit()


def test_a_use_that_is_taken_while_others_are_forgotten_can_be_given_back(
    allowance: Allowance, tenant: OrganizationId
) -> None:
    take(allowance)
    before = limits.load(allowance)
    unit = UnitOfWork(tenant)
    limits.forget(unit, allowance)
    unit.commit()
    limits.give_back(*limits.take(*before))
    assert used(allowance) == 0


def test_forgetting_leaves_all_of_the_quota(allowance: Allowance, tenant: OrganizationId) -> None:
    for _ in range(4):
        take(allowance)
    unit = UnitOfWork(tenant)
    limits.forget(unit, allowance)
    assert used(allowance) == 4
    unit.commit()
    assert [take(allowance).usage.left for _ in range(4)] == [3, 2, 1, 0]
    refusal(allowance)


# -- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("on_a_safe_engine")
@pytest.mark.parametrize("kind", ["request lost once", "response lost once"])
def test_a_lost_response_takes_no_second_use(allowance: Allowance, kind: str) -> None:
    with without_waiting(), client_hooks.broken(Fault(2, kind)):
        take(allowance)
    assert used(allowance) == 1


def test_a_store_that_is_down_lets_nobody_in(allowance: Allowance) -> None:
    with without_waiting(), client_hooks.broken(Fault(2, "request lost")), pytest.raises(ActionError) as raised:
        take(allowance)
    assert raised.value.code is ErrorCode.DATABASE_ERROR


def test_a_clock_that_runs_behind_counts_into_the_newest_slot(allowance: Allowance) -> None:
    with standing_still(NOW):
        with later(minutes=5):
            take(allowance)
        take(allowance)
        assert used(allowance) == 2
        with clock.shifted(timedelta(minutes=20)):
            assert used(allowance) == 2
