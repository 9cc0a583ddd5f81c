"""Unreliable delivery of the table's changes: repeated, in any order, interrupted."""

from __future__ import annotations

import contextlib
import json
import random
from typing import Any

from chalicelib.core.settings import settings
from chalicelib.jobs import repricing, stream
from infra.local.lambda_events import invoke
from infra.local.stack import Stack
from infra.local.stream import Consumer, Stream
from tests.support import streams
from tests.support.client_hooks import Fault, ProcessDied, broken, without_waiting


class Deliveries:
    def __init__(self, stack: Stack) -> None:
        self._sqs = stack.engine.client("sqs")
        arn = streams.turn_on(stack)
        self._records: list[dict[str, Any]] = []
        client = stack.engine.streams()
        self._stream = Stream(client, arn, Consumer("consume_stream", self._take), from_now=True)

    def _take(self, event: dict[str, Any], _: Any) -> dict[str, Any]:
        self._records += event["Records"]
        return {"batchItemFailures": []}

    def changes(self) -> list[dict[str, Any]]:
        """Return the records that the stream's main consumer has not received yet."""
        self._stream.drain()
        records, self._records = self._records, []
        return records

    def messages(self) -> list[dict[str, Any]]:
        """Remove and return the messages of the metrics queue."""
        messages: list[dict[str, Any]] = []
        url = settings().metrics_queue_url
        while batch := self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in batch:
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                messages.append(json.loads(message["Body"]))
        return messages

    def deliver(self, chance: random.Random) -> None:
        """Deliver all changes at least once, until none is left: shuffled, some repeated, some interrupted first."""
        with without_waiting():
            while self._deliver_changes(chance) or self._deliver_messages(chance):
                pass

    def _deliver_changes(self, chance: random.Random) -> bool:
        records = self.changes()
        again = [record for record in records if chance.random() < 0.3]
        shuffled = chance.sample([*records, *again], len(records) + len(again))
        while shuffled:
            size = chance.randint(1, 5)
            batch, shuffled = shuffled[:size], shuffled[size:]
            if chance.random() < 0.3:
                fault = Fault(chance.randint(1, 8), chance.choice(("process dies before", "process dies after")))
                with broken(fault), contextlib.suppress(ProcessDied):
                    _consume(batch)
            assert _consume(batch) == {"batchItemFailures": []}
        return bool(records)

    def _deliver_messages(self, chance: random.Random) -> bool:
        messages = self.messages()
        for message in chance.sample(messages, len(messages)):
            for _ in range(chance.choice((1, 1, 2))):
                repricing.work(message)
        return bool(messages)


def _consume(batch: list[dict[str, Any]]) -> Any:
    return invoke(stream.consume, "consume_stream", {"Records": batch})
