"""Lists that are too long for pages: counted once, then refused by what the request reads anyway."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.dal import page_lists
from chalicelib.models import long_lists
from chalicelib.models.staffing import assignment_search
from tests.support.api import Answer
from tests.support.factories import Organization
from tests.support.staffing import new_position, new_worker

ROWS = 5
REMEMBERED = ["BatchGetItem"]
"""The caller, with the organization."""


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (page_lists, assignment_search):
        monkeypatch.setattr(module, "EXACT_LIST_ROWS", ROWS - 1)


@pytest.fixture
def clients(organization: Organization) -> list[str]:
    names = [f"Client {number}" for number in range(ROWS)]
    return [organization.owner.call("createClient", body={"name": name}).data["id"] for name in names]


@pytest.fixture
def worker(organization: Organization) -> Iterator[str]:
    """A worker with scheduled assignments."""
    worker, position = (new(organization.owner)["id"] for new in (new_worker, new_position))
    start = clock.now() + timedelta(days=1)
    for number in range(ROWS):
        times = [clock.to_text(start + timedelta(days=number, hours=hours)) for hours in (0, 8)]
        body = {"workerId": worker, "positionId": position, "startAt": times[0], "endAt": times[1]}
        assert organization.owner.call("createAssignment", body=body).status == 201
    return worker


def refused(organization: Organization, action: str, **query: Any) -> Answer:
    answer = organization.owner.call(action, query=query)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR"), answer.text
    assert answer.error["details"]["use"].startswith(action)
    return answer


@pytest.mark.usefixtures("clients")
def test_the_second_refusal_counts_nothing(organization: Organization) -> None:
    first = refused(organization, "getClients")
    others = [refused(organization, "getClients", **query) for query in ({}, {"page": 3}, {"search": "client 1"})]

    assert "Query" in first.recording.operations
    assert [other.recording.operations for other in others] == [REMEMBERED] * 3
    assert {other.text.partition('"requestId"')[0] for other in others} == {first.text.partition('"requestId"')[0]}


@pytest.mark.usefixtures("clients")
def test_other_lists_are_counted(organization: Organization) -> None:
    refused(organization, "getClients")
    assert organization.owner.call("getWorkLocations").status == 200
    assert organization.owner.call("getClients", query={"limit": 100}).status == 200


def test_deleted_ones_are_counted_where_they_are_shown(organization: Organization, clients: list[str]) -> None:
    organization.owner.call("deleteClient", path={"id": clients[0]})

    refused(organization, "getClients", includeDeleted="true")

    assert organization.owner.call("getClients").data["pagination"]["totalItems"] == ROWS - 1
    assert refused(organization, "getClients", includeDeleted="true").recording.operations == REMEMBERED


def test_after_a_delete_rows_are_counted_again(organization: Organization, clients: list[str]) -> None:
    refused(organization, "getClients")
    assert organization.owner.call("deleteClient", path={"id": clients[0]}).status == 200

    answer = organization.owner.call("getClients")

    assert answer.data["pagination"]["totalItems"] == ROWS - 1


@pytest.mark.usefixtures("clients")
def test_after_a_time_rows_are_counted_again(organization: Organization) -> None:
    refused(organization, "getClients")
    with clock.shifted(long_lists.LASTING - timedelta(minutes=1)):
        assert "Query" not in refused(organization, "getClients").recording.operations
    with clock.shifted(long_lists.LASTING + timedelta(minutes=1)):
        assert "Query" in refused(organization, "getClients").recording.operations


@pytest.mark.parametrize(("query", "lasts"), [({}, True), ({"status": "scheduled"}, False)], ids=["all", "scheduled"])
def test_assignments(organization: Organization, worker: str, query: dict[str, str], *, lasts: bool) -> None:
    query = {"workerId": worker, **query}
    first = refused(organization, "getAssignments", page=1, **query)
    second = refused(organization, "getAssignments", page=2, pageSize=5, sortOrder="asc", **query)

    assert ("Query" in first.recording.operations, second.recording.operations) == (True, REMEMBERED)
    assert organization.owner.call("getAssignments", query={"limit": 10, **query}).status == 200
    with clock.shifted(long_lists.PASSING + timedelta(seconds=1)):
        later = refused(organization, "getAssignments", page=1, **query)
    assert ("Query" in later.recording.operations) is not lasts


@pytest.mark.usefixtures("worker")
def test_a_search_that_is_refused_reads_no_names(organization: Organization) -> None:
    refused(organization, "getAssignments", page=1, search="e")
    assert refused(organization, "getAssignments", page=1, search="e").recording.operations == REMEMBERED


@pytest.mark.usefixtures("worker")
def test_as_many_lists_as_there_is_room_for_are_remembered(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_lists, "_MAX_LISTS", 2)
    searches = ["e", "m", "r"]
    for search in searches:
        refused(organization, "getAssignments", page=1, search=search)

    again = [refused(organization, "getAssignments", page=1, search=search) for search in reversed(searches)]

    assert ["Query" in answer.recording.operations for answer in again] == [False, False, True]
