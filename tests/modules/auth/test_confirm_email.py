"""confirmEmail, resendConfirmation: an address is its user's when a code mailed to it was used."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core import clock
from chalicelib.models import users
from chalicelib.models.users import MAX_UNCONFIRMED_INVITATIONS, Role
from tests.support import client_hooks
from tests.support.api import Answer, Api
from tests.support.factories import PASSWORD, Member, Organization, address
from tests.support.mail_delivery import Post, invite, other_code, sign_up
from tests.support.threads import at_once

REFUSED = {"code": ["is wrong or no longer valid"]}


class Founder:
    """Somebody who has just signed up."""

    def __init__(self, api: Api) -> None:
        self.api, self.email = api, address("founder")
        self.organization, self.token = sign_up(api, self.email, PASSWORD)

    def call(self, action: str, **parts: Any) -> Answer:
        return self.api.call(action, self.token, **parts)

    def confirm(self, code: str, key: str | None = None) -> Answer:
        return self.call("confirmEmail", body={"code": code}, key=key)

    def invite(self) -> Answer:
        return self.call("inviteUser", body={"email": address("guest"), "firstName": "Ida", "lastName": "Holm"})

    @property
    def is_confirmed(self) -> bool:
        return bool(self.call("getCurrentUser").data["emailConfirmed"])


@pytest.fixture
def founder(api: Api, post: Post) -> Founder:
    return Founder(api)


# -- codes -----------------------------------------------------------------------------------------------------------


def test_a_sign_up_mails_a_code_that_confirms_its_address(founder: Founder, post: Post) -> None:
    # Given a founder with a mail
    assert not founder.is_confirmed
    code = post.code(founder.email)
    [mail] = post.mailbox.mails(founder.email)
    assert mail["subject"] == "Confirm your e-mail address for Workledger"
    assert f"confirm-email?email={founder.email.replace('@', '%40')}&code={code}" in mail["body"]
    # When they use the code, however they type it
    assert founder.confirm(code.lower().replace("-", " ")).data == {"success": True}
    # Then the address is confirmed, and the code is used up
    assert founder.is_confirmed
    again = founder.confirm(code)
    assert (again.status, again.error["message"]) == (400, "the e-mail address is confirmed already")
    assert founder.call("resendConfirmation").error["message"] == "the e-mail address is confirmed already"
    assert post.count(founder.email) == 1


def test_a_repeated_confirmation_is_answered_again(founder: Founder, post: Post) -> None:
    code = post.code(founder.email)
    first, again = (founder.confirm(code, key="confirm") for _ in range(2))
    assert (first.is_replay, again.is_replay, again.data) == (False, True, first.data)
    assert founder.confirm(other_code(code), key="confirm").code == "IDEMPOTENCY_MISMATCH"


@pytest.mark.parametrize(("age", "works"), [({"days": 6, "hours": 23}, True), ({"days": 7, "minutes": 1}, False)])
def test_a_code_lives_seven_days(founder: Founder, post: Post, age: dict[str, int], *, works: bool) -> None:
    code = post.code(founder.email)
    with clock.shifted(timedelta(**age)):
        answer = founder.confirm(code)
    assert (answer.status == 200) is works
    assert works or answer.error["details"]["fieldErrors"] == REFUSED


def test_five_attempts_and_then_the_right_code_is_wrong_too(founder: Founder, post: Post) -> None:
    code = post.code(founder.email)
    for _ in range(5):
        assert founder.confirm(other_code(code)).error["details"]["fieldErrors"] == REFUSED
    assert founder.confirm(code).error["details"]["fieldErrors"] == REFUSED
    assert not founder.is_confirmed


def test_four_wrong_codes_and_repetitions_of_them_leave_one(founder: Founder, post: Post) -> None:
    code = post.code(founder.email)
    for number in range(4):
        for _ in range(3):
            founder.confirm(other_code(code), key=f"guess {number}")
    assert founder.confirm(code).status == 200


def test_one_of_many_confirmations_at_once_uses_the_code(founder: Founder, post: Post, on_a_safe_engine: None) -> None:
    code = post.code(founder.email)
    answers = at_once([lambda: founder.confirm(code)] * 6)
    assert [answer.status for answer in answers].count(200) == 1
    assert founder.is_confirmed


def test_another_code_comes_by_mail_and_ends_the_earlier_one(founder: Founder, post: Post) -> None:
    earlier = post.code(founder.email)
    # A mail of minutes ago is enough
    early = founder.call("resendConfirmation")
    assert (early.status, early.code) == (429, "RATE_LIMITED")
    assert int(early.headers["Retry-After"]) > 0
    with clock.shifted(timedelta(minutes=6)):
        assert founder.call("resendConfirmation").data == {"success": True}
    later = post.code(founder.email)
    assert post.count(founder.email) == 2
    assert founder.confirm(earlier).error["details"]["fieldErrors"] == REFUSED
    assert founder.confirm(later).status == 200


def test_an_address_has_five_codes_a_day(founder: Founder, post: Post) -> None:
    statuses = []
    for number in range(1, 7):
        with clock.shifted(timedelta(minutes=10 * number)):
            statuses.append(founder.call("resendConfirmation").status)
    assert statuses == [200] * 4 + [429] * 2
    with clock.shifted(timedelta(days=1, hours=4)):
        assert founder.call("resendConfirmation").status == 200


def test_a_code_of_another_purpose_confirms_nothing(api: Api, founder: Founder, post: Post) -> None:
    post.carry()
    assert api.call("resetPassword", body={"email": founder.email}).status == 200
    reset = post.code(founder.email)
    assert founder.confirm(reset).error["details"]["fieldErrors"] == REFUSED


def test_a_new_password_leaves_the_code(founder: Founder, post: Post) -> None:
    code = post.code(founder.email)
    body = {"currentPassword": PASSWORD, "newPassword": "amber-lantern-77"}
    assert founder.call("updatePassword", body=body).status == 200
    assert founder.confirm(code).status == 200


def test_a_confirmation_that_was_overtaken_is_not_mailed(api: Api, founder: Founder, post: Post) -> None:
    code = post.code(founder.email)
    with clock.shifted(timedelta(minutes=6)):
        assert founder.call("resendConfirmation").status == 200
    assert founder.confirm(code).status == 200
    assert post.count(founder.email) == 1


@pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": "x" * 41}, {"code": 5}])
def test_a_code_is_checked(settled: Organization, body: dict[str, Any]) -> None:
    answer = settled.owner.call("confirmEmail", body=body)
    assert list(answer.error["details"]["fieldErrors"]) == ["code"]


# -- other mailed codes ----------------------------------------------------------------------------------------------


def test_an_accepted_invitation_confirms_the_address(api: Api, organization: Organization, post: Post) -> None:
    invited = invite(organization)
    body = {"email": invited["email"], "code": post.code(invited["email"]), "password": PASSWORD}
    token = api.call("acceptInvitation", body=body).data["token"]
    assert api.call("getCurrentUser", token).data["emailConfirmed"] is True


def test_a_password_reset_by_mail_confirms_the_address(api: Api, founder: Founder, post: Post) -> None:
    code = post.code(founder.email)
    assert api.call("resetPassword", body={"email": founder.email}).status == 200
    body = {"email": founder.email, "code": post.code(founder.email), "newPassword": "amber-lantern-77"}
    assert api.call("confirmResetPassword", body=body).status == 200
    answer = api.call("signIn", body={"email": founder.email, "password": "amber-lantern-77"})
    founder.token = answer.data["token"]
    assert founder.is_confirmed
    assert founder.confirm(code).error["message"] == "the e-mail address is confirmed already"


# -- mail to others --------------------------------------------------------------------------------------------------


def test_five_invitations_before_the_address_is_confirmed(founder: Founder, post: Post) -> None:
    # Given a founder who has mailed as many as they may
    statuses = [founder.invite().status for _ in range(MAX_UNCONFIRMED_INVITATIONS)]
    assert statuses == [201] * MAX_UNCONFIRMED_INVITATIONS
    # When they invite once more, the refusal says what to do, now and tomorrow
    for age in (timedelta(), timedelta(days=2)):
        with clock.shifted(age):
            refused = founder.invite()
        assert (refused.status, refused.code) == (403, "FORBIDDEN")
        assert "confirm your e-mail address" in refused.error["message"]
    # Then a code opens the way, and nothing of the refused ones is there
    assert founder.call("getOrganization").data["userCount"] == 1 + MAX_UNCONFIRMED_INVITATIONS
    assert founder.confirm(post.code(founder.email)).status == 200
    assert founder.invite().status == 201


def test_an_invitation_that_is_mailed_again_counts(founder: Founder) -> None:
    user = founder.invite().data["id"]
    for number in range(1, MAX_UNCONFIRMED_INVITATIONS):
        with clock.shifted(timedelta(minutes=10 * number)):
            assert founder.call("resendInvitation", path={"userId": user}).status == 200
    assert founder.invite().code == "FORBIDDEN"


def test_withdrawing_gives_no_invitation_back(founder: Founder) -> None:
    for _ in range(MAX_UNCONFIRMED_INVITATIONS):
        user = founder.invite().data["id"]
        assert founder.call("withdrawInvitation", path={"userId": user}).status == 200
    assert founder.invite().code == "FORBIDDEN"


def test_parallel_invitations_get_no_further(founder: Founder, on_a_safe_engine: None) -> None:
    statuses = [answer.status for answer in at_once([founder.invite] * (2 * MAX_UNCONFIRMED_INVITATIONS))]
    assert statuses.count(201) <= MAX_UNCONFIRMED_INVITATIONS
    assert founder.call("getOrganization").data["userCount"] <= 1 + MAX_UNCONFIRMED_INVITATIONS


def test_a_repeated_invitation_counts_once(founder: Founder) -> None:
    body = {"email": address("guest"), "firstName": "Ida", "lastName": "Holm"}
    answers = [founder.call("inviteUser", body=body, key="once") for _ in range(8)]
    assert {answer.status for answer in answers} == {201}
    assert [founder.invite().status for _ in range(4)] == [201] * 4


def test_a_confirmation_overtakes_an_invitation(founder: Founder, post: Post) -> None:
    for _ in range(MAX_UNCONFIRMED_INVITATIONS):
        assert founder.invite().status == 201
    code = post.code(founder.email)
    with client_hooks.overtaken(lambda: founder.confirm(code)) as confirmed:
        assert founder.invite().status == 201
    assert confirmed[0].status == 200


def test_each_inviter_of_a_confirmed_address_has_no_such_limit(organization: Organization) -> None:
    admin = organization.enrol(Role.ADMIN)
    assert [_invites(admin) for _ in range(MAX_UNCONFIRMED_INVITATIONS + 2)] == [201] * 7


def _invites(member: Member) -> int:
    body = {"email": address("guest"), "firstName": "Ida", "lastName": "Holm"}
    return member.call("inviteUser", body=body).status


def test_a_sign_up_anew_mails_no_address_without_end(api: Api, post: Post) -> None:
    """Deleting and signing up by turns would mail a stranger's address else."""
    email = address("stranger")
    for _ in range(2):
        tenant, token = sign_up(api, email, PASSWORD)
        stranger = users.get(tenant, UUID(api.call("getCurrentUser", token).data["user"]["id"]))
        assert post.count(email) == 1
        another = Organization(api, tenant, Member(api, stranger, token)).enrol(Role.OWNER)
        assert another.call("deleteUser", path={"userId": stranger.id}).status == 200
