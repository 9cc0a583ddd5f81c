"""MiniStack in its own process: an AWS emulator that enforces the roles' policies and runs the package's functions."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

REGION = "us-east-1"
_CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
_READY_WITHIN_SECONDS = 40.0


class E2eFailed(Exception):
    """The deployed product did not behave as expected."""


@dataclass(frozen=True)
class Emulator:
    url: str
    log: Path

    def client(self, service: str) -> Any:
        config = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 2})
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, config=config, **_CREDENTIALS)

    def mails_to(self, address: str) -> list[dict[str, Any]]:
        """Return the mails that SES was asked to send to an address, oldest first."""
        accounts = json.loads(_get(f"{self.url}/_ministack/ses/messages"))["messages"].values()
        return [mail for mails in accounts for mail in mails if address in mail["To"]]

    def logged_problems(self) -> list[str]:
        """Return the functions' log lines above level INFO, tracebacks included."""
        logs = self.client("logs")
        lines = [
            event["message"].rstrip()
            for group in logs.describe_log_groups()["logGroups"]
            for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
        ]
        expected = ('{"level":"INFO"', '{"_aws"', "START ", "END ", "REPORT ")
        return [line for line in lines if line and not line.startswith(expected)]


@contextlib.contextmanager
def running(executable: Path, log: Path) -> Iterator[Emulator]:
    """Run the emulator until the block ends; then end all of its processes, its functions' workers included."""
    port = free_port()
    emulator = Emulator(f"http://127.0.0.1:{port}", log)
    with tempfile.TemporaryDirectory(prefix="workledger-e2e-") as scratch, log.open("wb") as output:
        process = subprocess.Popen(
            [str(executable.absolute())],
            env=_environment(port, scratch),
            cwd=scratch,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            await_ready(emulator, process)
            yield emulator
        finally:
            # At once: the emulator has nothing to keep, and its workers share its process group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _environment(port: int, scratch: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": scratch,
        "TMPDIR": scratch,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        # Check every call of a function against the policies of its role.
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }


def await_ready(emulator: Emulator, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise E2eFailed(f"the emulator ended with {process.returncode}")
        with contextlib.suppress(OSError):
            _get(f"{emulator.url}/_ministack/health")
            return
        time.sleep(0.2)
    raise E2eFailed("the emulator did not start")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  always the emulator's http URL
        content: bytes = answer.read()
    return content
