"""Every action can be asked for something valid: what all the other nets stand on."""

from __future__ import annotations

import pytest

from tests.support.arrange import ARRANGEMENTS, arrange, names
from tests.support.world import Organization


@pytest.mark.parametrize("action", names())
def test_arranged_requests_are_answered_as_declared(home: Organization, action: str) -> None:
    # Given requests derived from what the action declares: two, because neither may stand in the other's way
    requests = arrange(action, home), arrange(action, home)
    for arranged in requests:
        # When each is sent
        answer = arranged.send()
        # Then it succeeds
        assert answer.status == arranged.action.status, (
            f"{action} refuses {arranged.call}: {answer.text}\n"
            "Give its contract fields examples that are valid, or say in ARRANGEMENTS (tests/support/arrange.py) "
            "what its request needs."
        )


def test_nothing_is_arranged_for_actions_that_are_gone() -> None:
    assert set(ARRANGEMENTS) <= set(names())
