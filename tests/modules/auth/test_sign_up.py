"""signUp: an organization, its OWNER and a session, all or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.factories import PASSWORD, address, new_organization


def _sign_up(api: Api, key: str | None = None, **fields: Any) -> Answer:
    person = {
        "email": address("founder"),
        "password": PASSWORD,
        "firstName": "Anna",
        "lastName": "Berg",
        "organizationName": "Berg Staffing",
    }
    return api.call("signUp", body={**person, **fields}, key=key)


def test_the_founder_is_signed_in_as_owner_of_a_new_organization(api: Api) -> None:
    answer = _sign_up(api, email="Anna.Berg@Example.com", firstName="  Anna ")
    assert answer.status == 201
    user, organization = answer.data["user"], answer.data["organization"]
    assert (user["role"], user["status"], user["isActive"], user["version"]) == ("OWNER", "ACTIVE", True, 1)
    assert (user["firstName"], user["email"]) == ("Anna", "Anna.Berg@example.com")
    assert organization["name"] == "Berg Staffing"
    assert (organization["userCount"], organization["activeUserCount"]) == (1, 1)
    assert (organization["subscriptionTier"], organization["loanRole"]) == ("FREE", "NONE")
    assert api.call("getOrganization", answer.data["token"]).data == organization
    assert api.call("getCurrentUser", answer.data["token"]).data["user"] == user


def test_everything_is_one_transaction(api: Api) -> None:
    assert _sign_up(api).recording.operations == ["BatchGetItem", "TransactWriteItems"]


def test_nothing_secret_is_answered(api: Api) -> None:
    text = _sign_up(api).text
    for word in ("cursorSecret", "hash", "Hash", PASSWORD, "epoch"):
        assert word not in text


@pytest.mark.parametrize("change", [str, str.upper, str.title])
def test_an_address_is_one_person_whatever_its_case(api: Api, change: Any) -> None:
    email = address("one-person")
    assert _sign_up(api, email=email).status == 201
    answer = _sign_up(api, email=change(email))
    assert (answer.status, answer.code) == (409, "DUPLICATE_ENTRY")
    assert answer.error["details"]["fieldErrors"] == {"email": ["is already in use"]}


def test_an_invited_address_is_taken_too(api: Api) -> None:
    user = new_organization(api).owner.user
    assert _sign_up(api, email=user.email.upper()).code == "DUPLICATE_ENTRY"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "no-at.example.com"),
        ("email", "anna@localhost"),
        ("email", "a" * 250 + "@example.com"),
        ("email", ""),
        ("email", None),
        ("password", "seven77"),
        ("password", "x" * 129),
        ("password", 12345678),
        ("password", "password1"),
        ("password", "PASSWORD1"),
        ("password", "ANNA.BERG@example.com"),
        ("firstName", ""),
        ("firstName", "   "),
        ("firstName", "x" * 101),
        ("firstName", "An\tna"),
        ("lastName", "x" * 101),
        ("lastName", "Be\x00rg"),
        ("lastName", None),
        ("organizationName", ""),
        ("organizationName", "x" * 256),
        ("role", "OWNER"),
        ("organizationId", "0198c5f0-0000-7000-8000-000000000000"),
    ],
)
def test_what_is_not_acceptable_is_named(api: Api, field: str, value: Any) -> None:
    answer = _sign_up(api, **{"email": "anna.berg@example.com", field: value})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert list(answer.error["details"]["fieldErrors"]) == [field]
    assert answer.error["message"].startswith(f"{field}: ")


def test_all_faults_are_reported_at_once(api: Api) -> None:
    answer = api.call("signUp", body={"email": "x", "password": "short", "firstName": "", "extra": 1})
    assert set(answer.error["details"]["fieldErrors"]) == {
        "email",
        "password",
        "firstName",
        "lastName",
        "organizationName",
        "extra",
    }


def test_longest_values_pass(api: Api) -> None:
    answer = _sign_up(api, firstName="x" * 100, lastName="ü" * 100, organizationName="界" * 255, password="p1" * 64)
    assert answer.status == 201


def test_a_repeated_sign_up_has_one_effect_and_a_fresh_token(api: Api) -> None:
    email = address("twice")
    first, again = (_sign_up(api, key="sign-up-1", email=email) for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert (first.is_replay, again.is_replay) == (False, True)
    tokens = {first.data["token"], again.data["token"]}
    assert len(tokens) == 2
    assert {**first.data, "token": ""} == {**again.data, "token": ""}
    for token in tokens:
        assert api.call("getUserRole", token).data == {"role": "OWNER"}


def test_a_key_belongs_to_its_address_and_its_input(api: Api) -> None:
    email = address("mismatch")
    assert _sign_up(api, key="k", email=email).status == 201
    assert _sign_up(api, key="k", email=email, firstName="Other").code == "IDEMPOTENCY_MISMATCH"
    assert _sign_up(api, key="k", email=email, password="another-password-1").code == "IDEMPOTENCY_MISMATCH"
    assert _sign_up(api, key="k", email=address("other")).status == 201
