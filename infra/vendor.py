"""Vendor the libraries of the console and of its tests: fetch pinned packages from npm, and write files and hashes.

`python -m infra.vendor` rewrites the `vendor` folders and `vendor.lock.json`; with `--check` it only compares.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from infra.template import ROOT

VENDOR = ROOT / "chalicelib" / "console" / "vendor"
TEST_VENDOR = ROOT / "tests" / "console" / "vendor"
LOCK = ROOT / "infra" / "vendor.lock.json"


class Package(NamedTuple):
    version: str
    files: Mapping[str, str]
    """Name here to name in the package."""
    folder: Path = VENDOR


PACKAGES: Mapping[str, Package] = {
    "axe-core": Package("4.14.1", {"axe.js": "axe.min.js", "axe-core.LICENSE.txt": "LICENSE"}, TEST_VENDOR),
    "htm": Package("3.1.1", {"htm.js": "dist/htm.umd.js", "htm.LICENSE.txt": "LICENSE"}),
    "preact": Package(
        "10.29.8",
        {
            "preact.js": "dist/preact.min.umd.js",
            "preact-hooks.js": "hooks/dist/hooks.umd.js",
            "preact.LICENSE.txt": "LICENSE",
        },
    ),
    "vega": Package("6.4.0", {"vega.js": "build/vega.min.js", "vega.LICENSE.txt": "LICENSE"}),
    "vega-embed": Package("7.3.0", {"vega-embed.js": "build/vega-embed.min.js", "vega-embed.LICENSE.txt": "LICENSE"}),
    # vega-embed carries its own copy of this one; only the licence is delivered apart.
    "vega-interpreter": Package("2.3.2", {"vega-interpreter.LICENSE.txt": "LICENSE"}),
    "vega-lite": Package("6.5.0", {"vega-lite.js": "build/vega-lite.min.js", "vega-lite.LICENSE.txt": "LICENSE"}),
}


def fetch(name: str, package: Package) -> tuple[str, dict[str, bytes]]:
    """Return the registry's integrity of a package, which npm has verified, and the contents of the vendored files."""
    with tempfile.TemporaryDirectory() as directory:
        command = ["npm", "pack", f"{name}@{package.version}", "--json", "--pack-destination", directory]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        (packed,) = json.loads(done.stdout)
        with tarfile.open(next(Path(directory).glob("*.tgz"))) as archive:
            contents = {
                here: (archive.extractfile(f"package/{there}") or sys.exit(f"{name} has no file {there}")).read()
                for here, there in package.files.items()
            }
    return packed["integrity"], contents


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare the files here with the registry's")
    is_check = parser.parse_args().check
    lock: dict[str, object] = {}
    different: list[str] = []
    for name, package in PACKAGES.items():
        integrity, contents = fetch(name, package)
        hashes = {here: hashlib.sha256(content).hexdigest() for here, content in contents.items()}
        lock[name] = {"version": package.version, "integrity": integrity, "sha256": hashes}
        for here, content in contents.items():
            path = package.folder / here
            if is_check and (not path.exists() or path.read_bytes() != content):
                different.append(here)
            elif not is_check:
                path.write_bytes(content)
    if is_check:
        different += ["vendor.lock.json"] if json.loads(LOCK.read_text()) != lock else []
        sys.exit(f"different from the registry: {', '.join(different)}" if different else 0)
    LOCK.write_text(json.dumps(lock, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
