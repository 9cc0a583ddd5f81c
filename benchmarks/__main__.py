"""`make bench`: all figures, on dynoxide, or on the engine that WORKLEDGER_STORE names."""

from __future__ import annotations

import logging
import os
import sys

from infra.local import engine, stack
from infra.local.dynoxide import DynoxideUnavailable
from infra.local.engine import Store, wanted_store


def main() -> int:
    store = wanted_store(default=Store.DYNOXIDE)
    if store is Store.MOTO:
        print("moto's figures would be moto's, not the product's: this needs dynoxide", file=sys.stderr)
        return 1
    try:
        with engine.running(store) as running:
            built = stack.build(running, "workledger-bench")
            os.environ.update(built.environment() | {"LOG_LEVEL": "WARNING"})
            _measure(built)
    except DynoxideUnavailable as error:
        print(f"no benchmark: {error}", file=sys.stderr)
        return 1
    return 0


def _measure(built: stack.Stack) -> None:
    # The app makes its client at import, from the environment that is set now.
    from benchmarks import actions, cold_start, requests, ten_thousand
    from tests.support.api import Api

    logging.disable(logging.INFO)
    api = Api()
    actions.run(api)
    requests.run(api)
    ten_thousand.run(api, built)
    cold_start.run()


if __name__ == "__main__":
    sys.exit(main())
