"""A watch on the engine: reports when its process has ended or no longer answers."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_EVERY_SECONDS = 1.0


class Watch:
    def __init__(
        self,
        process: subprocess.Popen[bytes],
        client: Callable[..., Any],
        lost: Callable[[str], None],
        patience_seconds: float = 30.0,
    ) -> None:
        """Watch `process`. `client` creates a client of the engine; `lost` is called once, with the reason."""
        self._process = process
        self._client = client("dynamodb", answers_within_seconds=patience_seconds / 4)
        self._lost = lost
        self._patience_seconds = patience_seconds
        self._stopping = threading.Event()
        self._answered = time.monotonic()

    def start(self) -> None:
        for check in (self._check_process, self._request):
            threading.Thread(target=check, name="watch", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def _check_process(self) -> None:
        while not self._stopping.wait(_EVERY_SECONDS):
            if self._process.poll() is not None:
                self._end(f"the engine has ended, with exit code {self._process.returncode}")
                return
            if time.monotonic() - self._answered > self._patience_seconds:
                self._process.kill()
                self._end(f"the engine has not answered for {self._patience_seconds:.0f} s")
                return

    def _request(self) -> None:
        while not self._stopping.wait(_EVERY_SECONDS):
            try:
                self._client.list_tables(Limit=1)
            except ClientError:
                """A refusal is an answer, too."""
            except BotoCoreError:
                continue
            self._answered = time.monotonic()

    def _end(self, reason: str) -> None:
        if not self._stopping.is_set():
            self._stopping.set()
            self._lost(reason)
