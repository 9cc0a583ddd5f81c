"""Lambda events, and the interpretation of a function's answer."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from chalice.local import LambdaContext

from infra.local.engine import ACCOUNT, REGION

log = logging.getLogger("workledger.local.pump")

Handler = Callable[[dict[str, Any], Any], Any]
_TIMEOUT_SECONDS = 60


def invoke(handler: Handler, name: str, event: dict[str, Any]) -> Any:
    return handler(event, LambdaContext(name, 1024, max_runtime_ms=_TIMEOUT_SECONDS * 1000))


def invoke_batch(handler: Handler, name: str, records: Sequence[dict[str, Any]], ids: Sequence[str]) -> set[str] | None:
    """Return the ids that the function reports as failed; None if it raised, so that every record counts as failed."""
    try:
        answer = invoke(handler, name, {"Records": list(records)})
    except Exception:  # to Lambda, any exception is a failed batch
        log.exception("%s failed on a batch of %d", name, len(records))
        return None
    failed = {failure.get("itemIdentifier") for failure in (answer or {}).get("batchItemFailures", [])}
    if not failed <= set(ids):
        log.error("%s reported failures of records that it did not get", name)
        return None
    return failed


def stream_record(record: dict[str, Any], stream_arn: str) -> dict[str, Any]:
    return record | {"eventSourceARN": stream_arn, "awsRegion": REGION}


def queue_record(message: dict[str, Any], queue_arn: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": message.get("MessageAttributes", {}),
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    }


def scheduled_event(name: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}"],
        "detail": {},
    }
