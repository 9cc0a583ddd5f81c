"""The time that a function has left."""

from __future__ import annotations

from typing import Any

MARGIN_MILLISECONDS = 15_000
"""A transaction with its retries, and the answer, take less than this."""


class Deadline:
    """True a while before Lambda ends the function: the remaining work is left to the next delivery."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def is_over(self) -> bool:
        left: int = self._context.get_remaining_time_in_millis()
        return left < MARGIN_MILLISECONDS
