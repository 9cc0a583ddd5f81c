"""The engines under the product: a DynamoDB store (moto, dynoxide or any other), and moto for queue and mail."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import IO, Any

import botocore.session
from botocore.config import Config

from chalicelib.dal.signing import Credentials
from infra.local import dynoxide, stream_log, with_parent
from infra.local.moto_server import moto_server
from infra.local.streams_client import StreamsClient

HOST = "127.0.0.1"
REGION = "eu-central-1"
ACCOUNT = "123456789012"  # moto's
_CREDENTIALS = Credentials("local", "local", None)
_READY_WITHIN_SECONDS = 10.0


class Store(StrEnum):
    DYNOXIDE = "dynoxide"
    MOTO = "moto"
    OTHER = "other"
    """Runs already, at TABLE_ENDPOINT."""


class UnknownStore(Exception):
    """WORKLEDGER_STORE names no engine."""


@dataclass(frozen=True)
class Engine:
    store: Store
    table_endpoint: str
    """DynamoDB and its streams."""
    services_endpoint: str
    """Queue and mail."""
    process: subprocess.Popen[bytes] | None = None
    """The store's, if this process started it."""

    def environment(self) -> dict[str, str]:
        """Return the environment variables that point every AWS client of a process to this engine."""
        return {
            "AWS_ACCESS_KEY_ID": _CREDENTIALS.access_key,
            "AWS_SECRET_ACCESS_KEY": _CREDENTIALS.secret_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.services_endpoint,
            "AWS_ENDPOINT_URL_DYNAMODB": self.table_endpoint,
            "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": self.table_endpoint,
        }

    def client(self, service: str, answers_within_seconds: float = 60) -> Any:
        """Return a client of this engine, independent of the environment."""
        return _session().create_client(
            service,
            region_name=REGION,
            aws_access_key_id=_CREDENTIALS.access_key,
            aws_secret_access_key=_CREDENTIALS.secret_key,
            endpoint_url=self.table_endpoint if service == "dynamodb" else self.services_endpoint,
            config=Config(read_timeout=answers_within_seconds, retries={"total_max_attempts": 2}),
        )

    def streams(self) -> StreamsClient:
        return StreamsClient(self.table_endpoint, REGION, _CREDENTIALS)


@cache
def _session() -> Any:
    """Return the session of all clients: each session reads the service definitions anew."""
    return botocore.session.get_session()


def configured_store(default: Store = Store.MOTO) -> Store:
    """Return the store that TABLE_ENDPOINT or WORKLEDGER_STORE selects."""
    if os.environ.get("TABLE_ENDPOINT"):
        return Store.OTHER
    name = os.environ.get("WORKLEDGER_STORE") or default
    if name not in {Store.DYNOXIDE, Store.MOTO}:
        raise UnknownStore(f"WORKLEDGER_STORE is {name!r}; it can be {Store.DYNOXIDE} or {Store.MOTO}")
    return Store(name)


@contextlib.contextmanager
def running(store: Store | None = None, data: Path | None = None) -> Iterator[Engine]:
    """Run the engines until the block ends. `data`: the file in which dynoxide keeps the table.

    Raises DynoxideUnavailable. All motos of a process share their state, so tables and queues need unique names.
    `Engine.client` returns clients; `Engine.environment` points a whole process here.
    """
    store = store or configured_store()
    with contextlib.ExitStack() as stack:
        services = stack.enter_context(moto_server(HOST))
        match store:
            case Store.MOTO:
                yield Engine(store, services, services)
            case Store.DYNOXIDE:
                table, process = stack.enter_context(dynoxide_store(free_port(), data))
                yield Engine(store, table, services, process)
            case Store.OTHER:
                yield Engine(store, os.environ["TABLE_ENDPOINT"], services)


@contextlib.contextmanager
def dynoxide_store(port: int, data: Path | None = None) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run dynoxide until the block ends; yield its URL and process. Raises DynoxideUnavailable."""
    path = dynoxide.binary()
    command = [str(path), "--host", HOST, "--port", str(port)]
    if data is not None:
        data.parent.mkdir(parents=True, exist_ok=True)
        command += ["--db-path", str(data)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-IS", with_parent.__file__, str(os.getpid()), *command],
            stdout=subprocess.DEVNULL,
            stderr=log,
            # Out of the terminal's reach: Ctrl-C ends the app first, then the store under it.
            start_new_session=True,
        )
        try:
            _wait_until_open(process, port, log)
            if data is not None:
                stream_log.index(data)
            yield f"http://{HOST}:{port}", process
        finally:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_open(process: subprocess.Popen[bytes], port: int, log: IO[bytes]) -> None:
    """Wait until the log names the port: an open port could belong to another process."""
    deadline = time.monotonic() + _READY_WITHIN_SECONDS
    while True:
        is_over = process.poll() is not None or time.monotonic() > deadline
        output = os.pread(log.fileno(), 4096, 0).decode(errors="replace")
        if f"http://{HOST}:{port}" in output and process.poll() is None:
            return
        if is_over:
            raise dynoxide.DynoxideUnavailable(f"it did not start: {output.strip() or 'no reason given'}")
        time.sleep(0.005)


def free_port() -> int:
    """Return a port that is free now, though another process may take it."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port
