"""resetPassword and confirmResetPassword: a code by mail, its uses and its limits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from chalicelib.auth import codes
from chalicelib.auth.rate_limits import RESET_MAILS, SIGN_INS
from chalicelib.core import clock
from chalicelib.dal import limits
from chalicelib.models.identity import credentials
from chalicelib.models.identity.credentials import CodePurpose
from chalicelib.models.users import Role
from tests.support.api import Answer, Api
from tests.support.factories import PASSWORD, Member, Organization, address
from tests.support.mail_delivery import Post, other_code

NEW = "calm-lighthouse-7"


@pytest.fixture
def anna(organization: Organization) -> Member:
    return organization.enrol(Role.MEMBER, PASSWORD)


def _ask(api: Api, email: str) -> Answer:
    return api.call("resetPassword", body={"email": email})


def _confirm(api: Api, email: str, code: str, password: str = NEW, key: str | None = None) -> Answer:
    return api.call("confirmResetPassword", body={"email": email, "code": code, "newPassword": password}, key=key)


def _sign_in(api: Api, email: str, password: str) -> int:
    return api.call("signIn", body={"email": email, "password": password}).status


def _code(email: str) -> str:
    """Return the code of the mail, without reading the mail."""
    credential = credentials.get(email)
    assert credential is not None
    code = codes.issue(credential, CodePurpose.RESET)
    assert code is not None
    return code


def _is_refused(answer: Answer) -> bool:
    wrong = {"code": ["is wrong or no longer valid"]}
    return answer.code == "VALIDATION_ERROR" and answer.error["details"]["fieldErrors"] == wrong


def test_from_the_forgotten_password_to_the_new_one(api: Api, anna: Member, post: Post) -> None:
    email = anna.user.email
    assert _ask(api, email.upper()).data == {"success": True}
    code = post.code(email)
    mail = post.mailbox.mails(email)[0]
    assert mail["subject"] == "Your Workledger password"
    assert "Test" in mail["body"]
    assert f"code={code}" in mail["body"]
    assert _confirm(api, email, code).data == {"success": True}
    assert (_sign_in(api, email, NEW), _sign_in(api, email, PASSWORD)) == (200, 401)


def test_a_new_password_ends_every_session_of_the_user_and_of_nobody_else(
    api: Api, organization: Organization, anna: Member
) -> None:
    other = organization.session(anna.user)
    assert _confirm(api, anna.user.email, _code(anna.user.email)).status == 200
    assert {api.call("getUserRole", token).code for token in (anna.token, other)} == {"SESSION_EXPIRED"}
    assert organization.owner.call("getUserRole").status == 200


def test_a_code_works_once(api: Api, anna: Member) -> None:
    code = _code(anna.user.email)
    assert _confirm(api, anna.user.email, code).status == 200
    assert _is_refused(_confirm(api, anna.user.email, code, "yet-another-password"))


def test_a_repeated_confirmation_with_its_key_succeeds_again(api: Api, anna: Member) -> None:
    code = _code(anna.user.email)
    first, again = (_confirm(api, anna.user.email, code, key="reset-1") for _ in range(2))
    assert (first.status, again.status, again.is_replay) == (200, 200, True)


@pytest.mark.parametrize(("minutes", "works"), [(59, True), (61, False)])
def test_a_code_lives_an_hour(api: Api, anna: Member, minutes: int, *, works: bool) -> None:
    code = _code(anna.user.email)
    with clock.shifted(timedelta(minutes=minutes)):
        answer = _confirm(api, anna.user.email, code)
    assert answer.status == 200 if works else _is_refused(answer)


def test_five_attempts_and_then_the_right_code_is_wrong_too(api: Api, anna: Member) -> None:
    code = _code(anna.user.email)
    for _ in range(5):
        assert _is_refused(_confirm(api, anna.user.email, other_code(code)))
    assert _is_refused(_confirm(api, anna.user.email, code))
    assert _sign_in(api, anna.user.email, PASSWORD) == 200


def test_the_fifth_attempt_may_still_succeed(api: Api, anna: Member) -> None:
    code = _code(anna.user.email)
    for _ in range(4):
        _confirm(api, anna.user.email, other_code(code))
    assert _confirm(api, anna.user.email, code).status == 200


@pytest.mark.parametrize(
    "typed",
    [
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: code.replace("-", " "),
        lambda code: f"  {code}  ",
        lambda code: "-".join(code.replace("-", "")),
        lambda code: code.replace("0", "O").replace("1", "l"),
    ],
)
def test_a_code_may_be_typed_as_people_type(api: Api, anna: Member, typed: Callable[[str], str]) -> None:
    assert _confirm(api, anna.user.email, typed(_code(anna.user.email))).status == 200


def test_a_newer_code_replaces_the_older(api: Api, anna: Member) -> None:
    older, newer = (_code(anna.user.email) for _ in range(2))
    assert _is_refused(_confirm(api, anna.user.email, older))
    assert _confirm(api, anna.user.email, newer).status == 200


def test_the_code_of_another_person_does_not_help(api: Api, organization: Organization, anna: Member) -> None:
    other = organization.enrol(Role.OWNER, PASSWORD)
    code = _code(anna.user.email)
    assert _is_refused(_confirm(api, other.user.email, code))


def test_a_reset_code_accepts_no_invitation(api: Api, anna: Member) -> None:
    body = {"email": anna.user.email, "code": _code(anna.user.email), "password": NEW}
    assert _is_refused(api.call("acceptInvitation", body=body))


@pytest.mark.parametrize("password", ["short", "password1"])
def test_an_unacceptable_password_costs_no_attempt(api: Api, anna: Member, password: str) -> None:
    code = _code(anna.user.email)
    for _ in range(6):
        assert list(_confirm(api, anna.user.email, code, password).error["details"]["fieldErrors"]) == ["newPassword"]
    assert _confirm(api, anna.user.email, code).status == 200


def test_the_address_is_no_password(api: Api, anna: Member) -> None:
    answer = _confirm(api, anna.user.email, "ABCDE-FGHJK", anna.user.email.upper())
    assert answer.error["details"]["fieldErrors"] == {"newPassword": ["must not be the e-mail address"]}


def test_a_changed_password_ends_an_open_code(api: Api, anna: Member) -> None:
    code = _code(anna.user.email)
    assert anna.call("updatePassword", body={"currentPassword": PASSWORD, "newPassword": NEW}).status == 200
    assert _is_refused(_confirm(api, anna.user.email, code, "third-password-3"))


# -- known and unknown addresses answer alike ------------------------------------------------------------------------


def test_known_unknown_and_invited_addresses_look_alike(api: Api, organization: Organization, anna: Member) -> None:
    invited = address("invited")
    organization.owner.call("inviteUser", body={"email": invited, "firstName": "Ida", "lastName": "Holm"})
    answers = [_ask(api, email) for email in (anna.user.email, address("nobody"), invited)]
    assert {answer.text for answer in answers} == {'{"success":true,"data":{"success":true}}'}
    assert {tuple(answer.recording.operations) for answer in answers} == {("BatchGetItem", "TransactWriteItems")}
    writes = {len(answer.recording.calls[-1].parameters["TransactItems"]) for answer in answers}
    assert writes == {3}


def test_with_a_key_they_look_alike_too(api: Api, anna: Member) -> None:
    emails = (anna.user.email, address("nobody"))
    answers = [api.call("resetPassword", body={"email": email}, key="k") for email in emails for _ in range(2)]
    assert len({answer.text for answer in answers}) == 1
    assert [answer.is_replay for answer in answers] == [False, True] * 2
    assert {len(answer.recording.calls[-1].parameters["TransactItems"]) for answer in answers} == {4}


def test_a_confirmation_for_an_unknown_address_gets_the_words_of_a_wrong_code(api: Api, anna: Member) -> None:
    _code(anna.user.email)
    known, unknown = (_confirm(api, email, "ABCDE-FGHJK") for email in (anna.user.email, address("nobody")))
    assert known.error | {"requestId": ""} == unknown.error | {"requestId": ""}
    assert known.recording.operations == unknown.recording.operations
    assert _is_refused(unknown)


def test_only_a_few_mails_an_hour_and_the_answer_stays_the_same(api: Api, anna: Member, post: Post) -> None:
    with clock.shifted(timedelta(days=3)):
        answers = [_ask(api, anna.user.email) for _ in range(RESET_MAILS.quota + 2)]
        assert {answer.status for answer in answers} == {200}
        assert post.count(anna.user.email) == RESET_MAILS.quota
    with clock.shifted(timedelta(days=3, hours=1, minutes=4)):
        _ask(api, anna.user.email)
        assert post.count(anna.user.email) == RESET_MAILS.quota + 1


def test_who_is_not_known_gets_no_mail(api: Api, post: Post, organization: Organization) -> None:
    nobody, invited = address("nobody"), address("invited")
    organization.owner.call("inviteUser", body={"email": invited, "firstName": "Ida", "lastName": "Holm"})
    for email in (nobody, invited):
        _ask(api, email)
    assert post.count(nobody) == 0
    assert [mail["subject"].partition(" to ")[0] for mail in post.mailbox.mails(invited)] == ["Your invitation"]


def test_a_reset_forgets_the_failures_to_sign_in(api: Api, anna: Member) -> None:
    for _ in range(SIGN_INS.quota):
        limits.take(*limits.load(SIGN_INS.of_address(anna.user.email)))
    assert _sign_in(api, anna.user.email, PASSWORD) == 429
    _confirm(api, anna.user.email, _code(anna.user.email))
    assert _sign_in(api, anna.user.email, NEW) == 200
