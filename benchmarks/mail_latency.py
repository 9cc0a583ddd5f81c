"""Latency of an invitation's mail while assignments are rolled up, on the running local product.

Runs in its own process: the local product is another one, and no engine may be configured here.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import statistics
import tempfile
import time
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.local_product import local_product
from benchmarks.seed import put_items
from benchmarks.tables import show
from infra import offline
from infra.local import demo
from infra.local.engine import HOST

_TABLE = "workledger-local"
_INVITATIONS = 10
_PAUSE_SECONDS = 1.0
_TIMEOUT_SECONDS = 900.0


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, local_product(Path(folder)) as url:
        items = assignment_items()
        api = demo.Api(f"{url}/api/v1")
        owner = api.with_token(
            api.post("/auth/sign-in", email=demo.OWNER.email, password=demo.PASSWORD)["token"],
        )
        put_items(engine_address(Path(folder)), _TABLE, items)
        seconds = []
        for number in range(_INVITATIONS):
            address = f"guest-{number}@bench.example"
            owner.post("/users", email=address, firstName="Gast", lastName="Bench", role="VIEWER")
            seconds.append(seconds_until_mailed(url, address, time.time()))
            time.sleep(_PAUSE_SECONDS)
        behind = records_behind(Path(folder))
    rows = [(f"{_INVITATIONS} invitations", statistics.median(seconds), max(seconds), behind)]
    columns = ("", "median s", "slowest s", "records waiting after the last")
    show(
        f"From an invitation's answer to its mail, while {len(items):,} items of staffing are rolled up", columns, rows
    )


def engine_address(data: Path) -> str:
    """Return the engine's address from its command line: the product does not publish it."""
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = command.read_bytes().decode(errors="replace").split("\0")
            if str(data / "workledger.db") in words:
                return f"http://{HOST}:{words[words.index('--port') + 1]}"
    raise RuntimeError("there is no engine")


def assignment_items() -> list[dict[str, Any]]:
    os.environ.update(offline.SETTINGS, WORKLEDGER_TABLE=_TABLE)
    from benchmarks.staffing.items import Staffing
    from benchmarks.staffing.plan import SHAPES

    def text(value: bytes) -> str:
        return base64.b64encode(value).decode()

    serialized = (json.dumps(item.serialize(), default=text) for item in Staffing(SHAPES["10,000"]).items())
    return [json.loads(item) for item in serialized]


def seconds_until_mailed(url: str, address: str, since: float) -> float:
    while time.time() - since < _TIMEOUT_SECONDS:
        with urllib.request.urlopen(f"{url}/_local/mail?to={address}") as answer:  # noqa: S310  the local product
            mails = json.load(answer)
        if mails:
            return max(0.0, datetime.fromisoformat(mails[0]["sentAt"]).timestamp() - since)
        time.sleep(0.05)
    return _TIMEOUT_SECONDS


def records_behind(data: Path) -> int:
    """Return the number of stream records by which the rollup consumer is behind the dispatcher."""
    positions = json.loads((data / "position.json").read_text())["positions"]
    mailed, rollup = (int(*positions[name].values()) for name in ("dispatch_stream", "consume_stream"))
    return mailed - rollup


if __name__ == "__main__":
    main()
