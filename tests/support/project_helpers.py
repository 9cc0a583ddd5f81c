"""Projects and tasks for tests, created through the API."""

from __future__ import annotations

from typing import Any

from tests.support.factories import Member, unique
from tests.support.staffing import created


def new_project(member: Member, **fields: Any) -> dict[str, Any]:
    return created(member, "createProject", **{"name": unique("Project"), **fields})


def new_task(member: Member, project: str, **fields: Any) -> dict[str, Any]:
    answer = member.call_on("createTask", project, body={"title": unique("Task"), **fields})
    assert answer.status == 201, answer.text
    data: dict[str, Any] = answer.data
    return data
