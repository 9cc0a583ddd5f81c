"""The code package of the functions: Chalice's zip without unused service data, with usable bytecode.

`/var/task` is read-only, so without bytecode every cold start would compile the whole of it again. Bytecode that is
checked against its source's time is void after unzipping; unchecked hashes stay valid.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

from infra.template import PackagingFailed

LIMIT_BYTES = 250 * 1024 * 1024
"""Lambda's limit for the unzipped package."""

SERVICES = frozenset({"dynamodb", "sesv2", "sqs", "xray"})
"""The services that the functions call, of botocore's 440; the X-Ray SDK makes a client when it is imported."""

_ENDPOINT_PREFIXES = frozenset({"dynamodb", "email", "sqs", "xray"})
_ELF_MACHINES = {"x86_64": 62, "arm64": 183}
_EPOCH = (1980, 1, 1, 0, 0, 0)


def finish(package: Path, scratch: Path) -> int:
    """Rewrite the zip in place; return its unzipped size in bytes."""
    with zipfile.ZipFile(package) as archive:
        archive.extractall(scratch)
    remove_unused_services(scratch / "botocore" / "data")
    keep_only_types_of_boto3(scratch)
    compile_bytecode(scratch)
    size = sum(path.stat().st_size for path in scratch.rglob("*") if path.is_file())
    if size > LIMIT_BYTES:
        raise PackagingFailed(f"{size} bytes unzipped exceed Lambda's limit")
    pack(package, scratch)
    return size


def check_requirements(unzipped: Path, requirements: Iterable[str]) -> None:
    """Raise PackagingFailed unless the package holds exactly the pinned distributions."""
    pinned = {_canonical(*requirement.split("==")) for requirement in requirements}
    packaged = {_canonical(*path.name.removesuffix(".dist-info").split("-")) for path in unzipped.glob("*.dist-info")}
    if pinned != packaged:
        raise PackagingFailed(f"missing: {sorted(pinned - packaged)}, not pinned: {sorted(packaged - pinned)}")


def check_machine(unzipped: Path, architecture: str) -> None:
    """Raise PackagingFailed if a compiled module is not for the functions' processors."""
    # The field e_machine of an ELF header.
    expected = _ELF_MACHINES[architecture].to_bytes(2, "little")
    wrong = [path.name for path in unzipped.rglob("*.so*") if path.read_bytes()[18:20] != expected]
    if wrong:
        raise PackagingFailed(f"not for {architecture}: {', '.join(sorted(wrong))}")


def _canonical(name: str, version: str) -> tuple[str, str]:
    return re.sub(r"[-_.]+", "-", name).lower(), version


def remove_unused_services(data: Path) -> None:
    for service in data.iterdir():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)
    endpoints = data / "endpoints.json"
    known = json.loads(endpoints.read_text())
    for partition in known["partitions"]:
        partition["services"] = {
            name: service for name, service in partition["services"].items() if name in _ENDPOINT_PREFIXES
        }
    endpoints.write_text(json.dumps(known))


def keep_only_types_of_boto3(directory: Path) -> None:
    """Leave of boto3 what Powertools' idempotency uses: importing the rest takes a fifteenth of a cold start."""
    types = (directory / "boto3" / "dynamodb" / "types.py").read_text()
    for package in ("boto3", "s3transfer"):
        shutil.rmtree(directory / package)
    files = {"__init__.py": "", "compat.py": "import collections.abc as collections_abc\n"}
    for name, text in {**files, "dynamodb/__init__.py": "", "dynamodb/types.py": types}.items():
        path = directory / "boto3" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def compile_bytecode(directory: Path) -> None:
    # Tracebacks name the files where Lambda puts them.
    paths = ["-s", str(directory), "-p", "/var/task"]
    command = [
        sys.executable,
        "-m",
        "compileall",
        "-q",
        "--invalidation-mode",
        "unchecked-hash",
        *paths,
        str(directory),
    ]
    subprocess.run(command, cwd=directory, check=True)


def pack(package: Path, directory: Path) -> None:
    """Write the zip in a fixed order with fixed times: the same content gives the same file."""
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in directory.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(directory).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, path.read_bytes())
