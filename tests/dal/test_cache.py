"""Kept answers: good until a tag moves or a minute is over, each for its own question and organization."""

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
from tests.support import wire
from tests.support.wire import Refusal, broken, without_waiting

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
FIGURES = TypeAdapter(list[int])
MILLISECOND = timedelta(milliseconds=1)


class Figures:
    """Something that is asked again and again, and how often it had to be computed."""

    def __init__(self, tenant: OrganizationId) -> None:
        self.question = CacheKey(tenant, "figures", {"of": "hours"}, frozenset({"assignments", "workers"}))
        self.computed = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def ask(self, now: datetime = NOW, question: CacheKey | None = None) -> list[int]:
        return cached(question or self.question, FIGURES, self._compute, now=now)

    def _compute(self) -> list[int]:
        self.computed += 1
        self.meanwhile()
        return [self.computed]


@pytest.fixture
def figures(tenant: OrganizationId) -> Figures:
    return Figures(tenant)


def change(organization: OrganizationId, source: str) -> None:
    unit = UnitOfWork(organization)
    cache.bump(unit, source)
    unit.commit()


def test_an_answer_is_computed_once(figures: Figures) -> None:
    assert [figures.ask(), figures.ask(), figures.ask(NOW + MAX_AGE - MILLISECOND)] == [[1], [1], [1]]


def test_what_it_costs(figures: Figures) -> None:
    with wire.recorded() as miss:
        figures.ask()
    with wire.recorded() as hit:
        figures.ask()

    assert miss.operations == ["BatchGetItem", "UpdateItem"]
    assert hit.operations == ["BatchGetItem"]


@pytest.mark.parametrize("source", ["assignments", "workers"])
def test_a_change_of_what_it_depends_on_is_seen_at_once(figures: Figures, source: str) -> None:
    for expected in (1, 2, 3):
        assert figures.ask() == [expected]
        change(figures.question.organization, source)


def test_a_change_of_something_else_is_not_its_business(figures: Figures, tenant: OrganizationId) -> None:
    figures.ask()
    change(tenant, "clients")

    assert figures.ask() == [1]


@pytest.mark.parametrize("away", [MAX_AGE, timedelta(days=1), -MAX_AGE])
def test_time_passes(figures: Figures, away: timedelta) -> None:
    figures.ask()

    assert figures.ask(NOW + away) == [2]


def test_a_change_while_it_is_computed_is_not_hidden(figures: Figures, tenant: OrganizationId) -> None:
    # Given an answer that may or may not have seen a change
    figures.meanwhile = lambda: change(tenant, "assignments")
    figures.ask()
    figures.meanwhile = lambda: None
    # When it is asked for again
    # Then it is computed again, and that is kept
    assert [figures.ask(), figures.ask()] == [[2], [2]]


def test_two_organizations_share_nothing(figures: Figures) -> None:
    other = Figures(OrganizationId(ids.new_id()))
    figures.ask()
    change(other.question.organization, "assignments")

    assert other.ask() == [1]
    assert figures.ask() == [1]
    assert (figures.computed, other.computed) == (1, 1)


def test_another_question_has_another_answer(figures: Figures) -> None:
    first = figures.question
    others = [
        replace(first, name="shares"),
        replace(first, about={"of": "money"}),
        replace(first, about={}),
        replace(first, tags=frozenset({"assignments"})),
    ]

    assert [figures.ask(question=each) for each in [first, *others, first]] == [[1], [2], [3], [4], [5], [1]]


def test_a_question_is_the_same_in_any_order(tenant: OrganizationId) -> None:
    one = CacheKey(tenant, "figures", {"a": 1, "b": 2}, frozenset({"x", "y"}))
    same = CacheKey(tenant, "figures", {"b": 2, "a": 1}, frozenset({"y", "x"}))

    assert one.key == same.key


def test_an_answer_of_another_form_is_computed_anew(figures: Figures) -> None:
    # Given an answer that an earlier release has kept
    cached(figures.question, TypeAdapter(dict[str, int]), lambda: {"figure": 7}, now=NOW)

    assert [figures.ask(), figures.ask()] == [[1], [1]]


@pytest.mark.parametrize(("beyond", "computed"), [(0, 1), (1, 2)])
def test_a_great_answer_is_answered_and_not_kept(tenant: OrganizationId, beyond: int, computed: int) -> None:
    text = TypeAdapter(str)
    calls: list[str] = []

    def compute() -> str:
        calls.append("ä" * ((MAX_BYTES - 2) // 2) + "x" * beyond)
        return calls[-1]

    question = CacheKey(tenant, "text", {}, frozenset())
    answers = [cached(question, text, compute, now=NOW) for _ in range(2)]

    assert answers == [calls[0]] * 2
    assert len(calls) == computed


def test_an_answer_that_cannot_be_kept_is_given_all_the_same(
    figures: Figures, caplog: pytest.LogCaptureFixture
) -> None:
    with without_waiting(), broken(Refusal("UpdateItem", "ProvisionedThroughputExceededException", calls=1)):
        assert figures.ask() == [1]

    assert "a result was not cached" in caplog.text
    assert figures.ask() == [2]


def test_a_store_that_does_not_answer_is_not_asked_for_more(figures: Figures) -> None:
    with (
        without_waiting(),
        broken(Refusal("BatchGetItem", "ProvisionedThroughputExceededException", calls=1)),
        pytest.raises(ActionError, match="the store did not answer"),
    ):
        figures.ask()

    assert figures.computed == 0


def test_a_failure_is_not_kept(figures: Figures) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    figures.meanwhile = fail
    with pytest.raises(ZeroDivisionError):
        figures.ask()
    figures.meanwhile = lambda: None

    assert figures.ask() == [2]


def test_kept_answers_expire_in_the_table(figures: Figures) -> None:
    figures.ask()
    item = table.get(figures.question.key)

    assert item is not None
    assert item.ttl is not None
    assert item.ttl > (NOW + MAX_AGE).timestamp()
