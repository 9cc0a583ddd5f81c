"""deleteAssignment, and the entities that active and scheduled assignments keep from being deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from chalicelib.dal import keys, table
from chalicelib.models.staffing import packed_months
from chalicelib.models.staffing.workers import WORKERS
from tests.support.api import Answer
from tests.support.assignment_helpers import MILLISECOND, Desk, at
from tests.support.client_hooks import overtaken
from tests.support.frozen_time import later

DELETES = {"worker": "deleteWorker", "position": "deletePosition"}


@pytest.fixture
def own(desk: Desk) -> dict[str, str]:
    """A worker and a position that nothing else is assigned to."""
    return {"worker": desk.worker(), "position": desk.position()}


def dependencies(answer: Answer) -> Any:
    assert (answer.status, answer.code) == (409, "HAS_DEPENDENCIES"), answer.text
    return answer.error["details"]["dependencies"]


def test_a_deleted_one_is_gone_for_good(desk: Desk, own: dict[str, str]) -> None:
    assigned = desk.assign(own["worker"], own["position"])
    shown = {name: value for name, value in assigned.items() if name != "warnings"}
    assert desk.done("deleteAssignment", assigned["id"]) == shown
    for action in ("getAssignment", "deleteAssignment", "cancelAssignment", "endAssignment"):
        assert desk.on(action, assigned["id"]).code == "NOT_FOUND", action
    assert desk.listed(workerId=own["worker"]) == []
    assert desk.done("checkWorkerAvailability", own["worker"], query={"at": at(2)})["available"]
    assert desk.assign(own["worker"], own["position"])["warnings"] == []


@pytest.mark.parametrize("span", [(1, 9), (-1, 9), (-9, -1), (-1, None), (-9000, 9000)])
def test_whatever_its_status_it_can_be_deleted(
    desk: Desk, own: dict[str, str], span: tuple[float, float | None]
) -> None:
    assigned = desk.assign(own["worker"], own["position"], *span)["id"]
    desk.done("deleteAssignment", assigned)
    for of, delete in DELETES.items():
        assert desk.on(delete, own[of]).status == 200


def test_one_whose_end_has_come_meanwhile_can_be_deleted_and_its_count_is_dropped(
    desk: Desk, own: dict[str, str]
) -> None:
    assigned = desk.assign(own["worker"], own["position"], 1, 9)["id"]
    with later(hours=9):
        desk.done("deleteAssignment", assigned)
        stored = WORKERS.get(desk.organization.id, UUID(own["worker"])).workload
        assert (stored.months, stored.milliseconds) == ({"2026-06": 0}, 0)


def test_a_cancelled_one_can_be_deleted(desk: Desk, own: dict[str, str]) -> None:
    assigned = desk.assign(own["worker"], own["position"])["id"]
    desk.done("cancelAssignment", assigned)
    assert desk.done("deleteAssignment", assigned)["status"] == "cancelled"


# -- dependencies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", DELETES)
def test_active_and_scheduled_ones_are_counted_and_no_others(desk: Desk, own: dict[str, str], of: str) -> None:
    for span in ((-9, -1), (-9, 0), (-9, MILLISECOND), (-1, None), (1, 9), (2, None)):
        desk.assign(own["worker"], own["position"], *span)
    cancelled = desk.assign(own["worker"], own["position"])["id"]
    desk.done("cancelAssignment", cancelled)
    assert dependencies(desk.on(DELETES[of], own[of])) == {"assignment": 4}


@pytest.mark.parametrize("of", DELETES)
def test_it_depends_until_the_end_has_come(desk: Desk, own: dict[str, str], of: str) -> None:
    desk.assign(own["worker"], own["position"], 1, 9)
    with later(hours=9 - MILLISECOND):
        assert dependencies(desk.on(DELETES[of], own[of])) == {"assignment": 1}
    with later(hours=9):
        assert desk.on(DELETES[of], own[of]).status == 200


@pytest.mark.parametrize("of", DELETES)
@pytest.mark.parametrize(("action", "body"), [("endAssignment", None), ("updateAssignment", {"endAt": at(-1)})])
def test_what_has_ended_depends_no_more(desk: Desk, own: dict[str, str], of: str, action: str, body: Any) -> None:
    assigned = desk.assign(own["worker"], own["position"], -2, None)["id"]
    desk.done(action, assigned, body=body)
    assert desk.on(DELETES[of], own[of]).status == 200


def test_one_that_moves_away_depends_on_another_position(desk: Desk, own: dict[str, str]) -> None:
    other = desk.position()
    assigned = desk.assign(own["worker"], own["position"])["id"]
    desk.done("updateAssignment", assigned, body={"positionId": other})
    assert desk.on("deletePosition", own["position"]).status == 200
    assert dependencies(desk.on("deletePosition", other)) == {"assignment": 1}


# -- at once ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", DELETES)
def test_an_assignment_overtakes_the_delete_of_what_it_needs(desk: Desk, own: dict[str, str], of: str) -> None:
    with overtaken(lambda: desk.try_to_assign(own["worker"], own["position"])) as rivals:
        answer = desk.on(DELETES[of], own[of])
    assert [rival.status for rival in rivals] == [201]
    assert dependencies(answer) == {"assignment": 1}
    assert desk.on(f"get{of.title()}", own[of]).status == 200


@pytest.mark.parametrize("of", DELETES)
@pytest.mark.parametrize("span", [(1, 9), (-9, -1), (1, None)])
def test_the_delete_of_what_it_needs_overtakes_an_assignment(
    desk: Desk, own: dict[str, str], of: str, span: tuple[float, float | None]
) -> None:
    with overtaken(lambda: desk.on(DELETES[of], own[of])) as rivals:
        answer = desk.try_to_assign(own["worker"], own["position"], *span)
    assert [rival.status for rival in rivals] == [200]
    assert (answer.status, answer.code, answer.error["message"]) == (404, "NOT_FOUND", f"no such {of}")
    assert desk.listed(workerId=own["worker"]) == []


def test_the_delete_of_a_position_overtakes_a_move_to_it(desk: Desk, own: dict[str, str]) -> None:
    other = desk.position()
    assigned = desk.assign(own["worker"], own["position"])["id"]
    with overtaken(lambda: desk.on("deletePosition", other)) as rivals:
        answer = desk.on("updateAssignment", assigned, body={"positionId": other})
    assert [rival.status for rival in rivals] == [200]
    assert (answer.status, answer.code, answer.error["message"]) == (404, "NOT_FOUND", "no such position")
    assert desk.read(assigned)["positionId"] == own["position"]


def test_a_position_that_closes_overtakes_an_assignment(desk: Desk, own: dict[str, str]) -> None:
    with overtaken(lambda: desk.on("updatePosition", own["position"], body={"isActive": False})) as rivals:
        answer = desk.try_to_assign(own["worker"], own["position"])
    assert [rival.status for rival in rivals] == [200]
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert list(answer.error["details"]["fieldErrors"]) == ["positionId"]


@pytest.mark.parametrize("before", [0, 1])
def test_two_assignments_of_one_worker_in_one_month_both_count(desk: Desk, own: dict[str, str], before: int) -> None:
    """The first assignment of a month creates its item; the second adds to it."""
    for _ in range(before):
        desk.assign(own["worker"], own["position"], -20, -12)
    with overtaken(lambda: desk.try_to_assign(own["worker"], own["position"], 20, 28)) as rivals:
        answer = desk.try_to_assign(own["worker"], own["position"], 1, 9)
    assert ([rival.status for rival in rivals], answer.status) == ([201], 201)
    assert dependencies(desk.on("deleteWorker", own["worker"])) == {"assignment": 2}
    month = table.get(keys.packed_month(desk.organization.id, "2026-06", UUID(own["worker"])))
    assert month is not None
    assert len(packed_months.unpack(month.spans)[UUID(own["position"])]) == before + 2
