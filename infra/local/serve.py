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

from infra.local import banner, dynoxide, functions, queue_store, stack, stream_log, tier
from infra.local.data import DATA, DataDirectory, DataUnusable, unusable
from infra.local.demo import Api, DemoFailed, seed_data, seed_people
from infra.local.dynoxide import DynoxideUnavailable
from infra.local.engine import HOST, Engine, Store, UnknownStore, configured_store, running
from infra.local.gateway import Gateway
from infra.local.mailbox import PATH as MAILBOX_PATH
from infra.local.mailbox import Mailbox
from infra.local.pump import Pump
from infra.local.server import Server
from infra.local.table import TableDiffers
from infra.local.watch import Watch
from infra.local.with_parent import end_with_parent

ROOT = Path(__file__).parents[2]
# A start waits only briefly for the download; `make` fetches it ahead with more patience.
_FETCH_TIMEOUT_SECONDS = 3.0

SCHEDULES = ("remind_timers", "report_weekly", "schedule_metrics", "sweep_outbox", "watch_loans")


class PortTaken(Exception):
    """The port cannot be bound."""


class RoutesOutdated(Exception):
    """The committed routes are not those of the actions."""


def main(arguments: list[str] | None = None) -> int:
    options = parse_options(arguments)
    if options.end_with_parent:
        end_with_parent(os.getppid())
    started = time.monotonic()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end_run)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("workledger.local").setLevel(logging.INFO)
    try:
        with product(options.port, DataDirectory(options.data), started, limits=options.limits == "on") as serving:
            serving.join()
    except DynoxideUnavailable as error:
        print(f"make serve: dynoxide is not available: {error}", file=sys.stderr)
        return 1
    except (DataUnusable, PortTaken, RoutesOutdated, TableDiffers, UnknownStore) as error:
        print(f"make serve: {error}", file=sys.stderr)
        return 1
    except SystemExit:
        print("Stopped.", flush=True)
    return 0


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.serve", description=__doc__)
    parser.add_argument("--port", type=port_number, default=8000)
    parser.add_argument("--data", type=Path, default=DATA, help="directory of dynoxide's data")
    parser.add_argument(
        "--limits",
        choices=("on", "off"),
        default="off",
        help="rate limits by source address, as when deployed; here all requests come from one address",
    )
    parser.add_argument("--end-with-parent", action="store_true", help="end when the parent process ends")
    return parser.parse_args(arguments)


def port_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port")
    return int(text)


def end_run(*_: object) -> NoReturn:
    # A second Ctrl-C must not interrupt the shutdown after the first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit


@contextlib.contextmanager
def product(port: int, data: DataDirectory, started: float, *, limits: bool) -> Iterator[threading.Thread]:
    """Run all parts; yield the server's thread. At the end they stop in reverse order, the store last."""
    require_free(port)
    with contextlib.ExitStack() as contexts:
        engine, is_kept, note = start_engine(contexts, data)
        built = stack.build(engine)
        if is_kept:
            contexts.enter_context(queue_store.persisted(data.queues))
        if engine.process is not None:
            watch = Watch(engine.process, engine.client, partial(end_without_engine, is_kept=is_kept))
            watch.start()
            contexts.callback(watch.stop)
        url = f"http://{HOST}:{port}"
        # Links in mails lead to the console, which keeps its pages behind the #.
        own = {
            "WORKLEDGER_API_URL": url,
            "WORKLEDGER_APP_URL": f"{url}/console#",
            "WORKLEDGER_LIMITS_BY_SOURCE": str(limits),
        }
        os.environ.update(built.environment() | own)
        sys.path.insert(0, str(ROOT))
        app = load_app()
        mailbox = Mailbox()
        pump = build_pump(app, built, data if is_kept else None)
        pages = {MAILBOX_PATH: mailbox.page, tier.PATH: tier.page(app.set_subscription_tier)}
        server = Server(HOST, port, Gateway(app.app), pages, after_write=pump.wake)
        pump.start()
        contexts.callback(pump.stop)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        contexts.callback(server.server_close)
        contexts.callback(server.shutdown)
        api = Api(f"{url}/api/v1")
        with seeding():
            api = api.with_token(seed_people(api, mailbox.latest_code))
        print(banner.text(url, MAILBOX_PATH, api.token, note, time.monotonic() - started), flush=True)
        if api.token is not None:
            # The product can be used before the demo data is complete.
            with seeding():
                # moto takes ten times as long for a shift, and forgets them all at the end.
                seed_data(api, past_weeks=4 if is_kept else 0)
                print(f"The demo organization is complete after {time.monotonic() - started:.1f} s", flush=True)
        yield thread


def require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortTaken(f"port {port} cannot be used ({error.strerror}); choose another: PORT=") from error


def start_engine(contexts: contextlib.ExitStack, data: DataDirectory) -> tuple[Engine, bool, str]:
    """Run the configured or best available engine; return it, True if data is kept, and a note for users."""
    store = configured_store(default=Store.DYNOXIDE)
    if store is not Store.DYNOXIDE:
        return contexts.enter_context(running(store)), False, str(store)
    try:
        dynoxide.binary(timeout_seconds=_FETCH_TIMEOUT_SECONDS)
    except DynoxideUnavailable as error:
        if os.environ.get("WORKLEDGER_STORE"):
            raise
        return (
            contexts.enter_context(running(Store.MOTO)),
            False,
            f"moto, data is lost at exit; no dynoxide: {error}",
        )
    if not data.lock(contexts):
        # In a file nevertheless: in memory, writes become slower with every write.
        scratch = Path(contexts.enter_context(tempfile.TemporaryDirectory()), data.table.name)
        engine = contexts.enter_context(running(store, scratch))
        return engine, False, f"dynoxide, data is lost at exit: another run uses {data.path}"
    data.require_sound()
    try:
        engine = contexts.enter_context(running(store, data.table))
    except (DynoxideUnavailable, sqlite3.Error) as error:
        raise unusable(data.table, error) from error
    return engine, True, f"dynoxide, data kept in {data.path}"


def end_without_engine(reason: str, *, is_kept: bool) -> None:
    consequence = "all answered requests are stored" if is_kept else "the data is lost"
    print(f"make serve: {reason}; {consequence}, start again", file=sys.stderr, flush=True)
    # At once: an orderly shutdown would wait for the engine, and its last retries would count as failures.
    os._exit(1)


def load_app() -> Any:
    app, modules = importlib.import_module("app"), importlib.import_module("chalicelib.modules")
    try:
        # Not with the first requests: a wrong table of routes would answer some of them.
        modules.load_actions()
    except RuntimeError as error:
        raise RoutesOutdated(str(error)) from error
    return app


def build_pump(app: Any, built: stack.Stack, data: DataDirectory | None) -> Pump:
    """Return the pump. `data`: the directory of its positions, None to keep none."""
    return functions.pump(
        app,
        built,
        schedules={name: getattr(app, name) for name in SCHEDULES},
        retry_seconds=1,
        checkpoint=data.positions if data else None,
        trim=partial(stream_log.trim, data.table, built.table) if data else None,
    )


@contextlib.contextmanager
def seeding() -> Iterator[None]:
    """Mute the log; print the reason if the demo organization cannot be created."""
    logging.disable(logging.INFO)
    try:
        yield
    except DemoFailed as error:
        print(f"The demo organization is incomplete: {error}. `make reset` creates a new one.", file=sys.stderr)
    finally:
        logging.disable(logging.NOTSET)


if __name__ == "__main__":
    sys.exit(main())
