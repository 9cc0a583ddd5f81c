"""The directory in which `make serve` keeps its data, held by one run at a time."""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
import tempfile
from pathlib import Path

from infra.local import positions
from infra.local.positions import PositionsDamaged

_WAYS_OUT = "drop the kept data with `make reset`, or move it away"


class DataUnusable(Exception):
    """The data cannot be kept, or what was kept cannot be used. The message names the file and says what to do."""


class DataDirectory:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.table = path / "workledger.db"
        self.queues = path / "queues.db"
        self.positions = path / "position.json"

    def lock(self, parts: contextlib.ExitStack) -> bool:
        """Lock it until the parts end, as two engines would damage one file; False if another run holds it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                """The directory can be written to."""
            lock = parts.enter_context((self.path / "lock").open("w"))
        except OSError as error:
            raise DataUnusable(
                f"no data can be kept in {self.path}: {error.strerror}; move away what is there, or choose another "
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
            if file.exists() and (fault := _fault(file)):
                raise unusable(file, fault)
        try:
            positions.load(self.positions)
        except PositionsDamaged as error:
            # Whoever reads the stream may see a change twice.
            remedy = "move the file away to have the stream read from its beginning again, which repeats no effect"
            raise DataUnusable(f"{error}; {remedy}, or drop all kept data with `make reset`") from error


def unusable(file: Path, reason: object) -> DataUnusable:
    return DataUnusable(f"{file} cannot be used: {reason}; {_WAYS_OUT}")


def _fault(file: Path) -> str | None:
    try:
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return None if verdict == "ok" else " ".join(verdict.split())
