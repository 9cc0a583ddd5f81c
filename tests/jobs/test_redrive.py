"""Dead letters of the stream lose nothing: all effects of a write are restored from the table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

import app as product
from chalicelib.core import clock, ids
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.item import Item
from chalicelib.jobs import activity_reconciliation, feed_queue, metrics_queue, recalculation, redrive
from chalicelib.metrics.rollups import reconcile
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.models.activities.activities import ACTIVITIES
from chalicelib.models.dashboards import metric_states
from infra.local.lambda_events import invoke, queue_record, scheduled_event
from infra.local.stack import Stack
from tests.support import store as stores
from tests.support.api import Api
from tests.support.assignment_helpers import NOW, Desk
from tests.support.client_hooks import Refusal, broken, recorded, without_waiting
from tests.support.deliveries import Deliveries
from tests.support.factories import Organization, new_organization
from tests.support.frozen_time import later, standing_still
from tests.support.queue_events import failed
from tests.support.rollup_state import buckets, expected_buckets
from tests.support.store import Store
from tests.support.threads import at_once

SINCE = clock.to_text(NOW)


@pytest.fixture
def store(local_stack: Stack) -> Store:
    return stores.of(local_stack)


@pytest.fixture
def deliveries(local_stack: Stack) -> Deliveries:
    return Deliveries(local_stack)


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch, deliveries: Deliveries) -> Iterator[None]:
    monkeypatch.setattr(reconcile, "_PATIENCE_SECONDS", 0)
    with standing_still(NOW):
        yield
    deliveries.messages()


@pytest.fixture
def desk(api: Api) -> Desk:
    desk = Desk.of(new_organization(api))
    metric_states.create_system_row(desk.organization.id, NOW)
    return desk


def _write(desk: Desk) -> None:
    """Write something of each kind that the stream processes."""
    position, worker = desk.position(), desk.worker()
    for start in (-50, -5, 30):
        desk.assign(worker, position, start, start + 8)
    path = {"id": worker, "effectiveFrom": "2026-06-01"}
    rate = {"amount": 1690, "currency": "EUR"}
    assert desk.organization.owner.call("setWorkerRate", path=path, body=rate).status == 200
    assert desk.organization.owner.call("updateOrganization", body={"timezone": "Asia/Tokyo"}).status == 200


def _redrive(**event: str) -> int:
    count: int = invoke(product.redrive_stream, "redrive_stream", {"since": SINCE, **event})
    return count


def _work(deliveries: Deliveries) -> None:
    while messages := deliveries.messages():
        assert failed(metrics_queue.work, *messages) == []
        # The stream works again, and delivers the writes of the redrive itself.
        if records := deliveries.changes():
            assert invoke(product.consume_stream, "consume_stream", {"Records": records}) == {"batchItemFailures": []}


def _entries(store: Store, organization: OrganizationId) -> set[str]:
    return {sk for pk, sk in store.items() if pk == keys.audit(organization)}


def _activities(store: Store, organization: OrganizationId) -> set[str]:
    return {sk for pk, sk in store.items() if pk == keys.activities(organization)}


def _feed(organization: Organization) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = organization.owner.call("getRecentActivities", query={"limit": 100}).data["items"]
    return items


def _is_complete(store: Store, organization: OrganizationId) -> bool:
    """Return True if feed and rollups match the audit log and the entities."""
    rollup = all(buckets(store, organization, source) == expected_buckets(organization, source) for source in SOURCES)
    return rollup and _activities(store, organization) == _entries(store, organization)


# -- effects ---------------------------------------------------------------------------------------------------------


def test_a_redrive_restores_everything_that_the_stream_lost(
    api: Api, desk: Desk, deliveries: Deliveries, store: Store
) -> None:
    # Given an organization whose records the stream lost
    _write(desk)
    assert deliveries.changes()
    assert not _is_complete(store, desk.organization.id)
    # When it is redriven
    assert _redrive() >= 1
    _work(deliveries)
    # Then nothing is missing
    assert _is_complete(store, desk.organization.id)
    # And the feed is the same as the stream makes from these writes
    redriven = {activity["id"]: activity for activity in _feed(desk.organization)}
    for activity in redriven:
        store.remove([(keys.activities(desk.organization.id), activity)])
    _consume_audit(store, desk.organization.id)
    assert {activity["id"]: activity for activity in _feed(desk.organization)} == redriven


def _consume_audit(store: Store, organization: OrganizationId) -> None:
    entries = [UUID(sk) for partition, sk in sorted(store.items()) if partition == keys.audit(organization)]
    assert failed(feed_queue.work, *feed_queue.messages(organization, entries)) == []


def test_repeated_and_concurrent_redrives_double_nothing(desk: Desk, deliveries: Deliveries, store: Store) -> None:
    _write(desk)
    deliveries.changes()
    _redrive(organizationId=str(desk.organization.id))
    _redrive()
    while messages := deliveries.messages():
        activities = [message for message in messages if message["kind"] == "reconcileActivities"]
        if activities:
            at_once([lambda message=message: activity_reconciliation.work(message) for message in activities * 3])
        assert failed(metrics_queue.work, *messages, *messages) == []
    assert _is_complete(store, desk.organization.id)
    before = store.items()
    _redrive()
    _work(deliveries)
    assert not store.changes(before)


def test_processed_records_are_not_written_again(desk: Desk, deliveries: Deliveries, store: Store) -> None:
    _write(desk)
    _consume_audit(store, desk.organization.id)
    message = {
        "kind": "reconcileActivities", "organizationId": str(desk.organization.id), "since": SINCE, "until": SINCE
    }  # fmt: skip
    with recorded() as recording:
        assert failed(metrics_queue.work, message) == []
    assert recording.operations == ["Query", "Query"]


def test_a_long_range_is_processed_page_by_page(
    desk: Desk, deliveries: Deliveries, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity_reconciliation, "_MAX_ENTRIES", 3)
    _write(desk)
    deliveries.changes()
    _redrive(organizationId=str(desk.organization.id))
    _work(deliveries)
    assert _is_complete(store, desk.organization.id)


def test_only_the_range_is_redriven(desk: Desk, deliveries: Deliveries, store: Store) -> None:
    desk.worker()
    with later(hours=1):
        between = desk.worker()
    with later(hours=2):
        desk.worker()
        deliveries.changes()
        half = timedelta(minutes=30)
        _redrive(since=clock.to_text(NOW + half), until=clock.to_text(NOW + 3 * half))
        _work(deliveries)
    assert [activity["entityId"] for activity in _feed(desk.organization)] == [between]


def test_an_organization_that_wrote_nothing_costs_one_query(api: Api, deliveries: Deliveries) -> None:
    organizations = [new_organization(api) for _ in range(3)]
    message = {
        "kind": "redrive",
        "organizations": [str(organization.id) for organization in organizations],
        "since": SINCE,
        "until": SINCE,
    }
    with recorded() as recording:
        assert failed(metrics_queue.work, message) == []
    assert recording.operations == ["Query"] * 3
    assert sum(call.capacity for call in recording.calls) <= 1.5
    assert deliveries.messages() == []


def test_organizations_are_redriven_in_pieces(
    api: Api, deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redrive, "MAX_ORGANIZATIONS", 2)
    organizations = {new_organization(api).id for _ in range(5)}
    for organization in organizations:
        metric_states.create_system_row(organization, NOW)
    count = _redrive()
    messages = deliveries.messages()
    listed = [UUID(organization) for message in messages for organization in message["organizations"]]
    assert {len(message["organizations"]) for message in messages} <= {1, 2}
    assert len(listed) == count
    assert {*listed} >= organizations


# -- failures --------------------------------------------------------------------------------------------------------


def test_an_unreadable_entry_blocks_no_other(
    desk: Desk, deliveries: Deliveries, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    desk.worker()
    (bad,) = _entries(store, desk.organization.id)
    table.update(keys.Key(keys.audit(desk.organization.id), bad), [Item.data["changes"].set("no JSON")])
    desk.worker()
    deliveries.changes()
    _redrive(organizationId=str(desk.organization.id))
    _work(deliveries)
    assert _activities(store, desk.organization.id) == _entries(store, desk.organization.id) - {bad}
    assert "audit entry unreadable" in caplog.text


def test_a_message_that_the_store_failed_is_retried(desk: Desk, deliveries: Deliveries, store: Store) -> None:
    desk.worker()
    message = {
        "kind": "reconcileActivities", "organizationId": str(desk.organization.id), "since": SINCE, "until": SINCE
    }  # fmt: skip
    with without_waiting(), broken(Refusal("PutItem", "ThrottlingException")):
        assert failed(metrics_queue.work, message) == ["1"]
    assert failed(metrics_queue.work, message) == []
    assert _activities(store, desk.organization.id) == _entries(store, desk.organization.id)


# -- triggers --------------------------------------------------------------------------------------------------------


def test_a_dead_letter_is_redriven_at_once(desk: Desk, deliveries: Deliveries, store: Store) -> None:
    _write(desk)
    deliveries.changes()
    letters = [_letter(NOW - timedelta(seconds=2)), _letter(NOW + timedelta(seconds=3))]
    assert _take(*letters) == []
    _work(deliveries)
    assert _is_complete(store, desk.organization.id)


def test_many_dead_letters_are_one_redrive(desk: Desk, deliveries: Deliveries) -> None:
    assert _take(*[_letter(NOW + timedelta(seconds=number)) for number in range(100)]) == []
    (message,) = deliveries.messages()
    margin = timedelta(minutes=5)
    assert datetime.fromisoformat(message["since"]) == NOW - margin
    assert datetime.fromisoformat(message["until"]) == NOW + timedelta(seconds=99) + margin


def test_a_dead_letter_of_the_feed_queue_is_restored(desk: Desk, deliveries: Deliveries, store: Store) -> None:
    # Given entries whose message was given up, in two messages
    _write(desk)
    deliveries.changes()
    entries = sorted(UUID(entry) for entry in _entries(store, desk.organization.id))
    half = len(entries) // 2
    letters = [
        message
        for part in (entries[:half], entries[half:])
        for message in feed_queue.messages(desk.organization.id, part)
    ]
    # When they are redriven
    assert _take(*map(json.dumps, letters)) == []
    _work(deliveries)
    # Then the feed has all of them
    assert _activities(store, desk.organization.id) == _entries(store, desk.organization.id)


@pytest.mark.parametrize(
    "body",
    ["no JSON", "[]", "{}", '{"entries": []}', '{"DDBStreamBatchInfo": {}}', '{"DDBStreamBatchInfo": null}'],
)
def test_other_messages_stay_in_the_dead_letter_queue(
    deliveries: Deliveries, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert _take(body) == ["1"]
    assert deliveries.messages() == []
    assert "not a dead letter" in caplog.text


def _letter(at: datetime) -> str:
    """Return a dead letter in Lambda's form."""
    second = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps(
        {
            "requestContext": {
                "requestId": "316aa6d0-8154-xmpl-9af7-85d5f4a6bc81",
                "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:workledger-consume-stream",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 9,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": None},
            "version": "1.0",
            "timestamp": "2026-06-15T12:00:49.717Z",
            "DDBStreamBatchInfo": {
                "shardId": "shardId-00000001573689847184-864758bb",
                "startSequenceNumber": "800000000003126276362",
                "endSequenceNumber": "800000000003126276362",
                "approximateArrivalOfFirstRecord": second,
                "approximateArrivalOfLastRecord": second,
                "batchSize": 1,
                "streamArn": "arn:aws:dynamodb:us-east-1:123456789012:table/workledger/stream/2026-01-01T00:00:00.000",
            },
        }
    )


def _take(*bodies: str) -> list[str]:
    records = [
        queue_record({"MessageId": str(number), "ReceiptHandle": "r", "Body": body, "MD5OfBody": ""}, "arn")
        for number, body in enumerate(bodies, 1)
    ]
    answer = invoke(product.redrive_stream, "redrive_stream", {"Records": records})
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@pytest.mark.parametrize("days", [1, 2, 3])
def test_the_nightly_reconciliation_restores_the_last_three_days(
    desk: Desk, deliveries: Deliveries, store: Store, days: int
) -> None:
    _write(desk)
    deliveries.changes()
    with later(days=days, hours=-1):
        assert invoke(product.reconcile_rollups, "reconcile_rollups", scheduled_event("reconcile_rollups")) >= 1
        _work(deliveries)
    assert _is_complete(store, desk.organization.id)


def test_the_nightly_reconciliation_skips_recent_records(desk: Desk, deliveries: Deliveries, store: Store) -> None:
    desk.worker()
    deliveries.changes()
    for minutes, count in ((14, 0), (16, 1)):
        with later(minutes=minutes):
            invoke(product.reconcile_rollups, "reconcile_rollups", {"organizationId": str(desk.organization.id)})
            _work(deliveries)
        assert len(_activities(store, desk.organization.id)) == count


def test_losses_before_a_sleep_are_restored_when_it_ends(desk: Desk, deliveries: Deliveries, store: Store) -> None:
    # Given an organization that sleeps before the next nightly reconciliation
    _write(desk)
    deliveries.changes()
    with later(hours=3):
        recalculation.tick()
        _work(deliveries)
    assert recalculation.tick() == 0
    # Then a redrive skips it, and its next request restores the losses, at any later time
    with later(days=100):
        _redrive()
        _work(deliveries)
        assert _activities(store, desk.organization.id) == set()
        assert desk.organization.owner.call("getOrganization").status in {200, 401}
        organization = desk.organization
        organization.owner.token = organization.session(organization.owner.user)
        assert organization.owner.call("getOrganization").status == 200
        recalculation.tick()
        _work(deliveries)
    assert _is_complete(store, desk.organization.id)


def test_an_activity_of_the_redrive_has_the_id_of_its_entry(desk: Desk, deliveries: Deliveries, store: Store) -> None:
    desk.worker()
    (entry,) = _entries(store, desk.organization.id)
    _redrive(organizationId=str(desk.organization.id))
    _work(deliveries)
    activity = ACTIVITIES.get(desk.organization.id, UUID(entry))
    assert activity.created_at == ids.created_at(UUID(entry))
