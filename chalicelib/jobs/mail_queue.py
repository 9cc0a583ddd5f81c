"""The mail queue: mails that the stream hands on or a sweep finds, sent by a worker with retries."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import emit, logger
from chalicelib.core.settings import settings
from chalicelib.jobs import batches, mail, queues
from chalicelib.models import outbox
from chalicelib.models.outbox import MailReference

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

PATIENCE = timedelta(minutes=2)
"""Time for stream and queue to send a mail before the sweep takes it."""
_A_SWEEP = 200


def sweep() -> int:
    """Queues the mails that are overdue; returns how many. Killed half-way, it queues some twice: sent once still."""
    overdue = outbox.unsent_since(clock.now() - PATIENCE, limit=_A_SWEEP)
    for start in range(0, len(overdue), queues.AT_ONCE):
        batch = overdue[start : start + queues.AT_ONCE]
        queues.send(settings().mail_queue_url, [message(reference) for reference in batch])
        for reference in batch:
            outbox.mark_queued(reference)
    logger.info("outbox swept", extra={"queued": len(overdue)})
    emit({"job": "sweepOutbox"}, OverdueMails=len(overdue))
    return len(overdue)


def message(reference: MailReference) -> dict[str, str]:
    """Return the message that asks for a mail to be sent."""
    return {"organizationId": str(reference.organization), "mailId": str(reference.id)}


def work(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A batch of queue messages; returns the messages to deliver again."""
    return batches.process("SQS", _handle, event, context)


def _handle(record: SQSRecord) -> None:
    body = json.loads(record.body)
    reference = MailReference(OrganizationId(UUID(body["organizationId"])), UUID(body["mailId"]))
    if not mail.deliver(reference):
        raise RuntimeError("another sender has this mail; it comes back")
