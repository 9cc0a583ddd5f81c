"""The dispatcher: new audit entries and mails go to their queues, whatever else is in a batch, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core import ids
from chalicelib.core.settings import settings
from chalicelib.dal import keys
from chalicelib.dal.unit_of_work import MAX_WRITES
from chalicelib.jobs import dispatch, queues
from infra.local.lambda_events import invoke
from infra.local.stack import Stack
from infra.local.stream import Consumer, Stream
from infra.local.template import stream_source
from tests.support import streams
from tests.support.client_hooks import recorded
from tests.support.factories import Organization
from tests.support.mail_delivery import invite
from tests.support.staffing import new_client

_numbers = count(1)


class Messages:
    """The messages that wait in the two queues."""

    def __init__(self, stack: Stack) -> None:
        self._sqs = stack.engine.client("sqs")

    def take(self, queue_url: str) -> list[dict[str, Any]]:
        """Remove and return messages, in the order in which they were sent."""
        taken: list[dict[str, Any]] = []
        while batch := self._sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, AttributeNames=["All"]
        ).get("Messages", []):
            for message in batch:
                self._sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            taken += batch
        return taken

    def feed(self) -> list[dict[str, Any]]:
        return [json.loads(message["Body"]) for message in self.take(settings().feed_queue_url)]

    def mail(self) -> list[dict[str, Any]]:
        return [json.loads(message["Body"]) for message in self.take(settings().mail_queue_url)]


@pytest.fixture
def messages(local_stack: Stack) -> Iterator[Messages]:
    messages = Messages(local_stack)
    yield messages
    messages.feed()
    messages.mail()


def _record(pk: str, sk: str, event: str = "INSERT") -> dict[str, Any]:
    number = str(next(_numbers))
    change = {"Keys": {"pk": {"S": pk}, "sk": {"S": sk}}, "SequenceNumber": number}
    return {"eventID": number, "eventName": event, "eventSource": "aws:dynamodb", "dynamodb": change}


def _entry(organization: Any, identifier: UUID | None = None) -> dict[str, Any]:
    return _record(keys.audit(organization), str(identifier or ids.new_id()))


def _dispatch(*records: dict[str, Any]) -> list[str]:
    """Return the sequence numbers that are reported as failed."""
    answer = invoke(dispatch.consume, "dispatch_stream", {"Records": list(records)})
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def _number(record: dict[str, Any]) -> str:
    number: str = record["dynamodb"]["SequenceNumber"]
    return number


def test_the_table_is_not_touched(organization: Organization, messages: Messages) -> None:
    records = [_entry(organization.id) for _ in range(30)]
    with recorded() as recording:
        assert _dispatch(*records) == []
    assert recording.operations == []


def test_entries_go_to_the_feed_queue_by_organization(messages: Messages, local_stack: Stack) -> None:
    # Given a batch with entries of two organizations
    one, other = ids.new_id(), ids.new_id()
    entries = [ids.new_id() for _ in range(4)]
    records = [_entry(one if number % 2 else other, entry) for number, entry in enumerate(entries)]
    # When it is dispatched
    assert _dispatch(*records) == []
    # Then each organization has a message, in a group of its own
    taken = messages.take(settings().feed_queue_url)
    assert {message["Attributes"]["MessageGroupId"]: json.loads(message["Body"])["entries"] for message in taken} == {
        str(one): [str(entries[1]), str(entries[3])],
        str(other): [str(entries[0]), str(entries[2])],
    }


def test_a_flood_is_cut_into_messages_of_one_transaction(organization: Organization, messages: Messages) -> None:
    assert _dispatch(*(_entry(organization.id) for _ in range(2 * MAX_WRITES + 1))) == []
    assert [len(message["entries"]) for message in messages.feed()] == [MAX_WRITES, MAX_WRITES, 1]


def test_mails_go_to_the_mail_queue(organization: Organization, messages: Messages) -> None:
    mail = ids.new_id()
    assert _dispatch(_record(keys.mail_partition(organization.id), str(mail)), _entry(organization.id)) == []
    assert messages.mail() == [{"organizationId": str(organization.id), "mailId": str(mail)}]
    assert len(messages.feed()) == 1


def test_other_records_are_skipped(organization: Organization, messages: Messages) -> None:
    entry = str(ids.new_id())
    records = [
        _record(keys.audit(organization.id), entry, "MODIFY"),
        _record(keys.audit(organization.id), entry, "REMOVE"),
        _record(keys.mail_partition(organization.id), entry, "MODIFY"),
        _record(keys.partition(organization.id, "CLIENT"), entry),
        _record(keys.audit_of_actor(organization.id, organization.owner.user.id).pk, entry),
        _record("EMAIL#anna@example.com", "CREDENTIAL"),
        _record("ORG#nobody#AUDIT", entry),
        _record("p", "s"),
    ]
    assert _dispatch(*records) == []
    assert (messages.feed(), messages.mail()) == ([], [])


def test_an_unreadable_record_fails_alone(organization: Organization, messages: Messages) -> None:
    unknown, unnamed = _entry(organization.id), _record(keys.mail_partition(organization.id), "not-a-uuid")
    unknown["eventName"] = "UPSERT"
    assert _dispatch(unknown, _entry(organization.id), unnamed) == [_number(unknown), _number(unnamed)]
    assert len(messages.feed()) == 1


@pytest.mark.parametrize("broken_queue", ["feed_queue_url", "mail_queue_url"])
def test_a_queue_that_takes_nothing_does_not_hold_up_the_other(
    organization: Organization, messages: Messages, monkeypatch: pytest.MonkeyPatch, broken_queue: str
) -> None:
    # Given a queue that does not exist
    records = {
        "feed_queue_url": _entry(organization.id),
        "mail_queue_url": _record(keys.mail_partition(organization.id), str(ids.new_id())),
    }
    absent = settings().model_copy(update={broken_queue: f"{getattr(settings(), broken_queue)}-absent"})
    # When a batch has records for both
    with monkeypatch.context() as patched:
        patched.setattr(dispatch, "settings", lambda: absent)
        assert _dispatch(*records.values()) == [_number(records[broken_queue])]
    # Then the other's are sent, and these once it is there again
    assert len(messages.feed()) + len(messages.mail()) == 1
    assert _dispatch(records[broken_queue]) == []
    assert len(messages.feed()) + len(messages.mail()) == 1


def test_messages_are_sent_in_few_requests(organization: Organization, messages: Messages) -> None:
    requests: list[Any] = []
    events = queues._sqs().meta.events  # type: ignore[attr-defined]  # the client's hooks
    count_request = lambda **_: requests.append(None)  # noqa: E731  registered and unregistered by identity
    events.register("before-call.sqs.SendMessageBatch", count_request)
    try:
        assert _dispatch(*(_entry(organization.id) for _ in range(1000))) == []
    finally:
        events.unregister("before-call.sqs.SendMessageBatch", count_request)
    assert len(requests) == 1


def test_the_two_readers_share_the_changes_of_a_write(organization: Organization, local_stack: Stack) -> None:
    """Each consumer gets what it is for, through the filters in the template, of a request as it is really stored."""
    partitions: dict[str, set[str]] = {}

    def reader(name: str) -> Stream:
        def take(event: dict[str, Any], _: Any) -> dict[str, Any]:
            pks = {record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"]}
            partitions.setdefault(name, set()).update(pk.removeprefix(f"ORG#{organization.id}#") for pk in pks)
            return {"batchItemFailures": []}

        client = local_stack.engine.streams()
        return Stream(client, arn, Consumer(name, take), source=stream_source(name), from_now=True)

    arn = streams.turn_on(local_stack)
    readers = [reader(name) for name in ("consume_stream", "dispatch_stream")]
    new_client(organization.owner, name="Hansekontor")
    invite(organization)
    for stream in readers:
        stream.drain()
    assert partitions["dispatch_stream"] == {"AUDIT", "MAIL"}
    assert "CLIENT" in partitions["consume_stream"]
    assert not partitions["consume_stream"] & partitions["dispatch_stream"]
