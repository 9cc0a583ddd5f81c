"""The dynoxide binary is the pinned one; the store keeps acknowledged writes and ends with its parent."""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from infra.local import dynoxide, table
from infra.local.engine import Store, UnknownStore, configured_store, running


@pytest.fixture
def tarball(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    source.write_text("#!/bin/sh\necho dynoxide\n")
    packed = tmp_path / "dynoxide.tgz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(source, "package/dynoxide")
    return packed


def test_a_tarball_other_than_the_pinned_one_is_refused(tarball: Path, tmp_path: Path) -> None:
    target = tmp_path / "cache" / "dynoxide"
    target.parent.mkdir()
    with pytest.raises(dynoxide.DynoxideUnavailable, match="not the pinned"):
        dynoxide.unpack(tarball, target)
    assert list(target.parent.iterdir()) == []


def test_the_pinned_tarball_becomes_a_runnable_file_and_nothing_else(tarball: Path, tmp_path: Path) -> None:
    target = tmp_path / "cache" / "dynoxide"
    target.parent.mkdir()
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    dynoxide.unpack(tarball, target, f"sha512-{digest}")
    assert [file.name for file in target.parent.iterdir()] == ["dynoxide"]
    assert subprocess.check_output([target], text=True) == "dynoxide\n"


def test_without_npm_the_reason_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKLEDGER_DYNOXIDE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(dynoxide.DynoxideUnavailable, match=r"npm|Linux"):
        dynoxide.binary(tmp_path / "cache")


def test_an_override_that_does_not_run_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKLEDGER_DYNOXIDE", str(tmp_path / "nothing"))
    with pytest.raises(dynoxide.DynoxideUnavailable, match="does not run here"):
        dynoxide.binary()


def test_an_unknown_store_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TABLE_ENDPOINT", raising=False)
    monkeypatch.setenv("WORKLEDGER_STORE", "mongo")
    with pytest.raises(UnknownStore, match="'mongo'"):
        configured_store()


@pytest.fixture
def binary() -> Path:
    try:
        return dynoxide.binary()
    except dynoxide.DynoxideUnavailable as reason:
        pytest.skip(f"no dynoxide: {reason}")


@pytest.mark.usefixtures("binary")
def test_data_is_kept_between_runs(tmp_path: Path) -> None:
    data = tmp_path / "data" / "kept.db"
    for run in range(2):
        with running(Store.DYNOXIDE, data) as engine:
            client = engine.client("dynamodb")
            table.ensure_table(client, "workledger-kept")
            client.put_item(TableName="workledger-kept", Item={"pk": {"S": "run"}, "sk": {"S": str(run)}})
            assert client.scan(TableName="workledger-kept")["Count"] == run + 1


_HOLDS_A_STORE = """
from infra.local.engine import Store, running

with running(Store.DYNOXIDE) as engine:
    print(engine.table_endpoint, flush=True)
    input()
"""


@pytest.mark.usefixtures("binary")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_the_store_ends_with_its_killed_parent() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _HOLDS_A_STORE], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert parent.stdin
    assert parent.stdout
    with parent.stdin, parent.stdout:
        port = parent.stdout.readline().rsplit(":", 1)[1].strip()
        stores = [command for command in _processes() if command.endswith(f"--port {port}")]
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    assert len(stores) == 1
    deadline = time.monotonic() + 5
    while any(command.endswith(f"--port {port}") for command in _processes()):
        assert time.monotonic() < deadline, "the store still runs"
        time.sleep(0.02)


def _processes() -> list[str]:
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            commands.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip())
        except OSError:
            continue  # it ended meanwhile
    return commands
