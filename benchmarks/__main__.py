"""`make bench`: all figures, on dynoxide, or on the engine that WORKLEDGER_STORE names."""

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
from infra.local.engine import Store, wanted_store

_TABLE = "workledger-bench"


def main() -> int:
    store = wanted_store(default=Store.DYNOXIDE)
    if store is Store.MOTO:
        print("moto's figures would be moto's, not the product's: this needs dynoxide", file=sys.stderr)
        return 1
    try:
        with tempfile.TemporaryDirectory() as folder:
            many = Path(folder)
            # Only dynoxide takes so many at once.
            data = load(_TABLE, many) if store is Store.DYNOXIDE else None
            with engine.running(store, data) as running:
                built = stack.build(running, _TABLE)
                os.environ.update(built.environment() | {"LOG_LEVEL": "WARNING"})
                _measure(built, many if data else None)
    except DynoxideUnavailable as error:
        print(f"no benchmark: {error}", file=sys.stderr)
        return 1
    return 0


def _measure(built: stack.Stack, many: Path | None) -> None:
    """`many`: where it says what organizations with many assignments were loaded."""
    # The app makes its client at import, from the environment that is set now.
    from benchmarks import actions, cold_start, consumer, requests, ten_thousand
    from benchmarks.metrics import measure as metrics
    from benchmarks.staffing import measure as staffing
    from tests.support.api import Api

    logging.disable(logging.INFO)
    api = Api()
    actions.run(api)
    requests.run(api)
    ten_thousand.run(api, built)
    if many is not None:
        staffing.run(api, many)
    metrics.run(api, built)
    consumer.run(api, built)
    cold_start.run()
    if built.engine.store is Store.DYNOXIDE:
        for figures in ("benchmarks.local_stream", "benchmarks.mail_latency"):
            sys.stdout.flush()
            subprocess.run([sys.executable, "-m", figures], check=True)


if __name__ == "__main__":
    sys.exit(main())
