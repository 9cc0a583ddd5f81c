"""The data directory of `make serve`, locked by one run at a time."""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
import tempfile
from pathlib import Path

from infra.local import positions
from infra.local.positions import PositionsDamaged

DATA = Path(__file__).parents[2] / ".cache" / "local"
"""The directory that `make serve` keeps its data in."""

_REMEDY = "drop the data with `make reset`, or move it away"


class DataUnusable(Exception):
    """The data directory cannot be written, or its data cannot be read. The message names the file and a remedy."""


class DataDirectory:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.table = path / "workledger.db"
        self.queues = path / "queues.db"
        self.positions = path / "position.json"
        self.lock_file = path / "lock"

    def lock(self, contexts: contextlib.ExitStack) -> bool:
        """Lock the directory until `contexts` closes; return False if another run holds it.

        Two engines would damage the file.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                """The directory is writable."""
            lock = contexts.enter_context(self.lock_file.open("w"))
        except OSError as error:
            raise DataUnusable(
                f"no data can be kept in {self.path}: {error.strerror}; move the path away, or choose another "
                "directory with --data"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def require_sound(self) -> None:
        """Raise DataUnusable if a file is damaged. Nothing is written."""
        for file in (self.table, self.queues):
            if file.exists() and (error := _integrity_error(file)):
                raise unusable(file, error)
        try:
            positions.load(self.positions)
        except PositionsDamaged as error:
            # Consumers of the stream may see a change twice.
            remedy = "move the file away to read the stream from its beginning again, which repeats no effect"
            raise DataUnusable(f"{error}; {remedy}, or drop all data with `make reset`") from error


def unusable(file: Path, reason: object) -> DataUnusable:
    return DataUnusable(f"{file} cannot be used: {reason}; {_REMEDY}")


def _integrity_error(file: Path) -> str | None:
    try:
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return None if verdict == "ok" else " ".join(verdict.split())
