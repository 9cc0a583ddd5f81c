"""Changes of the table as a careless world delivers them: again, in any order, cut off half-way."""

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
from tests.support.wire import Fault, ProcessDied, broken, without_waiting


class Deliveries:
    def __init__(self, stack: Stack) -> None:
        self._sqs = stack.engine.client("sqs")
        arn = streams.turn_on(stack)
        self._records: list[dict[str, Any]] = []
        client = stack.engine.client("dynamodbstreams")
        self._stream = Stream(client, arn, Consumer("consume_stream", self._take), from_now=True)

    def _take(self, event: dict[str, Any], _: Any) -> dict[str, Any]:
        self._records += event["Records"]
        return {"batchItemFailures": []}

    def changes(self) -> list[dict[str, Any]]:
        """Return what the stream's main consumer has not been given yet."""
        self._stream.drain()
        found, self._records = self._records, []
        return found

    def messages(self) -> list[dict[str, Any]]:
        """All that wait in the metrics queue; none comes twice by itself."""
        found: list[dict[str, Any]] = []
        url = settings().metrics_queue_url
        while taken := self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in taken:
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
        return found

    def deliver(self, chance: random.Random) -> None:
        """Everything at least once, until nothing is left: shuffled, some twice, some cut off and then repeated."""
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
