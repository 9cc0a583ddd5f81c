"""Passwords: hashed slowly, compared in one form, refused if they are easy to guess."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from chalicelib.auth import passwords
from chalicelib.core.errors import ActionError

pytestmark = pytest.mark.storeless


def test_the_hash_is_argon2id_with_owasps_parameters_and_its_own_salt() -> None:
    one, other = passwords.hash_secret("quiet-harbour-42"), passwords.hash_secret("quiet-harbour-42")
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert one != other
    assert passwords.verify(one, "quiet-harbour-42")
    assert not passwords.verify(one, "quiet-harbour-43")
    assert not passwords.needs_rehash(one)


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$m=19456,t=2,p=1$broken"])
@pytest.mark.parametrize("secret", ["", "quiet-harbour-42"])
def test_nothing_matches_no_hash(stored: str | None, secret: str) -> None:
    assert passwords.verify(stored, secret) is False


@pytest.mark.parametrize(
    "password", ["password1", "Password1", "qwertyuiop", "12345678", "iloveyou1", "sunshine", "ANNA@example.com"]
)
def test_common_passwords_are_refused(password: str) -> None:
    with pytest.raises(ActionError) as refused:
        passwords.require_acceptable(SecretStr(password), "anna@example.com", "password")
    assert refused.value.details is not None
    assert list(refused.value.details["fieldErrors"]) == ["password"]
    assert password not in refused.value.message


@pytest.mark.parametrize("password", ["quiet-harbour-42", "zürich-see-99", "correct horse battery"])
def test_others_are_taken_as_they_are(password: str) -> None:
    assert passwords.require_acceptable(SecretStr(password), "anna@example.com", "password") == password
