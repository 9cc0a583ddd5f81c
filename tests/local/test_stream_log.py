"""The stream in dynoxide's file: its index serves the engine's queries, and read records are dropped."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local import stream_log
from infra.local.engine import Store, configured_store, running
from infra.local.pump import Pump
from infra.local.stack import Stack, build
from infra.local.stream import Consumer

pytestmark = pytest.mark.skipif(configured_store() is not Store.DYNOXIDE, reason="about dynoxide's file")

# The queries of dynoxide 1.2.1 for each written record, and for each read.
NEXT_NUMBER = (
    "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = 'kept'"
)
READ = (
    "SELECT * FROM _stream_records WHERE table_name = 'kept' AND shard_id = 's' "
    "AND CAST(sequence_number AS INTEGER) > 7 ORDER BY CAST(sequence_number AS INTEGER) ASC LIMIT 1000"
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data") / "workledger.db"


@pytest.fixture(scope="module")
def stack(file: Path) -> Iterator[Stack]:
    with running(Store.DYNOXIDE, file) as engine:
        yield build(engine, "kept")


def _rows(file: Path, statement: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(file)) as database:
        return database.execute(statement).fetchall()


def _numbers(file: Path) -> list[int]:
    return [int(number) for (number,) in _rows(file, "SELECT sequence_number FROM _stream_records ORDER BY id")]


def _write(stack: Stack, *names: str) -> None:
    client = stack.engine.client("dynamodb")
    for name in names:
        client.put_item(TableName=stack.table, Item={"pk": {"S": "p"}, "sk": {"S": name}})


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("statement", [NEXT_NUMBER, READ])
def test_the_engine_reads_only_the_records_that_it_needs(file: Path, statement: str) -> None:
    (plan,) = _rows(file, f"EXPLAIN QUERY PLAN {statement}")
    # Without "USING INDEX" it reads the table; with a sort, all matching records.
    assert "USING INDEX workledger_sequence_numbers" in plan[3]


def test_a_file_of_another_shape_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "workledger.db"
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE _stream_records (number INTEGER)")
    stream_log.index(file)
    assert stream_log.trim(file, "kept", before=10) == 0
    assert len(_rows(file, "SELECT * FROM sqlite_master")) == 1


def test_only_records_that_all_consumers_have_passed_are_dropped(stack: Stack, file: Path, tmp_path: Path) -> None:
    read: list[str] = []

    def consume(event: Any, _: Any) -> Any:
        read.extend(record["dynamodb"]["Keys"]["sk"]["S"] for record in event["Records"])
        return {"batchItemFailures": []}

    def pump() -> Pump:
        return Pump(
            stack.engine,
            stack.table,
            consumers=[Consumer("consume_stream", consume), Consumer("dispatch_stream", consume)],
            workers=[],
            checkpoint=tmp_path / "position.json",
            trim=lambda before: stream_log.trim(file, stack.table, before),
        )

    _write(stack, "a", "b", "c")
    first = pump()
    first.streams[0].drain()
    first.trim_stream()
    assert len(_numbers(file)) == 3  # the mail consumer has not read them
    first.streams[1].drain()
    highest = max(_numbers(file))
    first.trim_stream()
    # The last one stays, because the next number follows it.
    assert _numbers(file) == [highest]
    _write(stack, "d")
    assert _numbers(file) == [highest, highest + 1]
    pump().pump_once()
    assert read == ["a", "b", "c", "d"]
