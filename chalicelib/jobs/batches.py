"""Batches from a stream or a queue: each record on its own, the failed ones reported for another delivery."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, cast

from chalicelib.core.observability import log_error


def process(
    source: Literal["DynamoDBStreams", "SQS"], handle: Callable[..., None], event: dict[str, Any], context: Any
) -> dict[str, Any]:
    """Hands each record to `handle(record)`; returns the partial batch response with those that raised.

    A handler with a parameter `lambda_context` gets that, too.
    """
    # Imported here: requests, which start from the same package, never use it.
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

    processor = BatchProcessor(event_type=EventType[source], raise_on_entire_batch_failure=False)
    response = process_partial_response(
        event=event, record_handler=_logged(source, handle), processor=processor, context=context
    )
    return cast(dict[str, Any], response)


def _logged(source: str, handle: Callable[..., None]) -> Callable[..., None]:
    # Powertools looks at the signature, which `wraps` hands on, for whether the handler takes the context.
    @wraps(handle)
    def handle_logged(record: Any, **lambda_context: Any) -> None:
        try:
            handle(record, **lambda_context)
        except Exception as error:
            identifier = record.message_id if source == "SQS" else record.event_id
            log_error("record failed and is delivered again", error, source=source, record_id=identifier)
            raise

    return handle_logged
