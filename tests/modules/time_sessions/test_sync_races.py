"""Lists and syncs while others write: a walk shows what stays, and a client's copy ends as the store."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.models.users import Role
from tests.support.api import Answer
from tests.support.factories import Member, Organization
from tests.support.hypothesis_profile import IS_FULL
from tests.support.threads import at_once

SESSIONS = 10_000 if IS_FULL else 250
WRITERS = 8
WRITES = 60 if IS_FULL else 8
"""Writes of each writer."""
FIRST = datetime(2024, 1, 1, tzinfo=UTC)


def _start(number: int) -> datetime:
    """Return the start of a session, one each half hour: months of a usual size."""
    return FIRST + timedelta(minutes=30 * number)


def _create(member: Member, number: int) -> Answer:
    start = _start(number)
    return member.post(
        "createTimeSession", startAt=clock.to_text(start), endAt=clock.to_text(start + timedelta(minutes=1))
    )


def _import(member: Member, count: int) -> None:
    """Create sessions, as many at once as an import takes."""
    starts = [_start(number) for number in range(count)]
    rows = [
        {"date": f"{start:%Y-%m-%d}", "start": f"{start:%H:%M}", "end": f"{start + timedelta(minutes=1):%H:%M}"}
        for start in starts
    ]
    for first in range(0, count, 1_000):
        answer = member.post("importTimeSessions", rows=rows[first : first + 1_000], timezone="UTC")
        assert answer.data["created"] == len(rows[first : first + 1_000]), answer.text


def _pages(member: Member, **query: Any) -> list[dict[str, Any]]:
    """Return the rows of a list to its end."""
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = member.call("listTimeSessions", query={"limit": 100, **query, **cursor})
        assert answer.status == 200, answer.text
        rows += answer.data["items"]
        if answer.data["nextCursor"] is None:
            return rows
        cursor = {"cursor": answer.data["nextCursor"]}


class Client:
    """A device that keeps a copy of its user's sessions, as docs/time.md says."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self._since = clock.to_text(FIRST)
        self.copy: dict[str, int] = {}
        """Version by id."""

    def sync(self) -> None:
        for row in _pages(self._member, modifiedSince=self._since):
            if row["deletedAt"] is None:
                self.copy[row["id"]] = row["version"]
            else:
                self.copy.pop(row["id"], None)
            self._since = row.get("updatedAt") or row["deletedAt"]


def _write(member: Member, own: list[str], seed: int) -> None:
    """Create, change and delete sessions at random; a write that collides too often is left out."""
    chance = random.Random(seed)
    for number in range(WRITES):
        choice = chance.choice(["create", "change", "delete"])
        if choice == "create" or not own:
            answer = _create(member, SESSIONS + 100 * seed + number)
            if answer.status == 201:
                own.append(answer.data["id"])
        elif choice == "change":
            body = {"description": f"{seed}-{number}"}
            answer = member.call_on("updateTimeSession", chance.choice(own), body=body)
        else:
            answer = member.call_on("deleteTimeSession", own.pop(chance.randrange(len(own))))
        assert answer.status in {200, 201} or answer.code in {"CONFLICT", "NOT_FOUND"}, answer.text


@pytest.mark.usefixtures("on_a_safe_engine")
def test_a_client_that_syncs_while_others_write_ends_with_the_store(organization: Organization) -> None:
    """Given many sessions, when 8 devices write while one walks and syncs, then nothing is missed or shown twice."""
    me = organization.member(Role.MEMBER)
    _import(me, SESSIONS)
    ids = [row["id"] for row in _pages(me)]
    assert len(ids) == SESSIONS
    # Of each writer some of the sessions; the others stay.
    shares = [ids[number :: SESSIONS // 40][:4] for number in range(WRITERS)]
    staying = {*ids} - {identifier for share in shares for identifier in share}
    client, is_over, walks = Client(me), threading.Event(), []

    def read() -> None:
        while not is_over.is_set():
            walks.append([row["id"] for row in _pages(me)])
            client.sync()

    reader = threading.Thread(target=read)
    reader.start()
    at_once([partial(_write, me, share, seed) for seed, share in enumerate(shares)])
    is_over.set()
    reader.join()
    client.sync()

    stored = {row["id"]: row["version"] for row in _pages(me)}
    assert client.copy == stored
    assert len(walks) >= 1
    for walk in walks:
        assert len(walk) == len({*walk})
        assert staying <= {*walk}
    assert staying < stored.keys()
