"""`make chalice-local`: Chalice's own `chalice local`, with the settings of a local stack, until Ctrl-C.

This process has the table, the queues and the mail, on moto, and the functions that follow a write. `chalice local` is
another one, which may restart: the data stays until this one ends. Its gateway is not the deployed one: it answers
unknown paths with 403 in its own words, and leaves paths encoded. `make serve` is closer.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import urllib3

from infra.local import functions, stack
from infra.local.engine import HOST, Store, running
from infra.local.mailbox import Mailbox
from infra.local.serve import SCHEDULES, PortTaken, end_run, port_number, require_free
from infra.local.with_parent import end_with_parent

_ROOT = Path(__file__).parents[2]
_READY_WITHIN_SECONDS = 60.0
_TEXT = """
chalice local is ready at http://{host}:{port} (moto, data is lost at exit)

First calls
  curl -s http://{host}:{port}/api/v1/health
  curl -s http://{host}:{port}/api/v1/auth/sign-up -H 'Content-Type: application/json' \\
    -d '{{"email":"you@example.com","password":"lantern-orchard-42","firstName":"Ada","lastName":"King",\
"organizationName":"Example"}}'

Mails are in this log. Ctrl-C stops it."""


class NotStarted(Exception):
    """`chalice local` ended, or does not answer."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local.chalice_local", description=__doc__)
    parser.add_argument("--port", type=port_number, default=8000)
    # Chalice looks at all files of the folder, caches and those of git included: a test run restarts it, too.
    parser.add_argument("--reload", action="store_true", help="restart when any file of the folder changes")
    parser.add_argument("--end-with-parent", action="store_true", help="end when the parent process ends")
    options = parser.parse_args(arguments)
    if options.end_with_parent:
        end_with_parent(os.getppid())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end_run)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("workledger.local.mailbox").setLevel(logging.INFO)
    try:
        require_free(options.port)
        run(options.port, reload=options.reload)
    except (NotStarted, PortTaken) as error:
        print(f"make chalice-local: {error}", file=sys.stderr)
        return 1
    except SystemExit:
        print("Stopped.", flush=True)
    return 0


def run(port: int, *, reload: bool) -> None:
    """Run until `chalice local` ends, which is an error, or this process is told to end."""
    with running(Store.MOTO) as engine:
        built = stack.build(engine)
        environment = os.environ | built.environment()
        os.environ.update(environment)
        sys.path.insert(0, str(_ROOT))
        app = importlib.import_module("app")
        Mailbox()
        pump = functions.pump(app, built, schedules={name: getattr(app, name) for name in SCHEDULES}, retry_seconds=1)
        command = [str(Path(sys.executable).with_name("chalice")), "local", "--host", HOST, "--port", str(port)]
        command += [] if reload else ["--no-autoreload"]
        # Its own group: the process that restarts and the one that serves end together.
        chalice = subprocess.Popen(command, cwd=_ROOT, env=environment, start_new_session=True)
        pump.start()
        try:
            _wait_until_ready(chalice, port)
            print(_TEXT.format(host=HOST, port=port), flush=True)
            raise NotStarted(f"chalice local ended with exit code {chalice.wait()}")
        finally:
            pump.stop()
            if chalice.poll() is None:
                os.killpg(chalice.pid, signal.SIGTERM)
                chalice.wait()


def _wait_until_ready(chalice: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _READY_WITHIN_SECONDS
    while chalice.poll() is None and time.monotonic() < deadline:
        try:
            answer = urllib3.request("GET", f"http://{HOST}:{port}/api/v1/health", timeout=5, retries=False)
        except urllib3.exceptions.HTTPError:
            time.sleep(0.2)
            continue
        if answer.status == 200:
            return
        raise NotStarted(f"chalice local answers {answer.status}: {answer.data.decode(errors='replace')}")
    raise NotStarted("chalice local did not start; its reason is above")


if __name__ == "__main__":
    sys.exit(main())
