"""Run the end-to-end test. Exit status: 0 if it passed, 1 if it failed, 77 if it could not run."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from infra.e2e import stack
from infra.e2e.emulator import E2eFailed, running
from infra.e2e.scenario import STEPS, Scenario

SKIPPED = 77
_LAST_LINES = 30


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--template", type=Path, required=True, help="the packaged template, its code in the same folder"
    )
    parser.add_argument("--emulator", type=Path, required=True, help="the emulator's executable")
    options = parser.parse_args()
    if not options.emulator.exists():
        print(f"\n**** e2e SKIPPED: {options.emulator} is not installed; nothing was tested ****\n", file=sys.stderr)
        return SKIPPED
    # A terminated run must end the emulator too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    log = options.template.with_name("emulator.log")
    try:
        run(options.template, options.emulator, log)
    except E2eFailed as failure:
        print(*log.read_text(errors="replace").splitlines()[-_LAST_LINES:], sep="\n", file=sys.stderr)
        print(f"\n**** e2e FAILED: {failure}\n     the emulator's log is {log}", file=sys.stderr)
        return 1
    return 0


def run(template: Path, executable: Path, log: Path) -> None:
    started = time.monotonic()
    with running(executable, log) as emulator:
        print(f"{time.monotonic() - started:5.1f} s  the emulator runs at {emulator.url}", flush=True)
        scenario = Scenario(emulator, stack.deploy(emulator, template))
        print(f"{time.monotonic() - started:5.1f} s  the stack is deployed", flush=True)
        try:
            for step in STEPS:
                step.run(scenario)
                print(f"{time.monotonic() - started:5.1f} s  {step.title}", flush=True)
        except E2eFailed:
            print("warnings and errors in the functions' logs:", *emulator.logged_problems(), sep="\n", file=sys.stderr)
            raise
    print(f"e2e passed in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
