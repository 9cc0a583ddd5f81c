"""Workers, one by one and imported, and the rates of workers and positions."""

from __future__ import annotations

from typing import Any

from tests.prove.client import Client
from tests.prove.operations.staffing import GONE, create_position, delete_common, if_match, is_live

COMMON_PHONES = tuple(f"+49 40 555{number:04}" for number in range(6))
_RATE_DAYS = ("2025-01-01", "2026-01-01", "2026-06-01", "2026-11-15", "2027-01-01")
_IMPORTED_ROWS = (31, 45)
"""Range of rows of an import, more than one chunk."""


def _phone(client: Client) -> str:
    return f"+49 30 {client.name[1:]}{client.requests:04}{client.rng.randrange(10_000):04}"


def create_worker(client: Client) -> None:
    allowed: frozenset[str] = frozenset()
    phone = _phone(client)
    if client.in_common(0.3):
        phone, allowed = client.rng.choice(COMMON_PHONES), frozenset({"DUPLICATE_ENTRY"})
    body = {"firstName": "Mehmet", "lastName": client.unique("Worker"), "phone": phone}
    client.keep("worker", client.write("createWorker", ("worker", None), body=body, allowed=allowed))


def update_worker(client: Client) -> None:
    body = {"lastName": client.unique("Renamed")}
    if client.in_common():
        identifier = client.rng.choice(client.world.commons["worker"])
        if client.chance(0.3):
            body = {"phone": client.rng.choice(COMMON_PHONES)}
        allowed = GONE | {"DUPLICATE_ENTRY"}
        client.write("updateWorker", ("worker", identifier), path={"id": identifier}, body=body, allowed=allowed)
        return
    data = client.pick("worker")
    if data is None:
        create_worker(client)
        return
    if client.chance(0.4):
        body["phone"] = _phone(client)
    about = ("worker", data["id"])
    client.keep(
        "worker", client.write("updateWorker", about, path={"id": data["id"]}, body=body, **if_match(client, data))
    )


def delete_worker(client: Client) -> None:
    if delete_common(client, "deleteWorker", "worker"):
        return
    data = client.pick("worker")
    if data is None:
        create_worker(client)
    elif any(is_live(assignment) for assignment in client.mine("assignment", workerId=data["id"])):
        client.is_refused("deleteWorker", "HAS_DEPENDENCIES", path={"id": data["id"]})
    else:
        client.keep("worker", client.write("deleteWorker", ("worker", data["id"]), path={"id": data["id"]}))


def import_workers(client: Client) -> None:
    """Import workers in several chunks, with a taken phone number and an invalid row."""
    rows: list[dict[str, Any]] = [
        {"firstName": "Ida", "lastName": client.unique("Imported"), "phone": _phone(client)}
        for _ in range(client.rng.randint(*_IMPORTED_ROWS))
    ]
    known = client.mine("worker")
    expected = {"created": len({row["phone"] for row in rows}), "errors": 1}
    if known:
        rows.insert(7, {"firstName": "Ida", "lastName": "Taken", "phone": known[0]["phone"]})
    rows.insert(3, {"firstName": "Ida", "lastName": "Nobody", "phone": "none"})
    about = ("organization", client.account.organization)
    data = client.write("importWorkers", about, body={"rows": rows, "dryRun": False})
    if data is not None and any(data[name] != count for name, count in expected.items()):
        client.world.report("import", f"{client.name} expected {expected} of an import, which answered {data}")


# -- rates -----------------------------------------------------------------------------------------------------------


def set_rate(client: Client) -> None:
    target = _target(client)
    if target is None:
        create_position(client)
        return
    entity, identifier, day, allowed = target
    body = {"amount": client.rng.randint(1000, 9000), "currency": "EUR"}
    path = {"id": identifier, "effectiveFrom": day}
    if client.write(f"set{entity.title()}Rate", (entity, identifier), path=path, body=body, allowed=allowed):
        _increase_version(client, entity, identifier)


def delete_rate(client: Client) -> None:
    """Delete a rate that this client has set; on other days the request must be refused."""
    target = _target(client)
    if target is None:
        create_position(client)
        return
    entity, identifier, day, allowed = target
    action, path = f"delete{entity.title()}Rate", {"id": identifier, "effectiveFrom": day}
    if (entity, identifier, day) in rates(client):
        if client.write(action, (entity, identifier), path=path, allowed=allowed):
            _increase_version(client, entity, identifier)
    else:
        client.is_refused(action, "NOT_FOUND", path=path)


def rates(client: Client) -> dict[tuple[str, str, str], int]:
    """Return the rates that a client has set and not deleted since, by entity and day."""
    amounts: dict[tuple[str, str, str], int] = {}
    for request in client.world.history.done():
        action = request.call.action
        if request.client != client.name or not action.endswith("Rate"):
            continue
        key = (request.effects[0].entity, request.call.path["id"], request.call.path["effectiveFrom"])
        if action.startswith("set"):
            amounts[key] = request.call.body["amount"]
        else:
            amounts.pop(key, None)
    return amounts


def _target(client: Client) -> tuple[str, str, str, frozenset[str]] | None:
    """Choose an entity and a day. Each client has its own days of common entities, so that it knows their rates."""
    entity = client.rng.choice(("position", "worker"))
    if client.in_common():
        day = f"2026-02-{int(client.name[1:]):02}"
        return entity, client.rng.choice(client.world.commons[entity]), day, GONE
    data = client.pick(entity)
    return None if data is None else (entity, data["id"], client.rng.choice(_RATE_DAYS), frozenset())


def _increase_version(client: Client, entity: str, identifier: str) -> None:
    """Increase the known version of an entity, as its rate was changed."""
    for data in client.mine(entity, id=identifier):
        data["version"] += 1
