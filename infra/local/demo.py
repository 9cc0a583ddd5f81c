"""The demo organization, made through the product's own HTTP actions. Run again, it adds only what is missing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import urllib3

ORGANIZATION = "Demo Staffing GmbH"
PASSWORD = "lantern-orchard-42"  # noqa: S105  in every README: it opens nothing but local demos

_MAIL_WITHIN_SECONDS = 5.0


class DemoFailed(Exception):
    """The demo organization is not as described."""


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

_CLIENTS = (
    (
        "Alster Logistik GmbH",
        "disposition@alster-logistik.example",
        "+49 40 5550142",
        "Am Sandtorkai 37, 20457 Hamburg",
    ),
    ("Bergmann Catering", "kueche@bergmann-catering.example", "+49 89 5550177", "Lindwurmstraße 88, 80337 München"),
    ("Café Morgenrot", "hallo@morgenrot.example", "+49 30 5550119", "Kastanienallee 85, 10435 Berlin"),
    ("Donau Messebau AG", "projekte@donau-messebau.example", "+49 731 5550163", "Donaustraße 12, 89073 Ulm"),
    ("Elbe Facility Services", "leitstelle@elbe-fs.example", "+49 351 5550128", "Könneritzstraße 9, 01067 Dresden"),
    ("Frischemarkt Nord", "personal@frischemarkt-nord.example", "+49 431 5550181", "Holstenstraße 51, 24103 Kiel"),
    ("Gartenbau Petersen", "buero@gartenbau-petersen.example", "+49 461 5550134", "Norderstraße 22, 24939 Flensburg"),
    ("Hotel Rheinblick", "empfang@rheinblick.example", "+49 221 5550196", "Konrad-Adenauer-Ufer 3, 50668 Köln"),
    ("Isar Präzision GmbH", "werk@isar-praezision.example", "+49 8721 555015", "Industriestraße 4, 84130 Dingolfing"),
    ("Klinikum Taunus", "pflegedienst@klinikum-taunus.example", "+49 6172 555010", "Parkweg 1, 61350 Bad Homburg"),
    ("Lagerhaus Weser", "schicht@lagerhaus-weser.example", "+49 421 5550158", "Überseestadt 14, 28217 Bremen"),
    ("Nordwind Events", "crew@nordwind-events.example", "+49 381 5550147", "Warnowufer 30, 18057 Rostock"),
)


class Api:
    """The product's actions, called as any client calls them."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self._url = url
        self._token = token
        self._http = urllib3.PoolManager(timeout=30, retries=False)

    def with_token(self, token: str) -> Api:
        return Api(self._url, token)

    def post(self, path: str, **body: Any) -> Any:
        return self._answer("POST", path, json.dumps(body).encode())

    def get(self, path: str) -> Any:
        return self._answer("GET", path)

    def _answer(self, method: str, path: str, body: bytes | None = None) -> Any:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        answer = self._http.request(method, f"{self._url}{path}", body=body, headers=headers)
        envelope = answer.json()
        if not envelope["success"]:
            raise Refused(method, path, envelope["error"])
        return envelope["data"]


class Refused(DemoFailed):
    def __init__(self, method: str, path: str, error: dict[str, Any]) -> None:
        super().__init__(f"{method} {path} was refused: {error['code']}, {error['message']}")
        self.code = error["code"]


def seed(api: Api, latest_code: Callable[[str], str | None]) -> str:
    """A token of the owner. `latest_code` finds the last code mailed to an address. Raises DemoFailed."""
    token = _owner_token(api)
    owner = api.with_token(token)
    _invite(owner)
    _accept(api, owner, latest_code)
    for person in TEAM:
        user = _users(owner)[person.email] if person.standing == "DEACTIVATED" else None
        if user and user["isActive"]:
            owner.post(f"/users/{user['id']}/deactivate")
    known = {client["name"] for client in owner.get("/clients?pageSize=100")["data"]}
    for name, email, phone, address in _CLIENTS:
        if name not in known:
            owner.post("/clients", name=name, email=email, phone=phone, address=address)
    return token


def _owner_token(api: Api) -> str:
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


def _users(owner: Api) -> dict[str, Any]:
    return {user["email"]: user for user in owner.get("/users?pageSize=100")["data"]}


def _invite(owner: Api) -> None:
    """Whoever is not in yet gets a mail in this run's mailbox, which starts empty."""
    users = _users(owner)
    for person in TEAM:
        user = users.get(person.email)
        if user is None:
            names = {"firstName": person.first_name, "lastName": person.last_name}
            owner.post("/users", email=person.email, role=person.role, **names)
        elif user["status"] == "INVITED":
            owner.post(f"/users/{user['id']}/invitation")


def _accept(api: Api, owner: Api, latest_code: Callable[[str], str | None]) -> None:
    users = _users(owner)
    for person in TEAM:
        if users[person.email]["status"] == "INVITED":
            code = _wait_for(person.email, latest_code)
            if person.standing != "INVITED":
                api.post("/auth/invitation/accept", email=person.email, code=code, password=PASSWORD)


def _wait_for(email: str, latest_code: Callable[[str], str | None]) -> str:
    deadline = time.monotonic() + _MAIL_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if code := latest_code(email):
            return code
        time.sleep(0.02)
    raise DemoFailed(f"no mail with a code for {email} within {_MAIL_WITHIN_SECONDS:.0f} s")
