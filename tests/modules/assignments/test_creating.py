"""createAssignment and getAssignment: a worker at a position for a time, with all that it names."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.core import ids
from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.assignment_helpers import MILLISECOND, NOW, Desk, at, refusal
from tests.support.factories import Organization, new_organization
from tests.support.frozen_time import later
from tests.support.staffing import new_client, new_location


def test_what_is_created_is_read(desk: Desk, worker: str) -> None:
    client = new_client(desk.member)
    location = new_location(desk.member, client["id"])
    position = desk.position(location["id"], name="Kommissionierung")
    created = desk.assign(worker, position)
    user = desk.member.user
    assert {name: value for name, value in created.items() if name not in {"id", "worker"}} == {
        "createdAt": at(0),
        "updatedAt": at(0),
        "version": 1,
        "workerId": worker,
        "positionId": position,
        "workLocationId": location["id"],
        "clientId": client["id"],
        "startAt": at(1),
        "endAt": at(9),
        "createdById": str(user.id),
        "endedAt": None,
        "endedById": None,
        "cancelledAt": None,
        "cancelledById": None,
        "status": "scheduled",
        "totalHours": 0.0,
        "scheduledHours": 8.0,
        "position": {
            "id": position,
            "name": "Kommissionierung",
            "workLocation": {
                "id": location["id"],
                "name": location["name"],
                "client": {"id": client["id"], "name": client["name"]},
            },
        },
        "createdBy": {"id": str(user.id), "firstName": "Test", "lastName": "Owner"},
        "endedBy": None,
        "cancelledBy": None,
        "warnings": [],
    }
    assert (created["worker"]["id"], created["worker"]["firstName"]) == (worker, "Mehmet")
    assert desk.read(created["id"]) == {name: value for name, value in created.items() if name != "warnings"}


def test_without_an_end_it_counts_up_to_now(desk: Desk, worker: str, position: str) -> None:
    begun = desk.assign(worker, position, -1.5, None)
    assert (begun["endAt"], begun["status"], begun["totalHours"]) == (None, "active", 1.5)
    with later(hours=1):
        assert desk.read(begun["id"])["totalHours"] == 2.5
    ahead = desk.assign(worker, position, 1, None)
    assert (ahead["status"], ahead["totalHours"]) == ("scheduled", 0.0)


@pytest.mark.parametrize(
    ("start", "end", "status"),
    [
        (MILLISECOND, 9, "scheduled"),
        (0, 9, "active"),
        (-8, MILLISECOND, "active"),
        (-8, None, "active"),
        (-8, 0, "completed"),
        (-8, -MILLISECOND, "completed"),
        (-90_000, -80_000, "completed"),
        (80_000, 90_000, "scheduled"),
    ],
)
def test_status_is_a_function_of_time(
    desk: Desk, worker: str, position: str, start: float, end: float | None, status: str
) -> None:
    created = desk.assign(worker, position, start, end)
    assert (created["status"], desk.read(created["id"])["status"]) == (status, status)


def test_status_follows_the_clock_to_the_millisecond(desk: Desk, worker: str, position: str) -> None:
    identifier = desk.assign(worker, position, 1, 9)["id"]
    seen = []
    for milliseconds in (3_599_999, 3_600_000, 9 * 3_600_000 - 1, 9 * 3_600_000):
        with later(milliseconds=milliseconds):
            seen.append(desk.read(identifier)["status"])
    assert seen == ["scheduled", "active", "active", "completed"]


def test_any_offset_is_kept_as_utc(desk: Desk, worker: str, position: str) -> None:
    body = {"workerId": worker, "positionId": position, "startAt": "2026-07-01T08:00:00+02:00", "endAt": None}
    answer = desk.member.call("createAssignment", body=body)
    assert (answer.data["startAt"], answer.data["endAt"]) == ("2026-07-01T06:00:00.000Z", None)


# -- refused ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [1, 1 - MILLISECOND, -5])
def test_an_end_that_is_not_after_the_start_is_refused(desk: Desk, worker: str, position: str, end: float) -> None:
    assert refusal(desk.try_to_assign(worker, position, 1, end)) == (400, "INVALID_DATE_RANGE", ["endAt"])
    assert desk.listed(workerId=worker) == []


def test_a_millisecond_is_long_enough(desk: Desk, worker: str, position: str) -> None:
    assert desk.assign(worker, position, 1, 1 + MILLISECOND)["totalHours"] == 0.0


@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({"workerId": None}, ["workerId"]),
        ({"workerId": "somebody"}, ["workerId"]),
        ({"startAt": "2026-07-01T08:00:00"}, ["startAt"]),
        ({"startAt": "2026-07-01"}, ["startAt"]),
        ({"startAt": 1_782_892_800}, ["startAt"]),
        ({"endAt": "soon", "startAt": None}, ["endAt", "startAt"]),
        ({"status": "active"}, ["status"]),
        ({"createdById": str(ids.new_id()), "organizationId": "x"}, ["createdById", "organizationId"]),
    ],
)
def test_fields_are_checked_all_at_once(
    desk: Desk, worker: str, position: str, fields: dict[str, Any], faulty: list[str]
) -> None:
    body = {"workerId": worker, "positionId": position, "startAt": at(1), **fields}
    assert refusal(desk.member.call("createAssignment", body=body)) == (400, "VALIDATION_ERROR", faulty)


def test_absent_deleted_and_foreign_workers_and_positions_are_one_answer(
    api: Api, desk: Desk, worker: str, position: str
) -> None:
    abroad = Desk.of(new_organization(api))
    gone_worker, gone_position = desk.worker(), desk.position()
    desk.done("deleteWorker", gone_worker)
    desk.done("deletePosition", gone_position)
    for no_worker in (ids.new_id(), gone_worker, abroad.worker()):
        answer = desk.try_to_assign(str(no_worker), position)
        assert (answer.status, answer.code, answer.error["message"]) == (404, "NOT_FOUND", "no such worker")
    for no_position in (ids.new_id(), gone_position, abroad.position()):
        answer = desk.try_to_assign(worker, str(no_position))
        assert (answer.status, answer.code, answer.error["message"]) == (404, "NOT_FOUND", "no such position")


def test_a_position_that_is_not_active_is_refused_until_it_is(desk: Desk, worker: str) -> None:
    position = desk.position(isActive=False)
    assert refusal(desk.try_to_assign(worker, position)) == (400, "VALIDATION_ERROR", ["positionId"])
    desk.done("updatePosition", position, body={"isActive": True})
    assert desk.assign(worker, position)["status"] == "scheduled"


def test_absent_and_foreign_assignments_are_one_answer(api: Api, desk: Desk, worker: str, position: str) -> None:
    foreign = Desk.of(new_organization(api))
    theirs = desk.assign(worker, position)["id"]
    for identifier in (ids.new_id(), theirs):
        answer = foreign.on("getAssignment", identifier)
        assert (answer.status, answer.code, answer.error["message"]) == (404, "NOT_FOUND", "no such assignment")


def test_what_it_names_is_shown_though_it_is_deleted(organization: Organization) -> None:
    desk = Desk.of(organization)
    worker, position = desk.worker(), desk.position()
    identifier = desk.assign(worker, position, -9, -1)["id"]
    desk.done("deleteWorker", worker)
    desk.done("deletePosition", position)
    shown = desk.read(identifier)
    assert (shown["worker"]["id"], shown["position"]["id"]) == (worker, position)


@pytest.mark.parametrize("role", list(Role))
def test_everybody_reads_and_coordinators_write(desk: Desk, worker: str, position: str, role: Role) -> None:
    member, assigned = desk.as_(desk.organization.member(role)), desk.assign(worker, position)["id"]
    assert member.read(assigned)["id"] == assigned
    answers = [
        member.try_to_assign(worker, position),
        member.on("updateAssignment", assigned, body={"endAt": at(7)}),
        member.on("endAssignment", assigned, body={"endAt": at(8)}),
        member.on("cancelAssignment", assigned),
    ]
    may = role in {Role.OWNER, Role.ADMIN, Role.COORDINATOR}
    assert [answer.status for answer in answers] == ([201, 200, 200, 200] if may else [403] * 4)
    deleted = member.on("deleteAssignment", assigned).status
    assert deleted == (200 if role in {Role.OWNER, Role.ADMIN} else 403)


def test_it_says_who_created_it(desk: Desk, worker: str, position: str) -> None:
    coordinator = desk.organization.member(Role.COORDINATOR)
    assert desk.as_(coordinator).assign(worker, position)["createdBy"]["id"] == str(coordinator.user.id)


def test_the_longest_span_that_there_is(desk: Desk, worker: str, position: str) -> None:
    body = {"workerId": worker, "positionId": position}
    times = {"startAt": "0001-01-01T00:00:00.000Z", "endAt": "9999-12-31T23:59:59.999Z"}
    created = desk.member.call("createAssignment", body={**body, **times})
    assert created.status == 201, created.text
    assert {name: created.data[name] for name in times} == times
    assert created.data["createdAt"] == at(0) == NOW.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    desk.done("endAssignment", created.data["id"])
    assert created.data["status"] == "active"
