"""The stream's main consumer: activities, rollups and the work that follows a commit. Mail has one of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.core.observability import log_error
from chalicelib.jobs import activity_feed, batches, repricing, rollups
from chalicelib.jobs.changes import Change

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord


def consume(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A batch of stream records; returns the records to deliver again."""
    return batches.process("DynamoDBStreams", _handle, event, context)


_HANDLERS: Sequence[Callable[[Change], None]] = (
    activity_feed.tell,
    rollups.roll_up,
    repricing.order,
)
"""In this order. Each passes over what is not its own, and has one effect however often it sees a change."""


def _handle(record: DynamoDBRecord) -> None:
    """Every handler gets the change, whatever became of it in those before; if any failed, it is delivered again."""
    change = Change.of(record.raw_event)
    failures: list[Exception] = []
    for handler in _HANDLERS:
        try:
            handler(change)
        except Exception as error:  # noqa: BLE001  logged, and raised below
            log_error("change not carried on", error, stream_event_id=record.event_id)
            failures.append(error)
    if failures:
        raise ExceptionGroup("change not carried on", failures)
