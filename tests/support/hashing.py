"""Cheap argon2id parameters: tests hash hundreds of secrets, and do not depend on the strength of the hashes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from argon2 import PasswordHasher

from chalicelib.auth import passwords
from tests.support import factories

_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@contextlib.contextmanager
def cheap() -> Iterator[None]:
    original = passwords._HASHER
    _forget()
    passwords._HASHER = _CHEAP
    try:
        yield
    finally:
        passwords._HASHER = original
        _forget()


def _forget() -> None:
    """Drop cached hashes: a sign-in would replace hashes with other parameters."""
    passwords._hash_of_nothing.cache_clear()
    factories.hash_of.cache_clear()
