"""The console's files: valid modules of a readable size, libraries as npm delivers them, a light first load."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from chalicelib.action.console import FILES
from chalicelib.jobs import mail
from infra.template import ROOT
from infra.vendor import LOCK, PACKAGES, TEST_VENDOR, VENDOR

pytestmark = pytest.mark.storeless

OWN = sorted(path for path in FILES.rglob("*") if path.is_file() and VENDOR not in path.parents)
MODULES = [path for path in OWN if path.suffix == ".js"]
MAX_LINES = 400
ESLINT = "eslint@10.15.0"
_STATIC_IMPORT = re.compile(r"""\bfrom\s+["']([^"']+)["']""")
_IMPORT = re.compile(r"""(?:\bfrom\s+|\bimport\s+|\bimport\()["']([^"']+)["']""")


def _name(path: Path) -> str:
    return path.relative_to(FILES).as_posix()


def test_vendored_files_are_those_of_the_lock() -> None:
    lock = json.loads(LOCK.read_text())
    hashes = {name: digest for package in lock.values() for name, digest in package["sha256"].items()}
    paths = [*VENDOR.iterdir(), *TEST_VENDOR.iterdir()]
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths} == hashes
    assert {name: package["version"] for name, package in lock.items()} == {
        name: package.version for name, package in PACKAGES.items()
    }
    assert all(re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package["integrity"]) for package in lock.values())


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_vendored_package_has_its_licence(package: str) -> None:
    text = (PACKAGES[package].folder / f"{package}.LICENSE.txt").read_text()
    licences = "Permission is hereby granted|Redistribution and use|Apache License|Mozilla Public License"
    assert re.search(licences, text)


@pytest.mark.parametrize("path", OWN, ids=_name)
def test_a_file_is_short(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= MAX_LINES
    assert max(map(len, text.splitlines())) <= 200 or path.suffix in {".css", ".svg"}


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_imports_files_that_exist(path: Path) -> None:
    for target in _IMPORT.findall(path.read_text()):
        assert target.startswith("."), target
        assert path.parent.joinpath(target).resolve() in MODULES, target


def test_modules_have_no_syntax_errors() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    parse = (
        "const { SourceTextModule } = require('vm'); const { readFileSync } = require('fs');"
        "for (const file of process.argv.slice(1))"
        "  new SourceTextModule(readFileSync(file, 'utf8'), { identifier: file });"
    )
    command = [node, "--experimental-vm-modules", "--no-warnings", "--eval", parse, "--", *map(str, MODULES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_modules_have_no_findings_of_eslint() -> None:
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("npx is not installed")
    command = [npx, "--yes", ESLINT, str(FILES.relative_to(ROOT))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if "npm error" in done.stderr:
        pytest.skip("ESLint cannot be had from the npm registry")
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_evaluated_or_written_as_markup() -> None:
    """Names of strangers are shown: only Preact writes to the page, and only text."""
    for path in MODULES:
        text = path.read_text()
        refused = r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write|javascript:"
        assert not re.search(refused, text), _name(path)


def _loaded(*starts: Path) -> set[Path]:
    """Return the modules that these import, directly or not, before anything is drawn."""
    loaded: set[Path] = set()
    pending = list(starts)
    while pending:
        path = pending.pop()
        if path not in loaded:
            loaded.add(path)
            pending += [path.parent.joinpath(target).resolve() for target in _STATIC_IMPORT.findall(path.read_text())]
    return loaded


def _compressed(paths: Iterable[Path]) -> int:
    """Return the bytes as the gateway compresses them."""
    return sum(len(gzip.compress(path.read_bytes(), 6)) for path in paths)


def test_the_first_load_is_light() -> None:
    """The dashboard with its charts, which are loaded when the first one is drawn, and any other page."""
    charts = set(VENDOR.glob("vega*.js"))
    shell = {*FILES.glob("lib/*.js"), *FILES.rglob("*.css"), *FILES.glob("*.*"), *VENDOR.glob("*.js")} - charts
    sizes = {path.stem: _compressed(shell | _loaded(path)) for path in FILES.glob("pages/*.js")}
    assert sizes.pop("dashboard") + _compressed(charts) <= 350 * 1024
    assert max(sizes.values()) <= 75 * 1024, sizes


@pytest.mark.parametrize("page", ["dashboard", *sorted(mail._PAGES.values())])
def test_links_of_mails_lead_to_pages(page: str) -> None:
    assert re.search(f'(path|alias): "/{page}"', (FILES / "lib" / "pages.js").read_text())
