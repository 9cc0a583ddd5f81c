"""Clients of the services that jobs call, with time-outs that fit the functions they run in."""

from __future__ import annotations

from typing import Any

import botocore.session
from botocore.config import Config

_CONNECT_SECONDS = 2
_READ_SECONDS = 5
_TRIES = 2
_MAX_PAUSE_SECONDS = 1
"""Before the second try, in botocore's standard mode."""

MAX_CALL_SECONDS = _TRIES * (_CONNECT_SECONDS + _READ_SECONDS) + _MAX_PAUSE_SECONDS
"""The longest that a call keeps its function waiting. botocore's defaults add up to ten minutes."""


def client(service: str) -> Any:
    """Return a client for one of AWS's services."""
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _TRIES},
    )
    return botocore.session.get_session().create_client(service, config=config)
