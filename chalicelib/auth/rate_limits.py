"""How often may be tried: by e-mail address and by source address, in fixed windows."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.core import clock
from chalicelib.core.errors import ActionError, ErrorCode
from chalicelib.dal import attempts
from chalicelib.dal.attempts import Standing, Window


class RateLimit(NamedTuple):
    purpose: str
    seconds: int
    by_address: int
    by_source: int

    def window(self, address: str, source: str) -> Window:
        return attempts.window(address, source, self.purpose, self.seconds)

    def is_exceeded(self, standing: Standing) -> bool:
        return standing.by_address >= self.by_address or standing.by_source >= self.by_source


SIGN_IN_FAILURES = RateLimit("SIGN_IN", 15 * 60, by_address=10, by_source=300)
PASSWORD_RESETS = RateLimit("RESET", 60 * 60, by_address=5, by_source=300)


def rate_limited(window: Window) -> ActionError:
    seconds = max(1, window.ends - int(clock.now().timestamp()))
    return ActionError(
        ErrorCode.RATE_LIMITED, f"too many failed attempts; try again in {seconds} s", retry_after_seconds=seconds
    )
