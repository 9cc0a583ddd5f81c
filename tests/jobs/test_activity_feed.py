"""The activity feed: each entry of the audit log becomes one activity, in any order of delivery."""

from __future__ import annotations

import contextlib
import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from chalicelib.auth.audiences import SILENT
from chalicelib.core import ids
from chalicelib.dal import keys
from chalicelib.dal.unit_of_work import MAX_WRITES
from chalicelib.jobs import feed_queue
from chalicelib.jobs.activity_templates import TEMPLATES, template_of, title
from chalicelib.models.activities import activities
from chalicelib.models.activities.activities import ACTOR, USER, ActivityType, Severity
from chalicelib.models.audit import Actor, AuditEntry, AuditEvent, FieldChange
from infra.local.stack import Stack
from tests.support import store as stores
from tests.support.api import Api
from tests.support.client_hooks import Fault, ProcessDied, Refusal, broken, recorded, without_waiting
from tests.support.factories import Organization, new_organization
from tests.support.mail_delivery import Post
from tests.support.queue_events import failed
from tests.support.staffing import new_client, new_worker
from tests.support.store import Store


@pytest.fixture(scope="module")
def store(local_stack: Stack) -> Store:
    return stores.of(local_stack)


def _feed(organization: Organization) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = organization.owner.call("getRecentActivities", query={"limit": 100}).data["items"]
    return items


def _titles(organization: Organization) -> list[str]:
    return [activity["title"] for activity in _feed(organization)]


# -- content ---------------------------------------------------------------------------------------------------------


def test_audited_actions_are_in_the_feed(organization: Organization, post: Post) -> None:
    # Given a client that was created
    client = new_client(organization.owner, name="Hansekontor Logistik", phone="+49 30 901820")
    (entry,) = organization.owner.call("getAuditLog").data["items"]
    # When the stream has delivered that
    post.carry()
    # Then the feed has it, with the id of its audit entry and without the values
    assert _feed(organization) == [
        {
            "id": entry["id"],
            "createdAt": entry["at"],
            "updatedAt": entry["at"],
            "version": 1,
            "title": "Test Owner created the client Hansekontor Logistik",
            "description": None,
            "type": "DATA_CHANGE",
            "entityType": "client",
            "entityId": client["id"],
            "action": "CLIENT_CREATED",
            "metadata": {"fields": ["name", "phone"]},
            "severity": "SUCCESS",
            "actor": entry["actor"],
            "isRead": False,
            "isArchived": False,
        }
    ]
    assert organization.owner.call("getUnreadCount").data == {"count": 1, "isExact": True}
    # And once, even if the stream is read again
    assert post.carry() >= 0
    assert len(_feed(organization)) == 1


def test_changed_values_are_not_in_the_feed(organization: Organization, post: Post) -> None:
    path = {"id": new_worker(organization.owner)["id"], "effectiveFrom": "2026-03-01"}
    rate = {"amount": 1690, "currency": "EUR"}
    assert organization.owner.call("setWorkerRate", path=path, body=rate).status == 200
    post.carry()
    activity = _feed(organization)[0]
    assert activity["title"] == "Test Owner set a pay rate of a worker"
    assert (activity["description"], activity["metadata"]) == (None, {"fields": ["rates.2026-03-01"]})


def test_read_state_and_recorded_activities_make_no_activities(organization: Organization, post: Post) -> None:
    body = {
        "title": "Recorded", "type": "SYSTEM_EVENT", "entityType": "kpi", "entityId": "1", "action": "RECORDED"
    }  # fmt: skip
    activity = organization.owner.call("recordActivity", body=body).data["id"]
    for action in ("markActivityAsRead", "archiveActivity", "unarchiveActivity"):
        assert organization.owner.call(action, path={"id": activity}).status == 200
    assert organization.owner.call("markAllActivitiesAsRead").status == 200
    post.carry()
    assert _titles(organization) == ["Recorded"]
    assert organization.owner.call("getUnreadCount").data["count"] == 0


# -- titles ----------------------------------------------------------------------------------------------------------


def test_every_event_has_a_template_or_is_silent() -> None:
    assert {*TEMPLATES} | SILENT == {*AuditEvent}
    assert not {*TEMPLATES} & SILENT
    assert {template.severity for template in TEMPLATES.values()} == {Severity.INFO, Severity.SUCCESS}
    assert {template.type for template in TEMPLATES.values()} == {*ActivityType} - {ActivityType.INTEGRATION_EVENT}


@pytest.mark.parametrize(
    ("state", "title_of_state", "severity"),
    [
        ((None, "MET"), "Anna Berg recorded a value of a KPI: the target is met", Severity.SUCCESS),
        (("PENDING", "BREACHED"), "Anna Berg recorded a value of a KPI: the target is breached", Severity.WARNING),
        (("BREACHED", "CURED"), "Anna Berg recorded a value of a KPI: the breach is cured", Severity.SUCCESS),
        (None, "Anna Berg recorded a value of a KPI", Severity.INFO),
    ],
)
def test_a_value_that_changes_a_state_says_so(
    state: tuple[str | None, str] | None, title_of_state: str, severity: Severity
) -> None:
    changes = {} if state is None else {"tests.2026-06-30.state": state}
    entry = _entry(AuditEvent.KPI_VALUE_RECORDED, **changes)

    template = template_of(AuditEvent.KPI_VALUE_RECORDED, entry)

    assert (_shown(title(template, entry)), template.severity) == (title_of_state, severity)


