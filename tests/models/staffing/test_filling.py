"""Filling: the instant at which a position is first booked for as many workers as its headcount, kept for good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import pytest

from chalicelib.core import clock
from chalicelib.models.staffing.positions import POSITIONS
from tests.support.assignment_helpers import NOW, Desk, at
from tests.support.client_hooks import overtaken
from tests.support.factories import Organization
from tests.support.frozen_time import later, standing_still


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with standing_still(NOW):
        yield


@pytest.fixture
def desk(organization: Organization) -> Desk:
    return Desk.of(organization)


def _filled_at(desk: Desk, position: str) -> datetime | None:
    return POSITIONS.get(desk.organization.id, UUID(position)).workload.filled_at


@pytest.mark.parametrize(
    ("first", "second", "is_filled"),
    [
        ((1, 9), (5, 13), True),
        ((1, 9), (9, 17), False),
        ((1, 9), (8.9, 17), True),
        ((1, None), (500, 508), True),
        ((-8, 4), (2, 3), True),
        ((-800, None), (-900, None), True),
        ((1, 9), (-50, -42), False),
        ((-50, -42), (-50, -42), False),
        ((5000, 5008), (5004, None), True),
    ],
)
def test_two_are_there_at_once(
    desk: Desk, first: tuple[float, float | None], second: tuple[float, float | None], *, is_filled: bool
) -> None:
    position = desk.position(headcount=2)
    desk.assign(desk.worker(), position, *first)
    assert _filled_at(desk, position) is None

    with later(hours=0.5):
        booked = clock.now()
        desk.assign(desk.worker(), position, *second)

    assert _filled_at(desk, position) == (booked if is_filled else None)


def test_a_position_for_one_is_filled_by_the_first_booking_of_any_time(desk: Desk) -> None:
    for times in ((1, 9), (-50, -42), (4000, None)):
        position = desk.position()
        desk.assign(desk.worker(), position, *times)
        assert _filled_at(desk, position) == NOW, times


def test_it_stays_filled(desk: Desk) -> None:
    position = desk.position()
    assignment = desk.assign(desk.worker(), position)["id"]
    with later(hours=0.5):
        desk.done("cancelAssignment", assignment)
        desk.done("updatePosition", position, body={"headcount": 4})
        desk.assign(desk.worker(), position)

    assert _filled_at(desk, position) == NOW


def test_a_cancelled_booking_does_not_count(desk: Desk) -> None:
    position = desk.position(headcount=2)
    desk.done("cancelAssignment", desk.assign(desk.worker(), position)["id"])
    desk.assign(desk.worker(), position)

    assert _filled_at(desk, position) is None


def test_a_booking_that_is_moved_counts_where_it_is_then(desk: Desk) -> None:
    position, other = desk.position(headcount=2), desk.position(headcount=2)
    desk.assign(desk.worker(), position, 1, 9)
    moved = desk.assign(desk.worker(), position, 9, 17)["id"]
    away = desk.assign(desk.worker(), other, 1, 9)["id"]
    assert _filled_at(desk, position) is None

    desk.done("updateAssignment", away, body={"positionId": position, "startAt": at(17), "endAt": at(25)})
    assert _filled_at(desk, position) is None
    desk.done("updateAssignment", moved, body={"startAt": at(8)})
    assert _filled_at(desk, position) == NOW


@pytest.mark.parametrize(("bookings", "headcount", "is_filled"), [(2, 2, True), (1, 2, False), (1, 1, True)])
def test_a_smaller_headcount_may_fill_it(desk: Desk, bookings: int, headcount: int, *, is_filled: bool) -> None:
    position = desk.position(headcount=3)
    for _ in range(bookings):
        desk.assign(desk.worker(), position)
    desk.done("updatePosition", position, body={"name": "Smaller"})
    assert _filled_at(desk, position) is None

    desk.done("updatePosition", position, body={"headcount": headcount})

    assert _filled_at(desk, position) == (NOW if is_filled else None)


def test_two_bookings_at_once_see_each_other(desk: Desk) -> None:
    position = desk.position(headcount=2)
    workers = desk.worker(), desk.worker()

    with overtaken(lambda: desk.assign(workers[1], position)):
        desk.assign(workers[0], position)

    assert _filled_at(desk, position) == NOW


def test_a_headcount_that_is_changed_meanwhile_is_seen(desk: Desk) -> None:
    position, worker = desk.position(headcount=2), desk.worker()
    with overtaken(lambda: desk.done("updatePosition", position, body={"headcount": 1})):
        desk.assign(worker, position)
    assert _filled_at(desk, position) == NOW

    other = desk.position(headcount=2)
    with overtaken(lambda: desk.assign(worker, other)):
        desk.done("updatePosition", other, body={"headcount": 1})
    assert _filled_at(desk, other) == NOW
