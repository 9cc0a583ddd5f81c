"""Projects: names that are unique among the active ones, clients, budgets, lists."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.core import ids
from tests.support.api import Api
from tests.support.client_hooks import overtaken
from tests.support.factories import Organization, new_organization
from tests.support.project_helpers import new_project, new_task
from tests.support.staffing import new_client

FULL: dict[str, Any] = {
    "name": "Lagerumzug",
    "color": "teal",
    "isBillable": False,
    "estimatedMinutes": 7200,
    "budget": {"amount": 1_200_000, "currency": "EUR"},
    "budgetPeriod": "MONTHLY",
}


def test_a_created_project_is_read_with_its_time_and_tasks(organization: Organization) -> None:
    client = new_client(organization.owner)["id"]
    created = new_project(organization.owner, **FULL, clientId=client)

    read = organization.owner.call_on("getProject", created["id"])

    assert {name: created[name] for name in FULL} == FULL
    assert (created["status"], created["clientId"], created["version"]) == ("ACTIVE", client, 1)
    counts = {"TODO": 0, "IN_PROGRESS": 0, "DONE": 0}
    assert read.data == {**created, "trackedSeconds": 0, "taskCounts": counts}
    assert read.headers["ETag"]


def test_only_the_name_is_needed(organization: Organization) -> None:
    created = new_project(organization.owner, name="Inventur")
    defaults = {"status": "ACTIVE", "color": "blue", "clientId": None, "isBillable": True, "budget": None}
    assert {name: created[name] for name in defaults} == defaults


@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({"name": "x" * 121}, "name"),
        ({"estimatedMinutes": 0}, "estimatedMinutes"),
        ({"budget": {"amount": 0, "currency": "EUR"}}, "budget.amount"),
        ({"budget": {"amount": 1, "currency": "USD"}}, "budget.currency"),
        ({"budgetPeriod": "YEARLY"}, "budgetPeriod"),
        ({"status": "DELETED"}, "status"),
        ({"trackedSeconds": 1}, "trackedSeconds"),
    ],
)
def test_a_faulty_field_is_named(organization: Organization, fields: dict[str, Any], faulty: str) -> None:
    answer = organization.owner.post("createProject", **{"name": "Inventur", **fields})
    assert (answer.status, [*answer.error["details"]["fieldErrors"]]) == (400, [faulty])


# -- names -----------------------------------------------------------------------------------------------------------


def test_a_name_is_taken_by_an_active_project_only(organization: Organization) -> None:
    """Given an archived project, when another takes its name, then the first cannot come back under it."""
    first = new_project(organization.owner, name="Inventur 2026")
    assert organization.owner.post("createProject", name="INVENTUR 2026").code == "DUPLICATE_ENTRY"
    organization.owner.call_on("updateProject", first["id"], body={"status": "ARCHIVED"})

    second = new_project(organization.owner, name="inventur 2026")

    back = organization.owner.call_on("updateProject", first["id"], body={"status": "ACTIVE"})
    assert (back.status, back.code) == (409, "DUPLICATE_ENTRY")
    renamed = organization.owner.call_on("updateProject", first["id"], body={"status": "ACTIVE", "name": "Inventur"})
    assert (renamed.status, renamed.data["status"]) == (200, "ACTIVE")
    organization.owner.call_on("deleteProject", second["id"])
    assert new_project(organization.owner, name="Inventur 2026")["version"] == 1


def test_archived_projects_may_share_a_name(organization: Organization) -> None:
    ids_ = [new_project(organization.owner, name="Messe", status="ARCHIVED")["id"] for _ in range(2)]
    assert [organization.owner.call_on("deleteProject", id_).status for id_ in ids_] == [200, 200]


# -- clients ---------------------------------------------------------------------------------------------------------


def test_a_client_with_projects_is_not_deleted(organization: Organization) -> None:
    """Given a project of a client, when it moves to another client, then the first may go and the second may not."""
    first, second = (new_client(organization.owner)["id"] for _ in range(2))
    project = new_project(organization.owner, clientId=first)["id"]
    refused = organization.owner.call_on("deleteClient", first)
    assert (refused.code, refused.error["details"]["dependencies"]) == ("HAS_DEPENDENCIES", {"project": 1})

    organization.owner.call_on("updateProject", project, body={"clientId": second})

    assert organization.owner.call_on("deleteClient", first).status == 200
    assert organization.owner.call_on("deleteClient", second).code == "HAS_DEPENDENCIES"
    organization.owner.call_on("deleteProject", project)
    assert organization.owner.call_on("deleteClient", second).status == 200


@pytest.mark.parametrize("kind", ["unknown", "foreign", "deleted"])
def test_a_client_must_be_live(api: Api, organization: Organization, kind: str) -> None:
    client = str(ids.new_id()) if kind == "unknown" else new_client(organization.owner)["id"]
    if kind == "foreign":
        client = new_client(new_organization(api).owner)["id"]
    if kind == "deleted":
        organization.owner.call_on("deleteClient", client)
    assert organization.owner.post("createProject", name="Inventur", clientId=client).code == "NOT_FOUND"


def test_a_client_deleted_meanwhile_gets_no_project(organization: Organization) -> None:
    client = new_client(organization.owner)["id"]
    with overtaken(lambda: organization.owner.call_on("deleteClient", client)):
        late = organization.owner.post("createProject", name="Inventur", clientId=client)
    assert (late.status, late.code) == (404, "NOT_FOUND")


# -- lists -----------------------------------------------------------------------------------------------------------


def test_the_list_is_newest_first_with_filters_and_search(organization: Organization) -> None:
    client = new_client(organization.owner)["id"]
    new_project(organization.owner, name="Ärzte-Logistik", clientId=client)
    new_project(organization.owner, name="Messe Köln", status="ARCHIVED")
    new_project(organization.owner, name="Messe Hamburg", clientId=client)

    def listed(**query: Any) -> list[str]:
        answer = organization.owner.call("listProjects", query=query)
        return [project["name"] for project in answer.data["items"]]

    assert listed() == ["Messe Hamburg", "Messe Köln", "Ärzte-Logistik"]
    assert listed(status="ACTIVE") == ["Messe Hamburg", "Ärzte-Logistik"]
    assert listed(clientId=client) == ["Messe Hamburg", "Ärzte-Logistik"]
    assert listed(search="MESSE") == ["Messe Hamburg", "Messe Köln"]
    assert listed(search="arzte") == ["Ärzte-Logistik"]
    assert listed(search="messe", status="ACTIVE") == ["Messe Hamburg"]


def test_a_walk_yields_each_project_once(organization: Organization) -> None:
    expected = [new_project(organization.owner)["id"] for _ in range(5)][::-1]
    walked: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": 2, **({} if cursor is None else {"cursor": cursor})}
        page = organization.owner.call("listProjects", query=query).data
        walked += [project["id"] for project in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert walked == expected


# -- members ---------------------------------------------------------------------------------------------------------


def test_members_come_and_go(organization: Organization) -> None:
    """Given a project, when a user is added twice and removed, then they are a member once and then none."""
    owner, project = organization.owner, new_project(organization.owner)["id"]
    path = {"id": project, "userId": str(owner.user.id)}

    first, again = (owner.call("addProjectMember", path=path) for _ in range(2))

    assert first.data == again.data
    assert first.data["user"] == {"id": path["userId"], "firstName": "Test", "lastName": "Owner"}
    assert owner.call_on("listProjectMembers", project).data["items"] == [first.data]
    assert owner.call("removeProjectMember", path=path).data == first.data
    assert owner.call("removeProjectMember", path=path).error["message"] == "no such member"
    assert owner.call_on("listProjectMembers", project).data == {"items": [], "nextCursor": None}


def test_an_unknown_user_is_no_member(api: Api, organization: Organization) -> None:
    project = new_project(organization.owner)["id"]
    for user in (ids.new_id(), new_organization(api).owner.user.id):
        answer = organization.owner.call("addProjectMember", path={"id": project, "userId": str(user)})
        assert (answer.status, answer.error["message"]) == (404, "no such user")


# -- delete ----------------------------------------------------------------------------------------------------------


def test_the_tasks_of_a_deleted_project_are_gone(organization: Organization) -> None:
    owner, project = organization.owner, new_project(organization.owner)["id"]
    task = new_task(owner, project)["id"]

    deleted = owner.call_on("deleteProject", project)

    assert deleted.data["deletedAt"]
    assert owner.call_on("getProject", project).code == "NOT_FOUND"
    for action, body in [("getTask", None), ("updateTask", {"title": "x"}), ("deleteTask", None)]:
        assert owner.call_on(action, task, body=body).code == "NOT_FOUND", action
    assert owner.call_on("listTasks", project).code == "NOT_FOUND"
    assert owner.call_on("createTask", project, body={"title": "x"}).code == "NOT_FOUND"
