"""Run all checks of `make test`, several at a time: style, types and packaging, then the suite and e2e.

The suite writes to the terminal; the other checks show their last line, or all of their output if they fail. The exit
status is 1 if a check failed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from infra.e2e.__main__ import SKIPPED
from infra.local import dynoxide
from infra.local.engine import Store

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "build" / "dev"
_PYTEST = ["-m", "pytest", "-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"]
_SMOKE = (
    "dal/test_cursors.py",
    "dal/test_table.py",
    "dal/test_unit_of_work.py",
    "jobs/test_mail.py",
    "local/test_pump.py",
    "local/test_serve.py::test_the_first_calls_work_as_printed",
    "modules/assignments/test_creating.py",
    "modules/clients/test_clients.py",
    "nets/test_arrange.py",
)
"""Tests that also run on moto: a request of every action, and the paths in which the engines differ."""


@dataclass(frozen=True)
class Check:
    name: str
    arguments: Sequence[str]
    """Arguments of Python."""
    environment: tuple[tuple[str, str], ...] = ()
    is_shown: bool = False


@dataclass
class Outcome:
    name: str
    code: int
    wall_seconds: float
    cpu_seconds: float
    """CPU of all its processes."""

    def __str__(self) -> str:
        word = {0: "passed", SKIPPED: "SKIPPED"}.get(self.code, f"FAILED ({self.code})")
        return f"{self.name:<10} {word:<12} {self.wall_seconds:6.0f} s   CPU {self.cpu_seconds:6.0f} s"


def lanes(store: Store, pytest_arguments: Sequence[str], emulator: Path) -> list[list[list[Check]]]:
    """Return sequential phases; each has parallel lanes, each of sequential checks."""
    engine = (("WORKLEDGER_STORE", str(store)), ("WORKLEDGER_PACKAGE", str(PACKAGE)))
    suite = Check("suite", [*_PYTEST, *pytest_arguments], engine, is_shown=True)
    on_moto = ["-m", "pytest", "-q", *(f"tests/{module}" for module in _SMOKE)]
    smoke = Check("moto", on_moto, (("WORKLEDGER_STORE", str(Store.MOTO)),))
    e2e = ["-m", "infra.e2e", "--template", str(PACKAGE / "sam.json"), "--emulator", str(emulator)]
    second_lane = [Check("e2e", e2e), *([smoke] if store is not Store.MOTO else [])]
    return [
        [
            [Check("package", ["-m", "infra.package", "--stage", PACKAGE.name])],
            [
                Check("style", ["-m", "ruff", "check", "."]),
                Check("format", ["-m", "ruff", "format", "--check", "."]),
                Check("types", ["-m", "mypy"]),
            ],
        ],
        [[suite], second_lane],
    ]


class Runner:
    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._printing = threading.Lock()
        self.is_interrupted = False

    def run(self, checks: Sequence[Check]) -> None:
        for check in checks:
            if self.is_interrupted:
                return
            with tempfile.TemporaryFile() as output:
                outcome = self._run(check, None if check.is_shown else output)
                self.outcomes.append(outcome)
                with self._printing:
                    self._show(outcome, output)

    def _run(self, check: Check, output: IO[bytes] | None) -> Outcome:
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *check.arguments],
            cwd=ROOT,
            env={**os.environ, **dict(check.environment)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
        )
        self._processes.add(process)
        # Not Popen.wait, which does not return the processor time.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self._processes.discard(process)
        wall, cpu = time.monotonic() - started, usage.ru_utime + usage.ru_stime
        return Outcome(check.name, process.returncode, wall, cpu)

    def _show(self, outcome: Outcome, output: IO[bytes]) -> None:
        output.seek(0)
        lines = output.read().decode(errors="replace").splitlines()
        is_good = outcome.code in {0, SKIPPED}
        print(f"\n{outcome}", *(lines[-1:] if is_good else lines), sep="\n", flush=True)

    @contextlib.contextmanager
    def ending_with_this_one(self) -> Iterator[None]:
        """End the started processes when this run is interrupted or terminated."""

        def end(*_: object) -> None:
            self.is_interrupted = True
            for process in list(self._processes):
                process.terminate()

        before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _store() -> Store:
    try:
        dynoxide.binary()
    except dynoxide.DynoxideUnavailable as reason:
        print(f"\n**** no dynoxide, so the suite runs on moto: {reason} ****\n", flush=True)
        return Store.MOTO
    return Store.DYNOXIDE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emulator", type=Path, required=True, help="the emulator of the e2e test")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest")
    options = parser.parse_args()
    started, runner = time.monotonic(), Runner()
    with runner.ending_with_this_one():
        for phase in lanes(_store(), options.pytest, options.emulator):
            threads = [threading.Thread(target=runner.run, args=(checks,)) for checks in phase]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    print("\n", *runner.outcomes, sep="\n")
    cpu = sum(outcome.cpu_seconds for outcome in runner.outcomes)
    print(f"{'all':<23} {time.monotonic() - started:6.0f} s   CPU {cpu:6.0f} s", flush=True)
    return int(runner.is_interrupted or any(outcome.code not in {0, SKIPPED} for outcome in runner.outcomes))


if __name__ == "__main__":
    sys.exit(main())
