"""Cached results: valid until a tag is bumped or a minute has passed, separate for every key and organization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter

from chalicelib.core import ids
from chalicelib.core.errors import ActionError
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import cache, table
from chalicelib.dal.cache import MAX_AGE, MAX_BYTES, CacheKey, cached
from chalicelib.dal.unit_of_work import UnitOfWork
from tests.support import client_hooks
from tests.support.client_hooks import Refusal, broken, without_waiting

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
FIGURES = TypeAdapter(list[int])
MILLISECOND = timedelta(milliseconds=1)


class Figures:
    """A cached result, with the number of times it was computed."""

    def __init__(self, tenant: OrganizationId) -> None:
        self.cache_key = CacheKey(tenant, "figures", {"of": "hours"}, frozenset({"assignments", "workers"}))
        self.computed = 0
        self.during_computation: Callable[[], object] = lambda: None

    def get(self, now: datetime = NOW, cache_key: CacheKey | None = None) -> list[int]:
        return cached(cache_key or self.cache_key, FIGURES, self._compute, now=now)

    def _compute(self) -> list[int]:
        self.computed += 1
        self.during_computation()
        return [self.computed]


@pytest.fixture
def figures(tenant: OrganizationId) -> Figures:
    return Figures(tenant)


def change(organization: OrganizationId, source: str) -> None:
    unit = UnitOfWork(organization)
    cache.bump(unit, source)
    unit.commit()


def test_a_result_is_computed_once(figures: Figures) -> None:
    assert [figures.get(), figures.get(), figures.get(NOW + MAX_AGE - MILLISECOND)] == [[1], [1], [1]]


def test_requests_of_a_miss_and_a_hit(figures: Figures) -> None:
    with client_hooks.recorded() as miss:
        figures.get()
    with client_hooks.recorded() as hit:
        figures.get()

    assert miss.operations == ["BatchGetItem", "UpdateItem"]
    assert hit.operations == ["BatchGetItem"]


@pytest.mark.parametrize("source", ["assignments", "workers"])
def test_a_bumped_tag_invalidates_at_once(figures: Figures, source: str) -> None:
    for expected in (1, 2, 3):
        assert figures.get() == [expected]
        change(figures.cache_key.organization, source)


def test_another_tag_does_not_invalidate(figures: Figures, tenant: OrganizationId) -> None:
    figures.get()
    change(tenant, "clients")

    assert figures.get() == [1]


@pytest.mark.parametrize("away", [MAX_AGE, timedelta(days=1), -MAX_AGE])
def test_results_expire(figures: Figures, away: timedelta) -> None:
    figures.get()

    assert figures.get(NOW + away) == [2]


def test_a_change_during_the_computation_invalidates(figures: Figures, tenant: OrganizationId) -> None:
    # Given a result that may or may not include a change
    figures.during_computation = lambda: change(tenant, "assignments")
    figures.get()
    figures.during_computation = lambda: None
    # When it is read again
    # Then it is computed again, and cached
    assert [figures.get(), figures.get()] == [[2], [2]]


def test_two_organizations_share_nothing(figures: Figures) -> None:
    other = Figures(OrganizationId(ids.new_id()))
    figures.get()
    change(other.cache_key.organization, "assignments")

    assert other.get() == [1]
    assert figures.get() == [1]
    assert (figures.computed, other.computed) == (1, 1)


def test_another_key_has_another_result(figures: Figures) -> None:
    first = figures.cache_key
    others = [
        replace(first, name="shares"),
        replace(first, about={"of": "money"}),
        replace(first, about={}),
        replace(first, tags=frozenset({"assignments"})),
    ]

    assert [figures.get(cache_key=key) for key in [first, *others, first]] == [[1], [2], [3], [4], [5], [1]]


def test_a_key_does_not_depend_on_order(tenant: OrganizationId) -> None:
    one = CacheKey(tenant, "figures", {"a": 1, "b": 2}, frozenset({"x", "y"}))
    same = CacheKey(tenant, "figures", {"b": 2, "a": 1}, frozenset({"y", "x"}))

    assert one.key == same.key


def test_a_result_of_another_form_is_computed_again(figures: Figures) -> None:
    # Given a result that an earlier release has cached
    cached(figures.cache_key, TypeAdapter(dict[str, int]), lambda: {"figure": 7}, now=NOW)

    assert [figures.get(), figures.get()] == [[1], [1]]


@pytest.mark.parametrize(("beyond", "computed"), [(0, 1), (1, 2)])
def test_a_large_result_is_returned_and_not_cached(tenant: OrganizationId, beyond: int, computed: int) -> None:
    text = TypeAdapter(str)
    calls: list[str] = []

    def compute() -> str:
        calls.append("ä" * ((MAX_BYTES - 2) // 2) + "x" * beyond)
        return calls[-1]

    cache_key = CacheKey(tenant, "text", {}, frozenset())
    results = [cached(cache_key, text, compute, now=NOW) for _ in range(2)]

    assert results == [calls[0]] * 2
    assert len(calls) == computed


def test_a_result_that_cannot_be_stored_is_returned(figures: Figures, caplog: pytest.LogCaptureFixture) -> None:
    with without_waiting(), broken(Refusal("UpdateItem", "ProvisionedThroughputExceededException", calls=1)):
        assert figures.get() == [1]

    assert "a result was not cached" in caplog.text
    assert figures.get() == [2]


def test_nothing_is_computed_without_an_answer_of_the_store(figures: Figures) -> None:
    with (
        without_waiting(),
        broken(Refusal("BatchGetItem", "ProvisionedThroughputExceededException", calls=1)),
        pytest.raises(ActionError, match="the store did not answer"),
    ):
        figures.get()

    assert figures.computed == 0


def test_a_failure_is_not_cached(figures: Figures) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    figures.during_computation = fail
    with pytest.raises(ZeroDivisionError):
        figures.get()
    figures.during_computation = lambda: None

    assert figures.get() == [2]


def test_cached_results_have_a_ttl(figures: Figures) -> None:
    figures.get()
    item = table.get(figures.cache_key.key)

    assert item is not None
    assert item.ttl is not None
    assert item.ttl > (NOW + MAX_AGE).timestamp()
