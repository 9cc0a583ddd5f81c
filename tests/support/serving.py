"""A run of `make serve`, as a developer uses it, for tests of the whole product."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import urllib3

from infra.local import demo
from infra.local.engine import HOST, Store, configured_store, free_port

ROOT = Path(__file__).parents[2]
_COMPLETE = "The demo organization is complete"


class Serving:
    """A run of `python -m infra.local.serve`, ready; its demo is still being filled."""

    def __init__(self, store: Store, data: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.http = urllib3.PoolManager(timeout=10, retries=False)
        environment = {name: value for name, value in os.environ.items() if name != "TABLE_ENDPOINT"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.serve", "--port", str(self.port), "--data", str(data), *options],
            cwd=ROOT,
            env=environment | {"WORKLEDGER_STORE": store},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.banner = ""
        while not (line := self._line()).startswith("Ctrl-C stops it."):
            self.banner += line
        assert "being filled" in line, self.banner
        self.cpu_seconds = self._cpu_seconds()
        self._log: list[str] = []
        self._demo_is_over = threading.Event()
        # The log continues: an unread pipe would fill up and block the product.
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def complete(self) -> Serving:
        """Wait until the demo organization is complete."""
        self._demo_is_over.wait()
        assert any(line.startswith(_COMPLETE) for line in self._log), "".join(self._log)
        return self

    def _read_log(self) -> None:
        for line in self.process.stdout or ():
            self._log.append(line)
            if line.startswith(_COMPLETE) or "is incomplete" in line:
                self._demo_is_over.set()
        self._demo_is_over.set()

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"ended with exit code {self.process.wait()}"
        return line

    def _cpu_seconds(self) -> float:
        statistics = Path(f"/proc/{self.process.pid}/stat")
        if not statistics.exists():
            return math.nan
        user, system = statistics.read_text().rpartition(") ")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def api(self, token: str | None = None) -> demo.Api:
        return demo.Api(f"{self.url}/api/v1", token)

    def owner(self) -> demo.Api:
        return self.api(self.api().post("/auth/sign-in", email=demo.OWNER.email, password=demo.PASSWORD)["token"])

    def limits_of_sign_in(self) -> str:
        body = {"email": demo.OWNER.email, "password": demo.PASSWORD}
        answer = self.http.request("POST", f"{self.url}/api/v1/auth/sign-in", json=body)
        return str(answer.headers["RateLimit-Policy"])

    def get(self, path: str, **headers: str) -> Any:
        return self.http.request("GET", f"{self.url}{path}", headers=headers)

    def end(self, number: signal.Signals = signal.SIGTERM) -> str:
        self.process.send_signal(number)
        return self.ended(0)

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def ended(self, exit_code: int) -> str:
        assert self.process.wait(timeout=60) == exit_code
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return "".join(self._log)


def runnable_store() -> Store:
    """Return the configured store; moto instead of a foreign engine, which the runner cannot start."""
    store = configured_store()
    return Store.MOTO if store is Store.OTHER else store
