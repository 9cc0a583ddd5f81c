"""Clients that generators make of the API document drive the product over HTTP, as docs/clients.md prints them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import app as application
from infra import npm
from infra.local.engine import HOST
from infra.local.gateway import Gateway
from infra.local.server import Server
from infra.openapi import COPY
from infra.template import ROOT

PAGE = (ROOT / "docs" / "clients.md").read_text()
PRINTED_URL = "http://127.0.0.1:8000"
MAX_FILES, MAX_LINES = 700, 110_000
"""Bounds of the Python client: with models for each answer and each error it had eight times as many."""
NODE_PACKAGES = dict(re.findall(r"([\w-]+)@([\d.]+)", re.findall("^npm install (.*)$", PAGE, re.MULTILINE)[0]))


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def url(local_stack: object) -> Iterator[str]:
    server = Server(HOST, 0, Gateway(application.app), {})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://{HOST}:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _run(folder: Path, *command: str) -> str:
    environment = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def _program(language: str, url: str) -> str:
    (program,) = _blocks(language)
    assert PRINTED_URL in program
    return program.replace(PRINTED_URL, url)


def test_the_python_client_drives_the_product(url: str, tmp_path: Path) -> None:
    (override,) = re.findall("^echo '(.*)' > client.yaml", PAGE, re.MULTILINE)
    # It would format what it wrote; nobody reads it here.
    (tmp_path / "client.yaml").write_text(f"post_hooks: []\n{override}\n")
    generate = (
        "generate",
        "--path",
        str(COPY),
        "--meta",
        "none",
        "--output-path",
        "workledger",
        "--config",
        "client.yaml",
    )
    said = _run(tmp_path, str(Path(sys.executable).with_name("openapi-python-client")), *generate)
    # It warns of what it leaves out.
    assert said.strip() == "Generating workledger"
    (tmp_path / "main.py").write_text(_program("python", url))

    assert _run(tmp_path, sys.executable, "main.py") == _blocks("text")[0]

    files = [*tmp_path.glob("workledger/**/*.py")]
    lines = sum(path.read_text().count("\n") for path in files)
    assert len(files) <= MAX_FILES
    assert lines <= MAX_LINES


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="curl or jq is not installed")
def test_the_shell_script_drives_the_product(url: str, tmp_path: Path) -> None:
    assert _run(tmp_path, "bash", "-c", _program("bash", url)) == _blocks("text")[2]


def test_the_typescript_client_is_sound_and_drives_the_product(url: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    try:
        tools = npm.installed(NODE_PACKAGES)
    except npm.NpmUnavailable as error:
        pytest.skip(str(error))
    assert node is not None
    (tmp_path / "node_modules").symlink_to(tools / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "main.ts").write_text(_program("ts", url))
    (options,) = re.findall(r"^npx openapi-typescript \S+ (.*)$", PAGE, re.MULTILINE)
    generated = npm.run(tools, "openapi-typescript", str(COPY), *options.split(), cwd=tmp_path)
    assert generated.returncode == 0, generated.stdout
    (compile_,) = re.findall(r"^npx tsc (.*) && node main.js$", PAGE, re.MULTILINE)
    compiled = npm.run(tools, "tsc", *compile_.split(), cwd=tmp_path)
    assert compiled.returncode == 0, compiled.stdout

    assert _run(tmp_path, node, "main.js") == _blocks("text")[1]
