"""getPositions: filtered by work location, client and whether active; every row with its parents."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.factories import Member, new_organization
from tests.support.staffing import names, new_client, new_location, new_position

BY_AGE = ["Staplerfahrer", "küchenhilfe", "Barkeeper", "Übersetzer"]
BY_NAME = ["Barkeeper", "küchenhilfe", "Staplerfahrer", "Übersetzer"]


@pytest.fixture(scope="module")
def known() -> dict[str, dict[str, Any]]:
    """Clients and work locations by name, filled by `owner`."""
    return {}


@pytest.fixture(scope="module")
def owner(api: Api, known: dict[str, dict[str, Any]]) -> Member:
    """An organization with positions at three work locations of two clients; one is deleted, two are not active."""
    member = new_organization(api).owner
    for client in ("North", "South"):
        known[client] = new_client(member, name=client)
    for location, client in (("Dock", "North"), ("Hall", "North"), ("Bar", "South")):
        known[location] = new_location(member, known[client]["id"], name=location)
    for name, location, active in (
        ("Staplerfahrer", "Dock", True),
        ("küchenhilfe", "Bar", False),
        ("Barkeeper", "Bar", True),
        ("Übersetzer", "Hall", False),
        ("Gone", "Dock", True),
    ):
        position = new_position(member, known[location]["id"], name=name, isActive=active)
    assert member.call("deletePosition", path={"id": position["id"]}).status == 200
    return member


def _found(owner: Member, known: dict[str, dict[str, Any]], query: dict[str, Any]) -> list[str]:
    """`query` with names in place of ids."""
    given = {name: known[value]["id"] if name.endswith("Id") else value for name, value in query.items()}
    return names(owner, "getPositions", **given)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, BY_NAME),
        ({"sortOrder": "desc"}, BY_NAME[::-1]),
        ({"sortBy": "createdAt"}, BY_AGE),
        ({"limit": 10}, BY_AGE),
        ({"search": "KUCHEN"}, ["küchenhilfe"]),
        ({"search": "Bark"}, ["Barkeeper"]),
        ({"search": "bar"}, ["Barkeeper", "küchenhilfe"]),  # and all in the location Bar
        ({"search": "NORTH"}, ["Staplerfahrer", "Übersetzer"]),
        ({"search": "north", "isActive": "false"}, ["Übersetzer"]),
        ({"search": "dock"}, ["Staplerfahrer"]),
        ({"pageSize": 1, "page": 4}, ["Übersetzer"]),
        ({"workLocationId": "Dock"}, ["Staplerfahrer"]),
        ({"workLocationId": "Bar", "isActive": "true"}, ["Barkeeper"]),
        ({"clientId": "North"}, ["Staplerfahrer", "Übersetzer"]),
        ({"clientId": "South", "isActive": "false"}, ["küchenhilfe"]),
        ({"clientId": "South", "workLocationId": "Dock"}, []),
        ({"isActive": "false"}, ["küchenhilfe", "Übersetzer"]),
        ({"isActive": "true", "search": "e", "sortOrder": "desc"}, ["Staplerfahrer", "Barkeeper"]),
        ({"limit": 10, "isActive": "false"}, ["küchenhilfe", "Übersetzer"]),
        ({"limit": 10, "clientId": "North", "sortOrder": "desc"}, ["Übersetzer", "Staplerfahrer"]),
        ({"limit": 10, "workLocationId": "Bar"}, ["küchenhilfe", "Barkeeper"]),
    ],
)
def test_filtered_searched_sorted_and_cut_into_pages(
    owner: Member, known: dict[str, dict[str, Any]], query: dict[str, Any], expected: list[str]
) -> None:
    assert _found(owner, known, query) == expected


@pytest.mark.parametrize("how", [{}, {"limit": 10}])
def test_every_row_shows_its_parents_at_one_read_for_all(
    owner: Member, known: dict[str, dict[str, Any]], how: dict[str, int]
) -> None:
    answer = owner.call("getPositions", query=how)
    by_id = {value["id"]: value for value in known.values()}
    for row in answer.data["items" if how else "data"]:
        location, client = by_id[row["workLocationId"]], by_id[row["clientId"]]
        shown_client = {"id": client["id"], "name": client["name"]}
        assert row["workLocation"] == {"id": location["id"], "name": location["name"], "client": shown_client}
        assert not {"rates", "workload"} & set(row)
    assert answer.round_trips == 3


def test_a_position_that_changes_moves_between_filters(api: Api) -> None:
    member = new_organization(api).owner
    position = new_position(member, name="Picker")["id"]
    member.call("updatePosition", path={"id": position}, body={"isActive": False, "name": "Packer"})
    assert names(member, "getPositions", isActive="true") == []
    assert names(member, "getPositions", isActive="false", search="pack") == ["Packer"]
    assert names(member, "getPositions", limit=5, isActive="true") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"workLocationId": "x"}, "workLocationId"),
        ({"clientId": ""}, "clientId"),
        ({"isActive": "yes"}, "isActive"),
        ({"sortBy": "headcount"}, "sortBy"),
        ({"includeDeleted": "true"}, "includeDeleted"),
    ],
)
def test_queries_are_checked(owner: Member, query: dict[str, Any], field: str) -> None:
    answer = owner.call("getPositions", query=query)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert list(answer.error["details"]["fieldErrors"]) == [field]
