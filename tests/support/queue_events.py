"""Queue events for workers."""

from __future__ import annotations

import json
from typing import Any

from infra.local.lambda_events import Handler, invoke, queue_record


def failed(worker: Handler, *messages: Any) -> list[str]:
    """Hand messages to a worker; return the ids that it reports as failed, which are 1, 2, …"""
    records = [
        queue_record(
            {
                "MessageId": str(number),
                "ReceiptHandle": "r",
                "Body": message if isinstance(message, str) else json.dumps(message),
                "MD5OfBody": "",
            },
            "arn:aws:sqs:eu-central-1:123456789012:queue",
        )
        for number, message in enumerate(messages, 1)
    ]
    answer = invoke(worker, "worker", {"Records": records})
    assert set(answer) == {"batchItemFailures"}
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
