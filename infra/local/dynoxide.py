"""The dynoxide binary: the cached one, or the pinned one, fetched with npm and verified.

`python -m infra.local.dynoxide` fetches it ahead of time. `WORKLEDGER_DYNOXIDE=/path` selects another one.
"""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "1.2.1"
_PACKAGE = f"@dynoxide/linux-x64@{VERSION}"
_INTEGRITY = "sha512-sBHqlxJ9ANkLluFkYRfd5r8Y0ApFew4FhOrlhgRAgD4XzEoFOukEo1nuBTQ1+jTtofqwn4NWQ2k0Tn5mNTjgUg=="
_MEMBER = "package/dynoxide"
CACHE = Path(__file__).parents[2] / ".cache" / "dynoxide" / VERSION


class DynoxideUnavailable(Exception):
    """There is no dynoxide to run here; the message gives the reason in one line."""


def binary(cache: Path = CACHE, timeout_seconds: float = 60) -> Path:
    """Return the path of a runnable dynoxide. Raises DynoxideUnavailable."""
    override = os.environ.get("WORKLEDGER_DYNOXIDE")
    if override:
        return _runnable(Path(override))
    cached = cache / "dynoxide"
    if not cached.exists():
        _fetch(cached, timeout_seconds)
    return _runnable(cached)


def _fetch(target: Path, timeout_seconds: float) -> None:
    if sys.platform != "linux" or platform.machine() not in {"x86_64", "AMD64"}:
        raise DynoxideUnavailable(
            f"the pinned binary is for Linux on x86-64, this is {platform.system()} on {platform.machine()}; "
            "set WORKLEDGER_DYNOXIDE to another one"
        )
    npm = shutil.which("npm")
    if npm is None:
        raise DynoxideUnavailable("fetching it needs npm, which is not installed")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="fetch-") as scratch:
        command = [
            npm,
            "pack",
            _PACKAGE,
            "--silent",
            "--ignore-scripts",
            "--fetch-retries=0",
            "--pack-destination",
            scratch,
        ]
        try:
            subprocess.run(command, cwd=scratch, capture_output=True, check=True, timeout=timeout_seconds)
        except subprocess.TimeoutExpired as error:
            raise DynoxideUnavailable(f"npm did not deliver it within {timeout_seconds:.0f} s") from error
        except subprocess.CalledProcessError as error:
            reason = (error.stderr.decode(errors="replace").strip() or "no reason given").splitlines()[0]
            raise DynoxideUnavailable(f"npm could not fetch it: {reason}") from error
        unpack(next(Path(scratch).glob("*.tgz")), target)


def unpack(tarball: Path, target: Path, integrity: str = _INTEGRITY) -> None:
    """Put the binary in place if the tarball is the pinned one. Atomic, because other processes may do the same."""
    content = tarball.read_bytes()
    digest = f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"
    if digest != integrity:
        raise DynoxideUnavailable(f"the tarball from npm is not the pinned {_PACKAGE}: {digest}")
    with tarfile.open(tarball) as archive:
        member = archive.extractfile(_MEMBER)
        if member is None:
            raise DynoxideUnavailable(f"there is no {_MEMBER} in {_PACKAGE}")
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix="binary-", delete=False) as copy:
            shutil.copyfileobj(member, copy)
    Path(copy.name).chmod(0o755)
    Path(copy.name).replace(target)


def _runnable(path: Path) -> Path:
    try:
        subprocess.run([path, "--version"], capture_output=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError) as error:
        raise DynoxideUnavailable(f"{path} does not run here: {error}") from error
    return path


def main() -> int:
    try:
        print(f"dynoxide {VERSION}: {binary()}")
    except DynoxideUnavailable as error:
        print(f"dynoxide is not available: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
