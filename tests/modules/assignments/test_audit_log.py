"""getAssignmentAuditLog: the changes of an assignment, oldest first, also of a deleted one."""

from __future__ import annotations

import pytest

from chalicelib.core import ids
from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.assignment_helpers import Desk, at, refusal
from tests.support.factories import new_organization

STEPS = ("ASSIGNMENT_CREATED", "ASSIGNMENT_UPDATED", "ASSIGNMENT_ENDED", "ASSIGNMENT_CANCELLED", "ASSIGNMENT_DELETED")


@pytest.fixture(scope="module")
def gone(desk: Desk, position: str) -> str:
    """One that was changed, ended, cancelled and deleted."""
    assigned = str(desk.assign(desk.worker(), position, 1, None)["id"])
    desk.done("updateAssignment", assigned, body={"startAt": at(2)})
    desk.done("endAssignment", assigned, body={"endAt": at(5)})
    desk.done("cancelAssignment", assigned)
    desk.done("deleteAssignment", assigned)
    return assigned


@pytest.mark.parametrize("role", list(Role))
def test_everybody_reads_it_oldest_first_also_when_it_is_deleted(desk: Desk, gone: str, role: Role) -> None:
    log = desk.as_(desk.organization.member(role)).done("getAssignmentAuditLog", gone)
    assert [entry["action"] for entry in log["items"]] == [*STEPS]
    assert {entry["entityId"] for entry in log["items"]} == {gone}
    assert log["nextCursor"] is None


def test_each_entry_says_what_it_changed(desk: Desk, gone: str) -> None:
    _, updated, ended, cancelled, deleted = desk.done("getAssignmentAuditLog", gone)["items"]
    user = str(desk.member.user.id)
    assert updated["changes"] == {"startAt": {"before": at(1), "after": at(2)}}
    assert {name: change["after"] for name, change in ended["changes"].items()} == {
        "endAt": at(5),
        "endedAt": at(0),
        "endedById": user,
    }
    assert {name: change["after"] for name, change in cancelled["changes"].items()} == {
        "cancelledAt": at(0),
        "cancelledById": user,
    }
    assert deleted["changes"]["cancelledAt"] == {"before": at(0), "after": None}


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_it_is_walked_by_cursor(desk: Desk, gone: str, limit: int) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(6):
        page = desk.done("getAssignmentAuditLog", gone, query={"limit": limit, **cursor})
        seen += [entry["action"] for entry in page["items"]]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert seen == [*STEPS]


def test_a_cursor_serves_one_log(desk: Desk, gone: str, worker: str, position: str) -> None:
    cursor = desk.done("getAssignmentAuditLog", gone, query={"limit": 1})["nextCursor"]
    other = desk.assign(worker, position)["id"]
    answer = desk.on("getAssignmentAuditLog", other, query={"cursor": cursor})
    assert refusal(answer) == (400, "VALIDATION_ERROR", ["cursor"])


def test_one_that_never_was_and_another_organizations_have_none(api: Api, desk: Desk, gone: str, worker: str) -> None:
    abroad = Desk.of(new_organization(api))
    for reader, identifier in ((desk, ids.new_id()), (desk, worker), (abroad, gone)):
        answer = reader.on("getAssignmentAuditLog", identifier)
        assert (answer.status, answer.code, answer.error["message"]) == (404, "NOT_FOUND", "no such assignment")
