"""Every action has a valid arranged request, on which the other nets depend."""

from __future__ import annotations

import pytest

from tests.support.arrange import ARRANGEMENTS, arrange, names
from tests.support.factories import Organization


@pytest.mark.parametrize("action", names())
def test_arranged_requests_are_answered_as_declared(home: Organization, action: str) -> None:
    # Given two derived requests, which must not interfere with each other
    requests = arrange(action, home), arrange(action, home)
    for arranged in requests:
        # When each is sent
        answer = arranged.send()
        # Then it succeeds
        assert answer.status == arranged.action.status, (
            f"{action} refuses {arranged.call}: {answer.text}\n"
            "Give its contract fields valid examples, or add the preconditions of its request to ARRANGEMENTS "
            "(tests/support/arrange.py)."
        )


def test_arrangements_are_of_existing_actions() -> None:
    assert set(ARRANGEMENTS) <= set(names())
