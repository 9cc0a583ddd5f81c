"""Assignments of all lengths, of own and common workers and positions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chalicelib.core import clock
from tests.prove.client import Client
from tests.prove.operations.people import create_worker
from tests.prove.operations.staffing import create_position, if_match

_REFUSED_IN_COMMON = frozenset({"NOT_FOUND", "VALIDATION_ERROR"})
_SCHEDULED = ((2, 9), (3, 9), (7, 8 * 24), (20, 100 * 24), (30, 300 * 24), (10, None))
"""Start in days from now and length in hours, of each length class and across ends of months."""
_ACTIVE = ((-5, 20 * 24), (-40, None), (-2, 60 * 24))
_PAST = ((-60, 9), (-35, 8 * 24))


def _times(client: Client, shapes: tuple[tuple[int, int | None], ...]) -> dict[str, str | None]:
    days, hours = client.rng.choice(shapes)
    # Few different instants, so that many assignments change the same slots.
    start = client.world.now.replace(hour=6, minute=0, second=0, microsecond=0) + timedelta(
        days=days, hours=client.rng.choice((0, 2, 4))
    )
    end = None if hours is None else clock.to_text(start + timedelta(hours=hours))
    return {"startAt": clock.to_text(start), "endAt": end}


def create_assignment(client: Client) -> None:
    shapes = client.rng.choices((_SCHEDULED, _ACTIVE, _PAST), (6, 3, 1))[0]
    worker, own_worker = _choose(client, "worker")
    position, own_position = _choose(client, "position", isActive=True)
    if worker is None or position is None:
        (create_worker if worker is None else create_position)(client)
        return
    allowed = frozenset() if own_worker and own_position else _REFUSED_IN_COMMON
    body = {"workerId": worker, "positionId": position, **_times(client, shapes)}
    client.keep("assignment", client.write("createAssignment", ("assignment", None), body=body, allowed=allowed))


def _choose(client: Client, entity: str, **fields: Any) -> tuple[str | None, bool]:
    """Return an id, and True if the entity is the client's own."""
    if client.in_common(0.6):
        return client.rng.choice(client.world.commons[entity]), False
    data = client.pick(entity, **fields)
    return (None, True) if data is None else (data["id"], True)


def update_assignment(client: Client) -> None:
    if client.in_common(0.3):
        _on_common(client, "updateAssignment", body=_times(client, _SCHEDULED))
        return
    data = client.pick("assignment", status=client.rng.choice(("scheduled", "active")))
    if data is None:
        create_assignment(client)
        return
    allowed: frozenset[str] = frozenset()
    body: dict[str, Any] = _times(client, _SCHEDULED)
    if data["status"] == "active":
        body = {"endAt": clock.to_text(client.world.now + timedelta(days=client.rng.randint(2, 90)))}
    elif client.chance(0.4):
        position, is_own = _choose(client, "position", isActive=True)
        if position is not None:
            body["positionId"] = position
            allowed = frozenset() if is_own else _REFUSED_IN_COMMON
    about, path = ("assignment", data["id"]), {"id": data["id"]}
    options = {"path": path, "body": body, "allowed": allowed, **if_match(client, data)}
    client.keep("assignment", client.write("updateAssignment", about, **options))


def end_assignment(client: Client) -> None:
    """End an assignment now or in some days."""
    data = client.pick("assignment", status="active")
    if data is None:
        create_assignment(client)
        return
    body = {"endAt": clock.to_text(client.world.now + timedelta(days=3))} if client.chance(0.5) else {}
    about, path = ("assignment", data["id"]), {"id": data["id"]}
    if data.get("endedAt") is not None:
        client.is_refused("endAssignment", "VALIDATION_ERROR", path=path, body=body)
        return
    client.keep("assignment", client.write("endAssignment", about, path=path, body=body))


def cancel_assignment(client: Client) -> None:
    if client.in_common(0.2):
        _on_common(client, "cancelAssignment")
        return
    data = client.pick("assignment", status=client.rng.choice(("scheduled", "scheduled", "cancelled")))
    if data is None:
        create_assignment(client)
    elif data["status"] == "cancelled":
        client.is_refused("cancelAssignment", "VALIDATION_ERROR", path={"id": data["id"]})
    else:
        about, path = ("assignment", data["id"]), {"id": data["id"]}
        client.keep("assignment", client.write("cancelAssignment", about, path=path))


def delete_assignment(client: Client) -> None:
    data = client.pick("assignment")
    if data is None:
        create_assignment(client)
    elif client.write("deleteAssignment", ("assignment", data["id"]), path={"id": data["id"]}) is not None:
        client.drop("assignment", data["id"])


def _on_common(client: Client, action: str, **parts: Any) -> None:
    identifier = client.rng.choice(client.world.commons["assignment"])
    client.write(action, ("assignment", identifier), path={"id": identifier}, allowed=_REFUSED_IN_COMMON, **parts)
