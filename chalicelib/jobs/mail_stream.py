"""The stream's mail consumer: sends each mail of the outbox once the unit of work that decided it is committed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.core.observability import log_error
from chalicelib.jobs import batches, mail
from chalicelib.jobs.changes import Change, Kind
from chalicelib.models import outbox

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord


def consume(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch of stream records; return the records to deliver again."""
    return batches.process("DynamoDBStreams", _handle, event, context)


def _handle(record: DynamoDBRecord) -> None:
    change = Change.of(record.raw_event)
    # The event source is filtered to new mails; other records, without the filter, are passed over.
    reference = outbox.reference_of(*change.key) if change.kind is Kind.INSERT else None
    if reference is None:
        return
    try:
        mail.deliver(reference)
    except Exception as error:  # noqa: BLE001  logged, and the mail is still in the outbox
        # One mail must not hold up the next: the sweep finds unsent ones and gives them to the queue.
        log_error("mail not sent, left to the sweep", error, mail_id=str(reference.id))
