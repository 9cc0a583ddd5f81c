"""Damaged data, or none that can be stored: `make serve` prints one line, ends, and overwrites nothing."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.local import reset
from infra.local.data import DataDirectory, DataUnusable
from infra.local.engine import Store, configured_store, free_port

ROOT = Path(__file__).parents[2]


def _sound(directory: Path) -> None:
    """Create a database of several pages, and positions."""
    directory.mkdir()
    database = sqlite3.connect(directory / "workledger.db")
    database.execute("CREATE TABLE rows (name TEXT PRIMARY KEY, text TEXT)")
    database.executemany("INSERT INTO rows VALUES (?, ?)", ((str(number), "x" * 200) for number in range(500)))
    database.commit()
    database.close()
    (directory / "position.json").write_text('{"stream": "arn", "positions": {}}')


def _file_in_the_way(directory: Path) -> str:
    directory.write_text("mine")
    return str(directory)


def _half_positions(directory: Path) -> str:
    _sound(directory)
    (directory / "position.json").write_text('{"stream": "arn", "posit')
    return "position.json"


def _no_database(directory: Path) -> str:
    _sound(directory)
    (directory / "workledger.db").write_bytes(b"not a database, though long enough to hold a header" * 100)
    return "workledger.db"


def _cut_off(directory: Path) -> str:
    _sound(directory)
    content = (directory / "workledger.db").read_bytes()
    (directory / "workledger.db").write_bytes(content[: len(content) // 2])
    return "workledger.db"


def _damaged_in_the_middle(directory: Path) -> str:
    _sound(directory)
    content = bytearray((directory / "workledger.db").read_bytes())
    content[8192:12288] = b"\xff" * 4096
    (directory / "workledger.db").write_bytes(content)
    return "workledger.db"


def _no_queues(directory: Path) -> str:
    _sound(directory)
    (directory / "queues.db").mkdir()
    return "queues.db"


def _contents(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file() and file.name != "lock"]
    return {str(file): file.read_bytes() for file in files}


@pytest.mark.skipif(configured_store() is not Store.DYNOXIDE, reason="moto stores nothing")
@pytest.mark.parametrize(
    "damage", [_file_in_the_way, _half_positions, _no_database, _cut_off, _damaged_in_the_middle, _no_queues]
)
def test_the_run_ends_with_a_line_that_names_the_file_and_leaves_it(
    tmp_path: Path, damage: Callable[[Path], str]
) -> None:
    directory = tmp_path / "data"
    name = damage(directory)
    before = _contents(directory)
    environment = {name: value for name, value in os.environ.items() if name != "TABLE_ENDPOINT"}
    run = subprocess.run(
        [sys.executable, "-m", "infra.local.serve", "--port", str(free_port()), "--data", str(directory)],
        cwd=ROOT,
        env=environment | {"WORKLEDGER_STORE": "dynoxide"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (1, "", 1)
    assert name in run.stderr
    assert "make reset" in run.stderr or "choose another directory" in run.stderr
    assert _contents(directory) == before


@pytest.mark.parametrize("path", ["file/data", "file/deep/data"])
def test_a_directory_that_cannot_be_created(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_text("mine")
    with contextlib.ExitStack() as contexts, pytest.raises(DataUnusable, match="Not a directory"):
        DataDirectory(tmp_path / path).lock(contexts)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is read-only")
def test_a_read_only_directory() -> None:
    with contextlib.ExitStack() as contexts, pytest.raises(DataUnusable, match="/proc"):
        DataDirectory(Path("/proc")).lock(contexts)


def test_a_second_run_cannot_lock_the_data(tmp_path: Path) -> None:
    with contextlib.ExitStack() as contexts:
        assert DataDirectory(tmp_path).lock(contexts)
        assert not DataDirectory(tmp_path).lock(contexts)
    with contextlib.ExitStack() as contexts:
        assert DataDirectory(tmp_path).lock(contexts)


def test_a_reset_drops_everything_unless_a_run_holds_the_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "data"
    _sound(directory)
    (directory / "deep").mkdir()
    (directory / "deep" / "file").write_text("")
    before = _contents(directory)
    arguments = ["--data", str(directory)]
    with contextlib.ExitStack() as contexts:
        assert DataDirectory(directory).lock(contexts)
        assert reset.main(arguments) == 1
        assert capsys.readouterr().err == f"make reset: a run of `make serve` uses {directory}; stop it first\n"
        assert _contents(directory) == before
    for _ in range(2):
        assert reset.main(arguments) == 0
        assert capsys.readouterr().out == "Dropped the local data\n"
        assert _contents(directory) == {}
    assert reset.main(["--data", str(tmp_path / "nothing")]) == 0
    assert not (tmp_path / "nothing").exists()


def test_sound_and_missing_data_are_accepted(tmp_path: Path) -> None:
    DataDirectory(tmp_path / "nothing").require_sound()
    _sound(tmp_path / "data")
    DataDirectory(tmp_path / "data").require_sound()
