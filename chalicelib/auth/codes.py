"""Codes by mail: random, hashed, single-use, expiring, five attempts."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated

from pydantic import Field, SecretStr

from chalicelib.auth import passwords
from chalicelib.core import clock
from chalicelib.core.errors import invalid_field
from chalicelib.core.field_types import secret_length
from chalicelib.models.identity import credentials
from chalicelib.models.identity.credentials import CodePurpose, Credential

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no letter looks like a digit
_LENGTH = 10
_LOOKALIKES = str.maketrans("OIL", "011", "- ")

LIFETIME = {
    CodePurpose.CONFIRMATION: timedelta(days=7),
    CodePurpose.INVITATION: timedelta(days=7),
    CodePurpose.RESET: timedelta(hours=1),
}

GivenCode = Annotated[
    SecretStr,
    secret_length(1, 40),
    Field(examples=["7KQ2M-9XW4T"], json_schema_extra={"minLength": 1, "maxLength": 40, "pattern": "\\S"}),
]


def issue(credential: Credential, purpose: CodePurpose) -> str | None:
    """Return a new code in the form to mail, in place of any earlier one. None when it is no longer needed."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    if not credentials.issue_code(credential, purpose, passwords.hash_secret(code), clock.now() + LIFETIME[purpose]):
        return None
    return f"{code[:5]}-{code[5:]}"


def require_right(
    credential: Credential | None, email: str, purpose: CodePurpose, given: SecretStr, request: bytes
) -> Credential:
    """The credential, for the right code. One refusal for a wrong, expired, used or never mailed one, in the same time.

    A wrong guess is counted before it is answered, once for the repetitions of a `request`. A right one costs nothing
    before the commit that uses the code up, which is refused after five wrong ones: however many guesses run at once,
    five are answered.
    """
    code = credential.code(purpose) if credential else None
    if code is not None and not code.is_open:
        code = None
    text = given.get_secret_value().upper().translate(_LOOKALIKES)
    if passwords.verify(code.hash if code else None, text) and credential is not None:
        return credential
    # Slow, so that nothing stored lets the code be guessed quickly.
    guess = passwords.slow_digest(text, request)
    credentials.record_wrong_guess(email, purpose, code, guess)
    raise invalid_field("code", "is wrong or no longer valid")
