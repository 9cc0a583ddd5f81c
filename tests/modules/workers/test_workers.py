"""One worker: created, read, changed, deleted; the phone is theirs alone, however it is written."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core import clock, ids
from chalicelib.dal import table
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models.staffing import workload_days
from chalicelib.models.staffing.attributes import RATES
from chalicelib.models.staffing.workers import WORKERS
from chalicelib.models.staffing.workload import Booking, Workload, WorkloadDelta
from chalicelib.models.users import Role
from tests.support.api import Answer, Api
from tests.support.client_hooks import overtaken
from tests.support.factories import Organization, new_organization
from tests.support.frozen_time import standing_still
from tests.support.staffing import new_worker

WORKER = {"firstName": "Mehmet", "lastName": "Yilmaz", "phone": "+49 151 2345678"}


def _phone() -> str:
    return f"+49 151 {ids.new_id().int % 10**8:08d}"


def _assert_taken(answer: Answer) -> None:
    assert (answer.status, answer.code) == (409, "DUPLICATE_ENTRY"), answer.text
    assert answer.error["details"] == {"fieldErrors": {"phone": ["another worker has this phone number"]}}


# -- create and read -------------------------------------------------------------------------------------------------


def test_what_is_created_is_read(organization: Organization) -> None:
    created = new_worker(organization.owner, **{**WORKER, "firstName": "  Mehmet "})
    assert {name: created[name] for name in WORKER} == WORKER
    assert (created["version"], created["deletedAt"]) == (1, None)
    assert {*created} == {*WORKER, "id", "createdAt", "updatedAt", "version", "deletedAt"}
    read = organization.owner.call_on("getWorker", created["id"])
    assert (read.status, read.data) == (200, created)


@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({"firstName": ""}, ["firstName"]),
        ({"firstName": "x" * 101}, ["firstName"]),
        ({"lastName": " "}, ["lastName"]),
        ({"lastName": None}, ["lastName"]),
        ({"lastName": "two\nlines"}, ["lastName"]),
        ({"phone": "12345678"}, ["phone"]),
        ({"phone": "1" * 21}, ["phone"]),
        ({"phone": 491512345678}, ["phone"]),
        ({"phone": "call me"}, ["phone"]),
        ({"phone": None}, ["phone"]),
        ({"normalizedPhone": "1"}, ["normalizedPhone"]),
        ({"workload": {}, "rates": {}, "long_running": {}}, ["long_running", "rates", "workload"]),
        ({"firstName": "", "lastName": "", "phone": ""}, ["firstName", "lastName", "phone"]),
    ],
)
def test_fields_are_checked_all_at_once(settled: Organization, fields: dict[str, Any], faulty: list[str]) -> None:
    answer = settled.owner.call("createWorker", body={**WORKER, **fields})
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert sorted(answer.error["details"]["fieldErrors"]) == faulty


@pytest.mark.parametrize("role", list(Role))
def test_everybody_reads_and_coordinators_write(organization: Organization, role: Role) -> None:
    member, worker = organization.member(role), new_worker(organization.owner, **WORKER)["id"]
    assert member.call("getWorker", path={"id": worker}).status == 200
    assert member.call("getWorkers").status == 200
    writes = [
        member.call("createWorker", body={**WORKER, "phone": _phone()}),
        member.call("importWorkers", body={"rows": []}),
        member.call("updateWorker", path={"id": worker}, body={"firstName": "Jo"}),
        member.call("deleteWorker", path={"id": worker}),
    ]
    allowed = role in {Role.OWNER, Role.ADMIN, Role.COORDINATOR}
    assert [answer.status for answer in writes] == ([201, 200, 200, 200] if allowed else [403] * 4)


def test_absent_deleted_and_foreign_are_one_answer(api: Api, organization: Organization) -> None:
    deleted, foreign = (
        new_worker(organization.owner, **WORKER)["id"],
        new_worker(new_organization(api).owner, **WORKER)["id"],
    )
    organization.owner.call_on("deleteWorker", deleted)
    for action, body in [("getWorker", None), ("updateWorker", {"firstName": "Jo"}), ("deleteWorker", None)]:
        answers = [
            organization.owner.call_on(action, identifier, body=body) for identifier in (ids.new_id(), deleted, foreign)
        ]
        assert {(answer.status, answer.code, answer.error["message"]) for answer in answers} == {
            (404, "NOT_FOUND", "no such worker")
        }


# -- the phone is one of a kind --------------------------------------------------------------------------------------


@pytest.mark.parametrize("phone", ["+491512345678", "+49 (0)151 234-5678", "0151 2345678", "0049 151 2345678"])
def test_a_taken_phone_is_refused_however_it_is_written(organization: Organization, phone: str) -> None:
    organization.owner.call("updateOrganization", body={"region": "DE"})
    new_worker(organization.owner, **WORKER)
    other = new_worker(organization.owner)["id"]

    _assert_taken(organization.owner.call("createWorker", body={**WORKER, "phone": phone}))
    _assert_taken(organization.owner.call_on("updateWorker", other, body={"phone": phone}))


def test_a_phone_is_free_elsewhere_after_a_change_and_after_a_delete(api: Api, organization: Organization) -> None:
    # Given a phone that another organization's worker has, too
    first = new_worker(organization.owner, **WORKER)["id"]
    new_worker(new_organization(api).owner, **WORKER)
    # When its worker gets another, then it is free
    organization.owner.call_on("updateWorker", first, body={"phone": _phone()})
    second = new_worker(organization.owner, **WORKER)["id"]
    # And when its worker is deleted
    organization.owner.call_on("deleteWorker", second)
    new_worker(organization.owner, **WORKER)


def test_ones_own_phone_may_be_written_otherwise(organization: Organization) -> None:
    worker = new_worker(organization.owner, **WORKER)["id"]
    answer = organization.owner.call_on("updateWorker", worker, body={"phone": "+49-(151)-2345678"})
    assert (answer.status, answer.data["phone"]) == (200, "+49-(151)-2345678")
    _assert_taken(organization.owner.call("createWorker", body=WORKER))


def test_another_region_orphans_no_phone(organization: Organization) -> None:
    # Given a phone that was taken where numbers are dialled as in Germany
    organization.owner.call("updateOrganization", body={"region": "DE"})
    worker = new_worker(organization.owner, phone="0151 2345678")["id"]
    # When the organization moves, and the worker leaves
    organization.owner.call("updateOrganization", body={"region": "FR"})
    _assert_taken(organization.owner.call("createWorker", body=WORKER))
    assert organization.owner.call_on("updateWorker", worker, body={"firstName": "Jo"}).status == 200
    assert organization.owner.call_on("deleteWorker", worker).status == 200
    # Then the phone is free
    new_worker(organization.owner, **WORKER)


def test_a_phone_taken_in_between_is_refused(organization: Organization) -> None:
    with overtaken(lambda: organization.owner.call("createWorker", body=WORKER)) as overtaking:
        late = organization.owner.call("createWorker", body=WORKER)
    assert overtaking[0].status == 201
    _assert_taken(late)


# -- change ----------------------------------------------------------------------------------------------------------


def test_a_change_leaves_the_rest_as_it_is(organization: Organization) -> None:
    created = new_worker(organization.owner, **WORKER)
    changed = organization.owner.call_on("updateWorker", created["id"], body={"lastName": "Berg"}).data
    assert {**changed, "updatedAt": None} == {**created, "lastName": "Berg", "version": 2, "updatedAt": None}


@pytest.mark.parametrize("body", [{}, {"firstName": None}, {"phone": None}, {"phone": "1"}, {"deletedAt": None}])
def test_a_change_that_is_none_is_refused(organization: Organization, body: dict[str, Any]) -> None:
    answer = organization.owner.call_on("updateWorker", new_worker(organization.owner, **WORKER)["id"], body=body)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")


def test_what_lies_beside_survives_a_change(organization: Organization) -> None:
    """Rates, workload and long-running assignments are written apart from the worker."""
    # Given a worker with a rate
    worker = UUID(new_worker(organization.owner, **WORKER)["id"])
    key = WORKERS.key(organization.id, worker)
    table.update(key, [RATES["2026-01-01"].set({"amount": {"N": "1250"}, "currency": {"S": "EUR"}})])
    before = table.get(key)
    # When another field of the worker changes
    organization.owner.call_on("updateWorker", worker, body={"phone": _phone()})
    # Then what lies beside is as it was
    after = table.get(key)
    assert before is not None
    assert after is not None
    assert (after.rates, after.workload, after.long_running) == (before.rates, before.workload, before.long_running)
    assert after.rates is not None
    assert [*after.rates] == ["2026-01-01"]


# -- delete ----------------------------------------------------------------------------------------------------------


def _assign(organization: Organization, worker: UUID, end: datetime | None) -> None:
    """Move the workload and its days as an assignment's transaction does."""
    now = clock.now()
    tally = WorkloadDelta(with_starts=False)
    tally.add(Booking(worker, now - timedelta(hours=8), end), 1)
    unit = UnitOfWork(organization.id)
    unit.update(WORKERS.key(organization.id, worker), tally.actions(Workload(), now), None, stale)
    workload_days.move(unit, "worker", {}, workload_days.days(organization.id, WORKERS.kind, worker, tally.slots, now))
    unit.commit()


