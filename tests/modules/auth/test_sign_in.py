"""signIn and signOut: who gets a session, in which words others are refused, and how often they may try."""

from __future__ import annotations

from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from chalicelib.auth import passwords
from chalicelib.auth.rate_limits import SIGN_INS
from chalicelib.core import clock
from chalicelib.dal import limits
from chalicelib.dal.limits import SLOTS
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.identity import credentials
from chalicelib.models.users import Role
from tests.support.api import Answer, Api
from tests.support.factories import PASSWORD, Member, Organization, address


@pytest.fixture
def anna(organization: Organization) -> Member:
    return organization.enrol(Role.MEMBER, PASSWORD)


def _sign_in(api: Api, email: str, password: str = PASSWORD, key: str | None = None) -> Answer:
    return api.call("signIn", body={"email": email, "password": password}, key=key, headers={"User-Agent": "Safari"})


def _fail(email: str, times: int) -> None:
    for _ in range(times):
        limits.take(*limits.load(SIGN_INS.of_address(email)))


def test_the_right_password_opens_a_session(api: Api, anna: Member) -> None:
    answer = _sign_in(api, anna.user.email)
    assert answer.status == 200
    assert set(answer.data) == {"token", "expiresAt", "user"}
    assert api.call("getCurrentUser", answer.data["token"]).data["user"] == answer.data["user"]


@pytest.mark.parametrize("change", ["upper", "title", "swapcase"])
def test_the_case_of_the_address_does_not_matter(api: Api, anna: Member, change: str) -> None:
    assert _sign_in(api, f" {getattr(anna.user.email, change)()} ").status == 200


def test_an_unknown_address_and_a_wrong_password_get_the_same_words(api: Api, anna: Member) -> None:
    unknown, wrong = _sign_in(api, address("nobody")), _sign_in(api, anna.user.email, PASSWORD + "x")
    assert unknown.status == wrong.status == 401
    assert unknown.error | {"requestId": ""} == wrong.error | {"requestId": ""}
    assert unknown.code == "INVALID_CREDENTIALS"
    assert unknown.recording.operations == wrong.recording.operations


@pytest.mark.parametrize("password", [PASSWORD.upper(), PASSWORD[:-1], f"{PASSWORD}!", PASSWORD.replace("-", " ")])
def test_a_password_is_compared_to_the_letter(api: Api, anna: Member, password: str) -> None:
    assert _sign_in(api, anna.user.email, password).code == "INVALID_CREDENTIALS"


def test_the_same_keys_on_another_system_are_the_same_password(api: Api, organization: Organization) -> None:
    composed, decomposed = "grüße-vom-hafen", "gru\u0308ße-vom-hafen"
    email = organization.enrol(Role.VIEWER, composed).user.email
    assert _sign_in(api, email, decomposed).status == 200


def test_who_was_invited_has_no_password_to_sign_in_with(api: Api, organization: Organization) -> None:
    body = {"email": address("invited"), "firstName": "Ida", "lastName": "Holm"}
    organization.owner.call("inviteUser", body=body)
    assert _sign_in(api, body["email"]).code == "INVALID_CREDENTIALS"


def test_a_deactivated_user_is_told_so_only_with_the_right_password(
    api: Api, organization: Organization, anna: Member
) -> None:
    organization.owner.call("deactivateUser", path={"userId": anna.user.id})
    assert (_sign_in(api, anna.user.email).status, _sign_in(api, anna.user.email).code) == (403, "FORBIDDEN")
    assert _sign_in(api, anna.user.email, "not-the-password").code == "INVALID_CREDENTIALS"


# -- how often -------------------------------------------------------------------------------------------------------


def test_failures_are_counted_and_then_even_the_right_password_is_refused(api: Api, anna: Member) -> None:
    _fail(anna.user.email, SIGN_INS.quota - 1)
    assert _sign_in(api, anna.user.email, "wrong-password").code == "INVALID_CREDENTIALS"
    answer = _sign_in(api, anna.user.email.upper())
    assert (answer.status, answer.code) == (429, "RATE_LIMITED")
    assert 1 <= int(answer.headers["Retry-After"]) <= SIGN_INS.seconds * (SLOTS + 1) / SLOTS
    # One read, and nothing that depends on the password or writes.
    assert answer.recording.operations == ["BatchGetItem"]


def test_a_refusal_for_too_many_failures_is_the_same_for_an_unknown_address(api: Api, anna: Member) -> None:
    nobody = address("nobody")
    for email in (nobody, anna.user.email):
        _fail(email, SIGN_INS.quota)
    known, unknown = _sign_in(api, anna.user.email), _sign_in(api, nobody)
    assert known.code == unknown.code == "RATE_LIMITED"
    assert known.recording.operations == unknown.recording.operations


def test_the_window_ends_after_retry_after(api: Api, anna: Member) -> None:
    _fail(anna.user.email, SIGN_INS.quota)
    seconds = int(_sign_in(api, anna.user.email).headers["Retry-After"])
    with clock.shifted(timedelta(seconds=seconds)):
        assert _sign_in(api, anna.user.email).status == 200


