"""Runs the end-to-end test. Ends with 0 when all held, 1 when something did not, 77 when nothing could be tried."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from infra.e2e import stack
from infra.e2e.emulator import E2eFailed, running
from infra.e2e.story import CHAPTERS, Story

SKIPPED = 77
_LAST_LINES = 30


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--template", type=Path, required=True, help="the packaged template, its code beside it")
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
    begun = time.monotonic()
    with running(executable, log) as emulator:
        print(f"{time.monotonic() - begun:5.1f} s  the emulator runs at {emulator.url}", flush=True)
        story = Story(emulator, stack.deploy(emulator, template))
        print(f"{time.monotonic() - begun:5.1f} s  the stack is deployed", flush=True)
        try:
            for chapter in CHAPTERS:
                chapter.tell(story)
                print(f"{time.monotonic() - begun:5.1f} s  {chapter.title}", flush=True)
        except E2eFailed:
            print("what the functions logged as trouble:", *emulator.troubles_logged(), sep="\n", file=sys.stderr)
            raise
    print(f"e2e passed in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
