"""Persistence of the local queues: as in SQS, an accepted message survives the process."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from moto.sqs.models import Message, Queue, sqs_backends

from infra.local.engine import ACCOUNT, REGION

_MESSAGES = """
    CREATE TABLE IF NOT EXISTS messages (
        id TEXT PRIMARY KEY, queue TEXT NOT NULL, body TEXT NOT NULL, sent_at REAL NOT NULL, message_group TEXT
    )
"""
_COLUMNS = "SELECT name FROM pragma_table_info('messages')"


@contextlib.contextmanager
def persisted(file: Path) -> Iterator[None]:
    """Restore the messages of `file` into this process's queues, and store theirs there until the block ends."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as database:
        # Written when a request is answered, by a process that may be killed; not safe from a power failure.
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(_MESSAGES)
        if ("message_group",) not in database.execute(_COLUMNS).fetchall():
            # The file of an earlier version, which had no groups
            database.execute("ALTER TABLE messages ADD COLUMN message_group TEXT")
        queues = list(sqs_backends[ACCOUNT][REGION].queues.values())
        for queue in queues:
            _restore(database, queue)
            _store(database, queue)
        try:
            yield
        finally:
            for queue in queues:
                del queue.add_message, queue.delete_message


def _restore(database: sqlite3.Connection, queue: Queue) -> None:
    retained_since = time.time() - queue.message_retention_period  # type: ignore[attr-defined]  # set from attributes
    database.execute("DELETE FROM messages WHERE queue = ? AND sent_at < ?", (queue.name, retained_since))
    select = "SELECT id, body, message_group FROM messages WHERE queue = ? ORDER BY sent_at"
    for identifier, body, group in database.execute(select, (queue.name,)).fetchall():
        message = Message(identifier, body)
        message.group_id = group
        message.deduplication_id = identifier
        message.mark_sent()
        queue.add_message(message)


def _store(database: sqlite3.Connection, queue: Queue) -> None:
    """Store the queue's messages from now on, without attributes or delays: the product has none but groups."""
    add, delete = queue.add_message, queue.delete_message

    def add_and_store(message: Message) -> None:
        # A message that moves to the dead-letter queue keeps its id.
        row = (message.id, queue.name, message.body, time.time(), message.group_id)
        database.execute("INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?)", row)
        add(message)

    def delete_and_forget(receipt_handle: str) -> None:
        deleted = [message.id for message in queue._messages if message.had_receipt_handle(receipt_handle)]
        delete(receipt_handle)
        for identifier in deleted:
            database.execute("DELETE FROM messages WHERE id = ?", (identifier,))

    queue.add_message = add_and_store  # type: ignore[method-assign]  # a patch of this queue alone
    queue.delete_message = delete_and_forget  # type: ignore[method-assign]  # likewise
