"""Hours of workers in the list: worked up to now, the rest scheduled, equal to a recount at any instant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.models.staffing import workload
from chalicelib.models.staffing.workers import WORKERS
from tests.support.api import Api
from tests.support.assignment_helpers import NOW, Desk
from tests.support.factories import Organization, new_organization
from tests.support.frozen_time import later, standing_still
from tests.support.hypothesis_profile import law

SPANS = ((-5000, -4992), (-30, 1), (1, 9), (300, 700), (380, 381), (2000, 6400), (3150, 3177), (-100, 9000), (50, None))
"""In hours from now: past, of several months, at the change of clocks, too long for months."""

JULY = datetime(2026, 7, 1, tzinfo=UTC) - NOW
WINTER_TIME = datetime(2026, 10, 25, 1, tzinfo=UTC) - NOW


@pytest.fixture(scope="module")
def desk(api: Api) -> Desk:
    """A desk with one worker, who has all the spans, and one more that is cancelled."""
    with standing_still(NOW):
        desk = Desk.of(new_organization(api, timezone="Europe/Berlin"))
        worker, position = desk.worker(), desk.position(headcount=9)
        for start, end in SPANS:
            desk.assign(worker, position, start, end)
        desk.done("cancelAssignment", desk.assign(worker, position, 10, 5000)["id"])
    return desk


@pytest.fixture(autouse=True)
def _june() -> Iterator[None]:
    with standing_still(NOW):
        yield


def _recount(now: datetime) -> tuple[int, int]:
    """Return the milliseconds worked and ahead."""
    worked = ahead = timedelta()
    for start, end in SPANS:
        begins = NOW + timedelta(hours=start)
        ends = max(now, begins) if end is None else NOW + timedelta(hours=end)
        worked += max(timedelta(), min(now, ends) - begins)
        ahead += max(timedelta(), ends - max(now, begins))
    return worked // timedelta(milliseconds=1), ahead // timedelta(milliseconds=1)


@given(after=st.timedeltas(timedelta(), timedelta(days=450)))
@example(after=JULY)
@example(after=JULY - timedelta(milliseconds=1))
@example(after=WINTER_TIME)
@example(after=WINTER_TIME - timedelta(milliseconds=1))
@law(60)
def test_they_equal_a_recount_at_any_instant(desk: Desk, after: timedelta) -> None:
    now = NOW + after // timedelta(milliseconds=1) * timedelta(milliseconds=1)
    (worker,) = WORKERS.all_of(desk.organization.id, 1) or []
    present = workload.present(desk.organization.id, {worker.id: (worker.workload, worker.long_running)}, now)

    assert (present[worker.id].worked, present[worker.id].ahead) == _recount(now)
    assert present[worker.id].worked + present[worker.id].ahead == sum(_recount(now))


@pytest.mark.parametrize("hours", [0, 0.5, 5, 200, 372, 600])
def test_the_list_shows_them(desk: Desk, hours: float) -> None:
    with later(hours=hours):
        (row,) = desk.member.call("getWorkers").data["data"]
        worked, ahead = _recount(NOW + timedelta(hours=hours))
    assert (row["totalHours"], row["scheduledHours"]) == (worked / 3_600_000, ahead / 3_600_000)
    assert row["activeAssignments"] == sum(start <= hours < (end or hours + 1) for start, end in SPANS)


def test_an_assignment_only_ahead_is_not_worked(organization: Organization) -> None:
    desk = Desk.of(organization)
    worker = desk.worker()
    desk.assign(worker, desk.position(), 720, 728)

    rows = {row["id"]: row for row in desk.member.call("getWorkers").data["data"]}

    assert (rows[worker]["totalHours"], rows[worker]["scheduledHours"]) == (0, 8)
