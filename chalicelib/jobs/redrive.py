"""Redrives the stream: repeats, from the table alone, the effects of the writes of a range of time.

A dead letter of the stream holds a pointer to records, and they are gone after a day. All that the consumer derives can
be recovered without them: docs/operating.md has the means for each effect.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core import ids
from chalicelib.core.contracts import Contract
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import emit, log_error, logger
from chalicelib.core.settings import settings
from chalicelib.dal.due_index import SHARDS
from chalicelib.jobs import activity_reconciliation, queues, reconciliation
from chalicelib.jobs.feed_queue import NewEntries
from chalicelib.models import audit
from chalicelib.models.dashboards import metric_states

MAX_ORGANIZATIONS = 500
"""Organizations of a message: each is a query."""
_MARGIN = timedelta(minutes=5)
"""A pointer's times are approximate, and an audit entry is as old as its request."""


class Redrive(Contract):
    """A message: some of the organizations that may have written something in a range of time."""

    kind: Literal["redrive"] = "redrive"
    organizations: Annotated[list[UUID], Field(max_length=MAX_ORGANIZATIONS)]
    since: Instant
    until: Instant


def schedule(since: datetime, until: datetime) -> int:
    """Queues it for all that are awake; how many. One that has fallen asleep since is reconciled when it wakes."""
    organizations: list[UUID] = [tenant for shard in range(SHARDS) for tenant in metric_states.organizations(shard)]
    messages = [
        Redrive(organizations=organizations[start : start + MAX_ORGANIZATIONS], since=since, until=until)
        for start in range(0, len(organizations), MAX_ORGANIZATIONS)
    ]
    for message in messages:
        # One message a request: ten together might be over SQS's limit.
        queues.send(settings().metrics_queue_url, [message.model_dump(mode="json")])
    span = {"since": since.isoformat(), "until": until.isoformat()}
    logger.info("redrive scheduled", extra={"organizations": len(organizations), **span})
    return len(organizations)


def work(message: Mapping[str, Any]) -> None:
    """Queues a reconciliation for those that have written something. Twice is as good as once."""
    piece = Redrive.model_validate(message)
    written = [
        organization
        for organization in map(OrganizationId, piece.organizations)
        if audit.has_entries(organization, piece.since, piece.until)
    ]
    reconciliation.schedule(written, since=piece.since, until=piece.until)


def take_dead_letters(event: Mapping[str, Any]) -> dict[str, Any]:
    """Redrive a batch of dead letters of the stream or of the feed queue; return those that are neither.

    Pointers to records of the stream are one redrive together; a message of the feed queue names its organization.
    """
    spans: list[tuple[datetime, datetime]] = []
    records = 0
    failures: list[dict[str, str]] = []
    for message in event["Records"]:
        try:
            letter = json.loads(message["body"])
            if "entries" in letter:
                records += _restore_activities(NewEntries.model_validate(letter))
                continue
            pointer = letter["DDBStreamBatchInfo"]
            first, last = (
                datetime.fromisoformat(pointer[f"approximateArrivalOf{which}Record"]) for which in ("First", "Last")
            )
            records += int(pointer["batchSize"])
        except (KeyError, TypeError, ValueError) as error:
            # It stays in the queue, and its alarm on.
            log_error("not a dead letter of the stream", error, message_id=message["messageId"])
            failures.append({"itemIdentifier": message["messageId"]})
            continue
        logger.error(
            "stream records given up",
            extra={name: pointer.get(name) for name in ("shardId", "startSequenceNumber", "endSequenceNumber")},
        )
        spans.append((first, last))
    if spans:
        schedule(min(first for first, _ in spans) - _MARGIN, max(last for _, last in spans) + _MARGIN)
    if records:
        emit({"job": "redriveStream"}, StreamRecordsGivenUp=records)
    return {"batchItemFailures": failures}


def _restore_activities(letter: NewEntries) -> int:
    """Queue a reconciliation of the feed with these entries; return how many they are."""
    times = [ids.created_at(entry) for entry in letter.entries]
    activity_reconciliation.schedule(OrganizationId(letter.organization_id), min(times), max(times))
    logger.error("activities given up", extra={"organization_id": str(letter.organization_id), "entries": len(times)})
    return len(times)
