"""`make price`: the list price of a million requests of each action, and of a month of an organization of 50 people.

Units, round trips and CPU are measured on dynoxide by the requests that the tests make. What follows from a write
(rollups, its activity) is measured too: the stream's records of the request are given to the functions of `app.py`.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.tables import show
from infra.local import engine, stack
from infra.local.dynoxide import DynoxideUnavailable
from infra.local.engine import Store
from infra.local.template import load

MILLION = 1_000_000


class ListPrices(NamedTuple):
    """US dollars, us-east-1, on demand, November 2026, from aws.amazon.com/…/pricing."""

    read_units: float = 0.125
    """A million."""
    write_units: float = 0.625
    requests_of_functions: float = 0.20
    gigabyte_second_x86: float = 0.0000166667
    gigabyte_second_arm: float = 0.0000133334
    rest_api: float = 3.50
    http_api: float = 1.00
    log_gigabyte: float = 0.50
    custom_metric: float = 0.30
    """A month."""
    alarm: float = 0.10


PRICES = ListPrices()

_MEMORY_GB = 1.0
_VIRTUAL_CPUS = 1024 / 1769
"""Share of a processor that a function of 1,024 MB has."""
_TRIP_MS, _TRANSACTION_MS = 5.0, 15.0
"""Assumed latencies of DynamoDB, of a read and of a transaction."""
_LOG_BYTES = 1_300
"""The log line and the EMF record of a request."""

MONTH: Mapping[str, int] = {
    "getCurrentUser": 6_000,
    "signIn": 1_000,
    "getDashboardWidgets": 8_000,
    "getWidgetData": 60_000,
    "getUnreadCount": 12_000,
    "getRecentActivities": 4_000,
    "getWorkers": 4_000,
    "getAssignments": 6_000,
    "getPositions": 2_000,
    "getClients": 1_500,
    "getAssignment": 2_000,
    "getHoursReport": 500,
    "getCurrentTimer": 12_000,
    "listTimeSessions": 6_000,
    "getAnalyticsSummary": 1_000,
    "startTimer": 3_000,
    "stopTimer": 3_000,
    "createAssignment": 1_400,
    "updateAssignment": 400,
    "createClient": 20,
    "createWorker": 40,
    "submitTimesheet": 200,
    "approveTimesheet": 200,
}
"""Requests a month of 50 people who plan shifts and track time on 21 days: an assumption to replace by your own."""


class Price(NamedTuple):
    """US dollars of one million requests."""

    action: str
    table: float
    function: float
    function_on_arm: float
    gateway: float
    logs: float
    later: float
    """The price of what the stream's functions read and write afterwards."""

    @property
    def total(self) -> float:
        return self.table + self.function + self.gateway + self.logs + self.later

    @property
    def cheapest(self) -> float:
        """On arm64 behind an HTTP API."""
        return self.table + self.function_on_arm + PRICES.http_api + self.logs + self.later


def main() -> int:
    try:
        with engine.running(Store.DYNOXIDE) as running:
            built = stack.build(running, "workledger-price")
            os.environ.update(built.environment() | {"LOG_LEVEL": "WARNING"})
            logging.disable(logging.INFO)
            prices = measure(built)
    except DynoxideUnavailable as error:
        print(f"no price: {error}", file=sys.stderr)
        return 1
    show(
        "A million requests, US dollars at list price",
        ("action", "DynamoDB", "Lambda x86", "arm64", "REST API", "logs", "afterwards", "total", "arm64, HTTP API"),
        [
            (p.action, p.table, p.function, p.function_on_arm, p.gateway, p.logs, p.later, p.total, p.cheapest)
            for p in prices.values()
        ],
    )
    of_people = {action: number * prices[action].total / MILLION for action, number in MONTH.items()}
    metrics, alarms = fixed()
    show(
        "A month, US dollars",
        ("", "dollars"),
        [
            *((f"{MONTH[action]:,} {action}", f"{dollars:.3f}") for action, dollars in of_people.items()),
            (f"an organization of 50, {sum(MONTH.values()):,} requests", f"{sum(of_people.values()):.2f}"),
            (
                f"a stage, whoever uses it: {metrics} metrics of requests, {alarms} alarms",
                f"{fixed_dollars(metrics, alarms):.2f}",
            ),
        ],
    )
    return 0


