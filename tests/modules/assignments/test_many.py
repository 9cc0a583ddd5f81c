"""A worker or position with very many assignments: a write costs the same, and a limit is an error that names it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core import ids
from chalicelib.dal import keys, table
from chalicelib.dal.collection import Collection
from chalicelib.dal.item import Item
from chalicelib.dal.unit_of_work import MAX_WRITES, UnitOfWork, stale
from chalicelib.models.staffing import packed_months, workload, workload_days
from chalicelib.models.staffing.attributes import WORKLOAD
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.workers import WORKERS
from chalicelib.models.staffing.workload import Booking, WorkloadDelta
from tests.support.api import Answer
from tests.support.assignment_helpers import NOW, Desk, at, refusal

MAX_WRITE_UNITS = 30


def occupy(
    desk: Desk, collection: Collection[Any], identifier: str, spans: Iterator[tuple[float, float | None]]
) -> None:
    """Store the counts that so many assignments would have left, in hours from now."""
    organization, entity = desk.organization.id, UUID(identifier)
    tally = WorkloadDelta(with_starts=collection is POSITIONS)
    for start, end in spans:
        until = None if end is None else NOW + timedelta(hours=end)
        tally.add(Booking(entity, NOW + timedelta(hours=start), until), 1)
    counts = tally.to_workload(NOW).model_dump(mode="json")
    table.update(collection.key(organization, entity), [WORKLOAD.set(table.encoded(counts))])
    days = workload_days.days(organization, collection.kind, entity, tally.slots, NOW)
    for first in range(0, len(days), MAX_WRITES):
        unit = UnitOfWork(organization)
        for key, changes in days[first : first + MAX_WRITES]:
            unit.put_new(workload_days.new_item(key, changes), stale)
        unit.commit()


def written(answer: Answer) -> float:
    return sum(call.capacity for call in answer.recording.calls if call.operation == "TransactWriteItems")


def dependencies(answer: Answer) -> Any:
    assert answer.code == "HAS_DEPENDENCIES", answer.text
    return answer.error["details"]["dependencies"]


def test_a_write_costs_the_same_with_ten_thousand_assignments_ahead(desk: Desk) -> None:
    """Each at times of its own, over a year."""
    few, many = desk.position(headcount=10_000), desk.position(headcount=10_000)
    occupy(desk, POSITIONS, many, ((hour, hour + 8.01) for number in range(10_000) for hour in [1 + number * 0.87]))
    for start, end in ((300, 308), (300, 330), (5000, 9000)):
        of_few = desk.try_to_assign(desk.worker(), few, start, end)
        of_many = desk.try_to_assign(desk.worker(), many, start, end)
        assert (of_few.status, of_many.status) == (201, 201), of_many.text
        assert written(of_many) <= written(of_few) + 4
        # One of half a year is also in six more months of its worker.
        assert written(of_many) <= MAX_WRITE_UNITS + (12 if end - start > 1000 else 0)  # moto bills nothing
    assert dependencies(desk.on("deletePosition", many)) == {"assignment": 10_003}


# -- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("of", "field"), [(POSITIONS, "startAt"), (WORKERS, "endAt")], ids=["position", "worker"])
def test_a_day_has_so_many_different_times_and_no_more(desk: Desk, of: Collection[Any], field: str) -> None:
    worker, position = desk.worker(), desk.position(headcount=10_000)
    # 24 hours from now another day is half over. Each start and end is one time; a worker's starts are not counted.
    number = workload_days.MAX_TIMES_A_DAY - (2 if of is POSITIONS else 1)
    occupy(desk, of, worker if of is WORKERS else position, ((-1, 24 + index / 1000) for index in range(number)))
    desk.assign(worker, position, 26, 27)
    desk.assign(worker, position, 26, 27)  # at times that are already there
    refused = desk.try_to_assign(worker, position, 28, 29)
    assert refusal(refused) == (400, "VALIDATION_ERROR", [field])
    entity = of.entity
    assert f"the {entity} already has 1000 different start and end times on 2026-06-16 (UTC)" in refused.text
    desk.assign(worker, position, 48, 49)


@pytest.mark.parametrize(
    ("of", "field"), [(POSITIONS, "positionId"), (WORKERS, "workerId")], ids=["position", "worker"]
)
def test_so_many_assignments_can_lie_ahead_and_no_more(desk: Desk, of: Collection[Any], field: str) -> None:
    worker, position = desk.worker(), desk.position(headcount=10_000)
    occupy(desk, of, worker if of is WORKERS else position, ((1, 9) for _ in range(workload.MAX_LIVE - 1)))
    last = desk.assign(worker, position, 1, 9)
    refused = desk.try_to_assign(worker, position, 1, 9)
    assert refusal(refused) == (400, "VALIDATION_ERROR", [field])
    desk.done("updateAssignment", last["id"], body={"endAt": at(24 * 40)})
    desk.done("cancelAssignment", last["id"])
    desk.assign(worker, position, 1, 9)


def test_a_month_of_a_worker_holds_so_many_assignments_and_no_more(desk: Desk) -> None:
    worker, position = desk.worker(), desk.position(headcount=10_000)
    spans = {ids.new_id(): [(number, number + 1)] for number in range(workload.MAX_SPANS_A_MONTH - 1)}
    table.put_new(
        Item(*keys.packed_month(desk.organization.id, "2026-07", UUID(worker)), spans=packed_months.pack(spans))
    )
    last = desk.assign(worker, position, 24 * 20, 24 * 20 + 8)
    refused = desk.try_to_assign(worker, position, 24 * 20, 24 * 20 + 8)
    assert refusal(refused) == (400, "VALIDATION_ERROR", ["startAt"])
    assert "the worker already has 500 assignments in 2026-07 (UTC)" in refused.text
    desk.done("updateAssignment", last["id"], body={"endAt": at(24 * 20 + 4)})
    desk.done("deleteAssignment", last["id"])
    desk.assign(worker, position, 24 * 20, 24 * 20 + 8)
