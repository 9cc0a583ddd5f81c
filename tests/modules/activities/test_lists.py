"""The lists of activities: newest first, every one once, with the caller's read state."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.core import ids
from chalicelib.models.activities import feed
from chalicelib.models.users import Role
from tests.support.activity_helpers import listed, mark, record, walked
from tests.support.api import Api
from tests.support.factories import Member, Organization, new_organization

CLIENT = "019a51c2-7d3e-7f00-8a6b-4c5d6e7f8091"
RECORDED: list[dict[str, Any]] = [
    {"type": "SYSTEM_EVENT"},
    {"type": "DATA_CHANGE", "entityType": "client", "entityId": CLIENT},
    {"type": "DATA_CHANGE", "entityType": "worker", "entityId": CLIENT},
    {"type": "SYSTEM_EVENT", "entityType": "client", "entityId": CLIENT},
    {"type": "SYSTEM_EVENT"},
    {"type": "SYSTEM_EVENT", "entityType": "client", "entityId": CLIENT},
    {"type": "WORKFLOW_UPDATE", "entityType": "client", "entityId": f"{CLIENT}#1"},
    {"type": "SYSTEM_EVENT"},
]
BAD_TYPES = ["inv oice", "invoice#1", "Rechnüng", "i" * 51]
ARCHIVED = {1, 2, 5, 7}
READ = {0, 1}

LISTS: dict[str, tuple[str, dict[str, str], set[int]]] = {
    "all": ("getRecentActivities", {}, {*range(8)}),
    "of a type": ("getActivitiesByType", {"type": "SYSTEM_EVENT"}, {0, 3, 4, 5, 7}),
    "of an entity": ("getActivitiesByEntity", {"entityType": "client", "entityId": CLIENT}, {1, 3, 5}),
    "of an entity with another's id": ("getActivitiesByEntity", {"entityType": "worker", "entityId": CLIENT}, {2}),
    "of no entity": ("getActivitiesByEntity", {"entityType": "kpi", "entityId": "no such"}, set()),
    "of an unknown kind": ("getActivitiesByEntity", {"entityType": "x:in-voice_2.0", "entityId": CLIENT}, set()),
    "of a kind in other letters": ("getActivitiesByEntity", {"entityType": "CLIENT", "entityId": CLIENT}, set()),
    "of an entity outside": ("getActivitiesByEntity", {"entityType": "client", "entityId": f"{CLIENT}#1"}, {6}),
}


@pytest.fixture(scope="module")
def house(api: Api) -> Organization:
    """Activities 0 to 7, some of which the OWNER has archived and read; the ADMIN has archived another."""
    organization = new_organization(api)
    recorded = [record(organization.owner, str(number), **fields)["id"] for number, fields in enumerate(RECORDED)]
    for number in ARCHIVED:
        mark(organization.owner, "archiveActivity", recorded[number])
    for number in READ:
        mark(organization.owner, "markActivityAsRead", recorded[number])
    mark(organization.member(Role.ADMIN), "archiveActivity", recorded[4])
    record(new_organization(api).owner, "another organization's", **RECORDED[1])
    return organization


def _numbers(activities: list[dict[str, Any]]) -> list[int]:
    return [int(activity["title"]) for activity in activities]


def _newest_first(numbers: set[int]) -> list[int]:
    return sorted(numbers, reverse=True)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("which", LISTS)
def test_a_walk_yields_every_activity_once_newest_first(house: Organization, which: str, limit: int) -> None:
    action, path, expected = LISTS[which]
    pages = {"limit": str(limit)}

    by_default = walked(house.owner, action, path=path, query=pages)
    archived = walked(house.owner, action, path=path, query={**pages, "archived": "true"})
    unarchived = walked(house.owner, action, path=path, query={**pages, "archived": "false"})

    assert _numbers(by_default) == _newest_first(expected - ARCHIVED)
    assert _numbers(archived) == _newest_first(expected & ARCHIVED)
    assert unarchived == by_default


def test_each_shows_what_the_caller_has_read_and_archived(house: Organization) -> None:
    activities = [*walked(house.owner), *walked(house.owner, query={"archived": "true"})]
    assert {int(activity["title"]) for activity in activities if activity["isRead"]} == READ
    assert {int(activity["title"]) for activity in activities if activity["isArchived"]} == ARCHIVED


def test_to_others_it_is_their_own(house: Organization) -> None:
    admin = house.member(Role.ADMIN)
    assert _numbers(walked(admin)) == [7, 6, 5, 3, 2, 1, 0]
    assert _numbers(walked(admin, query={"archived": "true"})) == [4]
    assert _numbers(walked(house.member(Role.COORDINATOR))) == [7, 6, 5, 4, 3, 2, 1, 0]


def test_a_page_that_archived_ones_have_left_short_is_filled(house: Organization) -> None:
    assert _numbers(listed(house.owner, query={"limit": "3"})) == [6, 4, 3]
    by_entity = listed(
        house.owner, "getActivitiesByEntity", path=LISTS["of an entity"][1], query={"limit": "1", "archived": "true"}
    )
    assert _numbers(by_entity) == [5]


def test_a_page_is_filled_within_bounds(house: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page ends early for a user who has archived a whole year."""
    monkeypatch.setattr(feed, "_WALKS_A_PAGE", 1)
    answer = house.owner.call("getRecentActivities", query={"limit": 1})
    assert answer.data["items"] == []
    assert answer.data["nextCursor"] is not None
    assert _numbers(walked(house.owner, query={"limit": "1"})) == _newest_first({*range(8)} - ARCHIVED)


