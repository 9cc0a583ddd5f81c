"""getWorkLocations: filtered by client, searched, sorted; every row with its client."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.core import ids
from tests.support.api import Api
from tests.support.factories import Member, new_organization
from tests.support.staffing import names, new_client, new_location

BY_AGE = ["Zollhaus", "alter Speicher", "Lager 10", "Ärztehaus"]
BY_NAME = ["alter Speicher", "Ärztehaus", "Lager 10", "Zollhaus"]


@pytest.fixture(scope="module")
def clients() -> dict[str, str]:
    """Ids by name, filled by `owner`."""
    return {}


@pytest.fixture(scope="module")
def owner(api: Api, clients: dict[str, str]) -> Member:
    """An organization with four live work locations of two clients, one deleted, and a client that has none."""
    member = new_organization(api).owner
    clients.update({name: new_client(member, name=name)["id"] for name in ("North", "South", "Empty")})
    new_location(member, clients["North"], name="Zollhaus", address="Kai 1")
    new_location(member, clients["South"], name="alter Speicher", email="Tor@speicher.example")
    new_location(member, clients["North"], name="Lager 10", phone="(040) 99-10")
    new_location(member, clients["South"], name="Ärztehaus")
    gone = new_location(member, clients["South"], name="Gone")["id"]
    assert member.call("deleteWorkLocation", path={"id": gone}).status == 200
    return member


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, BY_NAME),
        ({"sortOrder": "desc"}, BY_NAME[::-1]),
        ({"sortBy": "createdAt"}, BY_AGE),
        ({"limit": 10}, BY_AGE),
        ({"search": "ARZTEHAUS"}, ["Ärztehaus"]),
        ({"search": "kai"}, ["Zollhaus"]),
        ({"search": "speicher.example"}, ["alter Speicher"]),
        ({"search": "99-1"}, ["Lager 10"]),
        ({"search": "North"}, []),
        ({"pageSize": 3, "page": 2}, ["Zollhaus"]),
    ],
)
def test_searched_sorted_and_cut_into_pages(owner: Member, query: dict[str, Any], expected: list[str]) -> None:
    assert names(owner, "getWorkLocations", **query) == expected


@pytest.mark.parametrize("how", [{}, {"limit": 10}])
@pytest.mark.parametrize(
    ("client", "expected"), [("North", {"Lager 10", "Zollhaus"}), ("South", {"alter Speicher", "Ärztehaus"})]
)
def test_of_one_client(
    owner: Member, clients: dict[str, str], how: dict[str, int], client: str, expected: set[str]
) -> None:
    listed = names(owner, "getWorkLocations", clientId=clients[client], **how)
    assert set(listed) == expected
    assert len(listed) == len(expected)


def test_a_client_without_any_and_one_that_is_none(owner: Member, clients: dict[str, str]) -> None:
    for client in (clients["Empty"], ids.new_id()):
        assert names(owner, "getWorkLocations", clientId=client) == []


def test_totals_follow_the_filter(owner: Member, clients: dict[str, str]) -> None:
    query = {"clientId": clients["North"], "search": "l", "pageSize": 1}
    assert owner.call("getWorkLocations", query=query).data["pagination"]["totalItems"] == 2


@pytest.mark.parametrize("how", [{}, {"limit": 10}])
def test_every_row_shows_its_client_at_one_read_for_all(
    owner: Member, clients: dict[str, str], how: dict[str, int]
) -> None:
    answer = owner.call("getWorkLocations", query=how)
    known = {identifier: name for name, identifier in clients.items()}
    rows = answer.data["data" if not how else "items"]
    assert [row["client"] for row in rows] == [{"id": row["clientId"], "name": known[row["clientId"]]} for row in rows]
    assert answer.round_trips == 3


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"clientId": "x"}, "clientId"),
        ({"sortBy": "address"}, "sortBy"),
        ({"includeDeleted": "true"}, "includeDeleted"),
        ({"page": 1, "limit": 5}, "query"),
    ],
)
def test_queries_are_checked(owner: Member, query: dict[str, Any], field: str) -> None:
    answer = owner.call("getWorkLocations", query=query)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert list(answer.error["details"]["fieldErrors"]) == [field]


def test_a_cursor_serves_only_the_client_it_was_made_for(owner: Member, clients: dict[str, str]) -> None:
    cursor = owner.call("getWorkLocations", query={"limit": 1, "clientId": clients["North"]}).data["nextCursor"]
    assert names(owner, "getWorkLocations", clientId=clients["North"], cursor=cursor) == ["Lager 10"]
    answer = owner.call("getWorkLocations", query={"clientId": clients["South"], "cursor": cursor})
    assert list(answer.error["details"]["fieldErrors"]) == ["cursor"]
