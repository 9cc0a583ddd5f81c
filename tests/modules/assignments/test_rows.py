"""Rows of lists: as the API shows one assignment, whatever it is; at the price of what they show."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core import ids
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.item import Item
from chalicelib.models.staffing.assignment_search import AssignmentFilter
from chalicelib.models.staffing.assignments import ASSIGNMENTS, SCOPES, Assignment, AssignmentStatus
from chalicelib.models.users import Role
from chalicelib.modules.assignments.actions import _MAX_ROW_BYTES
from tests.support.api import Answer, Api
from tests.support.assignment_helpers import NOW, Desk
from tests.support.client_hooks import recorded
from tests.support.factories import new_organization
from tests.support.frozen_time import later
from tests.support.hypothesis_profile import law


def rows(desk: Desk, **query: Any) -> dict[str, dict[str, Any]]:
    answer = desk.member.call("getAssignments", query=query)
    assert answer.status == 200, answer.text
    return {row["id"]: row for row in answer.data["data" if "page" in query else "items"]}


def capacity(answer: Answer) -> float:
    return sum(call.capacity for call in answer.recording.calls)


@pytest.fixture(scope="module")
def desk(api: Api, _still: None) -> Desk:
    """Assignments in every state, with rates, of two workers at two positions."""
    desk = Desk.of(new_organization(api))
    ada, bob, press, dock = desk.worker(), desk.worker(), desk.position(), desk.position()
    for action, identifier, amount in (("setPositionRate", press, 3000), ("setWorkerRate", ada, 2000)):
        path = {"id": identifier, "effectiveFrom": "2020-01-01"}
        answer = desk.member.call(action, path=path, body={"amount": amount, "currency": "EUR"})
        assert answer.status == 200, answer.text
    desk.assign(ada, press, -900, -890)
    desk.assign(bob, press, -4, 4)
    ended, cancelled = desk.assign(ada, dock, -6, None), desk.assign(bob, dock, 5, 9)
    with later(seconds=1):
        desk.done("endAssignment", ended["id"])
        desk.done("cancelAssignment", cancelled["id"])
    desk.assign(ada, press, 5000, None)
    return desk


@pytest.mark.parametrize("role", [Role.OWNER, Role.VIEWER])
@pytest.mark.parametrize("query", [{}, {"page": 1}, {"sortOrder": "asc"}])
def test_a_row_is_what_one_assignment_shows(desk: Desk, query: dict[str, Any], role: Role) -> None:
    desk = desk.as_(desk.organization.member(role))
    shown = rows(desk, **query)
    assert len(shown) == 5
    for identifier, row in shown.items():
        one = desk.done("getAssignment", identifier)
        assert row == one
    assert any("margin" in row for row in shown.values()) is (role is Role.OWNER)


@pytest.mark.usefixtures("on_a_safe_engine")
def test_a_page_costs_its_names(desk: Desk) -> None:
    """It is half a unit for each name and for each of five classes, beside the caller's three. Moto bills others."""
    answer = desk.member.call("getAssignments")
    named = 4 * 2
    assert answer.round_trips == 3
    assert capacity(answer) <= 3 + 5 * 0.5 + named * 0.5


instants = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(  # noqa: DTZ001  the time zone is added
    lambda instant: instant.replace(microsecond=instant.microsecond // 1000 * 1000, tzinfo=NOW.tzinfo)
)
ends = st.none() | instants


@law(100)
@given(
    start=instants,
    end=ends,
    cancelled=ends,
    now=instants,
    since=ends,
    until=ends,
    status=st.sampled_from(AssignmentStatus),
)
def test_filters_of_rows_are_those_of_records(
    start: datetime,
    end: datetime | None,
    cancelled: datetime | None,
    now: datetime,
    since: datetime | None,
    until: datetime | None,
    status: AssignmentStatus,
) -> None:
    """Texts of instants compare as the instants do."""
    someone = ids.new_id()
    assignment = Assignment(
        id=ids.new_id(),
        created_at=NOW,
        updated_at=NOW,
        version=1,
        **dict.fromkeys((*SCOPES, "created_by_id"), someone),
        start_at=start,
        end_at=end,
        cancelled_at=cancelled,
    )
    row = assignment.model_dump(mode="json")
    is_overlapping = (until is None or start < until) and (since is None or end is None or end > since)

    assert AssignmentFilter(worker_id=someone, since=since, until=until).matches(row, now) is is_overlapping
    assert AssignmentFilter(status=status).matches(row, now) is (assignment.status_at(now) is status)
    assert not AssignmentFilter(client_id=ids.new_id()).matches(row, now)
    assert AssignmentFilter(named={someone}).matches(row, now)


def test_the_longest_names_fit_a_page(desk: Desk) -> None:
    """A page of a hundred needs no measuring, then; see `_MAX_ROW_BYTES`."""
    # What a row has of texts that people choose, each as long as it may be, of four bytes a character.
    longest = 3 * 255 * 4 + 4 * 2 * 100 * 4 + 40
    row = max(rows(desk).values(), key=lambda row: len(str(row)))
    assert len(str(row).encode()) + 3 * 200 + longest <= _MAX_ROW_BYTES


def test_rows_that_an_index_holds_in_part_are_read_by_key(desk: Desk) -> None:
    """Write them as before the indexes held all of an assignment; the last test, since they stay."""
    before = rows(desk)
    organization = desk.organization.id
    partition = keys.partition(organization, ASSIGNMENTS.kind)
    held = [*SCOPES, "endAt"]
    for number, identifier in enumerate(before):
        if number % 2:
            continue
        facets = table.plain(_stored(organization, identifier), "facets")
        old = {name: facets[name] for name in held if name in facets}
        assert table.update(table.Key(partition, identifier), [Item.facets.set(table.encoded(old))])

    with recorded() as recording:
        assert rows(desk) == before

    assert recording.operations.count("BatchGetItem") == 3, "the caller, the old ones, and the names"
    changed = next(iter(before))
    desk.done("updateAssignment", changed, body={"endAt": "2029-01-01T00:00:00.000Z"})
    assert "version" in table.plain(_stored(organization, changed), "facets"), "complete once it is changed"


def _stored(organization: OrganizationId, identifier: str) -> dict[str, Any]:
    [row] = table.raw_batch([ASSIGNMENTS.key(organization, UUID(identifier))], consistent=True).values()
    return row
