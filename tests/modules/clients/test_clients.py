"""One client: created, read, changed, deleted; its name is its own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from chalicelib.core import ids
from chalicelib.core.errors import ActionError
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.factories import Organization, new_organization, unique
from tests.support.staffing import new_client

FULL = {
    "name": "Hansekontor Logistik GmbH",
    "email": "Kontakt@Hansekontor.example",
    "phone": "+49 (40) 30-90",
    "address": "Hafenstraße 12\n20457 Hamburg",
}


def _count_locations(organization: OrganizationId, client: Any, *by: Any) -> None:
    """A work location comes or goes, as its own actions will have it."""
    for step in by:
        unit = UnitOfWork(organization)
        CLIENTS.count_child(unit, client, "workLocation", step)
        unit.commit()


# -- create and read -------------------------------------------------------------------------------------------------


def test_what_is_created_is_read(organization: Organization) -> None:
    created = new_client(organization.owner, **FULL)
    assert {name: created[name] for name in FULL} == {**FULL, "email": "Kontakt@hansekontor.example"}
    assert (created["version"], created["deletedAt"]) == (1, None)
    assert created["createdAt"] == created["updatedAt"]
    read = organization.owner.call_on("getClient", created["id"])
    assert (read.status, read.data) == (200, created)


def test_only_the_name_is_needed(organization: Organization) -> None:
    created = new_client(organization.owner, name="  Just a name ")
    assert (created["name"], created["email"], created["phone"], created["address"]) == ("Just a name", *[None] * 3)


def test_a_client_with_locations_has_none_yet(organization: Organization) -> None:
    created = new_client(organization.owner)
    assert organization.owner.call_on("getClientWithLocations", created["id"]).data == {
        **created,
        "workLocations": [],
        "nextCursor": None,
    }


@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({}, ["name"]),
        ({"name": ""}, ["name"]),
        ({"name": "x" * 256}, ["name"]),
        ({"name": "two\nlines"}, ["name"]),
        ({"name": 5}, ["name"]),
        ({"name": "X", "email": "nobody"}, ["email"]),
        ({"name": "X", "email": ""}, ["email"]),
        ({"name": "X", "phone": "call me"}, ["phone"]),
        ({"name": "X", "phone": "+"}, ["phone"]),
        ({"name": "X", "phone": "12+34"}, ["phone"]),
        ({"name": "X", "phone": "٣٤٥٦"}, ["phone"]),
        ({"name": "X", "phone": "()--"}, ["phone"]),
        ({"name": "X", "phone": 4930901820}, ["phone"]),
        ({"name": "X", "address": "x" * 501}, ["address"]),
        ({"name": "X", "address": " "}, ["address"]),
        ({"name": "X", "organizationId": "1"}, ["organizationId"]),
        ({"name": "X", "id": "1", "version": 7}, ["id", "version"]),
        ({"name": "", "email": "x", "phone": "x", "address": ""}, ["name", "email", "phone", "address"]),
    ],
)
def test_fields_are_checked_all_at_once(settled: Organization, fields: dict[str, Any], faulty: list[str]) -> None:
    answer = settled.owner.call("createClient", body=fields)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert sorted(answer.error["details"]["fieldErrors"]) == sorted(faulty)


@pytest.mark.parametrize("role", list(Role))
def test_everybody_reads_and_admins_write(organization: Organization, role: Role) -> None:
    member, client = organization.member(role), new_client(organization.owner)["id"]
    for action in ("getClient", "getClientWithLocations"):
        assert member.call(action, path={"id": client}).status == 200
    assert member.call("getClients").status == 200
    writes = [
        member.call("createClient", body={"name": unique("By role")}),
        member.call("updateClient", path={"id": client}, body={"name": unique("By role")}),
        member.call("deleteClient", path={"id": client}),
    ]
    allowed = role in {Role.OWNER, Role.ADMIN}
    assert [answer.status for answer in writes] == ([201, 200, 200] if allowed else [403, 403, 403])


def test_absent_deleted_and_foreign_are_one_answer(api: Api, organization: Organization) -> None:
    deleted, foreign = new_client(organization.owner)["id"], new_client(new_organization(api).owner)["id"]
    organization.owner.call_on("deleteClient", deleted)
    for action, body in [
        ("getClient", None),
        ("getClientWithLocations", None),
        ("updateClient", {"name": "X"}),
        ("deleteClient", None),
    ]:
        answers = [
            organization.owner.call_on(action, identifier, body=body) for identifier in (ids.new_id(), deleted, foreign)
        ]
        assert {answer.status for answer in answers} == {404}
        assert len({(answer.code, answer.error["message"]) for answer in answers}) == 1


@pytest.mark.parametrize("identifier", ["1", "not-a-uuid", "0198c5f0", "%00", "a/b"])
def test_an_id_is_a_uuid(settled: Organization, identifier: str) -> None:
    answer = settled.owner.call_on("getClient", identifier)
    assert (answer.status, list(answer.error["details"]["fieldErrors"])) == (400, ["id"])


# -- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("taken", ["MÜLLER BAU", "müller bau", " Müller Bau ", "Mu\u0308ller Bau"])
def test_a_name_is_taken_whatever_its_case(organization: Organization, taken: str) -> None:
    new_client(organization.owner, name="Müller Bau")
    answer = organization.owner.call("createClient", body={"name": taken})
    assert (answer.status, answer.code) == (409, "DUPLICATE_ENTRY")
    assert answer.error["details"]["fieldErrors"] == {"name": ["another client has this name"]}


def test_names_that_differ_may_both_be(api: Api, organization: Organization) -> None:
    for name in ("Muller", "Müller", "Mueller", "Müller 2"):
        new_client(organization.owner, name=name)
    new_client(new_organization(api).owner, name="Müller")


def test_a_deleted_name_may_be_used_again(organization: Organization) -> None:
    for _ in range(3):
        again = new_client(organization.owner, name="Phoenix")
        assert organization.owner.call_on("deleteClient", again["id"]).status == 200
    assert new_client(organization.owner, name="PHOENIX")["version"] == 1


def test_renaming_moves_the_claim_to_the_name(organization: Organization) -> None:
    first, second = (
        new_client(organization.owner, name="Alpha")["id"],
        new_client(organization.owner, name="Beta")["id"],
    )
    assert organization.owner.call_on("updateClient", second, body={"name": "ALPHA"}).code == "DUPLICATE_ENTRY"
    assert organization.owner.call_on("getClient", second).data["name"] == "Beta"
    assert organization.owner.call_on("updateClient", first, body={"name": "Gamma"}).status == 200
    assert organization.owner.call_on("updateClient", second, body={"name": "ALPHA"}).status == 200
    assert organization.owner.call("createClient", body={"name": "gamma"}).code == "DUPLICATE_ENTRY"
    assert new_client(organization.owner, name="Beta")["name"] == "Beta"


def test_a_client_may_change_the_case_of_its_own_name(organization: Organization) -> None:
    client = new_client(organization.owner, name="ibm")["id"]
    assert organization.owner.call_on("updateClient", client, body={"name": "IBM"}).data["name"] == "IBM"
    assert organization.owner.call_on("updateClient", client, body={"name": "IBM", "phone": "123"}).status == 200
    assert organization.owner.call("createClient", body={"name": "Ibm"}).code == "DUPLICATE_ENTRY"


# -- change ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change", [{"phone": "040 1"}, {"address": "Kai 1"}, {"email": "new@example.com", "name": "Neu"}]
)
def test_what_is_named_changes_and_the_rest_stays(organization: Organization, change: dict[str, str]) -> None:
    before = new_client(organization.owner, **{**FULL, "name": unique("Before")})
    after = organization.owner.call_on("updateClient", before["id"], body=change).data
    assert after == {**before, **change, "version": 2, "updatedAt": after["updatedAt"]}
    assert after["updatedAt"] >= before["updatedAt"]
    assert organization.owner.call_on("getClient", before["id"]).data == after


def test_null_clears_what_may_be_empty(organization: Organization) -> None:
    before = new_client(organization.owner, **{**FULL, "name": unique("Before")})
    cleared = dict.fromkeys(("email", "phone", "address"))
    after = organization.owner.call_on("updateClient", before["id"], body=cleared).data
    assert {name: after[name] for name in cleared} == cleared
    assert organization.owner.call_on("getClient", before["id"]).data == after


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "body"), ({"name": None}, "name"), ({"deletedAt": None}, "deletedAt"), (None, "body"), ([], "body")],
)
def test_what_is_no_change(organization: Organization, body: Any, field: str) -> None:
    client = new_client(organization.owner)["id"]
    answer = organization.owner.call_on("updateClient", client, body=body)
    assert (answer.status, list(answer.error["details"]["fieldErrors"])) == (400, [field])


# -- delete ----------------------------------------------------------------------------------------------------------


def test_deleting_says_what_was_deleted_and_when(organization: Organization) -> None:
    before = new_client(organization.owner)
    after = organization.owner.call_on("deleteClient", before["id"]).data
    assert after == {**before, "version": 2, "updatedAt": after["updatedAt"], "deletedAt": after["deletedAt"]}
    assert after["deletedAt"] >= before["createdAt"]


def test_a_repeated_delete_with_its_key_succeeds_again(organization: Organization) -> None:
    client = new_client(organization.owner)["id"]
    first, again = (organization.owner.call_on("deleteClient", client, key="d") for _ in range(2))
    assert (first.status, again.status, again.is_replay) == (200, 200, True)
    assert first.data == again.data


def test_live_children_forbid_the_delete_and_are_counted(organization: Organization) -> None:
    client = UUID(new_client(organization.owner)["id"])
    _count_locations(organization.id, client, 1, 1)
    answer = organization.owner.call_on("deleteClient", client)
    assert (answer.status, answer.code) == (409, "HAS_DEPENDENCIES")
    assert answer.error["details"] == {"dependencies": {"workLocation": 2}}
    assert organization.owner.call_on("getClient", client).data["version"] == 1
    _count_locations(organization.id, client, -1, -1)
    assert organization.owner.call_on("deleteClient", client).status == 200


def test_a_deleted_client_takes_no_children(organization: Organization) -> None:
    client = UUID(new_client(organization.owner)["id"])
    organization.owner.call_on("deleteClient", client)
    with pytest.raises(ActionError, match="no such client"):
        _count_locations(organization.id, client, 1)
    with pytest.raises(ActionError, match="no such client"):
        _count_locations(organization.id, ids.new_id(), 1)


def test_children_do_not_disturb_an_update_meanwhile(organization: Organization) -> None:
    client = UUID(new_client(organization.owner)["id"])
    tag = organization.owner.call_on("getClient", client).headers["ETag"]
    _count_locations(organization.id, client, 1)
    answer = organization.owner.call_on("updateClient", client, body={"phone": "123"}, headers={"If-Match": tag})
    assert answer.status == 200
