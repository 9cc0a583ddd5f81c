"""The measured cost of one request, sent several times."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.api import Answer
from tests.support.client_hooks import Call, recorded

_REPEATS = 5


@dataclass(frozen=True)
class Measured:
    """Result and cost of the last repetition; the CPU milliseconds are the median."""

    result: Any
    round_trips: int
    capacity: float
    milliseconds: float
    calls: Sequence[Call]

    @property
    def data(self) -> Any:
        answer: Answer = self.result
        return answer.data


def measured(request: Callable[[], Any], repeats: int = _REPEATS) -> Measured:
    if repeats > 1:
        request()
    spent = []
    for _ in range(repeats):
        with recorded() as recording:
            started = time.process_time()
            result = request()
            spent.append((time.process_time() - started) * 1000)
    capacity = float(sum(call.capacity for call in recording.calls))
    return Measured(result, recording.round_trips, capacity, statistics.median(spent), recording.calls)
