"""The local feed queue works as SQS and Lambda do: a group is in one batch at a time, and groups pass each other."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from moto.sqs.models import sqs_backends

from infra.local import queue_store
from infra.local.engine import ACCOUNT, REGION, Store, running
from infra.local.pump import Pump
from infra.local.queue import Queue, Worker
from infra.local.stack import Stack, build

_SECONDS = 20.0


@pytest.fixture(scope="module")
def engine_stack() -> Iterator[Stack]:
    with running(Store.MOTO) as engine:
        yield build(engine, f"workledger-{uuid4()}")


@pytest.fixture
def stack(engine_stack: Stack) -> Iterator[Stack]:
    yield engine_stack
    _queue(engine_stack)._messages.clear()
    _queue(engine_stack)._pending_messages.clear()


def _queue(stack: Stack) -> Any:
    return sqs_backends[ACCOUNT][REGION].queues[stack.queue_name("FeedQueue")]


def _send(stack: Stack, group: str, *bodies: str) -> None:
    for body in bodies:
        stack.engine.client("sqs").send_message(QueueUrl=stack.feed_queue_url, MessageBody=body, MessageGroupId=group)


def _worker(stack: Stack, handle: Callable[[list[str]], list[str]], lanes: int = 1) -> Worker:
    """Return a worker. `handle`: called with the bodies of a batch; returns those that failed."""

    def work(event: dict[str, list[dict[str, str]]], _: object) -> object:
        failed = handle([record["body"] for record in event["Records"]])
        failures = [{"itemIdentifier": row["messageId"]} for row in event["Records"] if row["body"] in failed]
        return {"batchItemFailures": failures}

    return Worker("record_activities", stack.feed_queue_url, work, lanes)


def _drain(stack: Stack, handle: Callable[[list[str]], list[str]]) -> None:
    Queue(stack.engine.client("sqs"), _worker(stack, handle)).drain()


def test_a_message_passes_another_groups_flood(stack: Stack) -> None:
    # Given the flood of a group, whose first batch is in work until the message of another group is done
    passed, is_flooding = threading.Event(), threading.Event()
    waited: list[bool] = []

    def handle(bodies: list[str]) -> list[str]:
        if "quiet" in bodies:
            passed.set()
        elif not waited:
            is_flooding.set()
            waited.append(passed.wait(_SECONDS))
        return []

    _send(stack, "noisy", *(f"flood {number}" for number in range(30)))
    workers = [_worker(stack, handle, lanes=2)]
    pump = Pump(stack.engine, stack.table, consumers=[], workers=workers, poll_every_seconds=0.05)
    pump.start()
    # When that is sent behind the whole flood
    try:
        assert is_flooding.wait(_SECONDS)
        _send(stack, "quiet", "quiet")
        # Then it does not wait for the flood
        assert passed.wait(_SECONDS)
    finally:
        pump.stop()
    assert waited == [True]


def test_a_failed_message_holds_up_its_own_group_alone(stack: Stack) -> None:
    _send(stack, "one", *(f"one {number}" for number in range(12)))
    _send(stack, "other", "other")
    handled: list[str] = []

    def handle(bodies: list[str]) -> list[str]:
        handled.extend(bodies)
        return ["one 0"] if handled.count("one 0") == 1 else []

    _drain(stack, handle)
    assert handled.count("one 0") == 2
    assert [body for body in handled if body == "other"] == ["other"]
    assert len(handled) == 12 + 1 + 1


def test_given_up_messages_go_to_the_dead_letter_queue(stack: Stack) -> None:
    _send(stack, "one", "bad")
    _drain(stack, lambda bodies: bodies)
    sqs = stack.engine.client("sqs")
    assert "Messages" not in sqs.receive_message(QueueUrl=stack.feed_queue_url)
    dead_letters = sqs.get_queue_url(QueueName=f"{stack.table}-feed-dead-letters.fifo")["QueueUrl"]
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=dead_letters)["Messages"]] == ["bad"]


def test_a_repeated_message_is_delivered_once(stack: Stack) -> None:
    _send(stack, "one", "same", "same")
    handled: list[str] = []
    _drain(stack, lambda bodies: handled.extend(bodies) or [])
    assert handled == ["same"]


def test_groups_survive_the_process(stack: Stack, tmp_path: Path) -> None:
    # Given messages of two groups
    file = tmp_path / "queues.db"
    with queue_store.persisted(file):
        _send(stack, "one", "a", "b")
        _send(stack, "other", "c")
    _queue(stack)._messages.clear()
    # When the next run restores them
    with queue_store.persisted(file):
        messages = stack.engine.client("sqs").receive_message(
            QueueUrl=stack.feed_queue_url, MaxNumberOfMessages=10, AttributeNames=["All"]
        )["Messages"]
    # Then they are in their groups
    assert [(row["Body"], row["Attributes"]["MessageGroupId"]) for row in messages] == [
        ("a", "one"), ("b", "one"), ("c", "other"),
    ]  # fmt: skip


def test_a_file_without_groups_is_read(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "queues.db"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE messages (id TEXT PRIMARY KEY, queue TEXT, body TEXT, sent_at REAL NOT NULL)")
        database.execute(
            "INSERT INTO messages VALUES ('1', ?, 'mail', strftime('%s'))", (stack.queue_name("MailQueue"),)
        )
    database.close()
    with queue_store.persisted(file):
        answer = stack.engine.client("sqs").receive_message(QueueUrl=stack.mail_queue_url)
        assert [message["Body"] for message in answer["Messages"]] == ["mail"]
