"""Passwords: argon2id with OWASP's parameters, and which passwords are refused."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import hash_secret_raw
from pydantic import Field, SecretStr

from chalicelib.core import text
from chalicelib.core.errors import invalid_field
from chalicelib.core.field_types import secret_length

# OWASP Password Storage Cheat Sheet: argon2id, 19 MiB, 2 iterations, 1 lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

NewPassword = Annotated[
    SecretStr,
    secret_length(8, 128),
    Field(
        examples=["quiet-harbour-42"],
        json_schema_extra={"minLength": 8, "maxLength": 128, "pattern": "^\\S[\\s\\S]{6,}\\S$"},
    ),
]
GivenPassword = Annotated[
    SecretStr,
    secret_length(1, 128),
    Field(examples=["quiet-harbour-42"], json_schema_extra={"minLength": 1, "maxLength": 128, "pattern": "\\S"}),
]


def hash_secret(secret: str) -> str:
    return _HASHER.hash(_normal(secret))


def verify(stored_hash: str | None, secret: str) -> bool:
    """Takes the same time whether there is a hash to compare with or not."""
    try:
        _HASHER.verify(stored_hash or _hash_of_nothing(), _normal(secret))
    except (VerificationError, InvalidHashError):
        return False
    return bool(stored_hash)


def slow_digest(secret: str, salt: bytes) -> str:
    """The same text for the same secret and salt, as slow to guess from as a hash."""
    raw = hash_secret_raw(
        secret=_normal(secret).encode(),
        salt=salt,
        time_cost=_HASHER.time_cost,
        memory_cost=_HASHER.memory_cost,
        parallelism=_HASHER.parallelism,
        hash_len=16,
        type=_HASHER.type,
    )
    return raw.hex()


def needs_rehash(stored_hash: str) -> bool:
    return _HASHER.check_needs_rehash(stored_hash)


def require_acceptable(password: SecretStr, email: str, field: str) -> str:
    """The password's text; VALIDATION_ERROR on `field` when it is common or the e-mail address."""
    secret = password.get_secret_value()
    if text.unique_form(secret) == text.unique_form(email):
        raise invalid_field(field, "must not be the e-mail address")
    if secret.casefold() in _common_passwords():
        raise invalid_field(field, "is among the most common passwords")
    return secret


def _normal(secret: str) -> str:
    # The same keys give different code points on different systems (NIST SP 800-63B).
    return unicodedata.normalize("NFKC", secret)


@cache
def _hash_of_nothing() -> str:
    return _HASHER.hash("")


@cache
def _common_passwords() -> frozenset[str]:
    # Imported when a password is chosen: 30,000 words that no other request needs.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])
