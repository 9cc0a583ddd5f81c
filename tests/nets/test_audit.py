"""Every successful write has one correct audit entry; a failed one writes nothing.

A chunked write has its own entry and those of its chunks; one that runs another action also has the entry of that.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from chalicelib.action.registry import REGISTRY
from chalicelib.auth.permissions import PERMISSIONS
from chalicelib.core import clock
from chalicelib.core.entity_names import EntityName
from chalicelib.dal import table
from chalicelib.dal.collection import Collection
from chalicelib.dal.records import Record
from chalicelib.models.identity import sessions
from chalicelib.models.identity.sessions import StoredSession
from chalicelib.models.loans import kpi_tests, kpis
from chalicelib.models.loans.kpis import StoredKpi
from chalicelib.models.loans.loans import StoredLoan
from chalicelib.models.loans.repayments import StoredRepayment
from chalicelib.models.users import PERSONAL_FIELDS, Role
from tests.support.api import Answer, Api
from tests.support.arrange import WRITES, Arranged, arrange, takes_header
from tests.support.audit_entries import Entries, Entry, entries_of
from tests.support.factories import Organization
from tests.support.store import Snapshot, Store, StoredItem, entity_in, plain

BOOKKEEPING = {"id", "version", "createdAt", "updatedAt"}
ERASING = {"INVITATION_WITHDRAWN", "USER_DELETED"}
"""Actions after which nothing has the personal data of the entity, its audit entry least of all."""
FREE_JSON = {"config", "formConfig", "metadata", "query"}
"""Fields that are stored as one text."""


@dataclass(frozen=True)
class Written:
    """A write that ran once."""

    arranged: Arranged
    answer: Answer
    before: Snapshot
    after: Snapshot
    entries: Entries
    organization: str
    """The organization of the entries; for a sign-up, the new one."""

    @property
    def reader(self) -> str:
        """Return the token of an OWNER of that organization."""
        known = self.arranged.organization
        return known.owner.token if self.organization == str(known.id) else str(self.answer.data["token"])


@pytest.fixture
def written(home: Organization, store: Store, action: str) -> Written:
    arranged = arrange(action, home)
    before = store.items()
    answer = arranged.send("a key")
    assert answer.status == arranged.action.status, answer.text
    changes = store.changes(before)
    entries = entries_of(arranged.action, changes)
    partitions = [pk.split("#")[1] for pk, _ in changes if pk.endswith("#AUDIT")]
    # A loan's other side has an entry, too; a sign-up's is in a new organization.
    organization = str(home.id) if str(home.id) in partitions else partitions[0]
    return Written(arranged, answer, before, store.items(), entries, organization)


@pytest.mark.parametrize("action", WRITES)
def test_a_write_has_one_entry_with_its_actor_and_entity(written: Written) -> None:
    sender = written.arranged.sender
    for entry in (written.entries.own, *written.entries.others):
        assert entry["requestId"] == written.answer.headers["X-Request-Id"]
        assert entry["entityType"] in {*EntityName}
        if sender is not None:
            user = sender.user
            assert entry["actor"] == {"id": str(user.id), "name": user.full_name, "email": user.email}
        elif "user" in written.answer.data:
            assert entry["actor"]["id"] == written.answer.data["user"]["id"]
        else:
            assert entry["actor"]["name"]


@pytest.mark.parametrize("action", WRITES)
def test_the_changes_of_an_entry_are_correct(api: Api, store: Store, written: Written) -> None:
    entries = written.entries.about_one_entity
    # Given the entity as it was stored and shown, before and after
    shown_after = [_truth(api, written, entry, written.after) for entry in entries]
    store.restore(written.before)
    shown_before = [_truth(api, written, entry, written.before) for entry in entries]
    for entry, before, after in zip(entries, shown_before, shown_after, strict=True):
        # Then the entry has exactly the differences
        recorded = {name: (change["before"], change["after"]) for name, change in entry["changes"].items()}
        assert _without_nulls(recorded) == _without_nulls(
            {
                name: (before.get(name), after.get(name))
                for name in sorted({*before, *after})
                if before.get(name) != after.get(name)
                and _is_audited(entry["entityType"], name)
                and not (entry["action"] in ERASING and name in PERSONAL_FIELDS)
            }
        ), f"{written.arranged.call.action} has missing or wrong changes"


@pytest.mark.parametrize("action", WRITES)
def test_the_entry_is_in_the_audit_log(api: Api, written: Written) -> None:
    listed = api.call("getAuditLog", written.reader, query={"limit": 1}).data["items"][0]

    fields = ("action", "entityType", "entityId", "requestId", "changes")
    assert {name: listed[name] for name in fields} == {name: written.entries.own[name] for name in fields}


def _truth(api: Api, written: Written, entry: Entry, snapshot: Snapshot) -> dict[str, Any]:
    """Return the entity's stored fields and those of its read action; nothing if there is no such entity."""
    item = entity_in(snapshot, written.organization, entry["entityType"], entry["entityId"])
    if item is None:
        return {}
    attributes = json.loads(json.dumps({name: plain(item).get(name) for name in ("data", "rates")}, default=_number))
    stored = {
        **attributes["data"],
        **{f"rates.{day}": rate for day, rate in (attributes["rates"] or {}).items()},
        **_apart(snapshot, written.organization, entry["entityId"]),
        **({"userId": plain(item)["sk"]} if entry["entityType"] == "timer" else {}),
    }
    if entry["entityType"] == "timesheet":
        user, _, week = plain(item)["sk"].partition("#")
        stored |= {"userId": user, "weekStart": week, "reason": stored.pop("history")[-1].get("reason")}
    stored |= {name: json.loads(stored[name]) for name in FREE_JSON & {*stored}}
    return {**stored, **_read(api, written.reader, entry["entityType"], entry["entityId"])}


