"""The stream's dispatcher: hands new audit entries and mails on to their queues, and touches no table.

A record costs it so little that nobody's flood holds up another's records for long. What is slow, or is slowed down by
the write limit of one organization's partition, happens behind the queues, where organizations do not wait for each
other: docs/decisions/feed.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import log_error
from chalicelib.core.settings import settings
from chalicelib.dal import keys
from chalicelib.jobs import feed_queue, mail_queue, queues
from chalicelib.jobs.changes import Change, Kind
from chalicelib.models import outbox
from chalicelib.models.outbox import MailReference


def consume(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Hand on a batch of stream records; return the records to deliver again.

    A message that is sent twice is as good as one.
    """
    mails: dict[str, MailReference] = {}
    entries: dict[OrganizationId, dict[str, UUID]] = {}
    failed: set[str] = set()
    numbers = [record["dynamodb"]["SequenceNumber"] for record in event["Records"]]
    for number, record in zip(numbers, event["Records"], strict=True):
        try:
            change = Change.of(record)
            # The event source is filtered to these; other records, without the filter, are passed over.
            if change.kind is not Kind.INSERT:
                continue
            if (mail := outbox.reference_of(*change.key)) is not None:
                mails[number] = mail
            elif change.entity is not None and change.key.pk == keys.audit(change.entity.organization):
                entries.setdefault(change.entity.organization, {})[number] = change.entity.id
        except Exception as error:  # noqa: BLE001  logged, and delivered again
            log_error("a change cannot be read", error, stream_sequence_number=number)
            failed.add(number)
    if not _send(settings().mail_queue_url, [mail_queue.message(mail) for mail in mails.values()]):
        failed |= mails.keys()
    messages = [
        message
        for organization, numbered in entries.items()
        for message in feed_queue.messages(organization, list(numbered.values()))
    ]
    if not _send(settings().feed_queue_url, messages):
        failed.update(number for numbered in entries.values() for number in numbered)
    # Lambda goes on from the first of them.
    return {"batchItemFailures": [{"itemIdentifier": number} for number in dict.fromkeys(numbers) if number in failed]}


def _send(queue_url: str, messages: Sequence[Mapping[str, Any]]) -> bool:
    """Return False if some message was not taken: one queue's failure keeps nothing from the other."""
    try:
        queues.send(queue_url, messages)
    except Exception as error:  # noqa: BLE001  logged, and delivered again
        log_error("messages not handed on", error, queue_url=queue_url, messages=len(messages))
        return False
    return True
