"""A submission against concurrent writes of its week: the frozen total is that of the sessions in it, every time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from chalicelib.models.users import Role
from tests.support.api import Answer
from tests.support.factories import Member, Organization
from tests.support.hypothesis_profile import IS_FULL
from tests.support.threads import at_once
from tests.support.time_helpers import at, tracked

ROUNDS = 12 if IS_FULL else 3
WRITES = 20
WEEK = "2026-06-15"
DAY = 24 * 60


pytestmark = pytest.mark.usefixtures("_noon")


@pytest.mark.usefixtures("on_a_safe_engine")
@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_frozen_total_is_that_of_its_sessions(organization: Organization, number: int) -> None:
    """Given 20 writes of a week at once with its submission, then what was written in time is in it, and no more."""
    admin, member = organization.owner, organization.member(Role.MEMBER)
    existing = [tracked(member, -30 * place - 30, -30 * place)["id"] for place in range(10)]
    path = {"userId": str(member.user.id), "weekStart": WEEK}
    submit = partial(member.call, "submitTimesheet", path=path)

    answers = at_once([*_writes(member, existing), submit])

    submitted = answers[-1]
    if submitted.status == 409:
        submitted = submit()
    assert submitted.status == 200, submitted.text
    refused = [answer for answer in answers[:-1] if answer.status >= 400]
    for answer in refused:
        assert answer.code == "CONFLICT" or answer.error["details"]["lockedBy"] == "SUBMITTED", answer.text
    total = sum(session["durationSeconds"] for session in _sessions(member))
    assert submitted.data["seconds"] == total
    approved = admin.call("approveTimesheet", path=path).data
    assert (approved["approvedSeconds"], approved["differsBy"]) == (total, None)
    assert sum(day["seconds"] for day in approved["days"]) == total


def _writes(member: Member, existing: list[str]) -> list[Callable[[], Answer]]:
    """Return the writes: half create a session, the others move, change or delete one."""
    writes: list[Callable[[], Answer]] = []
    for place in range(WRITES // 2):
        start = DAY + 10 * place
        body: dict[str, Any] = {"startAt": at(-start - 5), "endAt": at(-start)}
        inside = {"startAt": at(-400 - place), "endAt": at(-390)}
        writes.append(partial(member.call, "createTimeSession", body=inside if place % 2 else body))
        identifier = existing[place]
        match place % 3:
            case 0:
                writes.append(partial(member.call_on, "deleteTimeSession", identifier))
            case 1:
                writes.append(partial(member.call_on, "updateTimeSession", identifier, body=body))
            case _:
                change = {"startAt": at(-30 * place - 45)}
                writes.append(partial(member.call_on, "updateTimeSession", identifier, body=change))
    return writes


def _sessions(member: Member) -> list[dict[str, Any]]:
    """Return the sessions of the week; before it there are some."""
    items: list[dict[str, Any]] = member.call(
        "listTimeSessions", query={"limit": 100, "from": "2026-06-15T00:00:00Z"}
    ).data["items"]
    return items
