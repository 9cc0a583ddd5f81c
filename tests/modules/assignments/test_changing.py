"""updateAssignment: everything while it is scheduled, the end while it is active, nothing afterwards."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from chalicelib.core import ids
from chalicelib.dal import keys, table
from chalicelib.models.staffing import packed_months
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.workers import WORKERS
from tests.support.api import Api
from tests.support.assignment_helpers import MILLISECOND, Desk, at, refusal
from tests.support.factories import Organization, new_organization
from tests.support.frozen_time import later

HOUR = 3_600_000
DAY = 24 * HOUR


def test_a_scheduled_one_can_be_moved_in_time_and_place(desk: Desk, worker: str, position: str) -> None:
    assigned, other = desk.assign(worker, position), desk.position()
    changed = desk.done(
        "updateAssignment", assigned["id"], body={"startAt": at(2), "endAt": at(5), "positionId": other}
    )
    assert (changed["startAt"], changed["endAt"], changed["scheduledHours"]) == (at(2), at(5), 3.0)
    location = changed["position"]["workLocation"]
    assert (changed["positionId"], changed["position"]["id"]) == (other, other)
    assert (changed["workLocationId"], changed["clientId"]) == (location["id"], location["client"]["id"])
    assert changed["version"] == 2
    assert (desk.listed(positionId=other), desk.listed(positionId=position, workerId=worker)) == ([assigned["id"]], [])
    assert desk.listed(workLocationId=assigned["workLocationId"], workerId=worker) == []


def test_its_hours_move_with_it_to_another_position_and_month(organization: Organization) -> None:
    desk = Desk.of(organization)
    worker, position, other = desk.worker(), desk.position(), desk.position()
    assigned = desk.assign(worker, position)["id"]
    desk.done("updateAssignment", assigned, body={"positionId": other})
    assert packed(desk) == {f"2026-06#{worker}": {UUID(other): [(14 * DAY + 13 * HOUR, 14 * DAY + 21 * HOUR)]}}
    desk.done("updateAssignment", assigned, body={"startAt": at(24 * 20), "endAt": at(24 * 20 + 8)})
    assert packed(desk) == {f"2026-07#{worker}": {UUID(other): [(4 * DAY + 12 * HOUR, 4 * DAY + 20 * HOUR)]}}


def packed(desk: Desk) -> dict[str, Any]:
    rows = table.query(keys.packed_months(desk.organization.id)).items
    return {row["sk"]["S"]: packed_months.unpack(row["spans"]["B"]) for row in rows}


@pytest.mark.parametrize(
    ("start", "end", "body", "fields"),
    [
        (1, 9, {"startAt": at(-2)}, {"startAt": at(-2), "status": "active"}),
        (1, 9, {"startAt": at(0)}, {"startAt": at(0), "status": "active"}),
        (1, 9, {"endAt": None}, {"endAt": None, "status": "scheduled"}),
        (1, None, {"endAt": at(3)}, {"endAt": at(3), "status": "scheduled"}),
        (-1, 9, {"endAt": at(-0.5)}, {"endAt": at(-0.5), "status": "completed"}),
        (-1, 9, {"endAt": at(0)}, {"endAt": at(0), "status": "completed"}),
        (-1, 9, {"endAt": None}, {"endAt": None, "status": "active"}),
        (-1, None, {"endAt": at(30)}, {"endAt": at(30), "status": "active"}),
        (-1, 9, {"endAt": at(9)}, {"endAt": at(9), "status": "active"}),
    ],
)
def test_times_that_may_change(
    desk: Desk, worker: str, position: str, start: float, end: float | None, body: Any, fields: dict[str, Any]
) -> None:
    assigned = desk.assign(worker, position, start, end)["id"]
    changed = desk.done("updateAssignment", assigned, body=body)
    assert {name: changed[name] for name in fields} == fields
    shown = desk.read(assigned)
    assert {name: shown[name] for name in fields} == fields


@pytest.mark.parametrize(
    ("start", "body"),
    [
        (1, {"endAt": at(1)}),
        (1, {"endAt": at(0)}),
        (1, {"startAt": at(9)}),
        (1, {"startAt": at(10)}),
        (1, {"startAt": at(5), "endAt": at(4)}),
        (-1, {"endAt": at(-1)}),
        (-1, {"endAt": at(-2)}),
    ],
)
def test_an_end_that_is_not_after_the_start_is_refused(
    desk: Desk, worker: str, position: str, start: float, body: Any
) -> None:
    assigned = desk.assign(worker, position, start, 9)["id"]
    answer = desk.on("updateAssignment", assigned, body=body)
    assert refusal(answer) == (400, "INVALID_DATE_RANGE", ["endAt"])
    assert desk.read(assigned)["version"] == 1


def test_of_an_active_one_only_the_end_can_be_changed(desk: Desk, worker: str, position: str) -> None:
    assigned = desk.assign(worker, position, -1, 9)["id"]
    body = {"startAt": at(-3), "endAt": at(3), "positionId": position}
    answer = desk.on("updateAssignment", assigned, body=body)
    assert refusal(answer) == (400, "VALIDATION_ERROR", ["positionId", "startAt"])


def test_the_start_can_be_changed_until_it_has_come(desk: Desk, worker: str, position: str) -> None:
    assigned, body = desk.assign(worker, position, 1, 9)["id"], {"startAt": at(2)}
    with later(hours=1):
        assert desk.on("updateAssignment", assigned, body=body).code == "VALIDATION_ERROR"
    with later(hours=1 - MILLISECOND):
        assert desk.on("updateAssignment", assigned, body=body).status == 200


def test_the_end_can_be_changed_until_it_has_come(desk: Desk, worker: str, position: str) -> None:
    assigned, body = desk.assign(worker, position, 1, 9)["id"], {"endAt": at(12)}
    with later(hours=9):
        answer = desk.on("updateAssignment", assigned, body=body)
        assert refusal(answer) == (400, "VALIDATION_ERROR", [])
        assert "completed" in answer.error["message"]
    with later(hours=9 - MILLISECOND):
        assert desk.on("updateAssignment", assigned, body=body).status == 200


def test_a_cancelled_one_cannot_be_changed(desk: Desk, worker: str, position: str) -> None:
    assigned = desk.assign(worker, position)["id"]
    desk.done("cancelAssignment", assigned)
    answer = desk.on("updateAssignment", assigned, body={"endAt": at(5)})
    assert refusal(answer) == (400, "VALIDATION_ERROR", [])
    assert "cancelled" in answer.error["message"]


def test_one_that_was_ended_ahead_can_still_get_another_end(desk: Desk, worker: str, position: str) -> None:
    assigned = desk.assign(worker, position, -1, None)["id"]
    desk.done("endAssignment", assigned, body={"endAt": at(4)})
    changed = desk.done("updateAssignment", assigned, body={"endAt": at(6)})
    assert (changed["endAt"], changed["endedAt"]) == (at(6), at(0))


def test_without_its_end_it_is_ended_no_more(desk: Desk, worker: str, position: str) -> None:
    assigned = desk.assign(worker, position, -1, None)["id"]
    desk.done("endAssignment", assigned, body={"endAt": at(4)})
    changed = desk.done("updateAssignment", assigned, body={"endAt": None})
    assert (changed["endAt"], changed["endedAt"], changed["endedBy"]) == (None, None, None)
    assert desk.done("endAssignment", assigned)["status"] == "completed"


def test_absent_deleted_and_foreign_positions_are_one_answer(api: Api, desk: Desk, worker: str, position: str) -> None:
    assigned, gone = desk.assign(worker, position)["id"], desk.position()
    desk.done("deletePosition", gone)
    foreign = Desk.of(new_organization(api)).position()
    for other in (str(ids.new_id()), gone, foreign):
        answer = desk.on("updateAssignment", assigned, body={"positionId": other})
        assert (answer.status, answer.code, answer.error["message"]) == (404, "NOT_FOUND", "no such position")


def test_it_moves_to_no_position_that_is_not_active_but_may_stay_at_one(desk: Desk, worker: str) -> None:
    old, other = desk.position(), desk.position(isActive=False)
    assigned = desk.assign(worker, old)["id"]
    answer = desk.on("updateAssignment", assigned, body={"positionId": other})
    assert refusal(answer) == (400, "VALIDATION_ERROR", ["positionId"])
    desk.done("updatePosition", old, body={"isActive": False})
    assert desk.done("updateAssignment", assigned, body={"startAt": at(2)})["startAt"] == at(2)


@pytest.mark.parametrize(
    ("body", "faulty"),
    [
        ({}, ["body"]),
        ({"startAt": None}, ["startAt"]),
        ({"positionId": None}, ["positionId"]),
        ({"workerId": str(ids.new_id())}, ["workerId"]),
        ({"status": "cancelled"}, ["status"]),
        ({"endAt": "2026-07-01T08:00:00"}, ["endAt"]),
    ],
)
def test_fields_are_checked(desk: Desk, worker: str, position: str, body: Any, faulty: list[str]) -> None:
    assigned = desk.assign(worker, position)["id"]
    answer = desk.on("updateAssignment", assigned, body=body)
    assert refusal(answer) == (400, "VALIDATION_ERROR", faulty)


def test_a_stale_version_changes_nothing(organization: Organization) -> None:
    desk = Desk.of(organization)
    assigned = desk.assign(desk.worker(), desk.position())["id"]
    tag = {"If-Match": desk.on("getAssignment", assigned).headers["ETag"]}
    desk.done("updateAssignment", assigned, body={"endAt": at(5)}, headers=tag)
    for action, body in [
        ("updateAssignment", {"endAt": at(6)}),
        ("endAssignment", {"endAt": at(6)}),
        ("cancelAssignment", None),
        ("deleteAssignment", None),
    ]:
        answer = desk.on(action, assigned, body=body, headers=tag)
        assert (answer.status, answer.code) == (412, "PRECONDITION_FAILED"), action
    assert desk.read(assigned)["version"] == 2


def test_an_end_moved_again_and_again_leaves_no_trail_beside_worker_and_position(organization: Organization) -> None:
    """Neither on one day, by the minute, nor from month to month."""
    desk = Desk.of(organization)
    worker, position = desk.worker(), desk.position()
    assigned = desk.assign(worker, position)["id"]
    for step in [9 + minute / 60 for minute in range(30)] + [9 + 24 * 31 * month for month in range(30)]:
        desk.done("updateAssignment", assigned, body={"endAt": at(step)})
    for collection, identifier in ((WORKERS, UUID(worker)), (POSITIONS, UUID(position))):
        workload = collection.get(organization.id, identifier).workload
        assert workload.months["2028-11"] == 1
        assert len(workload.months) < 25
        first = table.get(keys.workload_day(organization.id, collection.kind, identifier, "2026-06-15"))
        assert first is not None
        assert len(first.day or {}) < 25