@pytest.mark.parametrize(
    ("hours", "status"), [(None, 409), (24 * 365 * 70, 409), (1, 409), (1 / 3_600_000, 409), (0, 200), (-1, 200)]
)
def test_active_and_scheduled_assignments_forbid_a_delete(
    organization: Organization, hours: float | None, status: int
) -> None:
    worker = UUID(new_worker(organization.owner, **WORKER)["id"])
    with standing_still(clock.now()):
        _assign(organization, worker, None if hours is None else clock.now() + timedelta(hours=hours))
        _is_deleted_or_not(organization, worker, status)


def _is_deleted_or_not(organization: Organization, worker: UUID, status: int) -> None:
    answer = organization.owner.call_on("deleteWorker", worker)
    assert answer.status == status, answer.text
    if status == 409:
        assert answer.code == "HAS_DEPENDENCIES"
        assert answer.error["details"] == {"dependencies": {"assignment": 1}}
        _assert_taken(organization.owner.call("createWorker", body=WORKER))


def test_an_assignment_made_in_between_forbids_a_delete(organization: Organization) -> None:
    # Given a worker who is assigned between a delete's read and its commit
    worker = UUID(new_worker(organization.owner, **WORKER)["id"])
    with overtaken(lambda: _assign(organization, worker, None)):
        answer = organization.owner.call_on("deleteWorker", worker)
    # Then the delete is refused
    assert (answer.status, answer.code) == (409, "HAS_DEPENDENCIES")
    assert organization.owner.call_on("getWorker", worker).status == 200


