"""The demo organization itself, and who is in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.local.demo.api import Api, DemoFailed, Refused

ORGANIZATION = "Demo Staffing GmbH"
PASSWORD = "lantern-orchard-42"  # noqa: S105  in every README: it opens nothing but local demos

LatestCode = Callable[[str], str | None]
"""Finds the last code mailed to an address."""

_SETTINGS = {"timezone": "Europe/Berlin", "currency": "EUR", "region": "DE"}
# Before it comes what the run before left to be carried on.
_MAIL_WITHIN_SECONDS = 30.0


@dataclass(frozen=True)
class Person:
    first_name: str
    last_name: str
    role: str
    name: str
    standing: str = "ACTIVE"

    @property
    def email(self) -> str:
        return f"{self.name}@demo.example"


OWNER = Person("Ottilie", "Brandt", "OWNER", "owner")
TEAM = (
    Person("Anton", "Keller", "ADMIN", "admin"),
    Person("Clara", "Vogel", "COORDINATOR", "coordinator"),
    Person("Mehmet", "Yıldız", "MEMBER", "member"),
    Person("Vera", "Lindqvist", "VIEWER", "viewer"),
    Person("Ines", "Haas", "COORDINATOR", "invited", "INVITED"),
    Person("Dieter", "Wolf", "MEMBER", "deactivated", "DEACTIVATED"),
)


def owner_token(api: Api) -> str:
    """Signs in, or up."""
    try:
        token: str = api.post("/auth/sign-in", email=OWNER.email, password=PASSWORD)["token"]
    except Refused as refusal:
        if refusal.code != "INVALID_CREDENTIALS":
            raise
        token = api.post(
            "/auth/sign-up",
            email=OWNER.email,
            password=PASSWORD,
            firstName=OWNER.first_name,
            lastName=OWNER.last_name,
            organizationName=ORGANIZATION,
        )["token"]
    return token


def settle(owner: Api) -> None:
    """A new organization has no region yet; what was chosen later is left as it is."""
    if owner.get("/organization")["region"] is None:
        owner.patch("/organization", **_SETTINGS)


def gather(api: Api, owner: Api, latest_code: LatestCode) -> None:
    """Everyone is invited, accepts and is deactivated as the list says. Raises DemoFailed when no mail comes."""
    mailed = _invite(owner)
    _accept(api, owner, latest_code, mailed)
    users = _users(owner)
    for person in TEAM:
        if person.standing == "DEACTIVATED" and users[person.email]["isActive"]:
            owner.post(f"/users/{users[person.email]['id']}/deactivate")


def _users(owner: Api) -> dict[str, Any]:
    return {user["email"]: user for user in owner.all("/users")}


def _invite(owner: Api) -> set[str]:
    """Mail whoever is not in yet into this run's mailbox, which starts empty; return the addresses mailed to."""
    users = _users(owner)
    mailed: set[str] = set()
    for person in TEAM:
        user = users.get(person.email)
        try:
            if user is None:
                names = {"firstName": person.first_name, "lastName": person.last_name}
                owner.post("/users", email=person.email, role=person.role, **names)
            elif user["status"] == "INVITED":
                owner.post(f"/users/{user['id']}/invitation")
            else:
                continue
        except Refused as refusal:
            # A run of minutes ago has mailed this invitation: it is not mailed again so soon.
            if refusal.code != "RATE_LIMITED":
                raise
        else:
            mailed.add(person.email)
    return mailed


def _accept(api: Api, owner: Api, latest_code: LatestCode, mailed: set[str]) -> None:
    users = _users(owner)
    for person in TEAM:
        is_to_accept = person.standing != "INVITED"
        if users[person.email]["status"] == "INVITED" and (is_to_accept or person.email in mailed):
            code = _wait_for(person.email, latest_code)
            if is_to_accept:
                api.post("/auth/invitation/accept", email=person.email, code=code, password=PASSWORD)


def _wait_for(email: str, latest_code: LatestCode) -> str:
    deadline = time.monotonic() + _MAIL_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if code := latest_code(email):
            return code
        time.sleep(0.02)
    raise DemoFailed(f"no mail with a code for {email} within {_MAIL_WITHIN_SECONDS:.0f} s")