def _apart(snapshot: Snapshot, organization: str, identifier: str) -> dict[str, Any]:
    """Return the audited fields of an entity that are items of their own: rates of tracked time, members."""
    fields: dict[str, Any] = {}
    for (pk, sk), item in snapshot.items():
        if pk == f"ORG#{organization}#TIMERATES":
            level, _, ids = sk.partition("#")
            holder, _, member = ids.partition("#")
            if identifier == (organization if level == "ORGANIZATION" else holder):
                prefix = f"members.{member}." if member else ""
                rates = json.loads(json.dumps(plain(item)["rates"], default=_number))
                fields |= {f"{prefix}rates.{day}": rate for day, rate in rates.items()}
        elif (pk, sk) == (f"ORG#{organization}#TIMEACCOUNT", identifier) and "lockedBefore" in plain(item)["data"]:
            fields["lockedBefore"] = plain(item)["data"]["lockedBefore"]
        elif pk == f"ORG#{organization}#PROJECTMEMBER#{identifier}":
            fields[f"members.{sk}"] = True
        elif pk == f"ORG#{organization}#REPAYMENT#{identifier}":
            repayment = StoredRepayment.of(table.item_from_raw(dict(item)), "repayment")
            fields[f"repayments.{sk}"] = repayment.shown()
        elif pk.startswith(f"ORG#{organization}#KPITEST#") and sk.startswith(f"{identifier}#"):
            fields |= _test_of_kpi(snapshot, organization, item)
    return fields


def _test_of_kpi(snapshot: Snapshot, organization: str, item: StoredItem) -> dict[str, Any]:
    """Return the facts and the state of a test."""
    test = kpi_tests.of(table.item_from_raw(dict(item)))
    loan_id = item["pk"]["S"].rpartition("#")[2]
    loan = StoredLoan.of(table.item_from_raw(dict(snapshot[f"ORG#{organization}#LOAN", loan_id])))
    kpi = StoredKpi.of(table.item_from_raw(dict(snapshot[f"ORG#{organization}#KPI#{loan_id}", str(test.kpi_id)])))
    field = f"tests.{test.test_date}"
    return {field: test.shown(), f"{field}.state": test.judged(kpi, loan, clock.now()).state}


