"""Messages to our queues."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Protocol, cast

from chalicelib.jobs import aws_clients

AT_ONCE = 10
"""SQS takes so many messages in one request."""


class _SqsClient(Protocol):
    def send_message_batch(self, **arguments: Any) -> dict[str, Any]: ...


def send(queue_url: str, messages: Sequence[Mapping[str, Any]]) -> None:
    """Send messages in as few requests as can be; raise if any was not taken, though others may have been.

    Messages of one organization are one group: SQS holds those of a noisy group back when others wait.
    """
    entries = [
        {"Id": str(number), "MessageBody": json.dumps(message), **_group(message)}
        for number, message in enumerate(messages)
    ]
    for start in range(0, len(entries), AT_ONCE):
        answer = _sqs().send_message_batch(QueueUrl=queue_url, Entries=entries[start : start + AT_ONCE])
        if refused := answer.get("Failed"):
            raise RuntimeError(f"{len(refused)} messages were not taken: {refused[0].get('Code')}")


def _group(message: Mapping[str, Any]) -> dict[str, str]:
    organization = message.get("organizationId")
    return {} if organization is None else {"MessageGroupId": str(organization)}


@cache
def _sqs() -> _SqsClient:
    return cast(_SqsClient, aws_clients.client("sqs"))
