"""Budgets: each threshold is one activity a period, whatever order and repetition changes arrive in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.jobs import budgets, metrics_queue
from chalicelib.jobs.changes import Change
from chalicelib.jobs.deadline import Deadline
from chalicelib.models.users import Role
from infra.local.stack import Stack
from tests.support.client_hooks import KINDS, Fault, ProcessDied, broken, recorded, without_waiting
from tests.support.deliveries import Deliveries
from tests.support.factories import Member, Organization
from tests.support.mail_delivery import Post
from tests.support.project_helpers import new_project
from tests.support.queue_events import failed
from tests.support.threads import at_once
from tests.support.time_helpers import at, at_noon, tracked

HOUR = 60
EUR = {"currency": "EUR"}


@pytest.fixture(autouse=True)
def _noon(post: Post) -> Iterator[None]:
    with at_noon():
        yield
        post.carry()


@pytest.fixture
def me(_noon: None, organization: Organization) -> Member:
    return organization.owner


def _rate(member: Member, amount: int, day: str = "2026-01-01") -> None:
    answer = member.call("setOrganizationRate", path={"effectiveFrom": day}, body={"amount": amount, **EUR})
    assert answer.status == 200, answer.text


def _reports(member: Member, post: Post) -> list[tuple[str, int, str]]:
    """Return limit, percentage and period of the activities, oldest first."""
    post.carry()
    items = reversed(member.call("getRecentActivities", query={"limit": 100}).data["items"])
    fields = [item["metadata"] for item in items if item["action"] == "PROJECT_BUDGET_REACHED"]
    return [(field["limit"], field["percent"], field["period"]) for field in fields]


# -- thresholds ------------------------------------------------------------------------------------------------------


def test_each_threshold_of_an_estimate_is_one_activity(me: Member, post: Post) -> None:
    """Given an estimate of 10 hours, when 8 and 10 are tracked, then there is one activity each, and never another."""
    project = new_project(me, name="Umzug", estimatedMinutes=10 * HOUR)["id"]
    first = tracked(me, -8 * HOUR, -1, projectId=project)["id"]
    assert _reports(me, post) == []
    me.call_on("updateTimeSession", first, body={"endAt": at(0)})
    assert _reports(me, post) == [("ESTIMATE", 80, "TOTAL")]
    tracked(me, -20 * HOUR, -18 * HOUR, projectId=project)
    both = [("ESTIMATE", 80, "TOTAL"), ("ESTIMATE", 100, "TOTAL")]
    assert _reports(me, post) == both
    me.call_on("deleteTimeSession", first)
    tracked(me, -9 * HOUR, 0, projectId=project)
    assert _reports(me, post) == both
    query = {"limit": 100}
    activity = next(
        item
        for item in me.call("getRecentActivities", query=query).data["items"]
        if item["action"] == "PROJECT_BUDGET_REACHED"
    )
    assert activity["title"] == "Umzug has used 100 % of its estimated time"
    assert (activity["entityType"], activity["entityId"]) == ("project", project)
    assert (activity["severity"], activity["actor"]["name"]) == ("CRITICAL", "Workledger")


def test_a_budget_is_used_by_billable_time_at_its_rates(me: Member, organization: Organization, post: Post) -> None:
    """Given a budget of 100 and rates of 10 and 30 an hour, then exactly 80 and 100 are the thresholds."""
    _rate(me, 10_00)
    project = new_project(me, budget={"amount": 100_00, **EUR})["id"]
    member = organization.member(Role.MEMBER)
    path = {"id": project, "userId": str(member.user.id), "effectiveFrom": "2026-01-01"}
    me.call("addProjectMember", path={name: path[name] for name in ("id", "userId")})
    assert me.call("setProjectMemberRate", path=path, body={"amount": 30_00, **EUR}).status == 200
    tracked(me, -9 * HOUR, 0, projectId=project, billable=False)
    tracked(member, -2 * HOUR, 0, projectId=project)
    last = tracked(me, -2 * HOUR, -0.1, projectId=project)["id"]
    assert _reports(me, post) == []
    me.call_on("updateTimeSession", last, body={"endAt": at(0)})
    assert _reports(me, post) == [("BUDGET", 80, "TOTAL")]
    other = tracked(me, -2 * HOUR, 0, projectId=project, billable=False)["id"]
    assert len(_reports(me, post)) == 1
    me.call_on("updateTimeSession", other, body={"billable": True})
    assert _reports(me, post) == [("BUDGET", 80, "TOTAL"), ("BUDGET", 100, "TOTAL")]


def test_a_session_that_reaches_both_has_an_activity_of_each(me: Member, post: Post) -> None:
    _rate(me, 10_00)
    project = new_project(me, estimatedMinutes=HOUR, budget={"amount": 10_00, **EUR})["id"]
    tracked(me, -2 * HOUR, 0, projectId=project)
    expected = [(limit, percent, "TOTAL") for limit in ("BUDGET", "ESTIMATE") for percent in (80, 100)]
    assert sorted(_reports(me, post)) == expected


def test_a_month_begins_in_the_organizations_zone(me: Member, post: Post) -> None:
    """Given an estimate a month and a session over midnight of the first in Berlin, then each month has its part."""
    me.call("updateOrganization", body={"timezone": "Europe/Berlin"})
    project = new_project(me, estimatedMinutes=2 * HOUR, budgetPeriod="MONTHLY")["id"]
    times = {"startAt": "2026-05-31T20:00:00Z", "endAt": "2026-05-31T23:30:00Z"}  # two hours in May, 1.5 in June
    assert me.post("createTimeSession", **times, projectId=project).status == 201
    assert _reports(me, post) == [("ESTIMATE", 80, "2026-05"), ("ESTIMATE", 100, "2026-05")]
    tracked(me, -6, 0, projectId=project)
    assert _reports(me, post)[2:] == [("ESTIMATE", 80, "2026-06")]


def test_a_monthly_budget_counts_the_month_alone(me: Member, post: Post) -> None:
    _rate(me, 10_00)
    project = new_project(me, budget={"amount": 100_00, **EUR}, budgetPeriod="MONTHLY")["id"]
    may = {"startAt": "2026-05-20T00:00:00Z", "endAt": "2026-05-20T09:00:00Z", "projectId": project}
    assert me.post("createTimeSession", **may).status == 201
    tracked(me, -7 * HOUR, 0, projectId=project)
    assert _reports(me, post) == [("BUDGET", 80, "2026-05")]
    tracked(me, -8 * HOUR, -7 * HOUR, projectId=project)
    assert _reports(me, post) == [("BUDGET", 80, "2026-05"), ("BUDGET", 80, "2026-06")]


def test_a_smaller_budget_is_reached_at_once_and_a_larger_one_anew(me: Member, post: Post) -> None:
    """Given tracked time, when a budget is set below it, then that is reported; another budget has its own reports."""
    project = new_project(me)["id"]
    tracked(me, -8 * HOUR, 0, projectId=project)
    assert _reports(me, post) == []
    me.call_on("updateProject", project, body={"estimatedMinutes": 10 * HOUR})
    assert len(_reports(me, post)) == 1
    me.call_on("updateProject", project, body={"color": "red"})
    assert len(_reports(me, post)) == 1
    me.call_on("updateProject", project, body={"estimatedMinutes": 9 * HOUR})
    assert _reports(me, post) == [("ESTIMATE", 80, "TOTAL")] * 2


def test_a_budget_refuses_no_time(me: Member, post: Post) -> None:
    project = new_project(me, estimatedMinutes=1)["id"]
    for number in range(3):
        tracked(me, -HOUR * (number + 1), -HOUR * number, projectId=project)
    assert me.post("startTimer", projectId=project).status == 201


# -- once ------------------------------------------------------------------------------------------------------------


def _check(me: Member, project: str) -> dict[str, Any]:
    tenant = me.call("getOrganization").data["id"]
    return {"kind": "checkBudgets", "organizationId": tenant, "projects": {project: ["2026-06"]}}


@pytest.fixture
def spent(me: Member, post: Post) -> dict[str, Any]:
    """Return the message that asks for the check of a project that has reached both thresholds, unreported."""
    _rate(me, 10_00)
    project = new_project(me, budget={"amount": 100_00, **EUR})["id"]
    post.carry()
    tracked(me, -10 * HOUR, 0, projectId=project)
    return _check(me, project)


@pytest.mark.usefixtures("on_a_safe_engine")
def test_messages_at_once_and_again_report_once(me: Member, post: Post, spent: dict[str, Any]) -> None:
    at_once([lambda: budgets.work(spent)] * 4)
    budgets.work(spent)
    assert sorted(_reports(me, post)) == [("BUDGET", 80, "TOTAL"), ("BUDGET", 100, "TOTAL")]


def test_a_check_that_is_cut_off_reports_once(me: Member, post: Post, spent: dict[str, Any]) -> None:
    for kind in KINDS:
        for call in range(1, 7):
            with without_waiting(), broken(Fault(call, kind)), contextlib.suppress(ProcessDied, Exception):
                budgets.work(spent)
    assert failed(metrics_queue.work, spent) == []
    assert sorted(_reports(me, post)) == [("BUDGET", 80, "TOTAL"), ("BUDGET", 100, "TOTAL")]


# -- cost ------------------------------------------------------------------------------------------------------------


def test_far_from_a_threshold_no_month_is_read(me: Member) -> None:
    """Given a budget that all time at the highest rate does not reach, then a check reads project and rates alone."""
    _rate(me, 10_00)
    project = new_project(me, budget={"amount": 100_00, **EUR})["id"]
    tracked(me, -7 * HOUR, 0, projectId=project)
    message = _check(me, project)
    with recorded() as recording:
        budgets.work(message)
    assert recording.operations == ["BatchGetItem", "Query"]


def test_a_check_of_many_projects_reads_the_months_once(me: Member) -> None:
    _rate(me, 10_00)
    projects = [new_project(me, budget={"amount": 20_00, **EUR}, budgetPeriod="MONTHLY")["id"] for _ in range(5)]
    for project in projects:
        tracked(me, -HOUR, 0, projectId=project)
        tracked(me, -HOUR, -0.5 * HOUR, projectId=project, billable=False)
        tracked(me, -2 * HOUR, -1.75 * HOUR, projectId=project, billable=False)
    message = {**_check(me, projects[0]), "projects": {project: ["2026-06"] for project in projects}}
    with recorded() as recording:
        budgets.work(message)
    assert recording.operations == ["BatchGetItem", "Query", "Query"]


def test_more_time_than_an_analysis_reads_is_left_unchecked(
    me: Member, post: Post, spent: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.models.time.tracked.MAX_PAGES", 0)
    budgets.work(spent)
    assert _reports(me, post) == []


def test_a_batch_asks_for_one_check(me: Member, local_stack: Stack) -> None:
    """Given changes of projects with and without a budget, then one message names those with one, by month."""
    deliveries = Deliveries(local_stack)
    plain, limited = new_project(me)["id"], new_project(me, estimatedMinutes=HOUR)["id"]
    tracked(me, -10, 0, projectId=plain)
    times = {"startAt": "2026-05-31T23:59:58Z", "endAt": "2026-06-01T00:00:00Z"}
    session = me.post("createTimeSession", **times, projectId=limited).data["id"]
    changes = _changes(deliveries)
    with recorded() as recording:
        assert budgets.enqueue(changes, Deadline(None)) == set()
    assert recording.operations == ["BatchGetItem"]
    assert [message["projects"] for message in deliveries.messages()] == [{limited: ["2026-05", "2026-06"]}]

    with broken(Fault(1, "request lost")), without_waiting():
        assert budgets.enqueue(changes, Deadline(None)) < changes.keys()
    me.call_on("updateTimeSession", session, body={"description": "x"})
    assert budgets.enqueue(_changes(deliveries), Deadline(None)) == set()
    assert deliveries.messages() == []


def _changes(deliveries: Deliveries) -> dict[str, Change]:
    return {record["dynamodb"]["SequenceNumber"]: Change.of(record) for record in deliveries.changes()}