def measure(built: stack.Stack) -> dict[str, Price]:
    # The app makes its client at import, from the environment that is set now.
    from benchmarks.actions import Cost, busy_organization, units_of
    from benchmarks.actions import measure as measured
    from benchmarks.consumer import consume, stream_record
    from chalicelib.action.registry import REGISTRY
    from chalicelib.dal import keys
    from chalicelib.jobs import feed_queue
    from tests.support import store, streams
    from tests.support.api import Api
    from tests.support.arrange import arrange
    from tests.support.client_hooks import recorded
    from tests.support.queue_events import failed

    streams.turn_off(built)
    organization, table = busy_organization(Api()), store.of(built)

    def follow(action: str) -> tuple[float, float, float]:
        """Return read units, write units and CPU of what follows from one request."""
        arranged = arrange(action, organization)
        before = table.items()
        arranged.send(key=f"price-{time.monotonic_ns()}")
        changes = {key: change for key, change in table.changes(before).items() if not key[0].endswith("#IDEMPOTENCY")}
        records = [stream_record(key, change.after, change.before) for key, change in changes.items()]
        from uuid import UUID

        entries = [UUID(sk) for pk, sk in changes if pk == keys.audit(organization.id)]
        started = time.process_time()
        calls = consume(records)
        with recorded() as recording:
            assert failed(feed_queue.work, *feed_queue.messages(organization.id, entries)) == []
        milliseconds = (time.process_time() - started) * 1000
        return *units_of([*calls, *recording.calls]), milliseconds

    def price(cost: Cost) -> Price:
        later = 0.0
        if REGISTRY[cost.action].is_write and not REGISTRY[cost.action].is_public:
            read, written, milliseconds = follow(cost.action)
            later = of_table(read, written) + of_function(milliseconds, PRICES.gigabyte_second_x86)
        transactions = cost.operations.count("TransactWriteItems")
        waited = _TRIP_MS * (cost.round_trips - transactions) + _TRANSACTION_MS * transactions
        lasted = cost.cpu_ms / _VIRTUAL_CPUS + waited
        return Price(
            cost.action,
            of_table(cost.read_units, cost.write_units),
            PRICES.requests_of_functions + of_function(lasted, PRICES.gigabyte_second_x86),
            PRICES.requests_of_functions + of_function(lasted, PRICES.gigabyte_second_arm),
            PRICES.rest_api,
            PRICES.log_gigabyte * _LOG_BYTES * MILLION / 1e9,
            later,
        )

    return {cost.action: price(cost) for cost in measured(organization)}


def of_table(read_units: float, write_units: float) -> float:
    """Return the price of the units of a million requests."""
    return read_units * PRICES.read_units + write_units * PRICES.write_units


def of_function(milliseconds: float, gigabyte_second: float) -> float:
    """Return the price of a million runs of so many milliseconds."""
    return milliseconds / 1000 * _MEMORY_GB * gigabyte_second * MILLION


def fixed() -> tuple[int, int]:
    """Return the numbers of custom metrics and of alarms of a stage."""
    resources = load()["Resources"]
    alarms = sum(resource.get("Type") == "AWS::CloudWatch::Alarm" for resource in resources.values())
    return REQUEST_METRICS, alarms


REQUEST_METRICS = 4
"""Latency, errors, refusals and round trips, without a dimension for the action; see docs/operating.md."""


def fixed_dollars(metrics: int, alarms: int) -> float:
    return metrics * PRICES.custom_metric + alarms * PRICES.alarm


if __name__ == "__main__":
    sys.exit(main())
