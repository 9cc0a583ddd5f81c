"""`chalice local`: with the local stack's settings it is the product; without settings nothing starts."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import demo
from infra.local.engine import HOST, free_port

ROOT = Path(__file__).parents[2]
_SIGNED_IN = {
    "PATH": os.environ["PATH"],
    "HOME": str(Path.home()),
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_DEFAULT_REGION": "eu-central-1",
}
"""A shell that is signed in to an AWS account, and has no settings of ours."""
_NEEDED = {
    "WORKLEDGER_FEED_QUEUE_URL": "https://sqs.example/feed",
    "WORKLEDGER_MAIL_QUEUE_URL": "https://sqs.example/mail",
    "WORKLEDGER_METRICS_QUEUE_URL": "https://sqs.example/metrics",
    "WORKLEDGER_STAGE": "dev",
    "WORKLEDGER_TABLE": "workledger",
}


class Run:
    """A run of `python -m infra.local.chalice_local`, ready."""

    def __init__(self) -> None:
        self.port = free_port()
        command = [sys.executable, "-m", "infra.local.chalice_local", "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=_SIGNED_IN, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for("Ctrl-C stops it.")
        self.api = demo.Api(f"http://{HOST}:{self.port}/api/v1")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.log.append(line)

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + 60
        while not any(text in line for line in self.log):
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def end(self) -> str:
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(timeout=30) == 0
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return "".join(self.log)


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    run = Run()
    yield run
    log = run.end()
    assert log.endswith("Stopped.\n")
    # Both of its processes have ended.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, run.port))


def test_it_is_the_product(run: Run) -> None:
    assert run.api.get("/health")["status"] == "ok"
    names = {"firstName": "Ada", "lastName": "King"}
    answer = run.api.post(
        "/auth/sign-up", email="ada@example.com", password="lantern-orchard-42", organizationName="Example", **names
    )
    owner = run.api.with_token(answer["token"])
    client = owner.post("/clients", name="Alster GmbH")
    assert owner.get(f"/clients/{client['id']}")["name"] == "Alster GmbH"
    assert owner.get("/audit-log")["items"][0]["action"] == "CLIENT_CREATED"


def test_what_follows_a_write_happens(run: Run) -> None:
    names = {"firstName": "Bea", "lastName": "Koch"}
    answer = run.api.post(
        "/auth/sign-up", email="bea@example.com", password="lantern-orchard-42", organizationName="Koch", **names
    )
    run.api.with_token(answer["token"]).post("/users", email="cid@example.com", **names)
    run.wait_for("mail to cid@example.com")


def test_a_taken_port_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        command = [sys.executable, "-m", "infra.local.chalice_local", "--port", str(taken.getsockname()[1])]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "choose another: PORT=" in ended.stderr


# -- without settings ------------------------------------------------------------------------------------------------


def _start(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "import app; print('started')"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("missing", sorted(_NEEDED))
@pytest.mark.parametrize("left", [None, ""], ids=["absent", "empty"])
def test_nothing_starts_without_a_needed_setting(missing: str, left: str | None) -> None:
    environment = {**_SIGNED_IN, **_NEEDED}
    environment.pop(missing)
    if left is not None:
        environment[missing] = left
    ended = _start(environment)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"Workledger does not start without settings: {missing}. `make serve`")
    assert ended.stderr.count("\n") == 1


def test_a_local_stage_needs_an_endpoint_of_its_own() -> None:
    local = {**_SIGNED_IN, **_NEEDED, "WORKLEDGER_STAGE": "local"}
    ended = _start(local)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "it would write to the AWS account of this shell" in ended.stderr
    assert _start({**local, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}).stdout == "started\n"


def test_a_deployed_stage_starts_with_the_settings_of_its_template() -> None:
    assert _start({**_SIGNED_IN, **_NEEDED}).stdout == "started\n"


@pytest.mark.parametrize("options", [[], ["--no-autoreload"]], ids=["restarting", "once"])
def test_plain_chalice_local_ends_with_the_reason(options: list[str]) -> None:
    command = [str(Path(sys.executable).with_name("chalice")), "local", "--port", str(free_port()), *options]
    ended = subprocess.run(command, cwd=ROOT, env=_SIGNED_IN, capture_output=True, text=True, timeout=60, check=False)
    assert "Workledger does not start without settings: WORKLEDGER_FEED_QUEUE_URL" in ended.stderr
    assert "Traceback" not in ended.stderr
