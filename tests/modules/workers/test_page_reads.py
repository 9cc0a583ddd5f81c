"""A page of workers shows the same, whichever reads it takes: ranges of neighbours, or keys where they are far."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.dal import collection
from chalicelib.models.staffing import packed_months
from chalicelib.modules.workers import stats
from tests.support.api import Api
from tests.support.assignment_helpers import NOW, Desk
from tests.support.factories import new_organization
from tests.support.frozen_time import standing_still

WORKERS = 6


@pytest.fixture(autouse=True)
def _june() -> Iterator[None]:
    with standing_still(NOW):
        yield


@pytest.fixture(scope="module")
def desk(api: Api) -> Desk:
    """A desk with workers of whom all but the first have an active assignment, at positions of their own."""
    with standing_still(NOW):
        desk = Desk.of(new_organization(api))
        for number in range(WORKERS):
            worker = desk.worker()
            desk.assign(worker, desk.position(), -30, -20)
            if number:
                desk.assign(worker, desk.position(), -number, number)
    return desk


@pytest.mark.parametrize(
    ("neighbours", "positions"), [(3, 60), (0, 60), (3, 1), (0, 1)], ids=["near", "far", "near, many", "far, many"]
)
def test_all_ways_show_the_same(desk: Desk, monkeypatch: pytest.MonkeyPatch, neighbours: int, positions: int) -> None:
    walked = desk.member.call("getWorkers", query={"limit": 100}).data["items"]
    for module in (collection, stats):
        monkeypatch.setattr(module, "NEIGHBOURS", neighbours)
    monkeypatch.setattr(stats, "_POSITIONS", positions)

    answer = desk.member.call("getWorkers", query={"sortBy": "createdAt"})

    assert answer.data["data"] == walked
    assert [len(row["assignedLocations"]) for row in walked] == [0, *[1] * (WORKERS - 1)]
    assert [row["activeAssignments"] for row in walked] == [0, *[1] * (WORKERS - 1)]
    # The caller; the slim rows; the workers, their months and positions; the work locations
    assert answer.round_trips == 4 + (neighbours == 0) + (positions == 1)


def test_months_of_more_than_expected_are_read_by_key(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    walked = desk.member.call("getWorkers", query={"limit": 100}).data["items"]
    read = packed_months.of_neighbours
    monkeypatch.setattr(packed_months, "of_neighbours", lambda *parts: read(*parts[:3], WORKERS - 1))

    answer = desk.member.call("getWorkers", query={"sortBy": "createdAt"})

    assert answer.data["data"] == walked
    assert answer.round_trips == 5
