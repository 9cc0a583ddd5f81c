"""One position: created at a live work location, read with it, changed, deleted once nobody is assigned to it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.core import clock, ids
from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.client_hooks import overtaken
from tests.support.factories import Organization, new_organization
from tests.support.staffing import new_assignment, new_location, new_position

HOUR = timedelta(hours=1)


# -- create and read -------------------------------------------------------------------------------------------------


def test_what_is_created_is_read_with_its_work_location_and_client(organization: Organization) -> None:
    location = new_location(organization.owner)
    created = new_position(organization.owner, location["id"], name=" Picker ", headcount=7, isActive=False)
    assert (created["name"], created["headcount"], created["isActive"]) == ("Picker", 7, False)
    assert (created["workLocationId"], created["clientId"]) == (location["id"], location["clientId"])
    assert (created["version"], created["deletedAt"]) == (1, None)
    client = organization.owner.call_on("getClient", location["clientId"]).data
    parents = {
        "id": location["id"],
        "name": location["name"],
        "client": {"id": client["id"], "name": client["name"]},
    }
    assert organization.owner.call_on("getPosition", created["id"]).data == {**created, "workLocation": parents}


def test_by_default_one_worker_is_wanted_now(organization: Organization) -> None:
    created = new_position(organization.owner)
    assert (created["headcount"], created["isActive"]) == (1, True)


def test_what_lies_beside_a_position_is_not_shown(organization: Organization) -> None:
    created = new_position(organization.owner)
    for shown in (created, organization.owner.call_on("getPosition", created["id"]).data):
        assert not {"rates", "workload"} & set(shown)


@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({}, ["workLocationId", "name"]),
        ({"workLocationId": "no id"}, ["workLocationId"]),
        ({"name": ""}, ["name"]),
        ({"name": "x" * 256}, ["name"]),
        ({"headcount": 0}, ["headcount"]),
        ({"headcount": -1}, ["headcount"]),
        ({"headcount": 10_001}, ["headcount"]),
        ({"headcount": 1.5}, ["headcount"]),
        ({"headcount": 2.0}, ["headcount"]),
        ({"headcount": "3"}, ["headcount"]),
        ({"headcount": None}, ["headcount"]),
        ({"isActive": "true"}, ["isActive"]),
        ({"isActive": None}, ["isActive"]),
        ({"clientId": "019a51c2-7d3e-7f00-8a6b-4c5d6e7f8091"}, ["clientId"]),
        ({"rates": {}, "workload": {}}, ["rates", "workload"]),
    ],
)
def test_fields_are_checked_all_at_once(settled: Organization, fields: dict[str, Any], faulty: list[str]) -> None:
    valid = {"workLocationId": str(ids.new_id()), "name": "X"} if fields else {}
    answer = settled.owner.post("createPosition", **{**valid, **fields})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert sorted(answer.error["details"]["fieldErrors"]) == sorted(faulty)


@pytest.mark.parametrize("headcount", [1, 10_000])
def test_the_ends_of_headcount(organization: Organization, headcount: int) -> None:
    assert new_position(organization.owner, headcount=headcount)["headcount"] == headcount


def test_a_work_location_that_is_not_live_is_not_found(api: Api, organization: Organization) -> None:
    deleted, foreign = new_location(organization.owner)["id"], new_location(new_organization(api).owner)["id"]
    organization.owner.call_on("deleteWorkLocation", deleted)
    for location in (str(ids.new_id()), deleted, foreign):
        answer = organization.owner.post("createPosition", workLocationId=location, name="X")
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
        assert answer.error["message"] == "no such work location"


@pytest.mark.parametrize("role", list(Role))
def test_everybody_reads_and_staffing_writes(organization: Organization, role: Role) -> None:
    member, position = organization.member(role), new_position(organization.owner)
    assert member.call("getPosition", path={"id": position["id"]}).status == 200
    assert member.call("getPositions").status == 200
    writes = [
        member.call("createPosition", body={"workLocationId": position["workLocationId"], "name": "By role"}),
        member.call("updatePosition", path={"id": position["id"]}, body={"name": "By role"}),
        member.call("deletePosition", path={"id": position["id"]}),
    ]
    allowed = role in {Role.OWNER, Role.ADMIN, Role.COORDINATOR}
    assert [answer.status for answer in writes] == ([201, 200, 200] if allowed else [403, 403, 403])


def test_absent_deleted_and_foreign_are_one_answer(api: Api, organization: Organization) -> None:
    deleted, foreign = new_position(organization.owner)["id"], new_position(new_organization(api).owner)["id"]
    organization.owner.call_on("deletePosition", deleted)
    for action, body in [("getPosition", None), ("updatePosition", {"name": "X"}), ("deletePosition", None)]:
        answers = [
            organization.owner.call_on(action, identifier, body=body) for identifier in (ids.new_id(), deleted, foreign)
        ]
        errors = [(answer.status, answer.code, answer.error["message"]) for answer in answers]
        assert errors == [(404, "NOT_FOUND", "no such position")] * 3


# -- change ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"name": "Packer"}, {"headcount": 12}, {"isActive": False, "headcount": 2}])
def test_what_is_named_changes_and_the_rest_stays(organization: Organization, change: dict[str, Any]) -> None:
    before = new_position(organization.owner)
    after = organization.owner.call_on("updatePosition", before["id"], body=change).data
    assert after == {**before, **change, "version": 2, "updatedAt": after["updatedAt"]}
    read = organization.owner.call_on("getPosition", before["id"]).data
    assert {name: read[name] for name in after} == after


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"name": None}, "name"),
        ({"headcount": 0}, "headcount"),
        ({"headcount": None}, "headcount"),
        ({"isActive": None}, "isActive"),
        ({"workLocationId": "019a51c2-7d3e-7f00-8a6b-4c5d6e7f8091"}, "workLocationId"),
        ({"clientId": "019a51c2-7d3e-7f00-8a6b-4c5d6e7f8091"}, "clientId"),
    ],
)
def test_what_is_no_change(settled: Organization, body: Any, field: str) -> None:
    answer = settled.owner.call_on("updatePosition", ids.new_id(), body=body)
    assert (answer.status, list(answer.error["details"]["fieldErrors"])) == (400, [field])


# -- delete ----------------------------------------------------------------------------------------------------------


def test_deleting_says_what_was_deleted_and_when(organization: Organization) -> None:
    before = new_position(organization.owner)
    after = organization.owner.call_on("deletePosition", before["id"]).data
    assert after == {**before, "version": 2, "updatedAt": after["updatedAt"], "deletedAt": after["deletedAt"]}
    assert after["deletedAt"] >= before["createdAt"]


def test_active_and_scheduled_assignments_forbid_the_delete_and_are_counted(organization: Organization) -> None:
    position, now = new_position(organization.owner)["id"], clock.now()
    new_assignment(organization.owner, position, now - 3 * HOUR, now - HOUR)
    new_assignment(organization.owner, position, now - HOUR, now + HOUR)
    new_assignment(organization.owner, position, now + HOUR, now + 2 * HOUR)
    answer = organization.owner.call_on("deletePosition", position)
    assert (answer.status, answer.code) == (409, "HAS_DEPENDENCIES")
    assert answer.error["details"] == {"dependencies": {"assignment": 2}}
    with clock.shifted(2 * HOUR + timedelta(minutes=1)):
        assert organization.owner.call_on("deletePosition", position).status == 200


def test_an_assignment_without_end_forbids_the_delete_for_good(organization: Organization) -> None:
    position = new_position(organization.owner)["id"]
    new_assignment(organization.owner, position, clock.now() - HOUR)
    with clock.shifted(timedelta(days=1)):
        answer = organization.owner.call_on("deletePosition", position)
    assert answer.error["details"] == {"dependencies": {"assignment": 1}}


def test_a_stale_tag_counts_before_what_forbids_the_delete(organization: Organization) -> None:
    position = new_position(organization.owner)["id"]
    tag = organization.owner.call_on("getPosition", position).headers["ETag"]
    new_assignment(organization.owner, position, clock.now())
    organization.owner.call_on("updatePosition", position, body={"headcount": 2})
    assert (
        organization.owner.call_on("deletePosition", position, headers={"If-Match": tag}).code == "PRECONDITION_FAILED"
    )


# -- at once ---------------------------------------------------------------------------------------------------------


def test_a_work_location_that_goes_meanwhile_takes_no_position(organization: Organization) -> None:
    location = new_location(organization.owner)["id"]
    with overtaken(lambda: organization.owner.call_on("deleteWorkLocation", location)) as overtaking:
        late = organization.owner.post("createPosition", workLocationId=location, name="Late")
    assert (overtaking[0].status, late.status, late.code) == (200, 404, "NOT_FOUND")
    assert organization.owner.call("getPositions", query={"limit": 10}).data["items"] == []


def test_a_work_location_that_gets_a_position_meanwhile_stays(organization: Organization) -> None:
    location = new_location(organization.owner)["id"]
    early = partial(organization.owner.post, "createPosition", workLocationId=location, name="Early")
    with overtaken(early) as overtaking:
        late = organization.owner.call_on("deleteWorkLocation", location)
    assert (overtaking[0].status, late.status, late.code) == (201, 409, "HAS_DEPENDENCIES")
    assert late.error["details"] == {"dependencies": {"position": 1}}


def test_a_position_that_gets_an_assignment_meanwhile_stays(organization: Organization) -> None:
    position = new_position(organization.owner)["id"]
    with overtaken(lambda: new_assignment(organization.owner, position, clock.now())):
        late = organization.owner.call_on("deletePosition", position)
    assert (late.status, late.code) == (409, "HAS_DEPENDENCIES")
    assert late.error["details"] == {"dependencies": {"assignment": 1}}


def test_changes_at_once_both_count(organization: Organization) -> None:
    position = new_position(organization.owner)["id"]
    with overtaken(lambda: organization.owner.call_on("updatePosition", position, body={"headcount": 5})):
        late = organization.owner.call_on("updatePosition", position, body={"name": "Packer"})
    assert (late.data["name"], late.data["headcount"], late.data["version"]) == ("Packer", 5, 3)
