"""A message in the local queues survives the process until a worker has processed it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from moto.sqs.models import sqs_backends

from infra.local import queue_store
from infra.local.engine import ACCOUNT, REGION, Store, running
from infra.local.queue import Queue, Worker
from infra.local.stack import Stack, build


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running(Store.MOTO) as engine:
        yield build(engine, f"workledger-{uuid4()}")


def _send(stack: Stack, *bodies: str) -> None:
    entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
    stack.engine.client("sqs").send_message_batch(QueueUrl=stack.mail_queue_url, Entries=entries)


def _work(stack: Stack, fails_on: str = "") -> list[str]:
    """Deliver all messages to a worker; return the bodies in order."""
    bodies: list[str] = []

    def handle(event: dict[str, list[dict[str, str]]], _: object) -> object:
        bodies.extend(record["body"] for record in event["Records"])
        failed = [record["messageId"] for record in event["Records"] if record["body"] == fails_on]
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}

    Queue(stack.engine.client("sqs"), Worker("deliver_mail", stack.mail_queue_url, handle)).drain()
    return bodies


def _die(stack: Stack) -> None:
    """Drop all messages, as when the process is killed."""
    for name, queue in sqs_backends[ACCOUNT][REGION].queues.items():
        if name.startswith(stack.table):
            queue._messages.clear()


def test_unprocessed_messages_survive_the_process(stack: Stack, tmp_path: Path) -> None:
    with queue_store.persisted(tmp_path / "queues.db"):
        _send(stack, "done")
        assert _work(stack) == ["done"]
        _send(stack, "one", "two")
    _die(stack)
    with queue_store.persisted(tmp_path / "queues.db"):
        assert _work(stack) == ["one", "two"]
    _die(stack)
    with queue_store.persisted(tmp_path / "queues.db"):
        assert _work(stack) == []


def test_a_received_message_survives_the_process(stack: Stack, tmp_path: Path) -> None:
    with queue_store.persisted(tmp_path / "queues.db"):
        _send(stack, "held")
        stack.engine.client("sqs").receive_message(QueueUrl=stack.mail_queue_url)
    _die(stack)
    with queue_store.persisted(tmp_path / "queues.db"):
        assert _work(stack) == ["held"]


def test_a_dead_letter_stays_a_dead_letter(stack: Stack, tmp_path: Path) -> None:
    with queue_store.persisted(tmp_path / "queues.db"):
        _send(stack, "bad")
        assert set(_work(stack, fails_on="bad")) == {"bad"}
    _die(stack)
    with queue_store.persisted(tmp_path / "queues.db"):
        assert _work(stack) == []
        sqs = stack.engine.client("sqs")
        dead_letters = sqs.get_queue_url(QueueName=f"{stack.table}-mail-dead-letters")["QueueUrl"]
        assert [message["Body"] for message in sqs.receive_message(QueueUrl=dead_letters)["Messages"]] == ["bad"]
    _die(stack)
