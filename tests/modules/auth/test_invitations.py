"""inviteUser, resendInvitation, acceptInvitation: from the address to the signed-in user."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.auth import codes
from chalicelib.core import clock
from chalicelib.models.identity import credentials
from chalicelib.models.identity.credentials import CodePurpose
from tests.support.api import Answer, Api
from tests.support.factories import PASSWORD, Organization, address, new_organization
from tests.support.mail_delivery import Post, invite, other_code


def _accept(api: Api, email: str, code: str, password: str = PASSWORD, key: str | None = None) -> Answer:
    return api.call("acceptInvitation", body={"email": email, "code": code, "password": password}, key=key)


def _code(email: str) -> str:
    """Return the code of the mail, without reading the mail."""
    credential = credentials.get(email)
    assert credential is not None
    code = codes.issue(credential, CodePurpose.INVITATION)
    assert code is not None
    return code


def _is_refused(answer: Answer) -> bool:
    wrong = {"code": ["is wrong or no longer valid"]}
    return answer.code == "VALIDATION_ERROR" and answer.error["details"]["fieldErrors"] == wrong


def test_from_the_invitation_to_the_signed_in_user(api: Api, organization: Organization, post: Post) -> None:
    invited = invite(organization, role="MEMBER")
    assert (invited["status"], invited["isActive"], invited["role"]) == ("INVITED", True, "MEMBER")
    code = post.code(invited["email"])
    mail = post.mailbox.mails(invited["email"])[0]
    name = organization.owner.call("getOrganization").data["name"]
    assert mail["subject"] == f"Your invitation to {name} on Workledger"
    assert "Hello Ida," in mail["body"]
    assert f"accept-invitation?email={invited['email'].replace('@', '%40')}&code={code}" in mail["body"]

    accepted = _accept(api, invited["email"].upper(), code)
    assert set(accepted.data) == {"token", "expiresAt", "user"}
    assert (accepted.data["user"]["id"], accepted.data["user"]["status"]) == (invited["id"], "ACTIVE")
    me = api.call("getCurrentUser", accepted.data["token"]).data
    assert (me["role"], me["organization"]["id"]) == ("MEMBER", str(organization.id))
    assert api.call("signIn", body={"email": invited["email"], "password": PASSWORD}).status == 200


def test_the_default_role_is_coordinator(organization: Organization) -> None:
    assert invite(organization)["role"] == "COORDINATOR"


def test_an_invitation_is_accepted_once(api: Api, organization: Organization) -> None:
    email = invite(organization)["email"]
    code = _code(email)
    assert _accept(api, email, code).status == 200
    assert _is_refused(_accept(api, email, code, "another-password-1"))


def test_a_repeated_acceptance_with_its_key_gives_a_fresh_token(api: Api, organization: Organization) -> None:
    email = invite(organization)["email"]
    code = _code(email)
    first, again = (_accept(api, email, code, key="accept-1") for _ in range(2))
    assert (first.is_replay, again.is_replay) == (False, True)
    assert first.data["token"] != again.data["token"]
    assert {**first.data, "token": ""} == {**again.data, "token": ""}
    assert api.call("getUserRole", again.data["token"]).status == 200


@pytest.mark.parametrize(("age", "works"), [({"days": 6, "hours": 23}, True), ({"days": 7, "minutes": 1}, False)])
def test_an_invitation_lives_seven_days(
    api: Api, organization: Organization, age: dict[str, int], *, works: bool
) -> None:
    email = invite(organization)["email"]
    code = _code(email)
    with clock.shifted(timedelta(**age)):
        answer = _accept(api, email, code)
    assert answer.status == 200 if works else _is_refused(answer)


def test_five_attempts_and_then_the_right_code_is_wrong_too(api: Api, organization: Organization) -> None:
    email = invite(organization)["email"]
    code = _code(email)
    for _ in range(5):
        assert _is_refused(_accept(api, email, other_code(code)))
    assert _is_refused(_accept(api, email, code))


def test_another_code_by_resending_and_the_earlier_one_ends(api: Api, organization: Organization, post: Post) -> None:
    invited = invite(organization)
    earlier = post.code(invited["email"])
    for _ in range(5):
        _accept(api, invited["email"], other_code(earlier))
    with clock.shifted(timedelta(minutes=6)):
        resent = organization.owner.call("resendInvitation", path={"userId": invited["id"]})
    assert (resent.status, resent.data) == (200, invited)
    later = post.code(invited["email"])
    assert post.count(invited["email"]) == 2
    assert _is_refused(_accept(api, invited["email"], earlier))
    assert _accept(api, invited["email"], later).status == 200


def test_who_has_accepted_gets_no_further_invitation(api: Api, organization: Organization, post: Post) -> None:
    invited = invite(organization)
    accepted = _accept(api, invited["email"], post.code(invited["email"])).data["user"]
    answer = organization.owner.call("resendInvitation", path={"userId": accepted["id"]})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert post.count(invited["email"]) == 1


def test_an_invitation_overtaken_by_its_acceptance_is_not_mailed(
    api: Api, organization: Organization, post: Post
) -> None:
    invited = invite(organization)
    code = post.code(invited["email"])
    with clock.shifted(timedelta(minutes=6)):
        answer = organization.owner.call("resendInvitation", path={"userId": invited["id"]})
    assert answer.status == 200
    assert _accept(api, invited["email"], code).status == 200
    assert post.count(invited["email"]) == 1


def test_a_deactivated_invitee_is_refused(api: Api, organization: Organization) -> None:
    invited = invite(organization)
    code = _code(invited["email"])
    organization.owner.call("deactivateUser", path={"userId": invited["id"]})
    answer = _accept(api, invited["email"], code)
    assert (answer.status, answer.code) == (403, "FORBIDDEN")
    resent = organization.owner.call("resendInvitation", path={"userId": invited["id"]})
    assert resent.code == "VALIDATION_ERROR"


def test_an_address_belongs_to_one_organization(api: Api, organization: Organization) -> None:
    email = invite(organization)["email"]
    other = new_organization(api)
    for known_address in (email, email.upper(), organization.owner.user.email):
        body = {"email": known_address, "firstName": "Ida", "lastName": "Holm"}
        answer = other.owner.call("inviteUser", body=body)
        assert (answer.status, answer.code) == (409, "DUPLICATE_ENTRY")
        assert answer.error["details"]["fieldErrors"] == {"email": ["is already in use"]}
    assert other.owner.call("getOrganization").data["userCount"] == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "nobody"), ("firstName", ""), ("lastName", "x" * 101), ("role", "KING"), ("role", None), ("extra", 1)],
)
def test_what_is_not_acceptable_in_an_invitation(settled: Organization, field: str, value: Any) -> None:
    body = {"email": address(), "firstName": "Ida", "lastName": "Holm", field: value}
    answer = settled.owner.call("inviteUser", body=body)
    assert list(answer.error["details"]["fieldErrors"]) == [field]


@pytest.mark.parametrize("password", ["password1", "short", "x" * 129])
def test_the_new_password_must_be_acceptable(api: Api, organization: Organization, password: str) -> None:
    email = invite(organization)["email"]
    answer = _accept(api, email, "ABCDE-FGHJK", password)
    assert list(answer.error["details"]["fieldErrors"]) == ["password"]
