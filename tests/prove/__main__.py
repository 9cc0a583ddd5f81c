"""`python -m tests.prove --seed N`: a fault run from the command line."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time

from infra.local import engine, stack
from infra.local.dynoxide import DynoxideUnavailable


def main() -> int:
    arguments = _arguments()
    store = engine.configured_store(default=engine.Store.DYNOXIDE)
    if store is engine.Store.MOTO:
        _complain("moto loses acknowledged writes when its calls overlap: this needs dynoxide")
        return 2
    try:
        with engine.running(store) as running:
            built = stack.build(running, "workledger-prove")
            # The app creates its client at import.
            os.environ.update({**built.environment(), "LOG_LEVEL": "CRITICAL"})
            return _prove(built, arguments)
    except DynoxideUnavailable as error:
        _complain(f"dynoxide is not available: {error}")
        return 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description="Prove that faults lose nothing.")
    parser.add_argument("--seed", type=int, default=1, help="seed of all choices and faults")
    parser.add_argument("--operations", type=int, default=1200, help="number of writes")
    parser.add_argument("--clients", type=int, default=12, help="number of concurrent clients, up to 90")
    parser.add_argument("--domains", nargs="*", default=(), help="domains of the operations, such as `identity`")
    parser.add_argument(
        "--sabotage", help="break the product in a named way, to test the checks; `list` prints the names"
    )
    return parser.parse_args()


def _prove(built: stack.Stack, arguments: argparse.Namespace) -> int:
    from tests.prove import report
    from tests.prove.run import Options, prove
    from tests.prove.sabotage import SABOTAGES

    if arguments.sabotage == "list":
        _say("\n".join(SABOTAGES))
        return 0
    logging.getLogger("workledger.local").setLevel(logging.CRITICAL)
    options = Options(
        arguments.seed, arguments.operations, arguments.clients, tuple(arguments.domains), arguments.sabotage
    )
    started, cpu = time.monotonic(), time.process_time()
    world = prove(built, options)
    took = f"{time.monotonic() - started:.0f} s, {time.process_time() - cpu:.0f} s of them CPU"
    _say(f"seed {options.seed}: {report.figures(world)}")
    _say(f"  took         {took}")
    if world.violations:
        _say(report.violations(world))
        return 1
    _say("0 violations")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