def _entry(event: AuditEvent = AuditEvent.CLIENT_UPDATED, **changes: Any) -> AuditEntry:
    """Return an audit entry. `changes`: (before, after) of fields."""
    return AuditEntry(
        id=ids.new_id(),
        at=datetime(2026, 3, 1, tzinfo=UTC),
        actor=Actor(id=ids.new_id(), name="Anna Berg"),
        action=event,
        entity_type="client",
        entity_id="1",
        request_id="r",
        changes={name: FieldChange(before=before, after=after) for name, (before, after) in changes.items()},
    )


def _title(entry: AuditEntry) -> str:
    return _shown(title(TEMPLATES[AuditEvent(entry.action)], entry))


def _shown(stored_title: str) -> str:
    return stored_title.replace(ACTOR, "Anna Berg").replace(USER, "Rita Vogt")


@pytest.mark.parametrize("event", TEMPLATES)
def test_every_title_is_a_sentence_with_and_without_a_name(event: AuditEvent) -> None:
    named, unnamed = _title(_entry(event, name=(None, "Hansekontor"))), _title(_entry(event))
    for sentence in (named, unnamed):
        assert re.fullmatch(r"[A-Z][A-Za-z' ]+", sentence), sentence
        assert "{" not in sentence
    assert named == unnamed or named.endswith(" Hansekontor") or " Hansekontor " in named


@pytest.mark.parametrize(
    ("event", "changes", "expected"),
    [
        (AuditEvent.CLIENT_CREATED, {"name": (None, "Hansekontor")}, "Anna Berg created the client Hansekontor"),
        (AuditEvent.CLIENT_UPDATED, {"name": ("Old", "New")}, "Anna Berg changed the client New"),
        (AuditEvent.CLIENT_UPDATED, {"phone": (None, "123")}, "Anna Berg changed a client"),
        (AuditEvent.CLIENT_DELETED, {"deletedAt": (None, "2026")}, "Anna Berg deleted a client"),
        (AuditEvent.METRIC_DELETED, {"name": ("Margin", None)}, "Anna Berg deleted the metric Margin"),
        (AuditEvent.WIDGET_CREATED, {"title": (None, "Shifts")}, "Anna Berg created the widget Shifts"),
        (AuditEvent.ASSIGNMENT_ENDED, {}, "Anna Berg ended an assignment"),
        (AuditEvent.QUICK_ACTION_CREATED, {"name": (None, "Go")}, "Anna Berg created the quick action Go"),
        (AuditEvent.WORKER_CREATED, {"firstName": (None, "Jo"), "lastName": (None, "Weber")},
         "Anna Berg created the worker Jo Weber"),
        (AuditEvent.WORKER_UPDATED, {"lastName": ("Weber", "Keller")}, "Anna Berg changed a worker"),
        (AuditEvent.WORKER_CREATED, {"name": (None, 7)}, "Anna Berg created a worker"),
        (AuditEvent.PASSWORD_RESET_REQUESTED, {}, "A new password was requested"),
        (AuditEvent.SIGNED_IN, {}, "Anna Berg signed in"),
    ],
)  # fmt: skip
def test_titles(event: AuditEvent, changes: dict[str, Any], expected: str) -> None:
    assert _title(_entry(event, **changes)) == expected


def test_names_are_taken_as_they_are() -> None:
    entry = _entry(AuditEvent.CLIENT_CREATED, name=(None, r"{actor} {client} \1"))
    assert _title(entry) == r"Anna Berg created the client {actor} {client} \1"


# -- deliveries ------------------------------------------------------------------------------------------------------


def _written(store: Store, organization: Organization, *names: str) -> list[UUID]:
    """Create clients; return the ids of all entries of the audit log."""
    for name in names:
        new_client(organization.owner, name=name)
    return [UUID(sk) for pk, sk in sorted(store.items()) if pk == keys.audit(organization.id)]


def _work(organization: Organization, *entries: UUID) -> list[str]:
    """Hand the worker the messages for entries; return the numbers of those that it reports as failed."""
    return failed(feed_queue.work, *feed_queue.messages(organization.id, entries))


def _edit(store: Store, organization: Organization, entry: UUID, **data: str) -> None:
    key = (keys.audit(organization.id), str(entry))
    item = store.items()[key]
    item["data"]["M"] |= {name: {"S": value} for name, value in data.items()}
    store.put([item])


def test_repeated_deliveries_make_one_activity(organization: Organization, store: Store) -> None:
    entries = _written(store, organization, "One", "Two")
    assert _work(organization, *entries, *entries) == []
    before = store.items()
    assert _work(organization, *entries[::-1]) == []
    assert store.items() == before
    assert [text[-3:] for text in _titles(organization)] == ["Two", "One"]


