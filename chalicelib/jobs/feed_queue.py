"""The feed queue: new audit entries, whose activities a worker records.

It is a FIFO queue with a group for each organization: SQS has one batch of a group in hand at a time, so that an
organization with a flood occupies one worker, and waits for itself alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import Field

from chalicelib.core.contracts import Contract
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import emit
from chalicelib.dal.unit_of_work import MAX_WRITES
from chalicelib.jobs import activity_feed, batches

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord


class NewEntries(Contract):
    """A message: new entries of an organization's audit log, as many as one transaction has activities."""

    organization_id: UUID
    entries: Annotated[list[UUID], Field(min_length=1, max_length=MAX_WRITES)]


def messages(organization: OrganizationId, entries: Sequence[UUID]) -> Iterator[dict[str, Any]]:
    """Return the messages for entries of an organization."""
    for start in range(0, len(entries), MAX_WRITES):
        message = NewEntries(organization_id=organization, entries=list(entries[start : start + MAX_WRITES]))
        yield message.model_dump(mode="json")


def work(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Record the activities of a batch of messages; return the messages to deliver again.

    Those behind a failed one are not held back, as a queue in order would ask for: the feed is in the order of its ids.
    """
    return batches.process("SQS", _handle, event, context)


def _handle(record: SQSRecord) -> None:
    message = NewEntries.model_validate_json(record.body)
    unreadable = activity_feed.record(OrganizationId(message.organization_id), message.entries)
    if unreadable:
        # No repetition makes them readable: an alarm, not a failure, for which the organization's others would wait.
        emit({"job": "recordActivities"}, UnreadableAuditEntries=unreadable)