def _number(stored: Decimal) -> int | float:
    return int(stored) if stored == int(stored) else float(stored)


def _without_nulls(value: Any) -> Any:
    """Remove null fields, which are equal to absent ones."""
    if isinstance(value, dict):
        return {name: _without_nulls(child) for name, child in value.items() if child is not None}
    if isinstance(value, tuple):
        return tuple(_without_nulls(child) for child in value)
    return value


def _read(api: Api, token: str, entity_type: str, entity_id: str) -> dict[str, Any]:
    """Return the answer of the entity's read action; nothing if there is none, or it refuses."""
    read_action = f"get{entity_type[0].upper()}{entity_type[1:]}"
    for name in (read_action, f"{read_action}ById"):
        if name in REGISTRY:
            answer = api.call(name, token, path=dict.fromkeys(REGISTRY[name].parameters, entity_id))
            return answer.data if answer.status == 200 else {}
    return {}


def _is_audited(entity_type: str, field: str) -> bool:
    """Return True for a field of the entity itself; False if its read derives it or takes it from other entities."""
    if entity_type in {"timer", "timesheet"}:
        return field != "id"
    record = _records()[entity_type]
    hidden = {name for name, mark in record.stored_fields().items() if not mark.attribute}
    own_fields = {
        *record.model_fields,
        *record.model_computed_fields,
        "rates",
        "members",
        "lockedBefore",
        "repayments",
        "tests",
    } - hidden
    return field.partition(".")[0] in {to_camel(name) for name in own_fields} - BOOKKEEPING


@cache
def _records() -> dict[str, type[Record]]:
    """Return the record type of each entity."""
    modules = [module for name, module in sys.modules.items() if name.startswith("chalicelib.models.")]
    constants = [value for module in modules for value in vars(module).values()]
    collections = {value.entity: value.record for value in constants if isinstance(value, Collection)}
    return {**collections, sessions.ENTITY: StoredSession, kpis.ENTITY: StoredKpi}


# -- writes that fail ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", WRITES)
def test_a_failed_write_leaves_nothing(home: Organization, store: Store, action: str) -> None:
    arranged = arrange(action, home)
    before = store.items()
    for reason, answer in _failures(home, arranged):
        assert answer.status >= 400, f"{action} is not refused though {reason}"
        assert not store.changes(before), f"{action} wrote something though {reason}: {answer.text}"


@pytest.mark.parametrize("action", WRITES)
def test_a_refused_second_write_leaves_nothing(home: Organization, store: Store, action: str) -> None:
    arranged = arrange(action, home)
    assert arranged.send().status == arranged.action.status
    before = store.items()

    again = arranged.send()

    assert again.status == arranged.action.status or not store.changes(before, limits=False), again.text


def _failures(home: Organization, arranged: Arranged) -> Iterator[tuple[str, Answer]]:
    action, call = arranged.action, arranged.call
    unknown = {**(call.body or {}), "unexpected": 1}
    yield "its input is wrong", replace(arranged, call=replace(call, body=unknown)).send("a key")
    if action.takes_body:
        yield "its body is not JSON", replace(arranged, call=replace(call, body=b"{")).send("a key")
    if not action.is_public and action.permission not in PERMISSIONS[Role.VIEWER]:
        yield "its sender lacks the permission", arranged.send("a key", token=home.member(Role.VIEWER).token)
    elsewhere = arranged.with_other_ids()
    if elsewhere.call.path != call.path:
        yield "its target does not exist", elsewhere.send("a key")
        nonsense = replace(call, path=dict.fromkeys(call.path, "nonsense"))
        yield "its path is nonsense", replace(arranged, call=nonsense).send("a key")
    if takes_header(action, "If-Match"):
        yield "its target has changed", arranged.send("a key", headers={"If-Match": '"0-0"'})
        yield "its condition is not a tag", arranged.send("a key", headers={"If-Match": "nonsense"})
