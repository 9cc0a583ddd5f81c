"""Requests that start at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def at_once(requests: Sequence[Callable[[], T]]) -> list[T]:
    """Send the requests at the same moment; return the answers in their order."""
    start = threading.Barrier(len(requests))

    def run(request: Callable[[], T]) -> T:
        start.wait()
        return request()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(run, requests))
