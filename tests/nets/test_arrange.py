"""Every action can be asked for something valid: what all the other nets stand on."""

from __future__ import annotations

import pytest

from tests.support.arrange import ARRANGEMENTS, arrange, names
from tests.support.world import Organization


@pytest.mark.parametrize("action", names())
def test_an_arranged_request_is_answered_as_declared(home: Organization, action: str) -> None:
    # Given a request derived from what the action declares
    arranged = arrange(action, home)
    # When it is sent
    answer = arranged.send()
    # Then it succeeds
    assert answer.status == arranged.action.status, (
        f"{action} refuses {arranged.call}: {answer.text}\n"
        "Give its contract fields examples that are valid, or say in ARRANGEMENTS (tests/support/arrange.py) "
        "what its request needs."
    )


@pytest.mark.parametrize("action", names())
def test_a_second_arrangement_does_not_collide_with_the_first(home: Organization, action: str) -> None:
    first, second = arrange(action, home), arrange(action, home)

    assert first.send().status == first.action.status
    assert second.send().status == second.action.status


def test_nothing_is_arranged_for_actions_that_are_gone() -> None:
    assert set(ARRANGEMENTS) <= set(names())
