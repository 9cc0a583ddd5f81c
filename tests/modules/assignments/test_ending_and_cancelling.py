"""endAssignment and cancelAssignment, at the boundaries of time and against each other."""

from __future__ import annotations

import pytest

from chalicelib.core import ids
from chalicelib.models.users import Role
from tests.support.api import Answer, Api
from tests.support.assignment_helpers import MILLISECOND, Desk, at, refusal
from tests.support.client_hooks import overtaken
from tests.support.factories import new_organization
from tests.support.frozen_time import later

# -- ending ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [None, {}, {"endAt": None}])
def test_an_active_one_ends_now(desk: Desk, worker: str, position: str, body: object) -> None:
    assigned = desk.assign(worker, position, -2, None)["id"]
    ended = desk.done("endAssignment", assigned, body=body)
    assert (ended["status"], ended["endAt"], ended["totalHours"]) == ("completed", at(0), 2.0)
    assert (ended["endedAt"], ended["endedById"]) == (at(0), str(desk.member.user.id))
    assert desk.read(assigned) == ended


@pytest.mark.parametrize(
    ("start", "end", "ended_at", "status"),
    [
        (-2, None, -1, "completed"),
        (-2, None, 3, "active"),
        (-2, 9, 3, "active"),
        (-2, 9, 12, "active"),
        (-2, 9, -2 + MILLISECOND, "completed"),
        (1, 9, 5, "scheduled"),
        (1, None, 5, "scheduled"),
    ],
)
def test_one_that_has_not_ended_gets_the_end_it_is_given(
    desk: Desk, worker: str, position: str, start: float, end: float | None, ended_at: float, status: str
) -> None:
    assigned = desk.assign(worker, position, start, end)["id"]
    ended = desk.done("endAssignment", assigned, body={"endAt": at(ended_at)})
    assert (ended["endAt"], ended["status"], ended["endedAt"]) == (at(ended_at), status, at(0))


@pytest.mark.parametrize(("start", "ended_at"), [(-2, -2), (-2, -3), (1, 0.5), (1, 1), (1, None), (0, None)])
def test_no_end_before_the_start(desk: Desk, worker: str, position: str, start: float, ended_at: float | None) -> None:
    assigned = desk.assign(worker, position, start, 9)["id"]
    body = {} if ended_at is None else {"endAt": at(ended_at)}
    answer = desk.on("endAssignment", assigned, body=body)
    assert refusal(answer) == (400, "INVALID_DATE_RANGE", ["endAt"])
    assert desk.read(assigned)["version"] == 1


def test_what_has_ended_is_not_ended_again(desk: Desk, worker: str, position: str) -> None:
    by_time = desk.assign(worker, position, -9, -1)["id"]
    by_somebody, ahead = (desk.assign(worker, position, -9, None)["id"] for _ in range(2))
    desk.done("endAssignment", by_somebody)
    desk.done("endAssignment", ahead, body={"endAt": at(5)})
    cancelled = desk.assign(worker, position)["id"]
    desk.done("cancelAssignment", cancelled)
    for identifier in (by_time, by_somebody, ahead, cancelled):
        before = desk.read(identifier)
        assert refusal(desk.on("endAssignment", identifier, body={"endAt": at(20)})) == (400, "VALIDATION_ERROR", [])
        assert desk.read(identifier) == before


def test_it_can_be_ended_until_its_end_has_come(desk: Desk, worker: str, position: str) -> None:
    first, second = (desk.assign(worker, position, -1, 2)["id"] for _ in range(2))
    with later(hours=2):
        assert desk.on("endAssignment", first).code == "VALIDATION_ERROR"
    with later(hours=2 - MILLISECOND):
        assert desk.done("endAssignment", second)["endAt"] == at(2 - MILLISECOND)


def test_one_that_begins_this_instant_ends_a_millisecond_later(desk: Desk, worker: str, position: str) -> None:
    assigned = desk.assign(worker, position, 0, None)["id"]
    assert desk.on("endAssignment", assigned).code == "INVALID_DATE_RANGE"
    with later(milliseconds=1):
        assert desk.done("endAssignment", assigned)["endAt"] == at(MILLISECOND)


# -- cancelling ------------------------------------------------------------------------------------------------------


def test_a_scheduled_one_can_be_cancelled(desk: Desk, worker: str, position: str) -> None:
    coordinator = desk.organization.member(Role.COORDINATOR)
    assigned = desk.assign(worker, position)["id"]
    cancelled = desk.as_(coordinator).done("cancelAssignment", assigned)
    assert (cancelled["status"], cancelled["totalHours"]) == ("cancelled", 0.0)
    assert (cancelled["cancelledAt"], cancelled["cancelledBy"]["id"]) == (at(0), str(coordinator.user.id))
    assert (cancelled["startAt"], cancelled["endAt"]) == (at(1), at(9))
    with later(hours=5):
        assert desk.read(assigned)["status"] == "cancelled"


