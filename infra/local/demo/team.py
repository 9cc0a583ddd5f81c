"""The demo organization itself and its members."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.local.demo.api import Api, DemoFailed, Refused

ORGANIZATION = "Demo Staffing GmbH"
PASSWORD = "lantern-orchard-42"  # noqa: S105  public: valid in local demos only

LatestCode = Callable[[str], str | None]
"""Return the last code mailed to an address."""

_SETTINGS = {"timezone": "Europe/Berlin", "currency": "EUR", "region": "DE"}
# The stream may first have to process the records of an earlier run.
_MAIL_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Person:
    first_name: str
    last_name: str
    role: str
    name: str
    status: str = "ACTIVE"

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
    """Sign the owner in, or up; return the token."""
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


def seed_settings(owner: Api) -> None:
    """Set region, time zone and currency of a new organization; an existing one keeps its settings."""
    if owner.get("/organization")["region"] is None:
        owner.patch("/organization", **_SETTINGS)


def confirm_address(user: Api, latest_code: LatestCode) -> None:
    """Confirm the address of a user who has signed up, unless that was done. Raises DemoFailed if no mail arrives."""
    me = user.get("/auth/me")
    if me["emailConfirmed"]:
        return
    email = me["user"]["email"]
    if latest_code(email) is None:
        try:
            # The mail of an earlier run is not in this run's mailbox.
            user.post("/auth/email/resend")
        except Refused as refusal:
            # It is on its way, or came minutes ago.
            if refusal.code != "RATE_LIMITED":
                raise
    user.post("/auth/email/confirm", code=await_code(email, latest_code))


def seed_members(api: Api, owner: Api, latest_code: LatestCode) -> None:
    """Invite, accept and deactivate the members as in TEAM. Raises DemoFailed if a mail does not arrive."""
    mailed = invite_members(owner)
    accept_invitations(api, owner, latest_code, mailed)
    users = users_by_email(owner)
    for person in TEAM:
        if person.status == "DEACTIVATED" and users[person.email]["isActive"]:
            owner.post(f"/users/{users[person.email]['id']}/deactivate")


def users_by_email(owner: Api) -> dict[str, Any]:
    return {user["email"]: user for user in owner.all("/users")}


def invite_members(owner: Api) -> set[str]:
    """Mail an invitation to each pending member into this run's empty mailbox; return the addresses."""
    users = users_by_email(owner)
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
            # A run some minutes ago mailed this invitation, and there is a limit on mails.
            if refusal.code != "RATE_LIMITED":
                raise
        else:
            mailed.add(person.email)
    return mailed


def accept_invitations(api: Api, owner: Api, latest_code: LatestCode, mailed: set[str]) -> None:
    users = users_by_email(owner)
    for person in TEAM:
        accepts = person.status != "INVITED"
        if users[person.email]["status"] == "INVITED" and (accepts or person.email in mailed):
            code = await_code(person.email, latest_code)
            if accepts:
                api.post("/auth/invitation/accept", email=person.email, code=code, password=PASSWORD)


def await_code(email: str, latest_code: LatestCode) -> str:
    deadline = time.monotonic() + _MAIL_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if code := latest_code(email):
            return code
        time.sleep(0.02)
    raise DemoFailed(f"no mail with a code for {email} within {_MAIL_TIMEOUT_SECONDS:.0f} s")
