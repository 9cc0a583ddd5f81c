"""checkWorkerAvailability: at an instant or in an interval, half-open, with the assignments in the way."""

from __future__ import annotations

import pytest

from chalicelib.core import ids
from tests.support.api import Api
from tests.support.assignment_helpers import MILLISECOND, Desk, at, refusal
from tests.support.factories import new_organization


@pytest.fixture(scope="module")
def busy(desk: Desk, position: str) -> tuple[str, dict[str, str]]:
    """A worker with a shift, one that is cancelled, a long one later, and one without an end."""
    worker = desk.worker()
    spans = {"shift": (1, 9), "cancelled": (20, 30), "long": (100, 500), "open": (1000, None)}
    made = {name: desk.assign(worker, position, *span)["id"] for name, span in spans.items()}
    desk.done("cancelAssignment", made["cancelled"])
    return worker, made


@pytest.mark.parametrize(
    ("at_", "until", "in_the_way"),
    [
        (1 - MILLISECOND, None, []),
        (1, None, ["shift"]),
        (9 - MILLISECOND, None, ["shift"]),
        (9, None, []),
        (-5, 1, []),
        (-5, 1 + MILLISECOND, ["shift"]),
        (9, 100, []),
        (8, 101, ["shift", "long"]),
        (25, None, []),
        (20, 30, []),
        (300, None, ["long"]),
        (500, 1000, []),
        (1000, None, ["open"]),
        (900_000, None, ["open"]),
        (-90_000, 90_000, ["shift", "long", "open"]),
    ],
)
def test_at_an_instant_or_in_a_time(
    desk: Desk, busy: tuple[str, dict[str, str]], at_: float, until: float | None, in_the_way: list[str]
) -> None:
    worker, made = busy
    query = {"at": at(at_), **({} if until is None else {"until": at(until)})}
    answer = desk.done("checkWorkerAvailability", worker, query=query)
    assert answer["available"] == (not in_the_way)
    assert [assignment["id"] for assignment in answer["assignments"]] == [made[name] for name in in_the_way]


def test_what_is_in_the_way_is_shown_in_full(desk: Desk, busy: tuple[str, dict[str, str]]) -> None:
    worker, made = busy
    answer = desk.done("checkWorkerAvailability", worker, query={"at": at(2)})
    assert answer["assignments"] == [desk.read(made["shift"])]


@pytest.mark.parametrize(
    ("query", "code", "faulty"),
    [
        ({}, "VALIDATION_ERROR", ["at"]),
        ({"at": "2026-06-15"}, "VALIDATION_ERROR", ["at"]),
        ({"at": "2026-06-15T08:00:00"}, "VALIDATION_ERROR", ["at"]),
        ({"at": at(1), "until": at(1)}, "INVALID_DATE_RANGE", ["until"]),
        ({"at": at(1), "until": at(0)}, "INVALID_DATE_RANGE", ["until"]),
    ],
)
def test_queries_are_checked(desk: Desk, worker: str, query: dict[str, str], code: str, faulty: list[str]) -> None:
    assert refusal(desk.on("checkWorkerAvailability", worker, query=query)) == (400, code, faulty)


def test_absent_deleted_and_foreign_workers_are_one_answer(api: Api, desk: Desk) -> None:
    gone, foreign = desk.worker(), Desk.of(new_organization(api)).worker()
    desk.done("deleteWorker", gone)
    for identifier in (ids.new_id(), gone, foreign):
        answer = desk.on("checkWorkerAvailability", identifier, query={"at": at(0)})
        assert (answer.status, answer.code, answer.error["message"]) == (404, "NOT_FOUND", "no such worker")
