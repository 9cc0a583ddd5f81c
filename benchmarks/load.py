"""The local server under load: requests a second and latencies with 1, 8 and 32 clients over HTTP.

Each client sends its next request once the last one is answered: 70 % gets, 15 % lists of 20, 15 % creates. Clients are
in a process of their own, server and engine in theirs; all share the machine. `python -m benchmarks.load [FOLDER]`
runs the product of another checkout, to compare.
"""

from __future__ import annotations

import http.client
import json
import random
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.local_product import local_product
from benchmarks.tables import show
from infra.local import demo

_CLIENTS = (1, 8, 32)
_SECONDS = 20.0
_KINDS = ("get",) * 14 + ("list",) * 3 + ("create",) * 3


def main() -> None:
    checkout = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    rows = []
    with tempfile.TemporaryDirectory() as folder, local_product(Path(folder), checkout) as url:
        api = demo.Api(f"{url}/api/v1")
        token = api.post("/auth/sign-in", email=demo.OWNER.email, password=demo.PASSWORD)["token"]
        owner = api.with_token(token)
        ids = [row["id"] for row in owner.get("/clients")["data"]]
        for number in _CLIENTS:
            latencies = run(url, token, ids, number)
            times = [taken for kind in latencies.values() for taken in kind]
            gets, creates = latencies["get"], latencies["create"]
            cells = (len(times) / _SECONDS, *median_and_p99(gets), *median_and_p99(creates))
            rows.append((number, *cells))
    columns = ("clients", "requests/s", "get p50 ms", "get p99 ms", "create p50 ms", "create p99 ms")
    show(f"The local server, {_SECONDS:.0f} s each: 70 % gets, 15 % lists of 20, 15 % creates", columns, rows)


def run(url: str, token: str, ids: list[str], number: int) -> Mapping[str, list[float]]:
    """Return the milliseconds of each request by its kind."""
    latencies: defaultdict[str, list[float]] = defaultdict(list)
    until = time.monotonic() + _SECONDS
    threads = [
        threading.Thread(target=_send, args=(url, token, ids, until, latencies), daemon=True) for _ in range(number)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies


def _send(url: str, token: str, ids: list[str], until: float, latencies: Mapping[str, list[float]]) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    while time.monotonic() < until:
        kind = random.choice(_KINDS)
        started = time.perf_counter()
        if kind == "create":
            body = json.dumps({"name": f"Load {uuid.uuid4()}"})
            connection.request("POST", "/api/v1/clients", body, {**headers, "Idempotency-Key": str(uuid.uuid4())})
        else:
            path = f"/{random.choice(ids)}" if kind == "get" else "?limit=20"
            connection.request("GET", f"/api/v1/clients{path}", headers=headers)
        answer = connection.getresponse()
        content = answer.read()
        latencies[kind].append((time.perf_counter() - started) * 1000)
        if answer.status not in (200, 201):
            raise RuntimeError(f"{kind} is answered {answer.status}: {content[:200]!r}")
    connection.close()


def median_and_p99(times: list[float]) -> tuple[float, float]:
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


if __name__ == "__main__":
    main()
