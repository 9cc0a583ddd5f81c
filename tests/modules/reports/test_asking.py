"""Asking for an hours report: who may, for which days and whose hours, and under which names they come."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core import ids
from chalicelib.dal import keys, table
from chalicelib.dal.collection import Collection
from chalicelib.models.staffing import packed_months
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.staffing.positions import POSITIONS
from chalicelib.models.staffing.work_locations import WORK_LOCATIONS
from chalicelib.models.staffing.workers import WORKERS
from chalicelib.models.users import Role
from chalicelib.modules.reports import hours_report
from tests.support.api import Answer, Api
from tests.support.shift_helpers import Crew, minute_of

ACTIONS = ("getHoursReport", "generateHoursReport", "exportReportToCsv")
DAY = date(2026, 3, 2)
EIGHT = minute_of("2026-03-02T08:00Z")


@pytest.fixture(scope="module")
def crew(api: Api) -> Crew:
    """One worker at two clients; nobody changes anything."""
    crew = Crew.hired(api)
    for position in range(3):
        crew.assign(0, position, EIGHT, EIGHT + 60)
    return crew


@pytest.fixture
def busy(api: Api) -> Crew:
    """One worker at one place, for a test of its own."""
    crew = Crew.hired(api)
    crew.assign(0, 0, EIGHT, EIGHT + 60)
    return crew


def _faults(answer: Answer) -> tuple[int, str, list[str]]:
    return answer.status, answer.code, sorted(answer.error["details"]["fieldErrors"])


# -- requests --------------------------------------------------------------------------------------------------------


def test_by_body_and_by_query_it_is_the_same_report(crew: Crew) -> None:
    client = {"clientId": crew.places[crew.positions[0]].client}
    for query in ({}, client):
        one, other = (crew.ask(DAY, DAY, action, **query).data for action in ACTIONS[:2])
        del one["asOf"], other["asOf"]
        assert one == other
        assert one["rows"]


def test_only_hours_at_the_client_count(crew: Crew) -> None:
    for position, count in [(0, 2), (2, 1)]:
        client = crew.places[crew.positions[position]].client
        report = crew.report(DAY, DAY, clientId=client)
        assert {row["clientId"] for row in report["rows"]} == {client}
        assert (len(report["rows"]), report["totals"]["totalHours"]) == (count, count)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_client_must_be_one_of_the_organization(api: Api, crew: Crew, action: str) -> None:
    foreign = Crew.hired(api)
    location = crew.places[crew.positions[0]].location
    for other in (ids.new_id(), foreign.places[foreign.positions[0]].client, crew.workers[0], location):
        answer = crew.ask(DAY, DAY, action, clientId=str(other))
        assert (answer.status, answer.code, answer.error["message"]) == (404, "NOT_FOUND", "no such client")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("first", "last", "code", "fields"),
    [
        ("2026-03-02", "2026-03-01", "INVALID_DATE_RANGE", ["endDate"]),
        ("2026-02-29", "2026-03-01", "VALIDATION_ERROR", ["startDate"]),
        ("2026-03-01T00:00:00Z", "20260301", "VALIDATION_ERROR", ["endDate", "startDate"]),
        ("", "2026-W09-7", "VALIDATION_ERROR", ["endDate", "startDate"]),
        ("1899-12-31", "2200-01-01", "VALIDATION_ERROR", ["endDate", "startDate"]),
        ("today", "2026-03-01", "VALIDATION_ERROR", ["startDate"]),
    ],
)
def test_days_are_checked(crew: Crew, action: str, first: str, last: str, code: str, fields: list[str]) -> None:
    assert _faults(crew.ask(first, last, action)) == (400, code, fields)


@pytest.mark.parametrize("action", ACTIONS)
def test_all_that_is_wrong_is_told_at_once(crew: Crew, action: str) -> None:
    part = "body" if action == "generateHoursReport" else "query"
    answer = crew.member.call(action, **{part: {"clientId": "x", "workerId": str(ids.new_id())}})
    assert _faults(answer) == (400, "VALIDATION_ERROR", ["clientId", "endDate", "startDate", "workerId"])


def test_all_the_time_that_there_is_can_be_asked_for(crew: Crew) -> None:
    assert crew.report("1900-01-01", "2199-12-31")["totals"]["totalHours"] == 3


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("action", ACTIONS)
def test_who_staffs_may_read_reports(crew: Crew, role: Role, action: str) -> None:
    dates = {"startDate": str(DAY), "endDate": str(DAY)}
    part = "body" if action == "generateHoursReport" else "query"
    answer = crew.organization.member(role).call(action, **{part: dates})
    assert answer.status == (200 if role in {Role.OWNER, Role.ADMIN, Role.COORDINATOR} else 403)


# -- more than a request can do --------------------------------------------------------------------------------------


def test_more_hours_than_a_request_can_read_are_told(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_months, "MAX_PAGES", 0)
    answer = crew.ask(DAY, DAY)
    assert _faults(answer) == (400, "VALIDATION_ERROR", ["endDate"])
    assert "fewer days" in answer.error["message"]


def test_more_rows_than_an_answer_can_hold_are_told(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hours_report, "MAX_ROWS", 3)
    assert crew.ask(DAY, DAY).status == 200
    monkeypatch.setattr(hours_report, "MAX_ROWS", 2)
    answer = crew.ask(DAY, DAY)
    assert _faults(answer) == (400, "VALIDATION_ERROR", ["endDate"])
    assert "one client" in answer.error["message"]


# -- names -----------------------------------------------------------------------------------------------------------


def test_rows_come_by_worker_client_and_work_location(api: Api) -> None:
    # Given hours of two workers at three places, in no order
    crew = Crew.hired(api)
    for worker, position in [(1, 2), (0, 2), (1, 0), (0, 1), (0, 0)]:
        crew.assign(worker, position, EIGHT, EIGHT + 60)
    # Whatever case and accents they are written with
    for worker, name in zip(crew.workers, ["ärne", "Bo"], strict=True):
        crew.done("updateWorker", path={"id": worker}, body={"firstName": name, "lastName": "X"})
    # When the report is asked for
    rows = crew.report(DAY, DAY)["rows"]
    # Then rows are in the order of the names of worker, client and work location
    assert [row["workerName"] for row in rows] == ["ärne X"] * 3 + ["Bo X"] * 2
    for worker, count in [(0, 3), (1, 2)]:
        matching = [row for row in rows if row["workerId"] == crew.workers[worker]]
        names = [(row["clientName"].lower(), row["workLocationName"].lower()) for row in matching]
        assert names == sorted(names)
        assert len(names) == count


def test_names_follow_a_change_of_name(busy: Crew) -> None:
    # Given hours whose worker, client and work location get other names
    place = busy.places[busy.positions[0]]
    for action, identifier, changes in [
        ("updateWorker", busy.workers[0], {"firstName": "Ayşe", "lastName": "Demir"}),
        ("updateWorkLocation", place.location, {"name": "Lager Nord"}),
        ("updateClient", place.client, {"name": "Nordkontor"}),
    ]:
        busy.done(action, path={"id": identifier}, body=changes)
    # When the report is asked for, then it has the new names
    (row,) = busy.report(DAY, DAY)["rows"]
    assert (row["workerName"], row["workLocationName"], row["clientName"]) == ("Ayşe Demir", "Lager Nord", "Nordkontor")


def test_what_is_deleted_keeps_its_hours_and_names(busy: Crew) -> None:
    # Given a report, and everything that it names deleted since
    before = busy.report(DAY, DAY)
    place, others = busy.places[busy.positions[0]], busy.places[busy.positions[1]]
    for action, identifier in [
        ("deleteWorker", busy.workers[0]),
        ("deletePosition", busy.positions[0]),
        ("deletePosition", busy.positions[1]),
    ]:
        busy.done(action, path={"id": identifier})
    for identifier in (place.location, others.location):
        busy.done("deleteWorkLocation", path={"id": identifier})
    busy.done("deleteClient", path={"id": place.client})
    # Then it is the same report
    assert busy.report(DAY, DAY)["rows"] == before["rows"]
    assert busy.report(DAY, DAY, clientId=place.client)["rows"] == before["rows"], "a former client, too"


@pytest.mark.parametrize("collection", [WORKERS, POSITIONS, WORK_LOCATIONS, CLIENTS], ids=lambda value: value.entity)
@pytest.mark.parametrize("by_client", [False, True])
def test_names_that_the_index_does_not_have_yet_are_read(
    busy: Crew, collection: Collection[Any], *, by_client: bool
) -> None:
    """DynamoDB's indexes trail the table: here one entity is taken out of the directory."""
    # Given a report
    place = busy.places[busy.positions[0]]
    query = {"clientId": place.client} if by_client else {}
    before = busy.report(DAY, DAY, **query)
    # When the directory lacks one of the names
    identifier = {
        "worker": busy.workers[0],
        "position": busy.positions[0],
        "workLocation": place.location,
        "client": place.client,
    }[collection.entity]
    table.update(
        collection.key(busy.organization.id, UUID(identifier)),
        [table.entry(keys.directory(busy.organization.id)).remove()],
    )
    # Then it is the same report
    assert busy.report(DAY, DAY, **query)["rows"] == before["rows"]
