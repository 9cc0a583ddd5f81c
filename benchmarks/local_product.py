"""A run of the local product in its own process, with the demo's data."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from infra.local.engine import HOST, free_port


@contextlib.contextmanager
def local_product(data: Path, checkout: Path | None = None) -> Iterator[str]:
    """Run the product until the block ends; yield its address once the demo organization is complete.

    `checkout`: the folder whose product runs, by default this one's.
    """
    port = free_port()
    command = [sys.executable, "-m", "infra.local.serve", "--port", str(port), "--data", str(data)]
    log = (data / "serve.log").open("w+")
    with log, subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=checkout) as process:
        try:
            while "The demo organization is complete" not in (data / "serve.log").read_text():
                assert process.poll() is None, (data / "serve.log").read_text()
                time.sleep(0.2)
            yield f"http://{HOST}:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