def test_success_forgets_the_failures_of_the_address(api: Api, anna: Member) -> None:
    _fail(anna.user.email, SIGN_INS.quota - 1)
    assert _sign_in(api, anna.user.email).status == 200
    assert _sign_in(api, anna.user.email, "wrong-password").code == "INVALID_CREDENTIALS"
    assert _sign_in(api, anna.user.email).status == 200


def test_a_known_key_is_no_way_around_the_limit(api: Api, anna: Member) -> None:
    assert _sign_in(api, anna.user.email, key="guessable").status == 200
    _fail(anna.user.email, SIGN_INS.quota)
    assert _sign_in(api, anna.user.email, "wrong-password", key="guessable").code == "RATE_LIMITED"
    assert _sign_in(api, anna.user.email, key="guessable").code == "RATE_LIMITED"


# -- hashes ----------------------------------------------------------------------------------------------------------


def test_a_hash_of_older_parameters_is_renewed_at_sign_in(api: Api, organization: Organization) -> None:
    member = organization.enrol(Role.VIEWER)
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    credential = credentials.get(member.user.email)
    assert credential is not None
    unit = UnitOfWork(organization.id)
    credentials.set_password(unit, credential, old)
    unit.commit()
    assert _sign_in(api, member.user.email).status == 200
    renewed = credentials.get(member.user.email)
    assert renewed is not None
    assert renewed.password_hash is not None
    assert not passwords.needs_rehash(renewed.password_hash)
    assert _sign_in(api, member.user.email).status == 200
    assert credentials.get(member.user.email) == renewed


# -- sessions --------------------------------------------------------------------------------------------------------


def test_signing_out_ends_this_session_at_once_and_no_other(api: Api, anna: Member) -> None:
    token = _sign_in(api, anna.user.email).data["token"]
    assert api.call("signOut", token).data == {"success": True}
    for _ in range(2):
        answer = api.call("getUserRole", token)
        assert (answer.status, answer.code) == (401, "SESSION_EXPIRED")
    assert anna.call("getUserRole").status == 200


def test_signing_out_again_is_refused_and_with_its_key_answered_again(api: Api, anna: Member) -> None:
    token = _sign_in(api, anna.user.email).data["token"]
    first = api.call("signOut", token, key="out")
    again = api.call("signOut", token, key="out")
    assert (first.status, first.is_replay) == (200, False)
    assert (again.status, again.text, again.is_replay) == (200, first.text, True)
    assert api.call("signOut", token).code == "SESSION_EXPIRED"
    assert api.call("signOut", token, key="another").code == "SESSION_EXPIRED"


def test_an_ended_session_gets_no_other_answer(api: Api, anna: Member) -> None:
    token = _sign_in(api, anna.user.email).data["token"]
    assert api.call("updateProfile", token, body={"firstName": "Anna"}, key="once").status == 200
    api.call("signOut", token)
    assert api.call("updateProfile", token, body={"firstName": "Anna"}, key="once").code == "SESSION_EXPIRED"


def test_a_session_ends_after_thirty_days(api: Api, anna: Member) -> None:
    with clock.shifted(timedelta(days=30, seconds=-60)):
        assert anna.call("getUserRole").status == 200
    with clock.shifted(timedelta(days=30, seconds=60)):
        assert anna.call("getUserRole").code == "SESSION_EXPIRED"


def test_a_repeated_sign_in_opens_one_session_with_a_token_each(api: Api, anna: Member) -> None:
    first, again = (_sign_in(api, anna.user.email, key="in-1") for _ in range(2))
    assert (first.is_replay, again.is_replay) == (False, True)
    assert first.data["token"] != again.data["token"]
    assert len(api.call("listSessions", again.data["token"]).data["items"]) == 2  # the fixture's and this one
    api.call("signOut", first.data["token"])
    assert api.call("getUserRole", again.data["token"]).code == "SESSION_EXPIRED"
    assert _sign_in(api, anna.user.email, key="in-1").code == "SESSION_EXPIRED"


def test_a_sign_in_repeated_after_the_password_changed_says_that_its_session_ended(api: Api, anna: Member) -> None:
    # Given a sign-in, and a new password, which ended its session
    assert _sign_in(api, anna.user.email, key="in-3").status == 200
    new = {"currentPassword": PASSWORD, "newPassword": "amber-lantern-77"}
    assert anna.call("updatePassword", body=new).status == 200
    # When it is repeated more often than one may fail to sign in
    answers = [_sign_in(api, anna.user.email, key="in-3") for _ in range(SIGN_INS.quota + 1)]
    # Then it hands out no token that would be refused, and counts as no failure
    assert {answer.code for answer in answers} == {"SESSION_EXPIRED"}
    assert _sign_in(api, anna.user.email, "amber-lantern-77").status == 200


def test_a_repeated_sign_in_with_another_password_is_a_mismatch(api: Api, anna: Member) -> None:
    assert _sign_in(api, anna.user.email, key="in-2").status == 200
    assert _sign_in(api, anna.user.email, "wrong-password", key="in-2").code == "IDEMPOTENCY_MISMATCH"
