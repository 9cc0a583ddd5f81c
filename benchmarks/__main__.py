"""`make bench`: all benchmarks, on dynoxide or the engine that WORKLEDGER_STORE selects."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.staffing.load import load
from infra.local import engine, stack
from infra.local.dynoxide import DynoxideUnavailable
from infra.local.engine import Store, configured_store

_TABLE = "workledger-bench"


def main() -> int:
    store = configured_store(default=Store.DYNOXIDE)
    if store is Store.MOTO:
        print("on moto, the figures would measure moto: this needs dynoxide", file=sys.stderr)
        return 1
    try:
        with tempfile.TemporaryDirectory() as folder:
            export = Path(folder)
            # Only dynoxide can import this many items.
            data = load(_TABLE, export) if store is Store.DYNOXIDE else None
            with engine.running(store, data) as running:
                built = stack.build(running, _TABLE)
                os.environ.update(built.environment() | {"LOG_LEVEL": "WARNING"})
                measure(built, export if data else None)
    except DynoxideUnavailable as error:
        print(f"no benchmark: {error}", file=sys.stderr)
        return 1
    return 0


def measure(built: stack.Stack, export: Path | None) -> None:
    """Run all benchmarks. `export`: the folder with the manifest of the loaded organizations, if any."""
    # The app makes its client at import, from the environment that is set now.
    from benchmarks import actions, cold_start, consumer, feed, loans, requests, ten_thousand, writes
    from benchmarks.metrics import measure as metrics
    from benchmarks.staffing import measure as staffing
    from benchmarks.time import analytics as time_analytics
    from benchmarks.time import imports as time_imports
    from benchmarks.time import rollups as time_rollups
    from tests.support.api import Api

    logging.disable(logging.INFO)
    api = Api()
    actions.run(api)
    writes.run(api, built)
    requests.run(api)
    ten_thousand.run(api, built)
    if export is not None:
        staffing.run(api, export)
    metrics.run(api, built)
    consumer.run(api, built)
    time_rollups.run(api, built)
    time_analytics.run(api, built)
    time_imports.run(api, built)
    feed.run(api, built)
    loans.run(api, built)
    cold_start.run()
    if built.engine.store is Store.DYNOXIDE:
        for name in ("growth", "local_stream", "mail_latency", "load", "peers"):
            sys.stdout.flush()
            subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)


if __name__ == "__main__":
    sys.exit(main())
