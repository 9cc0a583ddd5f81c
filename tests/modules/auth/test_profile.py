"""getCurrentUser, getUserRole, updateProfile: who one is."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.auth.permissions import PERMISSIONS
from chalicelib.models.users import Role
from tests.support import client_hooks
from tests.support.factories import Member, Organization


@pytest.mark.parametrize("role", list(Role))
def test_the_caller_learns_role_and_permissions(organization: Organization, role: Role) -> None:
    member = organization.member(role)
    me = member.call("getCurrentUser").data
    assert set(me) == {"user", "profile", "organization", "role", "emailConfirmed", "permissions"}
    assert me["role"] == me["user"]["role"] == role == member.call("getUserRole").data["role"]
    assert me["permissions"] == sorted(PERMISSIONS[role])
    assert me["organization"]["id"] == str(organization.id)


def test_the_profile_has_name_and_preferences(organization: Organization) -> None:
    profile = organization.owner.call("getCurrentUser").data["profile"]
    assert (profile["firstName"], profile["lastName"], profile["fullName"]) == ("Test", "Owner", "Test Owner")
    assert profile["preferences"]["locale"] == "en"


def test_nothing_internal_is_shown(organization: Organization) -> None:
    text = organization.owner.call("getCurrentUser").text
    for word in ("Epoch", "epoch", "cursorSecret", "Hash"):
        assert word not in text


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"firstName": "Ada"}, "Ada Owner"),
        ({"lastName": " Lovelace "}, "Test Lovelace"),
        ({"firstName": "Ada", "lastName": "Ł"}, "Ada Ł"),
    ],
)
def test_what_is_named_changes_and_the_rest_stays(
    organization: Organization, changes: dict[str, str], name: str
) -> None:
    answer = organization.owner.call("updateProfile", body=changes)
    assert (answer.status, answer.data["version"]) == (200, 2)
    assert f"{answer.data['firstName']} {answer.data['lastName']}" == name
    me = organization.owner.call("getCurrentUser").data
    assert (me["user"], me["profile"]["fullName"]) == (answer.data, name)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"firstName": None}, "firstName"),
        ({"firstName": ""}, "firstName"),
        ({"lastName": "x" * 101}, "lastName"),
        ({"role": "OWNER"}, "role"),
        ({"email": "other@example.com"}, "email"),
        ({"isActive": False}, "isActive"),
        ([], "body"),
        ("Ada", "body"),
    ],
)
def test_what_is_no_change(settled: Organization, body: Any, field: str) -> None:
    answer = settled.owner.call("updateProfile", body=body)
    assert (answer.status, list(answer.error["details"]["fieldErrors"])) == (400, [field])


def test_every_role_may_change_their_own_name(organization: Organization) -> None:
    viewer: Member = organization.member(Role.VIEWER)
    assert viewer.call("updateProfile", body={"firstName": "Vera"}).data["firstName"] == "Vera"


def test_a_change_that_another_overtakes_is_made_on_what_the_other_left(organization: Organization) -> None:
    """The caller was loaded before the other change: on that read it could never be committed."""
    owner = organization.owner
    with client_hooks.overtaken(lambda: owner.call("updateProfile", body={"lastName": "Berg"})) as overtaking:
        late = owner.call("updateProfile", body={"firstName": "Anna"})
    assert (overtaking[0].status, late.status) == (200, 200), late.text
    assert (late.data["firstName"], late.data["lastName"], late.data["version"]) == ("Anna", "Berg", 3)
