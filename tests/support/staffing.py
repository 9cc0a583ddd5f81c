"""Clients, work locations, positions, workers and assignments for tests, created through the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chalicelib.core import clock, ids
from tests.support.factories import Member, unique


def created(member: Member, action: str, **fields: Any) -> dict[str, Any]:
    answer = member.post(action, **fields)
    assert answer.status == 201, answer.text
    data: dict[str, Any] = answer.data
    return data


def new_client(member: Member, **fields: Any) -> dict[str, Any]:
    return created(member, "createClient", **{"name": unique("Client"), **fields})


def new_location(member: Member, client: str | None = None, **fields: Any) -> dict[str, Any]:
    """Create a work location, of a new client by default."""
    client = client or new_client(member)["id"]
    return created(member, "createWorkLocation", clientId=client, **{"name": unique("Location"), **fields})


def new_position(member: Member, location: str | None = None, **fields: Any) -> dict[str, Any]:
    """Create a position, at a new work location of a new client by default."""
    location = location or new_location(member)["id"]
    return created(member, "createPosition", workLocationId=location, **{"name": unique("Position"), **fields})


def new_worker(member: Member, **fields: Any) -> dict[str, Any]:
    person = {"firstName": "Mehmet", "lastName": unique("Worker"), "phone": f"+49 30 {ids.new_id().int % 10**10:010d}"}
    return created(member, "createWorker", **{**person, **fields})


def new_assignment(member: Member, position: str, start: datetime, end: datetime | None = None) -> dict[str, Any]:
    """Create an assignment of a new worker."""
    until = None if end is None else clock.to_text(end)
    times = {"startAt": clock.to_text(start), "endAt": until}
    return created(member, "createAssignment", workerId=new_worker(member)["id"], positionId=position, **times)


def names(member: Member, action: str, **query: Any) -> list[str]:
    """Return the names of the rows of a page list or cursor list."""
    answer = member.call(action, query=query)
    assert answer.status == 200, answer.text
    return [row["name"] for row in answer.data["data" if "data" in answer.data else "items"]]
