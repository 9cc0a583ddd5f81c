"""Clients, work locations and positions."""

from __future__ import annotations

from typing import Any

from tests.prove.client import Client

COMMON_NAMES = ("Hansekontor", "Nordwerk", "Alster Logistik", "Elbtor", "Speicherstadt", "Michel Catering")
GONE = frozenset({"NOT_FOUND"})


def if_match(client: Client, data: dict[str, Any]) -> dict[str, Any]:
    """Sometimes send the known version: a repetition must not be refused because of its own first attempt."""
    return {"headers": {"If-Match": f'"{data["version"]}"'}} if client.chance(0.25) else {}


# -- clients ---------------------------------------------------------------------------------------------------------


def create_client(client: Client) -> None:
    if client.in_common(0.3):
        name = client.rng.choice(COMMON_NAMES)
        allowed = frozenset({"DUPLICATE_ENTRY"})
    else:
        name, allowed = client.unique("Client"), frozenset()
    client.keep("client", client.write("createClient", ("client", None), body={"name": name}, allowed=allowed))


def update_client(client: Client) -> None:
    body = {"address": client.unique("Quay")}
    if client.in_common():
        identifier = client.rng.choice(client.world.commons["client"])
        if client.chance(0.3):
            body = {"name": client.rng.choice(COMMON_NAMES)}
        allowed = GONE | {"DUPLICATE_ENTRY"}
        client.write("updateClient", ("client", identifier), path={"id": identifier}, body=body, allowed=allowed)
        return
    data = client.pick("client")
    if data is None:
        create_client(client)
        return
    if client.chance(0.4):
        body["name"] = client.unique("Renamed")
    about = ("client", data["id"])
    client.keep(
        "client", client.write("updateClient", about, path={"id": data["id"]}, body=body, **if_match(client, data))
    )


def delete_client(client: Client) -> None:
    if not delete_common(client, "deleteClient", "client"):
        _delete(client, "deleteClient", "client", "workLocation", "clientId", create_client)


def delete_common(client: Client, action: str, entity: str) -> bool:
    """Sometimes try to delete a common entity; return True if it was tried."""
    if not client.in_common(0.2):
        return False
    identifier = client.rng.choice(client.world.commons[entity])
    allowed = GONE | {"HAS_DEPENDENCIES"}
    client.write(action, (entity, identifier), path={"id": identifier}, allowed=allowed)
    return True


def _delete(client: Client, action: str, entity: str, child: str, field: str, otherwise: Any) -> None:
    """Delete an own entity. It is refused exactly while it has live children, which only this client changes."""
    data = client.pick(entity)
    if data is None:
        otherwise(client)
    elif client.mine(child, **{field: data["id"]}):
        client.is_refused(action, "HAS_DEPENDENCIES", path={"id": data["id"]})
    else:
        client.keep(entity, client.write(action, (entity, data["id"]), path={"id": data["id"]}))


# -- work locations --------------------------------------------------------------------------------------------------


def create_work_location(client: Client) -> None:
    body = {"name": client.unique("Location"), "timezone": client.rng.choice(("Europe/Berlin", "UTC", "Asia/Tokyo"))}
    if client.in_common():
        body["clientId"] = client.rng.choice(client.world.commons["client"])
        allowed = GONE
    else:
        parent = client.pick("client")
        if parent is None:
            create_client(client)
            return
        body["clientId"], allowed = parent["id"], frozenset()
    data = client.write("createWorkLocation", ("workLocation", None), body=body, allowed=allowed)
    client.keep("workLocation", data)


def update_work_location(client: Client) -> None:
    body = {"address": client.unique("Gate")}
    if client.in_common():
        identifier = client.rng.choice(client.world.commons["workLocation"])
        about = ("workLocation", identifier)
        client.write("updateWorkLocation", about, path={"id": identifier}, body=body, allowed=GONE)
        return
    data = client.pick("workLocation")
    if data is None:
        create_work_location(client)
        return
    about = ("workLocation", data["id"])
    options = {"path": {"id": data["id"]}, "body": body, **if_match(client, data)}
    client.keep("workLocation", client.write("updateWorkLocation", about, **options))


def delete_work_location(client: Client) -> None:
    if not delete_common(client, "deleteWorkLocation", "workLocation"):
        _delete(client, "deleteWorkLocation", "workLocation", "position", "workLocationId", create_work_location)


# -- positions -------------------------------------------------------------------------------------------------------


def create_position(client: Client) -> None:
    body: dict[str, Any] = {"name": client.unique("Position"), "headcount": client.rng.randint(1, 5)}
    if client.in_common():
        body["workLocationId"] = client.rng.choice(client.world.commons["workLocation"])
        allowed = GONE
    else:
        parent = client.pick("workLocation")
        if parent is None:
            create_work_location(client)
            return
        body["workLocationId"], allowed = parent["id"], frozenset()
    client.keep("position", client.write("createPosition", ("position", None), body=body, allowed=allowed))


def update_position(client: Client) -> None:
    body: dict[str, Any] = {"headcount": client.rng.randint(1, 9)}
    if client.in_common():
        identifier = client.rng.choice(client.world.commons["position"])
        if client.chance(0.2):
            body["isActive"] = client.chance(0.7)
        about = ("position", identifier)
        client.write("updatePosition", about, path={"id": identifier}, body=body, allowed=GONE)
        return
    data = client.pick("position")
    if data is None:
        create_position(client)
        return
    if client.chance(0.3):
        body["isActive"] = not data["isActive"]
    about = ("position", data["id"])
    options = {"path": {"id": data["id"]}, "body": body, **if_match(client, data)}
    client.keep("position", client.write("updatePosition", about, **options))


def delete_position(client: Client) -> None:
    """Delete a position. An own one must be refused while it has live assignments."""
    if delete_common(client, "deletePosition", "position"):
        return
    data = client.pick("position")
    if data is None:
        create_position(client)
    elif any(is_live(assignment) for assignment in client.mine("assignment", positionId=data["id"])):
        client.is_refused("deletePosition", "HAS_DEPENDENCIES", path={"id": data["id"]})
    else:
        client.keep("position", client.write("deletePosition", ("position", data["id"]), path={"id": data["id"]}))


def is_live(assignment: dict[str, Any]) -> bool:
    """Return True if it was active or scheduled in the last answer; that does not change during a run."""
    return assignment["status"] in {"active", "scheduled"}
