"""The stream consumer: what follows from a commit, carried on by the table's stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.core.observability import logger
from chalicelib.dal import outbox
from chalicelib.jobs import batches, mail

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord


def consume(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A batch of stream records; returns the records to deliver again."""
    return batches.process("DynamoDBStreams", _handle, event, context)


def _handle(record: DynamoDBRecord) -> None:
    raw = record.raw_event
    if raw["eventName"] != "INSERT":
        return
    keys = raw["dynamodb"]["Keys"]
    reference = outbox.reference_of(keys["pk"]["S"], keys["sk"]["S"])
    if reference is None:
        return
    try:
        mail.deliver(reference)
    except Exception:  # noqa: BLE001  logged, and the mail is still in the outbox
        # Mail must not hold up the stream: the sweep finds what is still unsent and gives it to the queue.
        logger.exception("mail not sent, left to the sweep", extra={"mail_id": str(reference.id)})
