"""recordActivity: stored unchanged, with the caller as its actor."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from chalicelib.core import clock, ids
from chalicelib.models.activities.activities import MAX_METADATA_BYTES
from tests.support.activity_helpers import ACTIVITY, listed, record
from tests.support.factories import Organization

SHORTEST_METADATA = len('{"":""}')


def test_an_activity_is_shown_as_it_was_recorded_by_whom(organization: Organization) -> None:
    user = organization.owner.user
    fields = {
        "title": "Payroll exported",
        "description": "Batch 17\n42 workers",
        "type": "SYSTEM_EVENT",
        "entityType": "timeSession",
        "entityId": "batch/17 #3",
        "action": "exported",
        "metadata": {"": None, " ": " ", "S": {"S": [1, 2.5, "ü\u0000", {}]}, "big": 10**30},
        "severity": "WARNING",
    }

    recorded = record(organization.owner, **fields)

    at = clock.to_text(ids.created_at(UUID(recorded["id"])))
    assert recorded == {
        **fields,
        "id": recorded["id"],
        "createdAt": at,
        "updatedAt": at,
        "version": 1,
        "actor": {"id": str(user.id), "name": user.full_name, "email": user.email},
        "isRead": False,
        "isArchived": False,
    }
    assert listed(organization.owner) == [recorded]


def test_what_need_not_be_told(organization: Organization) -> None:
    recorded = record(organization.owner)
    assert (recorded["description"], recorded["metadata"], recorded["severity"]) == (None, {}, "INFO")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "t" * 256}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"description": ""}, "description"),
        ({"description": "d" * 2001}, "description"),
        ({"type": "RUMOUR"}, "type"),
        ({"entityType": ""}, "entityType"),
        ({"entityType": "i" * 51}, "entityType"),
        ({"entityType": "payroll run"}, "entityType"),
        ({"entityType": "client#1"}, "entityType"),
        ({"entityType": "Rechnüng"}, "entityType"),
        ({"entityId": ""}, "entityId"),
        ({"entityId": "i" * 256}, "entityId"),
        ({"action": ""}, "action"),
        ({"action": "a" * 101}, "action"),
        ({"severity": "FATAL"}, "severity"),
        ({"metadata": []}, "metadata"),
        ({"metadata": None}, "metadata"),
        ({"metadata": "{}"}, "metadata"),
        ({"actor": {"name": "Somebody else"}}, "actor"),
        ({"userId": str(ids.new_id())}, "userId"),
        ({"organizationId": str(ids.new_id())}, "organizationId"),
        ({"isRead": True}, "isRead"),
        ({"createdAt": "2026-03-01T08:30:00.000Z"}, "createdAt"),
    ],
)
def test_a_fault_is_named(settled: Organization, change: dict[str, Any], field: str) -> None:
    answer = settled.owner.call("recordActivity", body={**ACTIVITY, **change})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert [*answer.error["details"]["fieldErrors"]] == [field]


@pytest.mark.parametrize("kind", ["payrollRun", "x", "crm:in-voice_2.0", "i" * 50, "client"])
def test_any_kind_of_entity_has_activities(organization: Organization, kind: str) -> None:
    recorded = record(organization.owner, entityType=kind, entityId="i" * 255)
    path = {"entityType": kind, "entityId": "i" * 255}
    assert listed(organization.owner, "getActivitiesByEntity", path=path) == [recorded]


@pytest.mark.parametrize("field", sorted(ACTIVITY))
def test_what_is_missing_is_named(settled: Organization, field: str) -> None:
    body = {name: value for name, value in ACTIVITY.items() if name != field}
    answer = settled.owner.call("recordActivity", body=body)
    assert answer.error["details"]["fieldErrors"] == {field: ["is required"]}


@pytest.mark.parametrize("letter", ["x", "ü", "\U0001f477"])
def test_metadata_may_take_ten_kilobytes_as_text(organization: Organization, letter: str) -> None:
    size = len(letter.encode())
    fitting = letter * ((MAX_METADATA_BYTES - SHORTEST_METADATA) // size)
    assert record(organization.owner, metadata={"": fitting})["metadata"] == {"": fitting}
    answer = organization.owner.call("recordActivity", body={**ACTIVITY, "metadata": {"": fitting + "y" * size}})
    assert [*answer.error["details"]["fieldErrors"]] == ["metadata"]


@pytest.mark.parametrize("value", ["1e400", "-1e400", '"\\ud83d"', "NaN"])
def test_metadata_holds_only_what_json_can_carry(settled: Organization, value: str) -> None:
    rest = "".join(f', "{name}": "{one_value}"' for name, one_value in ACTIVITY.items())
    answer = settled.owner.call("recordActivity", body=f'{{"metadata": {{"n": {value}}}{rest}}}'.encode())
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
