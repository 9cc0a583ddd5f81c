"""A queue's event source: hands messages to the worker and deletes those that it processed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from infra.local.lambda_events import Handler, invoke_batch, queue_record

log = logging.getLogger("workledger.local.pump")

_BATCH_SIZE = 10


class Worker(NamedTuple):
    """A function of the app and its queue."""

    name: str
    queue_url: str
    handler: Handler
    lanes: int = 1
    """Batches in work at once; of a FIFO queue, no two of them have messages of one group."""


class Queue:
    def __init__(
        self,
        client: Any,
        worker: Worker,
        *,
        retry_after_seconds: int = 0,
        is_ending: Callable[[], bool] = lambda: False,
    ) -> None:
        """Retry failed messages after `retry_after_seconds`, not after the queue's visibility timeout of minutes."""
        self.worker = worker
        attributes = client.get_queue_attributes(
            QueueUrl=worker.queue_url, AttributeNames=["QueueArn", "RedrivePolicy"]
        )["Attributes"]
        self.dead: list[dict[str, Any]] = []
        """Dead letters, in the form in which the worker received them."""
        self._arn: str = attributes["QueueArn"]
        self._max_receives: int = json.loads(attributes["RedrivePolicy"])["maxReceiveCount"]
        self._client = client
        self._retry_after_seconds = retry_after_seconds
        self._is_ending = is_ending

    def drain(self) -> int:
        """Deliver all visible messages; return the number of deliveries."""
        delivered = 0
        while not self._is_ending() and (messages := self._receive()):
            records = [queue_record(message, self._arn) for message in messages]
            ids = [record["messageId"] for record in records]
            failed = invoke_batch(self.worker.handler, self.worker.name, records, ids)
            again = [record for record in records if failed is None or record["messageId"] in failed]
            self._delete([record for record in records if record not in again])
            for record in again:
                self._retry(record)
            delivered += len(records)
        return delivered

    def redrive(self) -> None:
        """Send the dead letters again, as an operator does once the cause is fixed."""
        dead, self.dead = self.dead, []
        for record in dead:
            group = record["attributes"].get("MessageGroupId")
            in_group = {"MessageGroupId": group} if group else {}
            self._client.send_message(QueueUrl=self.worker.queue_url, MessageBody=record["body"], **in_group)

    def _receive(self) -> list[dict[str, Any]]:
        answer = self._client.receive_message(
            QueueUrl=self.worker.queue_url,
            MaxNumberOfMessages=_BATCH_SIZE,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def _delete(self, records: list[dict[str, Any]]) -> None:
        entries = [{"Id": record["messageId"], "ReceiptHandle": record["receiptHandle"]} for record in records]
        if entries:
            self._client.delete_message_batch(QueueUrl=self.worker.queue_url, Entries=entries)

    def _retry(self, record: dict[str, Any]) -> None:
        receives = int(record["attributes"]["ApproximateReceiveCount"])
        if receives < self._max_receives:
            log.warning("message %s failed %s at try %d", record["messageId"], self.worker.name, receives)
        else:
            self.dead.append(record)
            log.error("DEAD LETTER: message %s failed %s %d times", record["messageId"], self.worker.name, receives)
        self._client.change_message_visibility(
            QueueUrl=self.worker.queue_url,
            ReceiptHandle=record["receiptHandle"],
            VisibilityTimeout=self._retry_after_seconds,
        )
