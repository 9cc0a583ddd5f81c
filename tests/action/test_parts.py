"""Parts by themselves: what is stored of them, and what happens when one expires under another's hands."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.action.parts import ChunkedWrite
from chalicelib.core import clock
from chalicelib.core.errors import ActionError, ErrorCode
from chalicelib.dal.idempotency import KEPT_SECONDS
from chalicelib.dal.item import Item
from chalicelib.dal.unit_of_work import StaleRead, UnitOfWork
from chalicelib.models.users import USERS
from tests.support.wire import overtaken
from tests.support.world import Organization

SCOPE = {"key": "k"}


def _parts(organization: Organization, payload: str = "same") -> ChunkedWrite:
    return ChunkedWrite(organization.id, SCOPE, {"payload": payload})


def _saying(word: str) -> Callable[[UnitOfWork], Any]:
    return lambda _: [word]


def _never(_: UnitOfWork) -> Any:
    raise AssertionError("is done already")


def test_a_part_is_done_once_and_in_its_place(organization: Organization) -> None:
    first, again = _parts(organization), _parts(organization)
    assert first.carry_out(_saying("one")) == ["one"]
    # One that was begun before is told in the commit, one that is begun now need not ask
    assert again.carry_out(_saying("not this")) == ["one"]
    assert again.carry_out(_saying("two")) == ["two"]
    late = _parts(organization)
    assert [late.carry_out(_never), late.carry_out(_never), late.carry_out(_saying("three"))] == [
        ["one"],
        ["two"],
        ["three"],
    ]


def test_another_payload_is_refused_at_once(organization: Organization) -> None:
    _parts(organization).carry_out(_saying("one"))
    with pytest.raises(ActionError) as refused:
        _parts(organization, "other")
    assert refused.value.code is ErrorCode.IDEMPOTENCY_MISMATCH


def test_a_part_that_expires_while_it_is_in_the_way_is_done_anew(organization: Organization) -> None:
    late = _parts(organization)
    with contextlib.ExitStack() as days:

        def overtake() -> None:
            _parts(organization).carry_out(_saying("yesterday"))
            days.enter_context(clock.shifted(timedelta(seconds=KEPT_SECONDS + 1)))

        with overtaken(overtake):
            assert late.carry_out(_saying("today")) == ["today"]
        assert _parts(organization).carry_out(_never) == ["today"]


def test_a_part_that_is_always_refused_is_given_up(organization: Organization) -> None:
    runs = []

    def stale(unit: UnitOfWork) -> Any:
        runs.append(unit)
        unit.put_new(Item(*USERS.key(organization.id, organization.owner.user.id), data={}), lambda _: StaleRead())

    with pytest.raises(ActionError) as refused:
        _parts(organization).carry_out(stale)
    assert refused.value.code is ErrorCode.CONFLICT
    assert len(runs) == len({id(unit) for unit in runs}) == 6
