"""Limits by source address, which are off in tests because all requests come from one address."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from chalicelib.core.settings import settings

_NAME = "WORKLEDGER_LIMITS_BY_SOURCE"


@contextlib.contextmanager
def limited() -> Iterator[None]:
    before = os.environ[_NAME]
    os.environ[_NAME] = "true"
    settings.cache_clear()
    try:
        yield
    finally:
        os.environ[_NAME] = before
        settings.cache_clear()
