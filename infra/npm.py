"""Tools of npm that check the API document and make clients of it: pinned, and installed once into `.cache`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from infra.template import ROOT

CACHE = ROOT / ".cache" / "npm"
_QUIET = {"NO_COLOR": "1", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "REDOCLY_TELEMETRY": "off"}


class NpmUnavailable(Exception):
    """The tools cannot be had here; the message gives the reason in one line."""


def installed(packages: Mapping[str, str], cache: Path = CACHE) -> Path:
    """Return a folder whose `node_modules` has these packages, by version. Raises NpmUnavailable."""
    manifest = json.dumps({"private": True, "type": "module", "dependencies": dict(packages)}, sort_keys=True)
    folder = cache / hashlib.sha256(manifest.encode()).hexdigest()[:16]
    if folder.exists():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        raise NpmUnavailable("npm is not installed")
    cache.mkdir(parents=True, exist_ok=True)
    # Made apart and moved when it is whole: another process may install the same at the same time.
    scratch = Path(tempfile.mkdtemp(dir=cache, prefix="install-"))
    try:
        (scratch / "package.json").write_text(manifest)
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1"]
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NpmUnavailable(f"npm cannot install {', '.join(packages)}: {done.stderr.strip().splitlines()[:1]}")
        if not folder.exists():
            scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def run(folder: Path, tool: str, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run an installed tool; both of its outputs are in `stdout`."""
    command = [str(folder / "node_modules" / ".bin" / tool), *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **_QUIET}
    return subprocess.run(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
