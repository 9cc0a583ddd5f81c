"""A message that the local queues took survives the process, until a worker has dealt with it."""

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
def grounds() -> Iterator[Stack]:
    with running(Store.MOTO) as engine:
        yield build(engine, f"workledger-{uuid4()}")


def _send(grounds: Stack, *bodies: str) -> None:
    entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
    grounds.engine.client("sqs").send_message_batch(QueueUrl=grounds.mail_queue_url, Entries=entries)


def _work(grounds: Stack, fails_on: str = "") -> list[str]:
    """Hand everything to a worker; return the bodies in the order in which it got them."""
    bodies: list[str] = []

    def handle(event: dict[str, list[dict[str, str]]], _: object) -> object:
        bodies.extend(record["body"] for record in event["Records"])
        failed = [record["messageId"] for record in event["Records"] if record["body"] == fails_on]
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}

    Queue(grounds.engine.client("sqs"), Worker("deliver_mail", grounds.mail_queue_url, handle)).drain()
    return bodies


def _die(grounds: Stack) -> None:
    """Forget all messages, as a process does that is killed."""
    for name, queue in sqs_backends[ACCOUNT][REGION].queues.items():
        if name.startswith(grounds.table):
            queue._messages.clear()


def test_messages_outlive_the_process_but_those_dealt_with(grounds: Stack, tmp_path: Path) -> None:
    with queue_store.kept(tmp_path / "queues.db"):
        _send(grounds, "done")
        assert _work(grounds) == ["done"]
        _send(grounds, "one", "two")
    _die(grounds)
    with queue_store.kept(tmp_path / "queues.db"):
        assert _work(grounds) == ["one", "two"]
    _die(grounds)
    with queue_store.kept(tmp_path / "queues.db"):
        assert _work(grounds) == []


def test_a_message_that_a_worker_holds_or_failed_outlives_the_process(grounds: Stack, tmp_path: Path) -> None:
    with queue_store.kept(tmp_path / "queues.db"):
        _send(grounds, "held")
        grounds.engine.client("sqs").receive_message(QueueUrl=grounds.mail_queue_url)
    _die(grounds)
    with queue_store.kept(tmp_path / "queues.db"):
        assert _work(grounds) == ["held"]


def test_a_dead_letter_stays_one(grounds: Stack, tmp_path: Path) -> None:
    with queue_store.kept(tmp_path / "queues.db"):
        _send(grounds, "bad")
        assert set(_work(grounds, fails_on="bad")) == {"bad"}
    _die(grounds)
    with queue_store.kept(tmp_path / "queues.db"):
        assert _work(grounds) == []
        sqs = grounds.engine.client("sqs")
        dead_letters = sqs.get_queue_url(QueueName=f"{grounds.table}-mail-dead-letters")["QueueUrl"]
        assert [message["Body"] for message in sqs.receive_message(QueueUrl=dead_letters)["Messages"]] == ["bad"]
    _die(grounds)
