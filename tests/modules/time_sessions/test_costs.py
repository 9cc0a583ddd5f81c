"""The price of creating a session: its round trips, and the write units of its transaction; and of starting a timer."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.engine import Store, configured_store
from tests.support.api import Answer, Api
from tests.support.factories import Member, new_organization
from tests.support.project_helpers import new_project, new_task
from tests.support.time_helpers import at, at_noon


@pytest.mark.skipif(configured_store() is Store.MOTO, reason="moto does not count units as billed")
def test_a_session_is_three_requests_and_23_write_units(api: Api) -> None:
    """Given a project, a known tag and a month with a session, then docs/figures.md lists the units item by item."""
    with at_noon():
        owner = new_organization(api).owner
        project = new_project(owner)["id"]
        work = {"projectId": project, "tags": ["Büro"], "description": "Wareneingang Block C"}
        answers = [_create(owner, start, **work) for start in (-200, -100)]
        task = new_task(owner, project)["id"]
        with_task, started = _create(owner, -50, taskId=task), owner.post("startTimer", taskId=task)
        assert started.data["timer"]["projectId"] == project
    calls = answers[1].recording.calls
    assert [call.operation for call in calls] == ["BatchGetItem", "BatchGetItem", "TransactWriteItems"]
    assert calls[-1].capacity == 23
    assert with_task.round_trips == started.round_trips == 3


def _create(member: Member, start: int, **fields: Any) -> Answer:
    body = {"startAt": at(start), "endAt": at(start + 45), **fields}
    answer = member.call("createTimeSession", key=f"key {start}", body=body)
    assert answer.status == 201, answer.text
    return answer
