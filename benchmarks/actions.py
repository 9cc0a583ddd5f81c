"""The cost of each action: round trips, capacity, CPU of its process."""

from __future__ import annotations

import statistics
import time

from benchmarks.tables import show
from chalicelib.action.registry import REGISTRY
from chalicelib.models.organizations import SubscriptionTier
from tests.support.api import Api
from tests.support.arrange import arrange
from tests.support.factories import new_organization

_REPEATS = 5
_WRITES = {"TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem"}


def run(api: Api) -> None:
    rows = []
    # The tier whose quota of invitations is large enough.
    organization = new_organization(api, subscription_tier=SubscriptionTier.ENTERPRISE)
    for action, declared in REGISTRY.items():
        milliseconds = []
        for _ in range(_REPEATS):
            arranged = arrange(action, organization)
            started = time.process_time()
            answer = arranged.send(key=f"bench-{time.monotonic_ns()}" if declared.is_write else None)
            milliseconds.append((time.process_time() - started) * 1000)
        calls = answer.recording.calls
        read = float(sum(call.capacity for call in calls if call.operation not in _WRITES))
        written = float(sum(call.capacity for call in calls if call.operation in _WRITES))
        rows.append((action, int(answer.status), len(calls), read, written, statistics.median(milliseconds)))
    show(
        "Each action once, writes with an Idempotency-Key",
        ("action", "status", "round trips", "RCU", "WCU", "CPU ms"),
        rows,
    )
