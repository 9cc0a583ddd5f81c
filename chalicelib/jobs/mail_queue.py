"""The mail queue: what the stream could not send, found by a sweep, sent by a worker with retries and a dead letter."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast
from uuid import UUID

import botocore.session

from chalicelib.core import clock
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import emit, logger
from chalicelib.core.settings import settings
from chalicelib.dal import outbox
from chalicelib.dal.outbox import MailReference
from chalicelib.jobs import batches, mail

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

_PATIENCE = timedelta(minutes=2)
"""So long the stream has to send a mail before the sweep takes it."""
_A_SWEEP = 200


class _SqsClient(Protocol):
    def send_message(self, **arguments: Any) -> dict[str, Any]: ...


def sweep() -> int:
    """Queues the mails that are overdue; returns how many. Killed half-way, it queues some twice: sent once still."""
    overdue = outbox.unsent_since(clock.now() - _PATIENCE, limit=_A_SWEEP)
    for reference in overdue:
        body = json.dumps({"organizationId": str(reference.organization), "mailId": str(reference.id)})
        _sqs().send_message(QueueUrl=settings().mail_queue_url, MessageBody=body)
        outbox.mark_queued(reference)
    logger.info("outbox swept", extra={"queued": len(overdue)})
    emit({"job": "sweepOutbox"}, OverdueMails=len(overdue))
    return len(overdue)


def work(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A batch of queue messages; returns the messages to deliver again."""
    return batches.process("SQS", _handle, event, context)


def _handle(record: SQSRecord) -> None:
    message = json.loads(record.body)
    reference = MailReference(OrganizationId(UUID(message["organizationId"])), UUID(message["mailId"]))
    if not mail.deliver(reference):
        raise RuntimeError("another sender has this mail; it comes back")


@cache
def _sqs() -> _SqsClient:
    return cast(_SqsClient, botocore.session.get_session().create_client("sqs"))
