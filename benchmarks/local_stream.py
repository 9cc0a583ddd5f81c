"""The cost of a create in the local engine after many earlier ones, without and with the index on its stream.

Runs in its own process with its own engine, because the app creates its client at import.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import tempfile
import time
from pathlib import Path

from benchmarks.tables import show
from infra.local import stack, stream_log
from infra.local.engine import Engine, Store, running

_EARLIER_CREATES = (0, 3_000, 10_000)
_MEASURED = 50
_COPY = """
    INSERT INTO _stream_records
        (table_name, event_name, keys_json, new_image, old_image, sequence_number, shard_id, created_at, user_identity)
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
    SELECT table_name, event_name, keys_json, new_image, old_image,
        CAST((SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records) + n AS TEXT), shard_id, created_at,
        user_identity
    FROM numbers JOIN (SELECT * FROM _stream_records ORDER BY id DESC LIMIT 1)
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "workledger.db")
        with running(Store.DYNOXIDE, file) as engine:
            built = stack.build(engine, "bench")
            os.environ.update(built.environment() | {"LOG_LEVEL": "WARNING"})
            rows = measure(engine, file)
    columns = ("earlier creates", "ms CPU", "creates per second", "ms CPU, indexed", "creates per second, indexed")
    show("createClient on the local engine, its stream on: the engine's own CPU", columns, rows)


def measure(engine: Engine, file: Path) -> list[tuple[object, ...]]:
    from tests.support.api import Api
    from tests.support.factories import new_organization, unique

    logging.disable(logging.INFO)
    owner = new_organization(Api()).owner
    assert engine.process is not None
    process = engine.process.pid

    def create() -> None:
        assert owner.call("createClient", body={"name": unique("Client")}).status == 201

    def creates() -> tuple[float, float]:
        cpu, clock = _cpu_ms(process), time.perf_counter()
        for _ in range(_MEASURED):
            create()
        return (_cpu_ms(process) - cpu) / _MEASURED, _MEASURED / (time.perf_counter() - clock)

    records = count_records(file)
    create()
    records = count_records(file) - records
    rows: list[tuple[object, ...]] = []
    padded = 0
    for before in _EARLIER_CREATES:
        if before:
            _execute(file, _COPY, (before - padded) * records)
            padded = before
        _execute(file, "DROP INDEX workledger_sequence_numbers")
        without = creates()
        stream_log.index(file)
        rows.append((f"{before:,}", *without, *creates()))
    return rows


def count_records(file: Path) -> int:
    with contextlib.closing(sqlite3.connect(file)) as database:
        (count,) = database.execute("SELECT COUNT(*) FROM _stream_records").fetchone()
    return int(count)


def _execute(file: Path, statement: str, *values: int) -> None:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute(statement, values)


def _cpu_ms(process: int) -> float:
    user, system = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()[11:13]
    return (int(user) + int(system)) * 1000 / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