def test_only_a_scheduled_one_can_be_cancelled(desk: Desk, worker: str, position: str) -> None:
    active, completed = (desk.assign(worker, position, -9, end)["id"] for end in (1, -1))
    for identifier in (active, completed):
        assert refusal(desk.on("cancelAssignment", identifier)) == (400, "VALIDATION_ERROR", [])
    cancelled = desk.assign(worker, position)["id"]
    desk.done("cancelAssignment", cancelled)
    assert refusal(desk.on("cancelAssignment", cancelled)) == (400, "VALIDATION_ERROR", [])
    assert desk.read(cancelled)["version"] == 2


def test_it_can_be_cancelled_until_its_start_has_come(desk: Desk, worker: str, position: str) -> None:
    first, second = (desk.assign(worker, position)["id"] for _ in range(2))
    with later(hours=1):
        assert desk.on("cancelAssignment", first).code == "VALIDATION_ERROR"
    with later(hours=1 - MILLISECOND):
        assert desk.done("cancelAssignment", second)["status"] == "cancelled"


def test_a_scheduled_one_that_was_ended_can_be_cancelled(desk: Desk, worker: str, position: str) -> None:
    assigned = desk.assign(worker, position, 1, None)["id"]
    desk.done("endAssignment", assigned, body={"endAt": at(5)})
    assert desk.done("cancelAssignment", assigned)["status"] == "cancelled"


def test_absent_and_foreign_are_one_answer(api: Api, desk: Desk, worker: str, position: str) -> None:
    abroad, assigned = Desk.of(new_organization(api)), desk.assign(worker, position)["id"]
    for identifier in (ids.new_id(), assigned):
        for action, body in [
            ("endAssignment", {"endAt": at(5)}),
            ("cancelAssignment", None),
            ("updateAssignment", {"endAt": at(5)}),
            ("deleteAssignment", None),
        ]:
            answer = abroad.on(action, identifier, body=body)
            assert (answer.status, answer.code, answer.error["message"]) == (404, "NOT_FOUND", "no such assignment")
    assert desk.read(assigned)["version"] == 1


# -- one of two at once ----------------------------------------------------------------------------------------------


def act(desk: Desk, action: str, identifier: str) -> Answer:
    return desk.on(action, identifier, body={"endAt": at(5)} if action == "endAssignment" else None)


@pytest.mark.parametrize("first", ["endAssignment", "cancelAssignment"])
def test_of_two_who_do_the_same_one_wins(desk: Desk, worker: str, position: str, first: str) -> None:
    assigned = desk.assign(worker, position)["id"]
    rival = desk.as_(desk.organization.member(Role.ADMIN))
    with overtaken(lambda: act(rival, first, assigned)) as rivals:
        answer = act(desk, first, assigned)
    assert [rival.status for rival in rivals] == [200]
    assert refusal(answer) == (400, "VALIDATION_ERROR", [])
    shown = desk.read(assigned)
    assert shown["version"] == 2
    assert str(rival.member.user.id) in {shown["endedById"], shown["cancelledById"]}


def test_a_cancel_overtakes_an_end(desk: Desk, worker: str, position: str) -> None:
    assigned = desk.assign(worker, position)["id"]
    with overtaken(lambda: act(desk, "cancelAssignment", assigned)) as rivals:
        answer = act(desk, "endAssignment", assigned)
    assert [rival.status for rival in rivals] == [200]
    assert refusal(answer) == (400, "VALIDATION_ERROR", [])
    assert (desk.read(assigned)["status"], desk.read(assigned)["endedAt"]) == ("cancelled", None)


def test_an_end_overtakes_a_cancel_and_both_hold(desk: Desk, worker: str, position: str) -> None:
    """An assignment that was ended early and is still scheduled may be cancelled; no count includes it."""
    assigned = desk.assign(worker, position)["id"]
    with overtaken(lambda: act(desk, "endAssignment", assigned)) as rivals:
        answer = act(desk, "cancelAssignment", assigned)
    assert ([rival.status for rival in rivals], answer.status) == ([200], 200)
    shown = desk.read(assigned)
    assert (shown["status"], shown["endAt"], shown["version"]) == ("cancelled", at(5), 3)
    assert desk.on("deleteWorker", worker).status == 200
