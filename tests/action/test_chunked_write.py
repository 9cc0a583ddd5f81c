"""Chunked writes: each chunk runs once, and is repeated if its record expires during a race."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.action.chunked_write import ChunkedWrite
from chalicelib.core import clock
from chalicelib.core.errors import ActionError, ErrorCode
from chalicelib.dal.idempotency import KEPT_SECONDS
from chalicelib.dal.item import Item
from chalicelib.dal.unit_of_work import StaleRead, UnitOfWork
from chalicelib.models.users import USERS
from tests.support.client_hooks import overtaken
from tests.support.factories import Organization

SCOPE = {"key": "k"}


def _chunks(organization: Organization, payload: str = "same") -> ChunkedWrite:
    return ChunkedWrite(organization.id, SCOPE, {"payload": payload})


def _returning(word: str) -> Callable[[UnitOfWork], Any]:
    return lambda _: [word]


def _never(_: UnitOfWork) -> Any:
    raise AssertionError("has run already")


def test_a_chunk_runs_once_and_in_order(organization: Organization) -> None:
    first, again = _chunks(organization), _chunks(organization)
    assert first.run(_returning("one")) == ["one"]
    # `again` began before the first commit, so its commit fails and returns the stored result; `late` reads it first
    assert again.run(_returning("not this")) == ["one"]
    assert again.run(_returning("two")) == ["two"]
    late = _chunks(organization)
    assert [late.run(_never), late.run(_never), late.run(_returning("three"))] == [
        ["one"],
        ["two"],
        ["three"],
    ]


def test_another_payload_is_rejected_at_once(organization: Organization) -> None:
    _chunks(organization).run(_returning("one"))
    with pytest.raises(ActionError) as raised:
        _chunks(organization, "other")
    assert raised.value.code is ErrorCode.IDEMPOTENCY_MISMATCH


def test_a_chunk_whose_record_expires_during_a_conflict_runs_again(organization: Organization) -> None:
    late = _chunks(organization)
    with contextlib.ExitStack() as days:

        def overtake() -> None:
            _chunks(organization).run(_returning("yesterday"))
            days.enter_context(clock.shifted(timedelta(seconds=KEPT_SECONDS + 1)))

        with overtaken(overtake):
            assert late.run(_returning("today")) == ["today"]
        assert _chunks(organization).run(_never) == ["today"]


def test_a_chunk_that_always_conflicts_is_given_up(organization: Organization) -> None:
    runs = []

    def stale(unit: UnitOfWork) -> Any:
        runs.append(unit)
        unit.put_new(Item(*USERS.key(organization.id, organization.owner.user.id), data={}), lambda _: StaleRead())

    with pytest.raises(ActionError) as raised:
        _chunks(organization).run(stale)
    assert raised.value.code is ErrorCode.CONFLICT
    assert len(runs) == len({id(unit) for unit in runs}) == 6
