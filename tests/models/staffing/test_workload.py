"""Workload counts of workers and positions: their changes and limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chalicelib.core.errors import ActionError
from chalicelib.models.staffing import workload
from chalicelib.models.staffing.workload import Booking, Workload, WorkloadDelta
from chalicelib.models.staffing.workload_days import Slot

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
COUNTED = len(("lane", "month", "milliseconds", "changes", "since"))


def _delta(start: datetime, end: datetime | None, by: int = 1) -> WorkloadDelta:
    delta = WorkloadDelta()
    delta.add(Booking(UUID(int=1), start, end), by)
    return delta


def _refusal(delta: WorkloadDelta, of: Workload) -> str | None:
    try:
        delta.require_room("position", of, NOW)
    except ActionError as error:
        return error.message
    return None


def test_a_month_that_has_passed_is_removed_and_not_counted_too() -> None:
    """DynamoDB refuses an update that names a path twice; local engines accept it."""
    may = datetime(2026, 5, 20, tzinfo=UTC)
    actions = _delta(may, may + timedelta(hours=8), -1).actions(Workload(months={"2026-05": 1}), NOW)
    assert len(actions) == len(("lane", "milliseconds", "changes", "since", "removed month"))


def test_months_in_which_nothing_ends_any_more_go_together_under_a_condition() -> None:
    empty = [f"{2030 + number // 12}-{number % 12 + 1:02}" for number in range(25)]
    few, many = (Workload(months=dict.fromkeys(names, 0)) for names in (empty[:20], empty))
    delta = _delta(NOW, NOW + timedelta(days=3))
    assert (few.condition(NOW), len(delta.actions(few, NOW))) == (None, COUNTED)
    assert many.condition(NOW) is not None
    assert len(delta.actions(many, NOW)) == COUNTED + 20


@pytest.mark.parametrize(
    ("end", "slot"),
    [
        (datetime(2026, 7, 1, tzinfo=UTC), Slot("2026-06-30", "e86400000")),
        (datetime(2026, 7, 1, 0, 0, 0, 1000, tzinfo=UTC), Slot("2026-07-01", "e1")),
        (datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC), Slot("9999-12-31", "e86399999")),
    ],
)
def test_an_end_at_midnight_counts_for_the_day_and_month_before(end: datetime, slot: Slot) -> None:
    delta = _delta(NOW, end)
    assert (*delta.slots,) == (Slot("2026-06-15", "s43200000"), slot)
    assert (*delta.months,) == (slot.day[:7],)


def test_a_position_can_have_so_many_assignments_ahead_and_no_more() -> None:
    added = _delta(NOW, NOW + timedelta(hours=8))
    room = Workload(open=workload.MAX_LIVE - 10_000, months={"2026-05": 99_999, "2026-06": 4_000, "2027-01": 5_999})
    assert _refusal(added, room) is None
    full = room.model_copy(update={"open": room.open + 1})
    message = "the position already has 20000 assignments that end this month or later, or have no end"
    assert _refusal(added, full) == f"positionId: {message}"
    # Assignments of the past and removals do not add to them.
    assert _refusal(_delta(NOW - timedelta(days=90), NOW - timedelta(days=89)), full) is None
    assert _refusal(_delta(NOW, NOW + timedelta(hours=8), -1), full) is None


def test_assignments_of_a_position_can_end_in_so_many_months_and_no_more() -> None:
    months = {f"{2026 + number // 12}-{number % 12 + 1:02}": 1 for number in range(6, 6 + workload.MAX_MONTHS)}
    all_but_one = dict(list(months.items())[1:])
    # Past months and months without ends do not count.
    full = Workload(months={**months, "2026-05": 1, "2099-01": 0})
    assert _refusal(_delta(NOW, NOW + timedelta(days=3)), Workload(months=all_but_one)) is None
    message = "the position already has assignments that end in 240 different months: use one of these"
    assert _refusal(_delta(NOW, NOW + timedelta(days=3)), full) == f"endAt: {message}"
    assert _refusal(_delta(NOW, NOW + timedelta(days=33)), full) is None
    assert _refusal(_delta(NOW, None), full) is None