def test_a_stale_delete_is_told_so_before_it_is_told_of_assignments(organization: Organization) -> None:
    worker = UUID(new_worker(organization.owner, **WORKER)["id"])
    _assign(organization, worker, None)
    answer = organization.owner.call_on("deleteWorker", worker, headers={"If-Match": '"9-0123456789abcdef"'})
    assert (answer.status, answer.code) == (412, "PRECONDITION_FAILED")


# -- list ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crew(api: Api) -> Organization:
    organization = new_organization(api)
    organization.owner.call("updateOrganization", body={"region": "DE"})
    for first, last, phone in [
        ("Zoe", "Ábel", "0151 1111111"),
        ("Anna", "Berg", "+49 (151) 222-2222"),
        ("Émile", "Berg", "+33 6 12 34 56 78"),
        ("Bea", "Zander", "0151 4444444"),
    ]:
        new_worker(organization.owner, firstName=first, lastName=last, phone=phone)
    return organization


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Zoe", "Anna", "Émile", "Bea"]),
        ({"sortOrder": "desc"}, ["Bea", "Émile", "Anna", "Zoe"]),
        ({"sortBy": "createdAt", "sortOrder": "desc"}, ["Bea", "Émile", "Anna", "Zoe"]),
        ({"search": "berg"}, ["Anna", "Émile"]),
        ({"search": "anna b"}, ["Anna"]),
        ({"search": "berg anna"}, ["Anna"]),
        ({"search": "EMILE"}, ["Émile"]),
        ({"search": "222-2"}, ["Anna"]),
        ({"search": "+49151222"}, ["Anna"]),
        ({"search": "+49151"}, ["Zoe", "Anna", "Bea"]),
        ({"search": "0151"}, ["Zoe", "Anna", "Bea"]),
        ({"search": "0049 (0)151 / 222"}, ["Anna"]),
        ({"search": "nobody"}, []),
        ({"limit": 3}, ["Zoe", "Anna", "Émile"]),
    ],
)
def test_lists_are_searched_by_name_and_phone_and_sorted_by_last_name(
    crew: Organization, query: dict[str, Any], names: list[str]
) -> None:
    answer = crew.owner.call("getWorkers", query=query)
    assert answer.status == 200, answer.text
    rows = answer.data["data" if "data" in answer.data else "items"]
    assert [row["firstName"] for row in rows] == names
    assert "normalizedPhone" not in answer.text
