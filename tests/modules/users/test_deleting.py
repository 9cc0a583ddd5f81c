"""Withdrawn invitations and deleted users: who may, what ends at once, and what is free again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core import clock, former_users, ids
from chalicelib.core.errors import ActionError
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models import users
from chalicelib.models.organizations import MAX_ERASURES, ORGANIZATIONS
from chalicelib.models.users import Role
from tests.support import client_hooks
from tests.support.api import Answer, Api
from tests.support.factories import PASSWORD, Member, Organization, new_organization
from tests.support.mail_delivery import Post, invite


def _on(by: Member, action: str, user: Any, **parts: Any) -> Answer:
    return by.call(action, path={"userId": user}, **parts)


def _sign_up(api: Api, email: str) -> Answer:
    names = {"firstName": "Ada", "lastName": "King", "organizationName": "Engines"}
    return api.call("signUp", body={"email": email, "password": PASSWORD, **names})


def _users(organization: Organization) -> set[str]:
    return {row["id"] for row in organization.owner.call("getUsers").data["data"]}


def _counts(organization: Organization) -> tuple[int, int]:
    data = organization.owner.call("getOrganization").data
    return data["userCount"], data["activeUserCount"]


# -- invitations -----------------------------------------------------------------------------------------------------


def test_a_withdrawn_invitation_frees_its_address(api: Api, organization: Organization, post: Post) -> None:
    # Given an invitation with its code
    invited = invite(organization)
    code, before = post.code(invited["email"]), _counts(organization)
    # When it is withdrawn
    assert _on(organization.owner, "withdrawInvitation", invited["id"]).data == {"success": True}
    # Then the user is gone, the code is dead, and the address is anybody's
    assert _on(organization.owner, "getUser", invited["id"]).code == "NOT_FOUND"
    assert invited["id"] not in _users(organization)
    assert _counts(organization) == (before[0] - 1, before[1] - 1)
    accepted = api.call("acceptInvitation", body={"email": invited["email"], "code": code, "password": PASSWORD})
    assert accepted.error["details"]["fieldErrors"] == {"code": ["is wrong or no longer valid"]}
    assert _sign_up(api, invited["email"]).status == 201


def test_an_invitation_that_a_deactivation_closed_is_withdrawn_too(api: Api, organization: Organization) -> None:
    invited = invite(organization)
    assert _on(organization.owner, "deactivateUser", invited["id"]).status == 200
    assert _on(organization.owner, "withdrawInvitation", invited["id"]).status == 200
    assert _sign_up(api, invited["email"]).status == 201


def test_only_an_open_invitation_is_withdrawn(organization: Organization) -> None:
    member = organization.enrol(Role.MEMBER)
    answer = _on(organization.owner, "withdrawInvitation", member.user.id)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.error["message"] == "the invitation was accepted: delete the user instead"
    assert member.call("getUserRole").status == 200


def test_an_acceptance_overtakes_a_withdrawal(api: Api, organization: Organization, post: Post) -> None:
    invited = invite(organization)
    body = {"email": invited["email"], "code": post.code(invited["email"]), "password": PASSWORD}
    with client_hooks.overtaken(lambda: api.call("acceptInvitation", body=body)) as accepted:
        late = _on(organization.owner, "withdrawInvitation", invited["id"])
    assert (accepted[0].status, late.code) == (200, "VALIDATION_ERROR")
    assert api.call("getUserRole", accepted[0].data["token"]).status == 200


def test_withdrawing_gives_no_mail_back(organization: Organization) -> None:
    """Else inviting and withdrawing by turns would mail an address without end."""
    invited = invite(organization)
    assert _on(organization.owner, "withdrawInvitation", invited["id"]).status == 200
    body = {"email": invited["email"], "firstName": "Ida", "lastName": "Holm"}
    assert organization.owner.call("inviteUser", body=body).code == "RATE_LIMITED"
    with clock.shifted(timedelta(minutes=6)):
        assert organization.owner.call("inviteUser", body=body).status == 201


# -- deleting --------------------------------------------------------------------------------------------------------


def test_a_deleted_user_is_out_at_once_and_their_address_is_free(
    api: Api, organization: Organization, post: Post
) -> None:
    # Given a member with two sessions and a mailed code
    member = organization.enrol(Role.MEMBER, PASSWORD)
    email, before = member.user.email, _counts(organization)
    tokens = [member.token, organization.session(member.user)]
    assert api.call("resetPassword", body={"email": email}).status == 200
    code = post.code(email)
    # When they are deleted
    assert _on(organization.owner, "deleteUser", member.user.id).data == {"success": True}
    # Then nothing of theirs works any more
    assert {api.call("getOrganization", token).code for token in tokens} == {"NOT_AUTHENTICATED"}
    assert api.call("signIn", body={"email": email, "password": PASSWORD}).code == "INVALID_CREDENTIALS"
    reset = api.call("confirmResetPassword", body={"email": email, "code": code, "newPassword": "some-other-word-1"})
    assert reset.error["details"]["fieldErrors"] == {"code": ["is wrong or no longer valid"]}
    # And they are in no list and no count
    assert str(member.user.id) not in _users(organization)
    assert organization.owner.call("getUsers", query={"search": email}).data["data"] == []
    assert _counts(organization) == (before[0] - 1, before[1] - 1)
    # And their address is free, in any organization
    body = {"email": email.upper(), "firstName": "Ida", "lastName": "Holm"}
    assert new_organization(api).owner.call("inviteUser", body=body).status == 201


def test_a_running_timer_becomes_a_session_of_a_former_user(organization: Organization) -> None:
    member = organization.enrol(Role.MEMBER)
    with clock.shifted(timedelta(minutes=-30)):
        assert member.post("startTimer", description="Abbau").status == 201
    assert _on(organization.owner, "deleteUser", member.user.id).status == 200
    [session] = organization.owner.call("listTimeSessions", query={"userId": member.user.id}).data["items"]
    assert (session["description"], session["userId"]) == ("Abbau", str(member.user.id))
    days = {"from": str((clock.now() - timedelta(days=1)).date()), "to": str((clock.now() + timedelta(days=1)).date())}
    summary = organization.owner.call("getAnalyticsSummary", query={**days, "groupBy": "user"}).data
    assert [group["name"] for group in summary["groups"]] == [former_users.NAME]


def test_nothing_new_is_for_a_former_user(organization: Organization) -> None:
    owner, former = organization.owner, organization.enrol(Role.MEMBER).user.id
    project = owner.post("createProject", name="Umzug").data["id"]
    member = {"id": project, "userId": former}
    assert owner.call("addProjectMember", path=member).status == 200
    assert _on(owner, "deleteUser", former).status == 200
    times = {"startAt": "2026-03-02T08:00:00.000Z", "endAt": "2026-03-02T09:00:00.000Z"}
    answers = [
        owner.call("addProjectMember", path=member),
        owner.call("createTask", path={"id": project}, body={"title": "Pack", "assigneeId": str(former)}),
        owner.post("createTimeSession", userId=str(former), **times),
        owner.call(
            "setMemberRate",
            path={"userId": former, "effectiveFrom": "2026-03-01"},
            body={"amount": 100, "currency": "EUR"},
        ),
        *(_on(owner, action, former) for action in ("reactivateUser", "deactivateUser", "resendInvitation")),
        _on(owner, "updateUser", former, body={"firstName": "Ada"}),
    ]
    assert {(answer.status, answer.code) for answer in answers} == {(404, "NOT_FOUND")}
    assert owner.call("listProjectMembers", path={"id": project}).data["items"] == []
    assert owner.call("removeProjectMember", path=member).data["user"]["firstName"] == former_users.FIRST_NAME


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_nobody_deletes_themselves(organization: Organization, role: Role) -> None:
    member = organization.enrol(role)
    answer = _on(member, "deleteUser", member.user.id)
    assert (answer.code, answer.error["message"]) == ("FORBIDDEN", "nobody deletes themselves")


def test_only_an_owner_deletes_an_owner(organization: Organization) -> None:
    second = organization.enrol(Role.OWNER)
    assert _on(organization.member(Role.ADMIN), "deleteUser", second.user.id).code == "FORBIDDEN"
    assert _on(organization.owner, "deleteUser", second.user.id).status == 200


@pytest.mark.parametrize("owners", [2, 3])
def test_of_two_owners_who_delete_each_other_one_stays(organization: Organization, owners: int) -> None:
    # Given owners
    second, *_ = (organization.enrol(Role.OWNER) for _ in range(owners - 1))
    # When two of them delete each other at once
    with client_hooks.overtaken(lambda: _on(second, "deleteUser", organization.owner.user.id)) as overtaking:
        late = _on(organization.owner, "deleteUser", second.user.id)
    # Then the first succeeds, and the second, who is gone, does not
    assert (overtaking[0].status, late.status, late.code) == (200, 401, "NOT_AUTHENTICATED")
    assert second.call("getUserRole").data == {"role": "OWNER"}
    assert second.call("getOrganization").data["userCount"] == owners - 1


def test_the_last_owner_is_kept_by_the_table_itself(organization: Organization) -> None:
    unit = UnitOfWork(organization.id)
    users.delete(unit, organization.owner.user)
    with pytest.raises(ActionError, match="at least one active OWNER"):
        unit.commit()


def test_twice_is_not_found_and_with_its_key_answered_again(organization: Organization) -> None:
    user = organization.enrol(Role.MEMBER).user.id
    first, again = (_on(organization.owner, "deleteUser", user, key="delete") for _ in range(2))
    assert (first.status, again.status, again.is_replay) == (200, 200, True)
    assert _on(organization.owner, "deleteUser", user).code == "NOT_FOUND"


def test_no_more_erasures_run_than_a_request_can_read(organization: Organization) -> None:
    key = ORGANIZATIONS.key(organization.id, organization.id)
    first, second = (organization.enrol(Role.MEMBER).user.id for _ in range(2))
    erasing = {str(ids.new_id()) for _ in range(MAX_ERASURES - 1)}
    table.update(key, [Item.erasing.add(erasing)])  # type: ignore[attr-defined]  # registered by a model
    assert _on(organization.owner, "deleteUser", first).status == 200
    answer = _on(organization.owner, "deleteUser", second)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.error["message"] == f"at most {MAX_ERASURES} users may be deleted a day"


@pytest.mark.parametrize("action", ["deleteUser", "withdrawInvitation", "updateUser"])
def test_a_stale_if_match_changes_nothing(organization: Organization, action: str) -> None:
    user = invite(organization)["id"]
    tag = _on(organization.owner, "getUser", user).headers["ETag"]
    assert _on(organization.owner, "updateUser", user, body={"lastName": "Holm-Berg"}).status == 200
    body = {"lastName": "Holm"} if action == "updateUser" else None
    stale = _on(organization.owner, action, user, body=body, headers={"If-Match": tag})
    assert (stale.status, stale.code) == (412, "PRECONDITION_FAILED")
    assert _on(organization.owner, "getUser", user).data["lastName"] == "Holm-Berg"


# -- names -----------------------------------------------------------------------------------------------------------


def test_an_admin_changes_names(organization: Organization) -> None:
    # Given a member who has done something
    member = organization.enrol(Role.MEMBER)
    answer = _on(organization.member(Role.ADMIN), "updateUser", member.user.id, body={"firstName": " Ada "})
    # Then the name is new wherever users are shown, and the rest of them stays
    assert (answer.status, answer.data["firstName"], answer.data["lastName"]) == (200, "Ada", "Member")
    assert member.call("getCurrentUser").data["profile"]["fullName"] == "Ada Member"
    assert [row["id"] for row in organization.owner.call("getUsers", query={"search": "ada m"}).data["data"]] == [
        str(member.user.id)
    ]
    assert member.call("recordActivity", body=_ACTIVITY).data["actor"]["name"] == "Ada Member"


_ACTIVITY = {
    "title": "Payroll exported",
    "type": "USER_ACTION",
    "entityType": "organization",
    "entityId": "1",
    "action": "EXPORT",
}


@pytest.mark.parametrize(
    ("body", "field"), [({}, "body"), ({"firstName": None}, "firstName"), ({"lastName": "x" * 101}, "lastName")]
)
def test_a_name_is_checked(organization: Organization, body: dict[str, Any], field: str) -> None:
    user = organization.enrol(Role.MEMBER).user.id
    answer = _on(organization.owner, "updateUser", user, body=body)
    assert list(answer.error["details"]["fieldErrors"]) == [field]


# -- masks -----------------------------------------------------------------------------------------------------------

_NAMES = {"firstName": "Ida", "lastName": "Holm", "email": "ida@example.com"}
_PEOPLE = st.fixed_dictionaries({"id": st.sampled_from(["former", "present"])}).map(lambda named: {**named, **_NAMES})
_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | _PEOPLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@given(_JSON)
def test_a_mask_hides_former_users_and_nothing_else(value: Any) -> None:
    def expected(value: Any) -> Any:
        if isinstance(value, list):
            return [expected(element) for element in value]
        if isinstance(value, dict) and value.get("id") == "former":
            return {"id": "former", "firstName": "former", "lastName": "user", "email": ""}
        return {name: expected(child) for name, child in value.items()} if isinstance(value, dict) else value

    masked = former_users.mask(value, {"former"})
    assert masked == expected(value)
    assert former_users.mask(masked, {"former"}) == masked
    assert former_users.mask(value, frozenset()) == value
