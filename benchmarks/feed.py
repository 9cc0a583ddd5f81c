"""The activity feed behind a flood: how long the one write of another organization waits for its activity."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import app as product
from benchmarks.tables import show
from chalicelib.dal import keys
from infra.local.pump import Pump
from infra.local.queue import Worker
from infra.local.stack import Stack
from infra.local.stream import Consumer
from tests.support import streams
from tests.support.api import Api
from tests.support.factories import new_organization

_RECORDS = 20_000
_RECORDS_OF_A_CREATE = 3
"""The client, the guard of its name, the audit entry."""
_POLL_SECONDS = 0.02
_TIMEOUT_SECONDS = 600.0


class _Counted:
    """The app's functions, with the number of the invocations of each."""

    def __init__(self) -> None:
        self.invocations: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Callable[[dict[str, Any], Any], Any]:
        def invoke(event: dict[str, Any], context: Any) -> Any:
            self.invocations[name] += 1
            return getattr(product, name)(event, context)

        return invoke


def run(api: Api, stack: Stack) -> None:
    """Write the flood while nothing consumes it, then one client of another organization; measure from then on.

    Only the functions on the activity's way run: deployed, each has a processor of its own.
    """
    streams.turn_off(stack)
    streams.turn_on(stack)
    flood, other = new_organization(api), new_organization(api)
    counted = _Counted()
    pump = Pump(
        stack.engine,
        stack.table,
        consumers=[Consumer("dispatch_stream", counted.dispatch_stream)],
        workers=[Worker("record_activities", stack.feed_queue_url, counted.record_activities, lanes=2)],
        from_now=True,
    )
    for number in range(_RECORDS // _RECORDS_OF_A_CREATE):
        assert flood.owner.call("createClient", body={"name": f"Client {number}"}).status == 201
    assert other.owner.call("createClient", body={"name": "Another"}).status == 201
    started = time.monotonic()
    pump.start()
    try:
        seconds = _until_written(stack, keys.activities(other.id), started)
        invocations = ", ".join(f"{name} {number}" for name, number in sorted(counted.invocations.items()))
    finally:
        pump.stop()
    show(
        f"One write behind {_RECORDS:,} records of another organization",
        ("", "seconds", "invocations"),
        [("until its activity is there", seconds, invocations)],
    )


def _until_written(stack: Stack, partition: str, started: float) -> float:
    client = stack.engine.client("dynamodb")
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": partition}}}
    while time.monotonic() - started < _TIMEOUT_SECONDS:
        if client.query(TableName=stack.table, Limit=1, **query)["Items"]:
            break
        time.sleep(_POLL_SECONDS)
    return time.monotonic() - started
