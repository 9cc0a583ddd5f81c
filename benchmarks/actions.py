"""The cost of each action: round trips, capacity, CPU of its process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.tables import show
from chalicelib.action.registry import REGISTRY
from chalicelib.models.organizations import SubscriptionTier
from tests.support.api import Api
from tests.support.arrange import arrange
from tests.support.client_hooks import Call
from tests.support.factories import Organization, new_organization

_REPEATS = 5
_WRITES = {"TransactWriteItems", "PutItem", "UpdateItem", "DeleteItem"}


@dataclass(frozen=True)
class Cost:
    """The cost of one request, of the kind that a test makes for the action."""

    action: str
    status: int
    operations: list[str]
    round_trips: int
    read_units: float
    write_units: float
    cpu_ms: float
    """The median of all repeats, without the engine."""


def run(api: Api) -> None:
    show(
        "Each action once, writes with an Idempotency-Key",
        ("action", "status", "round trips", "RCU", "WCU", "CPU ms"),
        [
            (cost.action, cost.status, cost.round_trips, cost.read_units, cost.write_units, cost.cpu_ms)
            for cost in measure(busy_organization(api))
        ],
    )


def busy_organization(api: Api) -> Organization:
    """Return an organization of the tier whose quota of invitations is large enough."""
    return new_organization(api, subscription_tier=SubscriptionTier.ENTERPRISE)


def measure(organization: Organization) -> Iterator[Cost]:
    for action, declared in REGISTRY.items():
        milliseconds = []
        for _ in range(_REPEATS):
            arranged = arrange(action, organization)
            started = time.process_time()
            answer = arranged.send(key=f"bench-{time.monotonic_ns()}" if declared.is_write else None)
            milliseconds.append((time.process_time() - started) * 1000)
        calls = answer.recording.calls
        median = statistics.median(milliseconds)
        operations = [call.operation for call in calls]
        yield Cost(action, int(answer.status), operations, answer.round_trips, *units_of(calls), median)


def units_of(calls: list[Call]) -> tuple[float, float]:
    """Return the read and the write units of calls."""
    read = sum(call.capacity for call in calls if call.operation not in _WRITES)
    return float(read), float(sum(call.capacity for call in calls if call.operation in _WRITES))
