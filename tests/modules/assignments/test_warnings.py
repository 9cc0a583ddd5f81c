"""Warnings of createAssignment and updateAssignment: four codes, with the assignments that clash. They never block."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.assignment_helpers import MILLISECOND, Desk, at
from tests.support.staffing import new_location


def codes(assigned: dict[str, Any]) -> dict[str, set[str]]:
    """The ids that each warning is about."""
    return {warning["code"]: {clash["id"] for clash in warning["assignments"]} for warning in assigned["warnings"]}


# -- of the worker ---------------------------------------------------------------------------------------------------


def test_an_overlap_comes_back_with_what_it_clashes_with(desk: Desk, worker: str, position: str) -> None:
    first = desk.assign(worker, position, 1, 9)
    second = desk.assign(worker, position, 8, 16)
    assert second["warnings"] == [
        {
            "code": "OVERLAP",
            "message": "the worker has another assignment at that time",
            "assignments": [
                {
                    "id": first["id"],
                    "workerId": worker,
                    "positionId": position,
                    "workLocationId": first["workLocationId"],
                    "startAt": at(1),
                    "endAt": at(9),
                }
            ],
            "count": 1,
        }
    ]


@pytest.mark.parametrize(
    ("start", "end", "warned"),
    [
        (30, 38, {"OVERLAP"}),
        (31, 37, {"OVERLAP"}),
        (20, None, {"OVERLAP"}),
        (38 - MILLISECOND, 50, {"OVERLAP"}),
        (20, 30 + MILLISECOND, {"OVERLAP"}),
        (38, 40, {"SHORT_REST"}),
        (28, 30, {"SHORT_REST"}),
        (49 - MILLISECOND, 57, {"SHORT_REST"}),
        (10, 19 + MILLISECOND, {"SHORT_REST"}),
        (49, 57, set()),
        (10, 19, set()),
        (49, None, set()),
        (45, None, {"SHORT_REST"}),
    ],
)
def test_one_shift_beside_another(
    desk: Desk, worker: str, position: str, start: float, end: float | None, warned: set[str]
) -> None:
    """The other one is from 30 to 38 hours from now."""
    other = desk.assign(worker, position, 30, 38)["id"]
    assert codes(desk.assign(worker, position, start, end)) == {code: {other} for code in warned}


@pytest.mark.parametrize(
    ("start", "end", "warned"),
    [
        (40, 48, {"OVERLAP"}),
        (90_000, None, {"OVERLAP"}),
        (10, 30, {"SHORT_REST"}),
        (10, 19 + MILLISECOND, {"SHORT_REST"}),
        (10, 19, set()),
        (10, None, {"OVERLAP"}),
    ],
)
def test_one_shift_beside_one_without_an_end(
    desk: Desk, worker: str, position: str, start: float, end: float | None, warned: set[str]
) -> None:
    other = desk.assign(worker, position, 30, None)["id"]
    assert codes(desk.assign(worker, position, start, end)) == {code: {other} for code in warned}


def test_two_places_at_a_time(desk: Desk, worker: str, position: str) -> None:
    location = new_location(desk.member)["id"]
    here, next_door = desk.position(location, headcount=9), desk.position(location, headcount=9)
    same_place, elsewhere = desk.assign(worker, next_door, 1, 9)["id"], desk.assign(worker, position, 20, 28)["id"]
    assert codes(desk.assign(worker, here, 2, 4)) == {"OVERLAP": {same_place}}
    third = desk.assign(worker, here, 5, 21)
    assert codes(third)["OTHER_LOCATION"] == {elsewhere}
    assert elsewhere in codes(third)["OVERLAP"]


def test_cancelled_ones_and_other_workers_are_in_nobodys_way(desk: Desk, worker: str, position: str) -> None:
    cancelled = desk.assign(worker, position, 1, 9)["id"]
    desk.done("cancelAssignment", cancelled)
    desk.assign(desk.worker(), position, 1, 9)
    assert desk.assign(worker, position, 1, 9)["warnings"] == []


def test_at_most_twenty_are_shown_and_all_are_counted(desk: Desk, worker: str, position: str) -> None:
    for hour in range(22):
        desk.assign(worker, position, hour, hour + 1)
    (warning,) = desk.assign(worker, position, 0, 22)["warnings"]
    assert (warning["code"], len(warning["assignments"]), warning["count"]) == ("OVERLAP", 20, 22)


# -- of the position -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headcount", "others", "crowded"),
    [
        (1, [], []),
        (1, [(10, 20)], []),
        (1, [(10 - MILLISECOND, 20)], [0]),
        (1, [(0, 1), (9, 12), (1, 2)], [2]),
        (2, [(1, 9)], []),
        (2, [(1, 4), (4, 9)], []),
        (2, [(1, 5), (4, 9)], [0, 1]),
        (2, [(0, 4), (5, 9), (3, 5)], [0, 2]),
        (2, [(0, 2), (8, 10), (4, 6)], []),
        (2, [(1, 5), (4, 9), (20, None)], [0, 1]),
        (3, [(1, 5), (4, 9)], []),
        (3, [(1, 5), (4, 9), (5, 9)], []),
        (3, [(1, 6), (4, 9), (5, 9), (0, 2)], [0, 1, 2]),
        (1, [(-9000, None)], [0]),
        (2, [(-9000, None), (-3000, 3000)], [0, 1]),
    ],
)
def test_only_a_real_excess_at_one_instant_is_one(
    desk: Desk, headcount: int, others: list[tuple[float, float | None]], crowded: list[int]
) -> None:
    """The new one is from 1 to 10 hours from now, but where another begins at 9 and ends later: from 1 to 9."""
    position = desk.position(headcount=headcount)
    made = [desk.assign(desk.worker(), position, *span)["id"] for span in others]
    end = 9 if (9, 12) in others else 10
    warned = codes(desk.assign(desk.worker(), position, 1, end))
    assert warned == ({"OVER_HEADCOUNT": {made[number] for number in crowded}} if crowded else {})


def test_one_without_an_end_meets_all_that_come(desk: Desk) -> None:
    position = desk.position(headcount=2)
    made = {desk.assign(desk.worker(), position, *span)["id"] for span in ((5000, 5008), (5001, 5009), (9000, 9008))}
    warned = codes(desk.assign(desk.worker(), position, 1, None))
    assert warned["OVER_HEADCOUNT"] < made
    assert len(warned["OVER_HEADCOUNT"]) == 2


# -- on update -------------------------------------------------------------------------------------------------------


def test_an_update_warns_too_and_never_of_itself(desk: Desk, worker: str) -> None:
    position = desk.position(headcount=1)
    mine, other = desk.assign(worker, position, 1, 9)["id"], desk.assign(worker, position, 30, 38)["id"]
    moved = desk.done("updateAssignment", mine, body={"startAt": at(2)})
    assert moved["warnings"] == []
    moved = desk.done("updateAssignment", mine, body={"endAt": at(20)})
    assert codes(moved) == {"SHORT_REST": {other}}
    moved = desk.done("updateAssignment", mine, body={"endAt": at(31)})
    assert codes(moved) == {"OVERLAP": {other}, "OVER_HEADCOUNT": {other}}
    moved = desk.done("updateAssignment", mine, body={"endAt": at(31), "positionId": desk.position()})
    assert codes(moved) == {"OVERLAP": {other}, "OTHER_LOCATION": {other}}
