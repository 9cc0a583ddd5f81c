"""Round trips of each action to the table; the run prints the list."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.core import clock
from tests.nets.round_trips import PAGE_LISTS, READ, WRITE, Report, hold
from tests.support.arrange import READS, WRITES, arrange
from tests.support.factories import Organization


@pytest.mark.parametrize("action", [name for name in READS if name not in PAGE_LISTS])
def test_reads(home: Organization, report: Report, action: str) -> None:
    hold(action, arrange(action, home).send(), READ, report)


@pytest.mark.parametrize("action", WRITES)
def test_writes(home: Organization, report: Report, action: str) -> None:
    hold(action, arrange(action, home).send("a key"), WRITE, report)


@pytest.mark.parametrize("by", ["entity", "actor"])
def test_the_audit_log_by_index(home: Organization, report: Report, by: str) -> None:
    client = home.owner.call("createClient", body={"name": "One"}).data["id"]
    query = {"entityType": "client", "entityId": client} if by == "entity" else {"actorId": home.owner.user.id}

    answer = home.owner.call("getAuditLog", query=query)

    hold("getAuditLog", answer, READ, report, f" by {by}")
    assert answer.data["items"]


def test_the_use_of_session_and_organization_is_written_every_15_minutes(home: Organization) -> None:
    with clock.shifted(timedelta(minutes=16)):
        first, again = home.owner.call("getUserRole"), home.owner.call("getUserRole")

    assert first.recording.operations == ["BatchGetItem", "UpdateItem", "UpdateItem"]
    assert again.recording.operations == ["BatchGetItem"]
