"""Codes by mail: random, hashed, single-use, expiring, five attempts."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated

from pydantic import Field, SecretStr

from chalicelib.auth import passwords
from chalicelib.core import clock
from chalicelib.core.contracts import secret_length
from chalicelib.core.errors import ActionError, invalid_field
from chalicelib.dal import credentials
from chalicelib.dal.credentials import CodePurpose, Credential

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no letter looks like a digit
_LENGTH = 10
_LOOKALIKES = str.maketrans("OIL", "011", "- ")

LIFETIME = {CodePurpose.INVITATION: timedelta(days=7), CodePurpose.RESET: timedelta(hours=1)}

GivenCode = Annotated[
    SecretStr,
    secret_length(1, 40),
    Field(examples=["7KQ2M-9XW4T"], json_schema_extra={"minLength": 1, "maxLength": 40, "pattern": "\\S"}),
]


def issue(credential: Credential, purpose: CodePurpose) -> str | None:
    """A new code in the form to mail, in place of any earlier one. None when it is no longer wanted."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    if not credentials.issue_code(credential, purpose, passwords.hash_secret(code), clock.now() + LIFETIME[purpose]):
        return None
    return f"{code[:5]}-{code[5:]}"


def redeem(email: str, purpose: CodePurpose, given: SecretStr) -> Credential:
    """Spends one attempt. The same refusal for a wrong, expired, used or never mailed code, and in the same time."""
    credential = credentials.attempt_code(email, purpose)
    code = credential.code(purpose) if credential else None
    text = given.get_secret_value().upper().translate(_LOOKALIKES)
    if not passwords.verify(code.hash if code else None, text) or credential is None:
        raise _refused()
    return credential


def _refused() -> ActionError:
    return invalid_field("code", "is wrong or no longer valid")
