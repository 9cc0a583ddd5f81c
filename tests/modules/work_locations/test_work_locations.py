"""One work location: created at a live client, read with it, changed, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.core import ids
from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.client_hooks import overtaken
from tests.support.factories import Organization, new_organization
from tests.support.staffing import new_client, new_location, new_position

FULL = {
    "name": "Lager Süd",
    "address": "Hafenstraße 12\n20457 Hamburg",
    "email": "lager.sued@hansekontor.example",
    "phone": "+49 (40) 30-90",
    "timezone": "Europe/Lisbon",
}


# -- create and read -------------------------------------------------------------------------------------------------


def test_what_is_created_is_read_with_its_client(organization: Organization) -> None:
    client = new_client(organization.owner)
    created = new_location(organization.owner, client["id"], **FULL)
    assert {name: created[name] for name in FULL} == FULL
    assert (created["clientId"], created["version"], created["deletedAt"]) == (client["id"], 1, None)
    read = organization.owner.call_on("getWorkLocation", created["id"])
    assert read.data == {**created, "client": {"id": client["id"], "name": client["name"]}}


def test_only_client_and_name_are_needed(organization: Organization) -> None:
    created = new_location(organization.owner, name="  Just a name ")
    assert [created[name] for name in FULL] == ["Just a name", None, None, None, "UTC"]


def test_names_need_not_be_unique(organization: Organization) -> None:
    client = new_client(organization.owner)["id"]
    twins = [new_location(organization.owner, client, name="Lager") for _ in range(2)]
    assert len({twin["id"] for twin in twins}) == 2


@pytest.mark.parametrize("given", [{}, {"timezone": None}])
def test_the_time_zone_is_the_organizations_at_creation(organization: Organization, given: dict[str, None]) -> None:
    # Given a work location that names no zone
    organization.owner.call("updateOrganization", body={"timezone": "Europe/Berlin"})
    location = new_location(organization.owner, **given)
    assert location["timezone"] == "Europe/Berlin"
    # When the organization moves
    organization.owner.call("updateOrganization", body={"timezone": "Asia/Tokyo"})
    # Then the work location stays where it is
    assert organization.owner.call_on("getWorkLocation", location["id"]).data["timezone"] == "Europe/Berlin"


@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({}, ["clientId", "name"]),
        ({"clientId": "no id", "name": "X"}, ["clientId"]),
        ({"name": ""}, ["name"]),
        ({"name": "x" * 256}, ["name"]),
        ({"address": "x" * 501}, ["address"]),
        ({"address": ""}, ["address"]),
        ({"email": "nobody"}, ["email"]),
        ({"phone": "call me"}, ["phone"]),
        ({"timezone": "Europe/Atlantis"}, ["timezone"]),
        ({"timezone": "+02:00"}, ["timezone"]),
        ({"organizationId": "1", "version": 2}, ["organizationId", "version"]),
        ({"name": "", "email": "x", "phone": "x", "address": ""}, ["name", "email", "phone", "address"]),
    ],
)
def test_fields_are_checked_all_at_once(settled: Organization, fields: dict[str, Any], faulty: list[str]) -> None:
    valid = {"clientId": str(ids.new_id()), "name": "X"} if fields else {}
    answer = settled.owner.post("createWorkLocation", **{**valid, **fields})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert sorted(answer.error["details"]["fieldErrors"]) == sorted(faulty)


@pytest.mark.parametrize("which", ["absent", "deleted", "foreign"])
def test_a_client_that_is_not_live_is_not_found(api: Api, organization: Organization, which: str) -> None:
    client = {
        "absent": lambda: str(ids.new_id()),
        "deleted": lambda: new_client(organization.owner)["id"],
        "foreign": lambda: new_client(new_organization(api).owner)["id"],
    }[which]()
    if which == "deleted":
        organization.owner.call_on("deleteClient", client)
    answer = organization.owner.post("createWorkLocation", clientId=client, name="X")
    assert (answer.status, answer.code, answer.error["message"]) == (404, "NOT_FOUND", "no such client")
    assert organization.owner.call("getWorkLocations").data["data"] == []


@pytest.mark.parametrize("role", list(Role))
def test_everybody_reads_and_admins_write(organization: Organization, role: Role) -> None:
    member, location = organization.member(role), new_location(organization.owner)
    for action in ("getWorkLocation", "getWorkLocationWithPositions"):
        assert member.call(action, path={"id": location["id"]}).status == 200
    assert member.call("getWorkLocations").status == 200
    writes = [
        member.call("createWorkLocation", body={"clientId": location["clientId"], "name": "By role"}),
        member.call("updateWorkLocation", path={"id": location["id"]}, body={"name": "By role"}),
        member.call("deleteWorkLocation", path={"id": location["id"]}),
    ]
    allowed = role in {Role.OWNER, Role.ADMIN}
    assert [answer.status for answer in writes] == ([201, 200, 200] if allowed else [403, 403, 403])


def test_absent_deleted_and_foreign_are_one_answer(api: Api, organization: Organization) -> None:
    deleted, foreign = new_location(organization.owner)["id"], new_location(new_organization(api).owner)["id"]
    organization.owner.call_on("deleteWorkLocation", deleted)
    for action, body in [
        ("getWorkLocation", None),
        ("getWorkLocationWithPositions", None),
        ("updateWorkLocation", {"name": "X"}),
        ("deleteWorkLocation", None),
    ]:
        answers = [
            organization.owner.call_on(action, identifier, body=body) for identifier in (ids.new_id(), deleted, foreign)
        ]
        errors = [(answer.status, answer.code, answer.error["message"]) for answer in answers]
        assert errors == [(404, "NOT_FOUND", "no such work location")] * 3


# -- parents and children --------------------------------------------------------------------------------------------


def test_a_client_has_its_work_locations_and_no_others(organization: Organization) -> None:
    # Given a client with three work locations, one that is deleted, and another client's
    client, other = (new_client(organization.owner) for _ in range(2))
    new_location(organization.owner, other["id"])
    locations = [new_location(organization.owner, client["id"], name=name) for name in ("B", "A", "Gone", "C")]
    gone = locations.pop(2)
    organization.owner.call_on("deleteWorkLocation", gone["id"])
    # When the client is read with them
    answer = organization.owner.call_on("getClientWithLocations", client["id"])
    # Then it has the three, in the order of their creation
    assert answer.data == {**client, "workLocations": locations, "nextCursor": None}
    assert answer.round_trips == 3


def test_a_work_location_has_its_positions_and_no_others(organization: Organization) -> None:
    # Given a work location with two positions, one that is deleted, and another's
    location, _ = new_location(organization.owner), new_position(organization.owner)
    positions = [new_position(organization.owner, location["id"], name=name) for name in ("B", "A", "Gone")]
    gone = positions.pop()
    organization.owner.call_on("deletePosition", gone["id"])
    # When it is read with them
    shown = organization.owner.call_on("getWorkLocation", location["id"]).data
    answer = organization.owner.call_on("getWorkLocationWithPositions", location["id"])
    # Then it has the two
    assert answer.data == {**shown, "positions": positions, "nextCursor": None}
    assert answer.round_trips == 3


def test_a_renamed_client_is_shown_by_its_new_name_and_another_tag(organization: Organization) -> None:
    # Given the tag of a work location
    location = new_location(organization.owner)
    tag = organization.owner.call_on("getWorkLocation", location["id"]).headers["ETag"]
    # When its client is renamed
    organization.owner.call_on("updateClient", location["clientId"], body={"name": "Renamed"})
    # Then the tag is no longer its
    again = organization.owner.call_on("getWorkLocation", location["id"], headers={"If-None-Match": tag})
    assert (again.status, again.data["client"]["name"]) == (200, "Renamed")


# -- change ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [{"name": "Lager Nord"}, {"timezone": "Asia/Kathmandu", "phone": "112"}, {"address": None, "email": None}],
)
def test_what_is_named_changes_and_the_rest_stays(organization: Organization, change: dict[str, Any]) -> None:
    before = new_location(organization.owner, **FULL)
    after = organization.owner.call_on("updateWorkLocation", before["id"], body=change).data
    assert after == {**before, **change, "version": 2, "updatedAt": after["updatedAt"]}
    read = organization.owner.call_on("getWorkLocation", before["id"]).data
    assert {name: read[name] for name in after} == after


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"name": None}, "name"),
        ({"timezone": None}, "timezone"),
        ({"timezone": "Nowhere"}, "timezone"),
        ({"clientId": "019a51c2-7d3e-7f00-8a6b-4c5d6e7f8091"}, "clientId"),
        ({"deletedAt": None}, "deletedAt"),
    ],
)
def test_what_is_no_change(settled: Organization, body: Any, field: str) -> None:
    answer = settled.owner.call_on("updateWorkLocation", ids.new_id(), body=body)
    assert (answer.status, list(answer.error["details"]["fieldErrors"])) == (400, [field])


# -- delete ----------------------------------------------------------------------------------------------------------


def test_deleting_says_what_was_deleted_and_when(organization: Organization) -> None:
    before = new_location(organization.owner)
    after = organization.owner.call_on("deleteWorkLocation", before["id"]).data
    assert after == {**before, "version": 2, "updatedAt": after["updatedAt"], "deletedAt": after["deletedAt"]}
    assert after["deletedAt"] >= before["createdAt"]


def test_a_client_goes_once_its_work_locations_are_gone(organization: Organization) -> None:
    # Given a client with two work locations
    client = new_client(organization.owner)["id"]
    locations = [new_location(organization.owner, client)["id"] for _ in range(2)]
    # When it is deleted before them
    for left in (2, 1):
        answer = organization.owner.call_on("deleteClient", client)
        # Then it is refused, with the number of those that are left
        assert (answer.status, answer.code) == (409, "HAS_DEPENDENCIES")
        assert answer.error["details"] == {"dependencies": {"workLocation": left}}
        # And it goes after the last
        assert organization.owner.call_on("deleteWorkLocation", locations.pop()).status == 200
    assert organization.owner.call_on("deleteClient", client).status == 200


def test_a_work_location_goes_once_its_positions_are_gone(organization: Organization) -> None:
    # Given a work location with a position
    location = new_location(organization.owner)["id"]
    position = new_position(organization.owner, location)["id"]
    # When it is deleted first
    answer = organization.owner.call_on("deleteWorkLocation", location)
    # Then it is refused, and goes after its position
    assert (answer.status, answer.code) == (409, "HAS_DEPENDENCIES")
    assert answer.error["details"] == {"dependencies": {"position": 1}}
    assert organization.owner.call_on("deletePosition", position).status == 200
    assert organization.owner.call_on("deleteWorkLocation", location).status == 200


# -- at once ---------------------------------------------------------------------------------------------------------


def test_a_client_that_goes_meanwhile_takes_no_work_location(organization: Organization) -> None:
    client = new_client(organization.owner)["id"]
    with overtaken(lambda: organization.owner.call_on("deleteClient", client)) as overtaking:
        late = organization.owner.post("createWorkLocation", clientId=client, name="Late")
    assert (overtaking[0].status, late.status, late.code) == (200, 404, "NOT_FOUND")
    assert organization.owner.call("getWorkLocations", query={"limit": 10}).data["items"] == []


def test_a_client_that_gets_a_work_location_meanwhile_stays(organization: Organization) -> None:
    client = new_client(organization.owner)["id"]
    with overtaken(lambda: organization.owner.post("createWorkLocation", clientId=client, name="Early")) as overtaking:
        late = organization.owner.call_on("deleteClient", client)
    assert (overtaking[0].status, late.status, late.code) == (201, 409, "HAS_DEPENDENCIES")
    assert late.error["details"] == {"dependencies": {"workLocation": 1}}
    assert len(organization.owner.call_on("getClientWithLocations", client).data["workLocations"]) == 1


def test_of_two_deletes_at_once_one_counts(organization: Organization) -> None:
    location = new_location(organization.owner)
    new_location(organization.owner, location["clientId"])
    with overtaken(lambda: organization.owner.call_on("deleteWorkLocation", location["id"])) as overtaking:
        late = organization.owner.call_on("deleteWorkLocation", location["id"])
    assert (overtaking[0].status, late.status) == (200, 404)
    refused = organization.owner.call_on("deleteClient", location["clientId"])
    assert refused.error["details"] == {"dependencies": {"workLocation": 1}}
