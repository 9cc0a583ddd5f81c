"""Tasks: their order and filters, their status and its instant, their counts on the project."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock, ids
from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.client_hooks import overtaken
from tests.support.factories import Organization, new_organization
from tests.support.project_helpers import new_project, new_task

FULL: dict[str, Any] = {
    "title": "Regale umsetzen",
    "description": "Erst Block C,\ndann D.",
    "status": "IN_PROGRESS",
    "dueDate": "2026-12-24",
    "estimatedMinutes": 240,
    "sortOrder": 7,
}


@pytest.fixture
def project(organization: Organization) -> str:
    identifier: str = new_project(organization.owner)["id"]
    return identifier


def _counts(organization: Organization, project: str) -> dict[str, int]:
    counts: dict[str, int] = organization.owner.call_on("getProject", project).data["taskCounts"]
    return counts


def test_a_created_task_is_read(organization: Organization, project: str) -> None:
    assignee = str(organization.member(Role.MEMBER).user.id)
    created = new_task(organization.owner, project, **FULL, assigneeId=assignee)

    read = organization.owner.call_on("getTask", created["id"])

    assert read.data == created
    assert {name: created[name] for name in FULL} == FULL
    assert (created["projectId"], created["assigneeId"], created["doneAt"]) == (project, assignee, None)


def test_done_at_follows_from_the_status(organization: Organization, project: str) -> None:
    """Given a task, when it is done, changed, reopened and done again, then `doneAt` is that of the last time."""
    task = new_task(organization.owner, project)["id"]

    def change(**fields: Any) -> dict[str, Any]:
        answer = organization.owner.call_on("updateTask", task, body=fields)
        assert answer.status == 200, answer.text
        data: dict[str, Any] = answer.data
        return data

    first = change(status="DONE")["doneAt"]
    assert first is not None
    assert change(title="Still done")["doneAt"] == change(status="DONE")["doneAt"] == first
    assert change(status="TODO")["doneAt"] is None
    with clock.shifted(timedelta(hours=1)):
        assert change(status="DONE")["doneAt"] > first
    assert new_task(organization.owner, project, status="DONE")["doneAt"]
    assert organization.owner.call_on("updateTask", task, body={"doneAt": None}).status == 400


def test_the_project_counts_its_tasks_by_status(organization: Organization, project: str) -> None:
    tasks = [new_task(organization.owner, project, status=status)["id"] for status in ("TODO", "TODO", "DONE")]
    assert _counts(organization, project) == {"TODO": 2, "IN_PROGRESS": 0, "DONE": 1}
    organization.owner.call_on("updateTask", tasks[0], body={"status": "IN_PROGRESS"})
    organization.owner.call_on("updateTask", tasks[1], body={"title": "Same status"})
    organization.owner.call_on("deleteTask", tasks[2])
    assert _counts(organization, project) == {"TODO": 1, "IN_PROGRESS": 1, "DONE": 0}


def test_counts_are_right_when_two_change_a_task_at_once(organization: Organization, project: str) -> None:
    task = new_task(organization.owner, project)["id"]
    with overtaken(lambda: organization.owner.call_on("updateTask", task, body={"status": "DONE"})):
        late = organization.owner.call_on("updateTask", task, body={"status": "IN_PROGRESS"})
    assert (late.status, late.data["doneAt"]) == (200, None)
    assert _counts(organization, project) == {"TODO": 0, "IN_PROGRESS": 1, "DONE": 0}


def test_the_list_has_the_order_of_the_tasks(organization: Organization, project: str) -> None:
    me = str(organization.owner.user.id)
    places = {"d": 20, "b": 3, "a": 3, "c": 10}
    tasks = {title: new_task(organization.owner, project, title=title, sortOrder=places[title]) for title in places}
    new_task(organization.owner, new_project(organization.owner)["id"], title="elsewhere")
    organization.owner.call_on("updateTask", tasks["c"]["id"], body={"status": "DONE", "assigneeId": me})

    def listed(**query: Any) -> list[str]:
        titles: list[str] = []
        cursor: dict[str, Any] = {}
        while True:
            page = organization.owner.call_on("listTasks", project, query={"limit": 3, **query, **cursor}).data
            titles += [task["title"] for task in page["items"]]
            if page["nextCursor"] is None:
                return titles
            cursor = {"cursor": page["nextCursor"]}

    assert listed() == ["b", "a", "c", "d"]
    assert listed(status="TODO") == ["b", "a", "d"]
    assert listed(assigneeId=me) == ["c"]
    organization.owner.call_on("updateTask", tasks["d"]["id"], body={"sortOrder": 0})
    organization.owner.call_on("deleteTask", tasks["b"]["id"])
    assert listed() == ["d", "a", "c"]


@pytest.mark.parametrize("kind", ["unknown", "foreign"])
def test_an_assignee_is_a_user_of_the_organization(
    api: Api, organization: Organization, project: str, kind: str
) -> None:
    user = ids.new_id() if kind == "unknown" else new_organization(api).owner.user.id
    task = new_task(organization.owner, project)["id"]
    answers = [
        organization.owner.call_on("createTask", project, body={"title": "x", "assigneeId": str(user)}),
        organization.owner.call_on("updateTask", task, body={"assigneeId": str(user)}),
    ]
    assert [(answer.status, answer.error["message"]) for answer in answers] == [(404, "no such user")] * 2


def test_a_deactivated_user_gets_no_task(organization: Organization, project: str) -> None:
    user = str(organization.member(Role.MEMBER).user.id)
    organization.owner.call("deactivateUser", path={"userId": user})
    answer = organization.owner.call_on("createTask", project, body={"title": "x", "assigneeId": user})
    assert (answer.status, [*answer.error["details"]["fieldErrors"]]) == (400, ["assigneeId"])
