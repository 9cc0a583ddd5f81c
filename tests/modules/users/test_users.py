"""Users: who may see and change whom, and that the change holds on the next request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core import ids
from chalicelib.core.errors import ActionError
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models import users
from chalicelib.models.users import Role
from tests.support import client_hooks
from tests.support.api import Answer, Api
from tests.support.factories import Member, Organization, address, new_organization

Actor = Callable[[Organization], Member]


def _change(by: Member, user: Any, role: str) -> Answer:
    return by.call("changeUserRole", path={"userId": user}, body={"role": role})


def _on(by: Member, action: str, user: Any) -> Answer:
    return by.call(action, path={"userId": user})


def _invite(by: Member, role: str) -> Answer:
    return by.call("inviteUser", body={"email": address(), "firstName": "I", "lastName": "H", "role": role})


# -- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
def test_admins_read_users(organization: Organization, role: Role) -> None:
    reader, owner = organization.member(role), organization.owner.user
    answers = [_on(reader, "getUser", owner.id), reader.call("getUsers")]
    expected = 200 if role in {Role.OWNER, Role.ADMIN} else 403
    assert {answer.status for answer in answers} == {expected}


def test_a_user_shows_no_more_than_it_should(organization: Organization) -> None:
    data = _on(organization.owner, "getUser", organization.owner.user.id).data
    assert set(data) == {
        "id",
        "createdAt",
        "updatedAt",
        "version",
        "email",
        "firstName",
        "lastName",
        "role",
        "isActive",
        "acceptedAt",
        "status",
    }
    (listed,) = organization.owner.call("getUsers").data["data"]
    assert listed == data


def test_absent_and_foreign_users_are_answered_alike(api: Api, organization: Organization) -> None:
    stranger = new_organization(api).owner.user
    for action, body in [
        ("getUser", None),
        ("resendInvitation", None),
        ("deactivateUser", None),
        ("reactivateUser", None),
        ("changeUserRole", {"role": "VIEWER"}),
    ]:
        absent, foreign = (
            organization.owner.call(action, path={"userId": identifier}, body=body)
            for identifier in (ids.new_id(), stranger.id)
        )
        assert absent.error | {"requestId": ""} == foreign.error | {"requestId": ""}
        assert (foreign.status, foreign.code) == (404, "NOT_FOUND")


# -- lists -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def staff(api: Api) -> dict[str, Member]:
    """An owner, two members of whom one is deactivated, and a viewer."""
    organization = new_organization(api)
    staff = {"owner": organization.owner, "viewer": organization.enrol(Role.VIEWER)}
    staff["active"], staff["gone"] = organization.enrol(Role.MEMBER), organization.enrol(Role.MEMBER)
    assert _on(organization.owner, "deactivateUser", staff["gone"].user.id).status == 200
    return staff


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"owner", "viewer", "active", "gone"}),
        ({"role": "MEMBER"}, {"active", "gone"}),
        ({"isActive": "true"}, {"owner", "viewer", "active"}),
        ({"isActive": "false"}, {"gone"}),
        ({"role": "MEMBER", "isActive": "true"}, {"active"}),
        ({"role": "ADMIN"}, set()),
        ({"search": "TEST ow"}, {"owner"}),
        ({"search": "@EXAMPLE.com"}, {"owner", "viewer", "active", "gone"}),
        ({"search": "member", "isActive": "true"}, {"active"}),
        ({"search": "nobody"}, set()),
    ],
)
def test_filters_and_search_of_page_and_cursor_lists(
    staff: dict[str, Member], query: dict[str, Any], expected: set[str]
) -> None:
    ids_of = {str(member.user.id): name for name, member in staff.items()}
    page = staff["owner"].call("getUsers", query=query).data
    assert {ids_of[row["id"]] for row in page["data"]} == expected
    assert page["pagination"]["totalItems"] == len(expected)
    if "search" not in query:
        items = staff["owner"].call("getUsers", query={**query, "limit": 100}).data["items"]
        assert {ids_of[item["id"]] for item in items} == expected


@pytest.mark.parametrize("sort_by", ["name", "email", "createdAt"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_sorting(staff: dict[str, Member], sort_by: str, order: str) -> None:
    rows = staff["owner"].call("getUsers", query={"sortBy": sort_by, "sortOrder": order}).data["data"]
    shown = {
        "name": lambda row: f"{row['firstName']} {row['lastName']}".casefold(),
        "email": lambda row: row["email"],
        "createdAt": lambda row: row["id"],
    }[sort_by]
    assert [shown(row) for row in rows] == sorted(map(shown, rows), reverse=order == "desc")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"role": "KING"}, "role"),
        ({"isActive": "perhaps"}, "isActive"),
        ({"isActive": "1"}, "isActive"),
        ({"isActive": "True"}, "isActive"),
        ({"sortBy": "role"}, "sortBy"),
        ({"status": "ACTIVE"}, "status"),
    ],
)
def test_filters_are_checked(settled: Organization, query: dict[str, str], field: str) -> None:
    answer = settled.owner.call("getUsers", query=query)
    assert list(answer.error["details"]["fieldErrors"]) == [field]


# -- roles -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [role for role in Role if role is not Role.OWNER])
def test_an_admin_gives_any_role_but_owner(organization: Organization, to: Role) -> None:
    member = organization.enrol(Role.MEMBER)
    answer = _change(organization.member(Role.ADMIN), member.user.id, to)
    assert (answer.status, answer.data["role"]) == (200, to)
    assert member.call("getUserRole").data == {"role": to}


def test_only_an_owner_decides_who_is_an_owner(organization: Organization) -> None:
    admin, second = organization.member(Role.ADMIN), organization.enrol(Role.OWNER)
    member = organization.enrol(Role.MEMBER)
    for answer in (
        _change(admin, member.user.id, "OWNER"),
        _change(admin, second.user.id, "ADMIN"),
        _on(admin, "deactivateUser", second.user.id),
        _invite(admin, "OWNER"),
    ):
        assert (answer.status, answer.code) == (403, "FORBIDDEN")
    assert _change(organization.owner, member.user.id, "OWNER").status == 200
    assert _change(organization.owner, second.user.id, "ADMIN").status == 200
    assert _invite(organization.owner, "OWNER").status == 201


def test_only_an_owner_reactivates_an_owner(organization: Organization) -> None:
    second = organization.enrol(Role.OWNER)
    assert _on(organization.owner, "deactivateUser", second.user.id).status == 200
    assert _on(organization.member(Role.ADMIN), "reactivateUser", second.user.id).code == "FORBIDDEN"
    assert _on(organization.owner, "reactivateUser", second.user.id).status == 200


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_nobody_demotes_or_deactivates_themselves(organization: Organization, role: Role) -> None:
    organization.enrol(Role.OWNER)
    member = organization.member(role)
    assert _change(member, member.user.id, "VIEWER").code == "FORBIDDEN"
    assert _on(member, "deactivateUser", member.user.id).code == "FORBIDDEN"
    assert member.call("getUserRole").data == {"role": role}


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.MEMBER, Role.VIEWER])
def test_others_manage_nobody(organization: Organization, role: Role) -> None:
    member, other = organization.member(role), organization.enrol(Role.MEMBER)
    for answer in (
        _change(member, other.user.id, "VIEWER"),
        _on(member, "deactivateUser", other.user.id),
        _on(member, "reactivateUser", other.user.id),
        _on(member, "resendInvitation", other.user.id),
        _invite(member, "MEMBER"),
    ):
        assert (answer.status, answer.code) == (403, "FORBIDDEN")


@pytest.mark.parametrize("body", [{}, {"role": None}, {"role": "owner"}, {"role": "VIEWER", "isActive": True}])
def test_a_change_of_role_is_checked(organization: Organization, body: dict[str, Any]) -> None:
    member = organization.enrol(Role.MEMBER)
    answer = organization.owner.call("changeUserRole", path={"userId": member.user.id}, body=body)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


def test_two_owners_who_shut_each_other_out_do_not_both_succeed(organization: Organization) -> None:
    """The second one's request overtakes the first one's between its read and its commit."""
    # Given two owners
    second = organization.enrol(Role.OWNER)
    # When each deactivates the other, at once
    with client_hooks.overtaken(lambda: _on(second, "deactivateUser", organization.owner.user.id)) as overtaking:
        late = _on(organization.owner, "deactivateUser", second.user.id)
    # Then the first succeeds, and is an owner still
    assert overtaking[0].status == 200
    assert late.status in {400, 403}
    assert second.call("getUserRole").data == {"role": "OWNER"}


def test_the_last_owner_is_kept_by_the_table_itself(organization: Organization) -> None:
    for changes in ({"role": Role.ADMIN}, {"is_active": False}):
        unit = UnitOfWork(organization.id)
        users.update(unit, organization.owner.user, changes)
        with pytest.raises(ActionError, match="at least one active OWNER"):
            unit.commit()
    assert organization.owner.call("getUserRole").data == {"role": "OWNER"}


def test_an_invited_owner_does_not_count_as_active(organization: Organization) -> None:
    assert _invite(organization.owner, "OWNER").status == 201
    unit = UnitOfWork(organization.id)
    users.update(unit, organization.owner.user, {"role": Role.ADMIN})
    with pytest.raises(ActionError, match="at least one active OWNER"):
        unit.commit()


# -- deactivation ----------------------------------------------------------------------------------------------------


def test_a_deactivated_user_is_refused_at_once_with_every_session(organization: Organization) -> None:
    # Given a user with two sessions
    member = organization.enrol(Role.MEMBER)
    other = organization.session(member.user)
    # When the user is deactivated
    answer = _on(organization.owner, "deactivateUser", member.user.id)
    # Then both are refused
    assert (answer.data["isActive"], answer.data["status"]) == (False, "DEACTIVATED")
    for token in (member.token, other):
        refused = member.api.call("getOrganization", token)
        assert (refused.status, refused.code) == (403, "FORBIDDEN")


def test_old_sessions_stay_dead_when_the_user_comes_back(organization: Organization) -> None:
    # Given a user who was deactivated
    member = organization.enrol(Role.MEMBER)
    _on(organization.owner, "deactivateUser", member.user.id)
    # When the user comes back
    back = _on(organization.owner, "reactivateUser", member.user.id)
    # Then the old session has ended, and a new one is good
    assert (back.data["isActive"], back.data["status"]) == (True, "ACTIVE")
    assert member.call("getOrganization").code == "SESSION_EXPIRED"
    late = organization.session(users.get(organization.id, member.user.id))
    assert member.api.call("getOrganization", late).status == 200


def test_twice_is_refused_and_with_its_key_answered_again(organization: Organization) -> None:
    user = organization.enrol(Role.MEMBER).user.id
    for action in ("deactivateUser", "reactivateUser"):
        first, again = (organization.owner.call(action, path={"userId": user}, key=action) for _ in range(2))
        assert (first.status, again.status, again.is_replay) == (200, 200, True)
        assert first.data == again.data
        assert _on(organization.owner, action, user).code == "VALIDATION_ERROR"


@pytest.mark.parametrize("action", ["deactivateUser", "changeUserRole"])
def test_a_stale_if_match_changes_nothing(organization: Organization, action: str) -> None:
    # Given a user who has changed since the tag was read
    user = organization.enrol(Role.MEMBER).user.id
    tag = _on(organization.owner, "getUser", user).headers["ETag"]
    _change(organization.owner, user, "COORDINATOR")
    # When the tag is sent with another change
    body = {"role": "VIEWER"} if action == "changeUserRole" else None
    stale = organization.owner.call(action, path={"userId": user}, body=body, headers={"If-Match": tag})
    # Then that is refused, and has changed nothing
    assert (stale.status, stale.code) == (412, "PRECONDITION_FAILED")
    data = _on(organization.owner, "getUser", user).data
    assert (data["role"], data["isActive"], data["version"]) == ("COORDINATOR", True, 2)