@pytest.mark.parametrize("kind", ["process dies before", "process dies after", "response lost once", "response lost"])
@pytest.mark.parametrize("existing", [0, 1, 2])
def test_after_any_fault_each_entry_has_one_activity(
    organization: Organization, store: Store, kind: str, existing: int
) -> None:
    entries = _written(store, organization, "One", "Two", "Three")
    if existing:
        assert _work(organization, *entries[:existing]) == []
    before = store.items()
    with recorded() as recording:
        assert _work(organization, *entries) == []
    # One read and one transaction; then a read of the existing ones, and a write of the rest
    operations = ["BatchGetItem", "TransactWriteItems"]
    if existing:
        operations += ["BatchGetItem", "PutItem" if existing == 2 else "TransactWriteItems"]
    assert recording.operations == operations
    for at_call in range(1, len(recording.operations) + 1):
        store.restore(before)
        with without_waiting(), broken(Fault(at_call, kind)), contextlib.suppress(ProcessDied):
            assert _work(organization, *entries) == ([] if kind == "response lost once" else ["1"])
        assert _work(organization, *entries) == []
        assert [text.rpartition(" ")[2] for text in _titles(organization)] == ["Three", "Two", "One"]


@pytest.mark.parametrize(
    ("names", "refusal"),
    [
        (("One",), Refusal("PutItem", "ThrottlingException")),
        (("One", "Two"), Refusal("TransactWriteItems", "TransactionCanceledException", "ThrottlingError")),
    ],
)
def test_entries_whose_activities_the_store_refuses_are_delivered_again(
    organization: Organization, store: Store, names: tuple[str, ...], refusal: Refusal
) -> None:
    entries = _written(store, organization, *names)
    with without_waiting(), broken(refusal):
        assert _work(organization, *entries) == ["1"]
    assert _feed(organization) == []
    assert _work(organization, *entries) == []
    assert len(_feed(organization)) == len(entries)


def test_an_activity_that_cannot_be_written_fails_alone(
    organization: Organization, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given one among many that exceeds the size of an item
    entries = _written(store, organization, *(f"Client {number}" for number in range(5)))
    item = activities.ACTIVITIES.item

    def too_large(tenant: Any, activity: Any, **more: Any) -> Any:
        stored = item(tenant, activity, **more)
        if activity.id == entries[2]:
            stored.search = "x" * 500_000
        return stored

    monkeypatch.setattr(type(activities.ACTIVITIES), "item", lambda _, *rest, **more: too_large(*rest, **more))
    # When the worker gets their message
    with without_waiting():
        assert _work(organization, *entries) == ["1"]
    # Then the others are in the feed
    assert len(_feed(organization)) == 4


def test_a_message_has_the_entries_of_one_transaction(organization: Organization, store: Store) -> None:
    # Given more entries than a transaction has writes
    (entry,) = _written(store, organization, "One")
    item = store.items()[keys.audit(organization.id), str(entry)]
    entries = [ids.new_id() for _ in range(MAX_WRITES + 1)]
    store.put([{**item, "sk": {"S": str(identifier)}} for identifier in entries])
    # When the worker gets them
    with recorded() as recording:
        assert _work(organization, *entries) == []
    # Then each message is a read and a write
    assert recording.operations == ["BatchGetItem", "TransactWriteItems", "BatchGetItem", "PutItem"]
    written = [key for key in store.items() if key[0] == keys.activities(organization.id)]
    assert len(written) == MAX_WRITES + 1


@pytest.mark.parametrize(
    "message",
    [
        "no JSON",
        {"entries": [str(ids.new_id())]},
        {"organizationId": str(ids.new_id()), "entries": []},
        {"organizationId": str(ids.new_id()), "entries": [str(ids.new_id())] * (MAX_WRITES + 1)},
    ],
)
def test_other_messages_fail(message: Any) -> None:
    assert failed(feed_queue.work, message) == ["1"]


def test_entries_of_another_organization_are_ignored(api: Api, organization: Organization, store: Store) -> None:
    entries = _written(store, new_organization(api), "One")
    assert _work(organization, *entries) == []
    assert _feed(organization) == []


def test_an_unknown_event_is_logged_and_skipped(
    organization: Organization, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    (entry,) = _written(store, organization, "One")
    _edit(store, organization, entry, action="ROCKET_LAUNCHED")
    assert _work(organization, entry) == []
    assert _feed(organization) == []
    assert "event not in the activity feed" in caplog.text


def test_an_unreadable_entry_is_counted_and_delays_no_other(
    organization: Organization,
    store: Store,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given two entries, of which one is no JSON
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "false")
    bad, good = _written(store, organization, "One", "Two")
    _edit(store, organization, bad, changes="no JSON")
    # When the worker gets their message
    assert _work(organization, bad, good) == []
    # Then the other is in the feed, and the alarm's metric counts one
    assert [text[-3:] for text in _titles(organization)] == ["Two"]
    (metric,) = [line for line in capsys.readouterr().out.splitlines() if "UnreadableAuditEntries" in line]
    assert json.loads(metric)["UnreadableAuditEntries"] == [1.0]
