"""updatePassword: by who knows the current one; ends the other sessions."""

from __future__ import annotations

import pytest

from chalicelib.auth.rate_limits import PASSWORD_CHANGES
from chalicelib.dal import limits
from chalicelib.models.users import Role
from tests.support.api import Answer, Api
from tests.support.factories import PASSWORD, Member, Organization

NEW = "calm-lighthouse-7"


@pytest.fixture
def anna(organization: Organization) -> Member:
    return organization.enrol(Role.MEMBER, PASSWORD)


def _update(member: Member, current: str, new: str, key: str | None = None) -> Answer:
    return member.call("updatePassword", body={"currentPassword": current, "newPassword": new}, key=key)


def test_the_new_password_holds_and_the_old_one_ends(api: Api, anna: Member) -> None:
    assert _update(anna, PASSWORD, NEW).data == {"success": True}
    tries = [api.call("signIn", body={"email": anna.user.email, "password": value}).status for value in (NEW, PASSWORD)]
    assert tries == [200, 401]


def test_the_other_sessions_end_and_this_one_lives(organization: Organization, anna: Member) -> None:
    other = organization.session(anna.user)
    assert _update(anna, PASSWORD, NEW).status == 200
    assert anna.call("getUserRole").status == 200
    assert anna.api.call("getUserRole", other).code == "SESSION_EXPIRED"
    assert organization.owner.call("getUserRole").status == 200


def test_a_wrong_current_password_is_refused_and_changes_nothing(organization: Organization, anna: Member) -> None:
    other = organization.session(anna.user)
    answer = _update(anna, "not-the-password", NEW)
    assert (answer.status, answer.code) == (401, "INVALID_CREDENTIALS")
    assert anna.api.call("getUserRole", other).status == 200


@pytest.mark.parametrize("new", [PASSWORD, "password1", "short", "x" * 129])
def test_what_is_no_new_password(anna: Member, new: str) -> None:
    answer = _update(anna, PASSWORD, new)
    assert (answer.status, list(answer.error["details"]["fieldErrors"])) == (400, ["newPassword"])


def test_the_address_is_no_new_password(anna: Member) -> None:
    assert list(_update(anna, PASSWORD, anna.user.email).error["details"]["fieldErrors"]) == ["newPassword"]


def test_failures_are_counted_and_then_even_the_right_password_is_refused(api: Api, anna: Member) -> None:
    for _ in range(PASSWORD_CHANGES.quota):
        assert _update(anna, "not-the-password", NEW).code == "INVALID_CREDENTIALS"
    answer = _update(anna, PASSWORD, NEW)
    assert (answer.status, answer.code) == (429, "RATE_LIMITED")
    assert int(answer.headers["Retry-After"]) >= 1
    # They are no failures to sign in, nor the other way round: neither door shuts the other one.
    assert api.call("signIn", body={"email": anna.user.email, "password": PASSWORD}).status == 200


def test_who_fails_to_sign_in_keeps_nobody_from_changing_the_password(api: Api, anna: Member) -> None:
    while api.call("signIn", body={"email": anna.user.email, "password": "not-the-password"}).status == 401:
        pass
    assert _update(anna, PASSWORD, NEW).status == 200


def test_success_forgets_the_failures(anna: Member) -> None:
    for current, new in ((PASSWORD, NEW), (NEW, PASSWORD)):
        for _ in range(PASSWORD_CHANGES.quota - 1):
            assert _update(anna, "not-the-password", NEW).code == "INVALID_CREDENTIALS"
        assert _update(anna, current, new).status == 200
    assert limits.load(PASSWORD_CHANGES.of_address(anna.user.email))[0].used == 0


def test_an_unacceptable_new_password_is_no_failure(anna: Member) -> None:
    for _ in range(PASSWORD_CHANGES.quota + 1):
        assert _update(anna, PASSWORD, "password1").code == "VALIDATION_ERROR"
    assert _update(anna, PASSWORD, NEW).status == 200


def test_a_repeated_success_counts_nothing(api: Api, anna: Member) -> None:
    answers = [_update(anna, PASSWORD, NEW, key="again and again") for _ in range(21)]
    assert [answer.status for answer in answers] == [200] * 21
    assert [answer.is_replay for answer in answers] == [False] + [True] * 20
    assert _update(anna, "not-the-password", PASSWORD).code == "INVALID_CREDENTIALS"
    assert api.call("signIn", body={"email": anna.user.email, "password": NEW}).status == 200


def test_a_repeated_change_with_its_key_succeeds_again(anna: Member) -> None:
    first, again = (_update(anna, PASSWORD, NEW, key="change-1") for _ in range(2))
    assert (first.status, again.status, again.is_replay) == (200, 200, True)
    assert _update(anna, PASSWORD, "third-password-3", key="change-1").code == "IDEMPOTENCY_MISMATCH"


def test_one_repeats_a_change_only_with_ones_own_key(organization: Organization, anna: Member) -> None:
    bert = organization.enrol(Role.MEMBER, PASSWORD)
    assert _update(anna, PASSWORD, NEW, key="shared").is_replay is False
    assert _update(bert, PASSWORD, NEW, key="shared").is_replay is False
