"""The product and its peers in turns: CPU of a cold start with its first answer, and of warm requests.

CPU is that of the service's own process, without the engine's, as the median of all rounds and as a ratio to a bare
handler with boto3. All run from source with their bytecode, on the same engine.
"""

from __future__ import annotations

import json
import logging
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from benchmarks.cold_start import child_cpu
from benchmarks.peers.events import event
from benchmarks.tables import show
from chalicelib.core import clock
from infra.local import engine, stack
from infra.local.engine import Engine, Store

PEERS = ("bare_boto3", "fastapi_service", "powertools_resolver", "powertools_service", "seven_steps")
_TABLE, _IDEMPOTENCY = "peers", "peers-idempotency"
_COLD_ROUNDS, _WARM_ROUNDS, _REPEAT = 15, 15, 20
_BASE = PEERS[0]
Events = dict[str, dict[str, Any]]
"""{name of the request: event}"""


def main() -> None:
    with engine.running(Store.DYNOXIDE) as running:
        built = stack.build(running, "workledger-peers")
        os.environ.update(built.environment())
        logging.disable(logging.INFO)
        peers = _peer_events(running)
        events = dict.fromkeys(PEERS, peers) | {"product": _product_events()}
        measure_cold(events)
        measure_warm(events)


def measure_cold(events: dict[str, Events]) -> None:
    cpu: dict[str, list[float]] = {service: [] for service in events}
    for number in range(_COLD_ROUNDS + 1):
        for service in events:
            request = json.dumps({"event": events[service]["create"], "repeat": 1})
            used = child_cpu(_command(service, f"cold-{number}"), _environment(), request)
            if number:  # the first writes bytecode
                cpu[service].append(used)
    medians = {service: statistics.median(used) for service, used in cpu.items()}
    rows = [(service, used, f"{used / medians[_BASE]:.2f}") for service, used in medians.items()]
    show("Cold start to the first answered create", ("service", "CPU ms", f"to {_BASE}"), rows)


def measure_warm(events: dict[str, Events]) -> None:
    names = dict.fromkeys(name for requests in events.values() for name in requests)
    cpu: dict[tuple[str, str], list[float]] = {(service, name): [] for service in events for name in events[service]}
    with ExitStack() as running:
        workers = {service: running.enter_context(_worker(service)) for service in events}
        for number in range(_WARM_ROUNDS + 1):
            for (service, name), used in cpu.items():
                milliseconds = _cpu(workers[service], {"event": events[service][name], "repeat": _REPEAT})
                if number:
                    used.append(milliseconds)
    medians = {measured: statistics.median(used) for measured, used in cpu.items()}
    rows = [
        (
            service,
            *(
                f"{medians[service, name]:.2f} · {medians[service, name] / medians[_BASE, _base_of(name)]:.2f}"
                if (service, name) in medians
                else "-"
                for name in names
            ),
        )
        for service in events
    ]
    show(f"Warm requests: CPU ms, and as a ratio to {_BASE}", ("service", *names), rows)


def _base_of(name: str) -> str:
    """Return the request of the bare handler that reads as many rows."""
    return "100 clients" if name == "100 assignments" else name


def _command(service: str, word: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.peers.worker", service, word]


def _environment() -> dict[str, str]:
    """Return the environment of the services, which log and count as deployed."""
    logs = {"LOG_LEVEL": "INFO", "POWERTOOLS_METRICS_DISABLED": "false", "PYTHONWARNINGS": "ignore"}
    return {**os.environ, **logs, "PEERS_TABLE": _TABLE, "PEERS_IDEMPOTENCY_TABLE": _IDEMPOTENCY}


@contextmanager
def _worker(service: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        _command(service, "warm"), env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def _cpu(process: subprocess.Popen[str], request: dict[str, Any]) -> float:
    """Return the CPU in milliseconds of one request; log lines of the service are skipped."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    for line in process.stdout:
        if not line.startswith("{"):
            return float(line)
    raise RuntimeError(f"the service ended: {process.args}")


def _peer_events(running: Engine) -> Events:
    """Create the table of the peers with 100 clients, and return their requests."""
    client = running.client("dynamodb")
    for table, key in ((_TABLE, {"pk": "HASH", "sk": "RANGE"}), (_IDEMPOTENCY, {"id": "HASH"})):
        client.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in key.items()],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in key],
            BillingMode="PAY_PER_REQUEST",
        )
    rows = [{"sk": "SESSION#1", "userId": "1"}, {"sk": "USER#1", "id": "1", "role": "OWNER"}, {"sk": "ORGANIZATION"}]
    rows += [{"sk": f"CLIENT#{id_}", "id": id_, **_client(str(id_))} for id_ in (str(UUID(int=n)) for n in range(100))]
    for row in rows:
        client.put_item(TableName=_TABLE, Item={name: {"S": value} for name, value in {"pk": "ORG#1", **row}.items()})
    return {
        "create": event("POST", "/clients", body=_client("{number}")),
        "get": event("GET", "/clients/{id}", parameters={"id": str(UUID(int=7))}),
        "20 clients": event("GET", "/clients", query={"limit": "20"}),
        "100 clients": event("GET", "/clients", query={"limit": "100"}),
    }


def _product_events() -> Events:
    """Create an organization with 100 clients and 100 assignments, and return the requests of the same kinds."""
    # The app makes its client at import, from the environment that is set now.
    from tests.support.api import Api
    from tests.support.factories import new_organization
    from tests.support.staffing import new_assignment, new_client, new_position

    owner = new_organization(Api()).owner
    clients = [new_client(owner, **_client(str(number)))["id"] for number in range(100)]
    position, now = new_position(owner)["id"], clock.now()
    for number in range(100):
        new_assignment(owner, position, now + timedelta(hours=9 * number), now + timedelta(hours=9 * number + 8))
    headers = {"Authorization": f"Bearer {owner.token}"}
    return {
        "create": event(
            "POST",
            "/api/v1/clients",
            body=_client("{number}"),
            headers={**headers, "Idempotency-Key": "peers-{number}"},
        ),
        "get": event("GET", "/api/v1/clients/{id}", parameters={"id": clients[7]}, headers=headers),
        "20 clients": event("GET", "/api/v1/clients", query={"limit": "20"}, headers=headers),
        "100 clients": event("GET", "/api/v1/clients", query={"limit": "100"}, headers=headers),
        "100 assignments": event("GET", "/api/v1/assignments", query={"limit": "100"}, headers=headers),
    }


def _client(number: str) -> dict[str, str]:
    return {"name": f"Hafen Logistik {number}", "email": "dispo@hafen-logistik.example", "phone": "+49 40 3017712"}


if __name__ == "__main__":
    main()
