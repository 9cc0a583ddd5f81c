"""getAuditLog: newest first, by every filter and their combinations."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.factories import PASSWORD, Member, Organization, address, new_organization

CLIENT_FIELDS = {"name", "email", "phone", "address", "deletedAt"}


@pytest.fixture(scope="module")
def house(api: Api) -> Organization:
    """Two actors, two clients, seven writes a minute apart."""
    organization = new_organization(api)
    owner, admin = organization.owner, organization.member(Role.ADMIN)
    clients: list[str] = []
    writes: list[tuple[Member, str, Any]] = [
        (owner, "createClient", {"name": "One"}),
        (admin, "createClient", {"name": "Two"}),
        (owner, "updateClient", {"phone": "123"}),
        (admin, "updateClient", {"phone": None, "address": "Kai 1"}),
        (owner, "updateOrganization", {"currency": "CHF"}),
        (admin, "updateProfile", {"firstName": "Ada"}),
        (owner, "deleteClient", None),
    ]
    for minute, (member, action, body) in enumerate(writes):
        path = {"id": clients[0]} if action in {"updateClient", "deleteClient"} else {}
        with clock.shifted(timedelta(minutes=minute)):
            answer = member.call(action, path=path, body=body)
        assert answer.status < 300, answer.text
        if action == "createClient":
            clients.append(answer.data["id"])
    return organization


def _entries(member: Member, **query: Any) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        data = member.call("getAuditLog", query={**query, **cursor}).data
        entries += data["items"]
        if data["nextCursor"] is None:
            return entries
        cursor = {"cursor": data["nextCursor"]}


def test_newest_first_with_all_that_is_to_know(house: Organization) -> None:
    entries = _entries(house.owner)
    assert [entry["action"] for entry in entries] == [
        "CLIENT_DELETED",
        "PROFILE_UPDATED",
        "ORGANIZATION_UPDATED",
        "CLIENT_UPDATED",
        "CLIENT_UPDATED",
        "CLIENT_CREATED",
        "CLIENT_CREATED",
    ]
    assert [entry["at"] for entry in entries] == sorted((entry["at"] for entry in entries), reverse=True)
    for entry in entries:
        assert set(entry) == {
            "id",
            "at",
            "actor",
            "action",
            "entityType",
            "entityId",
            "entityName",
            "userId",
            "requestId",
            "changes",
        }
        assert set(entry["actor"]) == {"id", "name", "email"}


def test_changes_are_the_fields_that_differ(house: Organization) -> None:
    deleted, _, organization, updated, first_update, _, created = _entries(house.owner)
    assert updated["changes"] == {
        "phone": {"before": "123", "after": None},
        "address": {"before": None, "after": "Kai 1"},
    }
    assert first_update["changes"] == {"phone": {"before": None, "after": "123"}}
    assert created["changes"] == {"name": {"before": None, "after": "One"}}
    assert set(deleted["changes"]) == {"deletedAt"}
    assert organization["changes"] == {"currency": {"before": "EUR", "after": "CHF"}}
    assert (organization["entityType"], organization["entityId"]) == ("organization", str(house.id))


def test_the_actor_and_the_request_are_named(house: Organization) -> None:
    admin = house.member(Role.ADMIN)
    answer = admin.call("createClient", body={"name": "Named"})
    entry = _entries(house.owner, entityType="client", entityId=answer.data["id"])[0]
    assert entry["requestId"] == answer.headers["X-Request-Id"]
    assert entry["actor"] == {"id": str(admin.user.id), "name": "Ada Admin", "email": admin.user.email}


def _filters(house: Organization) -> dict[str, dict[str, Any]]:
    entries = _entries(house.owner)
    return {
        "actorId": {"actorId": str(house.owner.user.id)},
        "action": {"action": "CLIENT_UPDATED"},
        "entity": {"entityType": "client", "entityId": entries[-1]["entityId"]},
        "entityType": {"entityType": "client"},
        "from": {"from": entries[-2]["at"]},
        "to": {"to": entries[1]["at"]},
    }


def _fits(entry: dict[str, Any], query: dict[str, Any]) -> bool:
    return (
        entry["actor"]["id"] == query.get("actorId", entry["actor"]["id"])
        and entry["action"] == query.get("action", entry["action"])
        and entry["entityType"] == query.get("entityType", entry["entityType"])
        and entry["entityId"] == query.get("entityId", entry["entityId"])
        and query.get("from", "") <= entry["at"] <= query.get("to", "~")
    )


@pytest.mark.parametrize(
    "names",
    [
        combination
        for size in (1, 2, 3, 5)
        for combination in itertools.combinations(("actorId", "action", "entity", "entityType", "from", "to"), size)
        if not {"entity", "entityType"} <= set(combination)
    ],
    ids="+".join,
)
@pytest.mark.parametrize("limit", [2])
def test_filters_combine(house: Organization, names: tuple[str, ...], limit: int) -> None:
    known = _filters(house)
    query = {name: value for one_name in names for name, value in known[one_name].items()}
    expected = [entry for entry in _entries(house.owner) if _fits(entry, query)]
    assert expected, "a filter that nothing passes shows nothing"
    assert _entries(house.owner, **query, limit=limit) == expected


def test_from_and_to_are_inclusive(house: Organization) -> None:
    at = _entries(house.owner)[3]["at"]
    assert [entry["at"] for entry in _entries(house.owner, **{"from": at, "to": at})] == [at]


def test_instants_may_have_any_offset(house: Organization) -> None:
    at = datetime.fromisoformat(_entries(house.owner)[3]["at"])
    there = at.astimezone(UTC).replace(tzinfo=None) + timedelta(hours=5, minutes=45)
    text = f"{there.isoformat(timespec='milliseconds')}+05:45"
    assert len(_entries(house.owner, **{"from": text, "to": text})) == 1


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, "INVALID_DATE_RANGE", "to"),
        ({"entityId": "x"}, "VALIDATION_ERROR", "query"),
        ({"action": "SOMETHING"}, "VALIDATION_ERROR", "action"),
        ({"entityType": "in voice"}, "VALIDATION_ERROR", "entityType"),
        ({"entityType": "i" * 51}, "VALIDATION_ERROR", "entityType"),
        ({"entityType": "client", "entityId": "i" * 256}, "VALIDATION_ERROR", "entityId"),
        ({"actorId": "me"}, "VALIDATION_ERROR", "actorId"),
        ({"from": "2026-03-01"}, "VALIDATION_ERROR", "from"),
        ({"from": "2026-03-01T00:00:00"}, "VALIDATION_ERROR", "from"),
        ({"to": "yesterday"}, "VALIDATION_ERROR", "to"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "VALIDATION_ERROR", "from"),
        ({"limit": 0}, "VALIDATION_ERROR", "limit"),
        ({"page": 1}, "VALIDATION_ERROR", "page"),
        ({"from_": "2026-03-01T00:00:00Z"}, "VALIDATION_ERROR", "from_"),
    ],
)
def test_filters_are_checked(house: Organization, query: dict[str, str], code: str, field: str) -> None:
    answer = house.owner.call("getAuditLog", query=query)
    assert (answer.status, answer.code) == (400, code)
    assert list(answer.error["details"]["fieldErrors"]) == [field]


@pytest.mark.parametrize(
    ("query", "is_everything"),
    [
        ({"from": "0001-01-02T00:00:00Z"}, True),
        ({"from": "1969-12-31T23:59:59.999Z", "to": "9999-12-31T23:59:59.999Z"}, True),
        ({"to": "1960-01-01T00:00:00Z"}, False),
        ({"from": "9999-12-31T23:59:59.999Z"}, False),
        ({"entityType": "kpi"}, False),
        ({"entityType": "crm:invoice_2.0"}, False),
        ({"entityType": "CLIENT", "entityId": "1"}, False),
        ({"entityType": "client", "entityId": "#LIVE"}, False),
    ],
)
def test_the_ends_of_time_and_what_nobody_did(
    house: Organization, query: dict[str, str], *, is_everything: bool
) -> None:
    assert (_entries(house.owner, **query) == _entries(house.owner)) is is_everything


@pytest.mark.parametrize("role", list(Role))
def test_admins_read_it(house: Organization, role: Role) -> None:
    allowed = role in {Role.OWNER, Role.ADMIN}
    assert house.member(role).call("getAuditLog").status == (200 if allowed else 403)


def test_another_organization_sees_nothing_of_it(api: Api, house: Organization) -> None:
    stranger = new_organization(api).owner
    assert _entries(stranger) == []
    for query in _filters(house).values():
        assert _entries(stranger, **query) == []


def test_a_walk_that_is_overtaken_by_new_entries_loses_none_of_the_old(house: Organization) -> None:
    before = [entry["id"] for entry in _entries(house.owner)]
    page = house.owner.call("getAuditLog", query={"limit": 2}).data
    seen = [entry["id"] for entry in page["items"]]
    while page["nextCursor"]:
        with clock.shifted(timedelta(hours=1)):
            house.owner.call("updateProfile", body={"firstName": "Busy"})
        page = house.owner.call("getAuditLog", query={"limit": 2, "cursor": page["nextCursor"]}).data
        seen += [entry["id"] for entry in page["items"]]
    assert seen == before


def test_nothing_secret_lies_in_it(api: Api) -> None:
    body = {
        "email": address(),
        "password": PASSWORD,
        "firstName": "A",
        "lastName": "B",
        "organizationName": "Secrets",
    }
    token = api.call("signUp", body=body).data["token"]
    api.call("updatePassword", token, body={"currentPassword": PASSWORD, "newPassword": "calm-lighthouse-7"})
    text = api.call("getAuditLog", token).text
    assert "PASSWORD_CHANGED" in text
    for word in (PASSWORD, "calm-lighthouse", token, "argon2", "tokenHash", "cursorSecret", "sessionEpoch"):
        assert word not in text
