"""`make serve`: the whole product on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
import os
import signal
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from infra.local import banner, dynoxide, functions, queue_store, stack, stream_log
from infra.local.data import DataDirectory, DataUnusable, unusable
from infra.local.demo import Api, DemoFailed, furnish, open_doors
from infra.local.dynoxide import DynoxideUnavailable
from infra.local.engine import HOST, Engine, Store, UnknownStore, running, wanted_store
from infra.local.gateway import Gateway
from infra.local.mailbox import PATH as MAILBOX_PATH
from infra.local.mailbox import Mailbox
from infra.local.pump import Pump
from infra.local.server import Server
from infra.local.table import TableDiffers
from infra.local.watch import Watch
from infra.local.with_parent import end_with_parent

ROOT = Path(__file__).parents[2]
# Installing fetches it with more patience; a start is not kept waiting.
_FETCHED_WITHIN_SECONDS = 3.0
DATA = ROOT / ".cache" / "local"


class PortTaken(Exception):
    """Something else listens where the product should."""


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    if options.end_with_parent:
        end_with_parent(os.getppid())
    started = time.monotonic()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("workledger.local").setLevel(logging.INFO)
    try:
        with _product(options.port, DataDirectory(options.data), started, limits=options.limits == "on") as serving:
            serving.join()
    except DynoxideUnavailable as error:
        print(f"make serve: dynoxide is not available: {error}", file=sys.stderr)
        return 1
    except (DataUnusable, PortTaken, TableDiffers, UnknownStore) as error:
        print(f"make serve: {error}", file=sys.stderr)
        return 1
    except SystemExit:
        print("Stopped.", flush=True)
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.serve", description=__doc__)
    parser.add_argument("--port", type=_port, default=8000)
    parser.add_argument("--data", type=Path, default=DATA, help="directory in which dynoxide keeps the data")
    parser.add_argument(
        "--limits",
        choices=("on", "off"),
        default="off",
        help="whether rate limits by source address hold, as they do when deployed; here all requests come from one",
    )
    parser.add_argument(
        "--end-with-parent", action="store_true", help="end when the process that started this one does"
    )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


def _end(*_: object) -> NoReturn:
    # A second Ctrl-C must not interrupt the clearing up after the first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit


@contextlib.contextmanager
def _product(port: int, data: DataDirectory, started: float, *, limits: bool) -> Iterator[threading.Thread]:
    """Run everything; yield the server's thread. What is left ends in the reverse order, the store last."""
    _require_free(port)
    with contextlib.ExitStack() as parts:
        engine, is_kept, note = _engine(parts, data)
        grounds = stack.build(engine)
        if is_kept:
            parts.enter_context(queue_store.kept(data.queues))
        if engine.process is not None:
            watch = Watch(engine.process, engine.client, partial(_end_without_engine, is_kept=is_kept))
            watch.start()
            parts.callback(watch.stop)
        os.environ.update(grounds.environment() | {"WORKLEDGER_LIMITS_BY_SOURCE": str(limits)})
        sys.path.insert(0, str(ROOT))
        app = importlib.import_module("app")
        mailbox = Mailbox()
        pump = _pump(app, grounds, data if is_kept else None)
        server = Server(HOST, port, Gateway(app.app), {MAILBOX_PATH: mailbox.page}, after_write=pump.wake)
        pump.start()
        parts.callback(pump.stop)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        parts.callback(server.server_close)
        parts.callback(server.shutdown)
        url = f"http://{HOST}:{port}"
        api = Api(f"{url}/api/v1")
        with _demo():
            api = api.with_token(open_doors(api, mailbox.latest_code))
        print(banner.text(url, MAILBOX_PATH, api.token, note, time.monotonic() - started), flush=True)
        if api.token is not None:
            # Whoever wants to begin need not wait for it.
            with _demo():
                furnish(api)
                print(f"The demo organization is complete after {time.monotonic() - started:.1f} s", flush=True)
        yield thread


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortTaken(
                f"port {port} cannot be used ({error.strerror}); choose another: make serve PORT="
            ) from error


def _engine(parts: contextlib.ExitStack, data: DataDirectory) -> tuple[Engine, bool, str]:
    """Run the engine that is asked for, or else the best there is; return whether data is kept, and what to say."""
    store = wanted_store(default=Store.DYNOXIDE)
    if store is not Store.DYNOXIDE:
        return parts.enter_context(running(store)), False, str(store)
    try:
        dynoxide.binary(timeout_seconds=_FETCHED_WITHIN_SECONDS)
    except DynoxideUnavailable as error:
        if os.environ.get("WORKLEDGER_STORE"):
            raise
        return parts.enter_context(running(Store.MOTO)), False, f"moto, nothing kept; no dynoxide: {error}"
    if not data.lock(parts):
        # In a file all the same: in memory, its writes get slower with each.
        scratch = Path(parts.enter_context(tempfile.TemporaryDirectory()), data.table.name)
        engine = parts.enter_context(running(store, scratch))
        return engine, False, "dynoxide, nothing kept: another run holds the kept data"
    data.require_sound()
    try:
        engine = parts.enter_context(running(store, data.table))
    except (DynoxideUnavailable, sqlite3.Error) as error:
        raise unusable(data.table, error) from error
    return engine, True, f"dynoxide, data kept in {data.path}"


def _end_without_engine(reason: str, *, is_kept: bool) -> None:
    consequence = "what was answered is kept" if is_kept else "nothing was kept"
    print(f"make serve: {reason}; {consequence}, start again", file=sys.stderr, flush=True)
    # At once: whatever would be ended in order waits for the engine, and its last tries would count as failures.
    os._exit(1)


def _pump(app: Any, grounds: stack.Stack, data: DataDirectory | None) -> Pump:
    """`data`: where positions are kept, if they are."""
    return functions.pump(
        app,
        grounds,
        schedules={"schedule_metrics": app.schedule_metrics, "sweep_outbox": app.sweep_outbox},
        retry_seconds=1,
        checkpoint=data.positions if data else None,
        trim=partial(stream_log.trim, data.table, grounds.table) if data else None,
    )


@contextlib.contextmanager
def _demo() -> Iterator[None]:
    """Quietly; where the demo is not as described, the reason is printed."""
    logging.disable(logging.INFO)
    try:
        yield
    except DemoFailed as error:
        print(f"The demo organization is not as described: {error}. `make reset` gives a new one.", file=sys.stderr)
    finally:
        logging.disable(logging.NOTSET)


if __name__ == "__main__":
    sys.exit(main())
