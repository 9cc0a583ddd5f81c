"""argon2id at its cheapest: nets hash hundreds of secrets, and what they watch is not how hard the hashes are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from argon2 import PasswordHasher

from chalicelib.auth import passwords
from tests.support import world

_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@contextlib.contextmanager
def cheap() -> Iterator[None]:
    proper = passwords._HASHER
    _forget()
    passwords._HASHER = _CHEAP
    try:
        yield
    finally:
        passwords._HASHER = proper
        _forget()


def _forget() -> None:
    """Hashes made with other parameters would be made anew at the next sign-in."""
    passwords._hash_of_nothing.cache_clear()
    world.hash_of.cache_clear()
