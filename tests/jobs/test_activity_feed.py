"""The activity feed: each entry of the audit log becomes one activity, in any order of delivery."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic.alias_generators import to_camel

from chalicelib.auth.audiences import SILENT
from chalicelib.core import clock, ids
from chalicelib.core.days import in_words
from chalicelib.dal import keys
from chalicelib.dal.collection import Collection
from chalicelib.dal.unit_of_work import MAX_WRITES
from chalicelib.jobs import feed_queue
from chalicelib.jobs.activity_templates import TEMPLATES, template_of
from chalicelib.jobs.activity_titles import field_in_words, title
from chalicelib.models.activities import activities
from chalicelib.models.activities.activities import ACTOR, USER, ActivityType, Severity
from chalicelib.models.audit import Actor, AuditEvent, FieldChange, StoredAuditEntry
from infra.local.stack import Stack
from tests.support import store as stores
from tests.support.api import Api
from tests.support.client_hooks import Fault, ProcessDied, Refusal, broken, recorded, without_waiting
from tests.support.factories import Organization, new_organization
from tests.support.mail_delivery import Post
from tests.support.queue_events import failed
from tests.support.staffing import created, new_client, new_location, new_position, new_worker
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
    worker = new_worker(organization.owner, firstName="Jo", lastName="Weber")
    path = {"id": worker["id"], "effectiveFrom": "2026-03-01"}
    rate = {"amount": 1690, "currency": "EUR"}
    assert organization.owner.call("setWorkerRate", path=path, body=rate).status == 200
    post.carry()
    activity = _feed(organization)[0]
    day = in_words(date(2026, 3, 1), clock.now().date())
    assert activity["title"] == f"Test Owner set the pay rate of Jo Weber from {day} on"
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


def _entry(event: AuditEvent, *, user: bool = False, **fields: Any) -> StoredAuditEntry:
    """Return an audit entry. `fields`: (before, after) of changed ones; `user`: it is about another one."""
    own = {name: fields.pop(name) for name in ("entity_type", "entity_id", "entity_name", "words") if name in fields}
    return StoredAuditEntry(
        id=ids.new_id(),
        at=datetime(2026, 3, 1, tzinfo=UTC),
        actor=Actor(id=ids.new_id(), name="Anna Berg"),
        action=event,
        request_id="r",
        user_id=ids.new_id() if user else None,
        changes={name.replace("_", "."): FieldChange(before=old, after=new) for name, (old, new) in fields.items()},
        **{"entity_type": "client", "entity_id": str(ids.new_id()), **own},
    )


def _title(entry: StoredAuditEntry) -> str:
    stored = title(template_of(AuditEvent(entry.action), entry), entry)
    return stored.replace(ACTOR, "Anna Berg").replace(USER, "Rita Vogt")


@pytest.mark.parametrize("event", TEMPLATES)
def test_every_title_is_a_sentence_with_and_without_a_name(event: AuditEvent) -> None:
    for name in (None, "Hansekontor"):
        for is_about_another in (False, True):
            sentence = _title(_entry(event, entity_name=name, user=is_about_another, phone=(None, "1")))
            assert re.fullmatch(r"[A-Z][A-Za-z0-9'., -]+[a-zA-Z0-9]", sentence), sentence
            assert "  " not in sentence


_ASSIGNED = {"entity_name": "Jo Weber to Picker, Dock 4", "words": {"when": ", from 3 Dec", "until": ", on 5 Dec"}}
_BERG = {"entity_name": "Berg", "words": {"loan": "loan to Berg"}}


@pytest.mark.parametrize(
    ("event", "fields", "expected"),
    [
        (AuditEvent.CLIENT_CREATED, {"entity_name": "Hansekontor"}, "created the client Hansekontor"),
        (AuditEvent.CLIENT_CREATED, {}, "created a client"),
        (AuditEvent.CLIENT_UPDATED, {"entity_name": "New", "name": ("Old", "New")}, "changed name of New"),
        (AuditEvent.CLIENT_UPDATED, {"entity_name": "Hafenlogistik GmbH", "phone": (None, "1"), "address": (None, "2")},
         "changed phone and address of Hafenlogistik GmbH"),
        (AuditEvent.CLIENT_UPDATED, {"entity_name": "Hafenlogistik"}, "changed nothing of Hafenlogistik"),
        (AuditEvent.CLIENT_UPDATED,
         {"entity_name": "K", **dict.fromkeys(("name", "email", "phone", "address"), (1, 2))},
         "changed name, e-mail address and 2 more fields of K"),
        (AuditEvent.POSITION_UPDATED, {"entity_name": "Picker", "isActive": (True, False)},
         "changed active state of the position Picker"),
        (AuditEvent.PROJECT_UPDATED, {"entity_name": "Move", "clientId": (None, "x")},
         "changed client of the project Move"),
        (AuditEvent.TASK_UPDATED, {"entity_name": "Paint", "status": ("TODO", "DONE"), "doneAt": (None, "x")},
         "finished the task Paint"),
        (AuditEvent.TASK_UPDATED, {"entity_name": "Paint", "status": ("DONE", "TODO"), "doneAt": ("x", None)},
         "changed status of the task Paint"),
        (AuditEvent.ASSIGNMENT_CREATED, _ASSIGNED, "assigned Jo Weber to Picker, Dock 4, from 3 Dec"),
        (AuditEvent.ASSIGNMENT_ENDED, _ASSIGNED, "ended the assignment of Jo Weber to Picker, Dock 4, on 5 Dec"),
        (AuditEvent.ASSIGNMENT_UPDATED, {**_ASSIGNED, "startAt": (1, 2), "positionId": (1, 2), "clientId": (1, 2)},
         "changed start and position of the assignment of Jo Weber to Picker, Dock 4, from 3 Dec"),
        (AuditEvent.WORKER_RATE_SET, {"entity_name": "Jo Weber", "rates_2026-12-03": (None, {"amount": 1690})},
         "set the pay rate of Jo Weber from 3 Dec on"),
        (AuditEvent.PROJECT_MEMBER_RATE_SET,
         {"entity_name": "Move", "user": True, "members_x_rates_2027-01-31": (1, 2)},
         "set the rate of Rita Vogt in the project Move from 31 Jan 2027 on"),
        (AuditEvent.PROJECT_MEMBER_ADDED, {"entity_name": "Move"}, "added themselves to the project Move"),
        (AuditEvent.PROJECT_MEMBER_ADDED, {"entity_name": "Move", "user": True}, "added Rita Vogt to the project Move"),
        (AuditEvent.TIMESHEET_SUBMITTED, {"entity_name": "week from 2 Nov"},
         "submitted their timesheet for the week from 2 Nov"),
        (AuditEvent.TIMESHEET_APPROVED, {"entity_name": "week from 2 Nov", "user": True},
         "approved the timesheet of Rita Vogt for the week from 2 Nov"),
        (AuditEvent.TIME_LOCKED, {"entity_type": "user", "words": {"before": "before 1 Nov"}},
         "locked the time of Rita Vogt before 1 Nov"),
        (AuditEvent.TIME_LOCKED, {"words": {"before": "before 1 Nov"}}, "locked the time of everyone before 1 Nov"),
        (AuditEvent.USER_ROLE_CHANGED, {"entity_type": "user", "role": ("MEMBER", "ADMIN")},
         "changed the role of Rita Vogt to admin"),
        (AuditEvent.WORKERS_IMPORTED, {"created": (None, 1200)}, "imported 1,200 workers"),
        (AuditEvent.TIME_SESSIONS_IMPORTED, {"created": (None, 1)}, "imported 1 time session"),
        (AuditEvent.LOAN_CREATED, _BERG, "offered a loan to Berg"),
        (AuditEvent.LOAN_UPDATED, {**_BERG, "interestRateBps": (1, 2), "termsVersion": (1, 2)},
         "changed interest rate in the offer of the loan to Berg"),
        (AuditEvent.REPAYMENT_REVERSED, _BERG, "reversed a repayment of the loan to Berg"),
        (AuditEvent.KPI_VALUE_RECORDED, {"entity_name": "Cash"}, "recorded a value of the KPI Cash"),
        (AuditEvent.KPI_VALUE_RECORDED, {"entity_name": "Cash", "tests_2026-06-30_state": ("PENDING", "BREACHED")},
         "recorded a value of the KPI Cash: the target is breached"),
        (AuditEvent.SIGNED_IN, {}, "signed in"),
    ],
)  # fmt: skip
def test_titles(event: AuditEvent, fields: dict[str, Any], expected: str) -> None:
    assert _title(_entry(event, **fields)) == f"Anna Berg {expected}"


def test_the_other_side_of_a_loan_is_named_once() -> None:
    entry = _entry(AuditEvent.LOAN_CREATED, entity_name="Nordhafen", words={"loan": "loan of Nordhafen"})
    entry = entry.model_copy(update={"actor": Actor(name="Nordhafen")})
    assert title(template_of(AuditEvent.LOAN_CREATED, entry), entry) == f"{ACTOR} offered a loan"


@pytest.mark.parametrize(
    ("state", "severity"), [("MET", "SUCCESS"), ("BREACHED", "WARNING"), ("CURED", "SUCCESS"), ("PENDING", "INFO")]
)
def test_a_value_that_changes_a_state_says_so(state: str, severity: str) -> None:
    entry = _entry(AuditEvent.KPI_VALUE_RECORDED, **{"tests_2026-06-30_state": (None, state)})
    assert template_of(AuditEvent.KPI_VALUE_RECORDED, entry).severity == severity


def test_names_are_taken_as_they_are() -> None:
    entry = _entry(AuditEvent.CLIENT_CREATED, entity_name=r"{actor} {the client} \1")
    assert _title(entry) == r"Anna Berg created the client {actor} {the client} \1"


def test_every_field_has_plain_words() -> None:
    collections = [value for module in _models() for value in vars(module).values() if isinstance(value, Collection)]
    fields = {to_camel(name) for collection in collections for name in collection.record.model_fields} - {"id"}
    for field in fields:
        words = field_in_words(field)
        assert re.fullmatch(r"[a-z]+([- ][a-z]+)*", words), f"{field}: {words}"
        assert not re.search(r"\b(id|at|is|bps)$|^is ", words), f"{field}: {words}"


def _models() -> list[Any]:
    return [module for name, module in sys.modules.items() if name.startswith("chalicelib.models.")]


@pytest.mark.parametrize(
    ("end", "days"),
    [
        (None, "from 3 Dec 2096"),
        ("2096-12-03T04:00:00Z", "on 3 Dec 2096"),
        ("2096-12-03T16:00:00Z", "on 3 Dec 2096"),
        ("2096-12-06T11:00:00Z", "from 3 Dec 2096 to 6 Dec 2096"),
    ],
)
def test_the_days_of_an_assignment_are_those_of_the_organization(
    api: Api, post: Post, end: str | None, days: str
) -> None:
    # Given an organization whose clocks are 13 hours ahead of UTC
    organization = new_organization(api, timezone="Pacific/Auckland")
    owner = organization.owner
    worker = new_worker(owner, firstName="Jo", lastName="Weber")["id"]
    location = new_location(owner, name="Dock 4")["id"]
    position = new_position(owner, location, name="Picker")["id"]
    # When somebody is assigned from the 2nd at 20:00 UTC
    times = {"startAt": "2096-12-02T20:00:00Z", "endAt": end}
    created(owner, "createAssignment", workerId=worker, positionId=position, **times)
    post.carry()
    # Then the title has the 3rd, and the audit log the name
    assert _titles(organization)[0] == f"Test Owner assigned Jo Weber to Picker, Dock 4, {days}"
    entry = owner.call("getAuditLog", query={"limit": 1}).data["items"][0]
    assert entry["entityName"] == "Jo Weber to Picker, Dock 4"


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