def test_twenty_are_a_page(api: Api) -> None:
    owner = new_organization(api).owner
    for number in range(21):
        record(owner, str(number))
    assert _numbers(listed(owner)) == [*range(20, 0, -1)]


@pytest.mark.parametrize("archived", ["true", "false"])
@pytest.mark.parametrize("which", ["all", "of a type", "of an entity"])
def test_a_list_costs_a_query_and_a_batch_read(house: Organization, which: str, archived: str) -> None:
    action, path, _ = LISTS[which]
    answer = house.owner.call(action, path=path, query={"archived": archived})
    assert answer.recording.operations == ["BatchGetItem", "Query", "BatchGetItem"]


# -- invalid input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "path", "query", "field"),
    [
        ("getRecentActivities", {}, {"archived": "maybe"}, "archived"),
        ("getRecentActivities", {}, {"limit": 0}, "limit"),
        ("getRecentActivities", {}, {"limit": 101}, "limit"),
        ("getRecentActivities", {}, {"cursor": "made-up"}, "cursor"),
        ("getRecentActivities", {}, {"type": "DATA_CHANGE"}, "type"),
        ("getActivitiesByType", {"type": "RUMOUR"}, {}, "type"),
        *(("getActivitiesByEntity", {"entityType": kind, "entityId": "1"}, {}, "entityType") for kind in BAD_TYPES),
        ("getActivitiesByEntity", {"entityType": "client", "entityId": "i" * 256}, {}, "entityId"),
    ],
)
def test_a_fault_is_named(
    house: Organization, action: str, path: dict[str, str], query: dict[str, Any], field: str
) -> None:
    answer = house.owner.call(action, path=path, query=query)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert [*answer.error["details"]["fieldErrors"]] == [field]


def _cursor(member: Member, action: str, path: dict[str, str], **query: str) -> str:
    cursor: str = member.call(action, path=path, query={"limit": 1, **query}).data["nextCursor"]
    return cursor


def test_a_cursor_serves_the_list_it_was_made_for(house: Organization, api: Api) -> None:
    cursor = _cursor(house.owner, *LISTS["all"][:2])
    others = [
        (house.owner, *LISTS["of a type"][:2], {}),
        (house.owner, *LISTS["of an entity"][:2], {}),
        (house.owner, *LISTS["all"][:2], {"archived": "true"}),
        (new_organization(api).owner, *LISTS["all"][:2], {}),
    ]
    for member, action, path, query in others:
        answer = member.call(action, path=path, query={"cursor": cursor, **query})
        assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("action", ["markActivityAsRead", "archiveActivity", "unarchiveActivity"])
def test_what_does_not_exist_is_not_marked(house: Organization, api: Api, action: str) -> None:
    foreign = record(new_organization(api).owner)["id"]
    for identifier in (foreign, ids.new_id()):
        answer = house.owner.call(action, path={"id": identifier})
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
