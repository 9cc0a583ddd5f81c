"""The stream records in the file of a running dynoxide: an index for fast writes, and trimming.

Before it writes a record, dynoxide 1.2.1 asks for the table's highest sequence number, `MAX(CAST(sequence_number AS
INTEGER))`, and has no index for it: each write reads all earlier records. See
docs/decisions/local-stream.md.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

_INDEX = """
    CREATE INDEX IF NOT EXISTS workledger_sequence_numbers
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER))
"""
_HAS_RECORDS = "SELECT COUNT(*) FROM pragma_table_info('_stream_records') WHERE name = 'sequence_number'"
_TRIM = """
    DELETE FROM _stream_records WHERE id IN (
        SELECT id FROM _stream_records
        WHERE table_name = ? AND CAST(sequence_number AS INTEGER) < ?
        ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?
    )
"""
# The engine's writes wait for each of our transactions: about 10 ms for this many rows.
_ROWS_PER_TRANSACTION = 500
_BUSY_SECONDS = 30.0


def index(file: Path) -> None:
    """Create the index, unless this dynoxide stores its records in another form."""
    with _opened(file) as database:
        if _has_records(database):
            database.execute(_INDEX)


def trim(file: Path, table: str, before: int) -> int:
    """Delete the records before a sequence number; return how many.

    The record of that number must stay: reading continues after it, and new numbers follow the highest stored one.
    """
    trimmed = 0
    with _opened(file) as database:
        while _has_records(database) and (
            deleted := database.execute(_TRIM, (table, before, _ROWS_PER_TRANSACTION)).rowcount
        ):
            trimmed += deleted
    return trimmed


def _has_records(database: sqlite3.Connection) -> bool:
    ((columns,),) = database.execute(_HAS_RECORDS).fetchall()
    return bool(columns)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    """Open the file while the engine uses it: both lock it for each transaction, and wait for each other."""
    with contextlib.closing(
        sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
    ) as database:
        yield database
