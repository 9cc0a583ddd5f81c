"""Package a stage for AWS into `build/<stage>/`: `deployment.zip` and the template that deploys it."""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from infra import bundle, offline, template
from infra.template import ROOT, STAGES, PackagingFailed

_MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_COLD_START = Path(__file__).with_name("cold_start.py")


def package(stage: str) -> Path:
    """Return the path of the template; the code package is in the same folder."""
    out = ROOT / "build" / stage
    architecture = template.architecture(stage)
    if architecture == "arm64" and sys.version_info < (3, 12):
        # Amazon Linux 2, on which Python 3.11 runs, is too old for the wheels of some requirements.
        raise PackagingFailed(f"stage {stage} is for arm64, which is packaged by Python 3.12 or 3.13: set PYTHON=")
    shutil.rmtree(out, ignore_errors=True)
    requirements = runtime_requirements()
    written = template.build(stage, out, requirements)
    template.lint(written)
    code = out / "deployment.zip"
    with tempfile.TemporaryDirectory() as scratch:
        unzipped_bytes = bundle.finish(code, Path(scratch))
    with tempfile.TemporaryDirectory() as directory:
        shutil.unpack_archive(code, directory)
        bundle.check_requirements(Path(directory), requirements)
        bundle.check_machine(Path(directory), architecture)
        if architecture == _MACHINES.get(platform.machine()):
            check_cold_start(Path(directory))
        else:
            print(f"not started: it is for {architecture}, and this machine is {platform.machine()}")
    digest = hashlib.sha256(code.read_bytes()).hexdigest()
    print(f"{code.relative_to(ROOT)}: {_mb(code.stat().st_size)} zipped, {_mb(unzipped_bytes)} unzipped, {digest[:16]}")
    print(f"{written.relative_to(ROOT)}: {written.stat().st_size / 1024:.0f} KB, no findings")
    return written


def runtime_requirements() -> list[str]:
    """Return the pins of `requirements.txt` except Chalice's: its packager adds the runtime itself."""
    lines = (line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines())
    return [line for line in lines if line and not line.startswith("chalice==")]


def check_cold_start(unzipped: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "TZ": "UTC", **offline.SETTINGS}
    command = [sys.executable, "-I", "-S", str(_COLD_START), str(unzipped)]
    if subprocess.run(command, env=environment, check=False).returncode:
        raise PackagingFailed("the package does not start on its own")


def _mb(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", choices=STAGES, required=True)
    try:
        package(parser.parse_args().stage)
    except PackagingFailed as failure:
        sys.exit(f"packaging failed: {failure}")


if __name__ == "__main__":
    main()
