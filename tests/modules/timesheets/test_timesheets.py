"""Timesheets and locks: states, frozen weeks, approval, and what a lock keeps as it is."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.models.users import Role
from tests.support.api import Answer
from tests.support.client_hooks import overtaken
from tests.support.factories import Member, Organization
from tests.support.time_helpers import at, attempt, tracked

WEEK = "2026-06-15"
"""The Monday of the frozen noon."""
REASON = {"reason": "Der Freitag fehlt."}


pytestmark = pytest.mark.usefixtures("_noon")


@pytest.fixture
def admin(_noon: None, organization: Organization) -> Member:
    return organization.owner


@pytest.fixture
def member(_noon: None, organization: Organization) -> Member:
    return organization.member(Role.MEMBER)


def _do(by: Member, action: str, of: Member, week: str = WEEK, **parts: Any) -> Answer:
    return by.call(f"{action}Timesheet", path={"userId": str(of.user.id), "weekStart": week}, **parts)


def _lock_of(answer: Answer) -> tuple[int, str | None]:
    return answer.status, (answer.error.get("details") or {}).get("lockedBy")


# -- states ----------------------------------------------------------------------------------------------------------


def test_a_week_that_was_never_submitted_is_open(member: Member) -> None:
    tracked(member, -120, -60, billable=True)
    sheet = _do(member, "get", member).data
    assert (sheet["state"], sheet["version"], sheet["history"]) == ("OPEN", 0, [])
    assert (sheet["startAt"], sheet["endAt"]) == ("2026-06-15T00:00:00.000Z", "2026-06-22T00:00:00.000Z")
    assert [day["seconds"] for day in sheet["days"]] == [3600, 0, 0, 0, 0, 0, 0]
    assert (sheet["seconds"], sheet["billableSeconds"], sheet["differsBy"]) == (3600, 3600, None)
    refused = _do(member, "get", member, "2026-06-16")
    assert [*refused.error["details"]["fieldErrors"]] == ["weekStart"]


def test_a_week_goes_through_its_states(admin: Member, member: Member) -> None:
    """Given a week, when it is submitted, rejected, withdrawn, approved and reopened, then its history says so."""
    steps: list[tuple[Member, str, dict[str, Any]]] = [
        (member, "submit", {}),
        (admin, "reject", {"body": REASON}),
        (member, "submit", {}),
        (member, "withdraw", {}),
        (member, "submit", {}),
        (admin, "approve", {}),
        (admin, "reopen", {"body": REASON}),
    ]
    for by, action, parts in steps:
        answer = _do(by, action, member, **parts)
        assert answer.status == 200, answer.text
    history = _do(member, "get", member).data["history"]
    states = ["SUBMITTED", "REJECTED", "SUBMITTED", "OPEN", "SUBMITTED", "APPROVED", "OPEN"]
    assert [step["state"] for step in history] == states
    assert [step["reason"] for step in history if step["reason"]] == [REASON["reason"]] * 2
    assert history[1]["byId"] == str(admin.user.id)


def test_steps_that_do_not_fit_the_state_are_refused(admin: Member, member: Member) -> None:
    assert _do(admin, "approve", member).error["message"] == "a timesheet that is OPEN cannot become APPROVED"
    assert _do(member, "withdraw", member).status == _do(admin, "reopen", member, body=REASON).status == 400
    _do(member, "submit", member)
    assert _do(member, "submit", member).error["message"] == "a timesheet that is SUBMITTED cannot become SUBMITTED"
    assert _do(admin, "reject", member, body={}).status == 400


def test_only_its_user_submits_and_others_decide(admin: Member, member: Member, organization: Organization) -> None:
    assert _do(admin, "submit", member).code == "FORBIDDEN"
    _do(member, "submit", member)
    assert _do(member, "approve", member).code == "FORBIDDEN"
    assert _do(organization.member(Role.COORDINATOR), "get", member).code == "FORBIDDEN"


def test_nobody_approves_their_own_unless_they_are_the_only_owner(admin: Member, organization: Organization) -> None:
    _do(admin, "submit", admin)
    other = organization.enrol(Role.OWNER)
    assert _do(admin, "approve", admin).code == "FORBIDDEN"
    admin.call("deactivateUser", path={"userId": str(other.user.id)})
    assert _do(admin, "approve", admin).data["state"] == "APPROVED"


def test_a_running_timer_of_the_week_forbids_submitting(member: Member) -> None:
    member.post("startTimer", startAt=at(-10))
    assert _do(member, "submit", member).status == 400
    member.post("stopTimer")
    with overtaken(lambda: member.post("startTimer", startAt=at(-1))):
        assert _do(member, "submit", member).status == 400


def test_a_submission_and_a_change_of_the_week_have_one_winner(member: Member) -> None:
    session = tracked(member, -120, -60)["id"]
    with overtaken(lambda: _do(member, "submit", member)):
        late = member.call_on("updateTimeSession", session, body={"endAt": at(-90)})
    assert _lock_of(late) == (400, "SUBMITTED")


# -- frozen weeks ----------------------------------------------------------------------------------------------------


def test_a_submitted_week_stays_as_it_is(admin: Member, member: Member) -> None:
    """Given a submitted week, then nothing in it changes, for admins neither; outside of it, everything may."""
    session = tracked(member, -120, -60)["id"]
    before = member.post("createTimeSession", startAt="2026-06-14T10:00:00Z", endAt="2026-06-14T11:00:00Z").data["id"]
    _do(member, "submit", member)
    for by in (member, admin):
        assert _lock_of(by.call_on("updateTimeSession", session, body={"description": "x"})) == (400, "SUBMITTED")
        assert _lock_of(by.call_on("deleteTimeSession", session)) == (400, "SUBMITTED")
        moved = {"endAt": "2026-06-15T00:00:01Z"}
        assert _lock_of(by.call_on("updateTimeSession", before, body=moved)) == (400, "SUBMITTED")
    assert _lock_of(attempt(member, -50, -40)) == (400, "SUBMITTED")
    assert member.post("startTimer", startAt=at(-10)).status == 400
    assert member.call_on("getTimeSession", session).data["lockedBy"] == "SUBMITTED"
    ends = {"endAt": "2026-06-15T00:00:00Z"}
    assert member.call_on("updateTimeSession", before, body=ends).status == 200
    _do(admin, "approve", member)
    assert _lock_of(attempt(member, -50, -40)) == (400, "APPROVED")
    _do(admin, "reopen", member, body=REASON)
    assert attempt(member, -50, -40).status == 201


def test_an_approved_week_keeps_its_figures_and_says_how_they_differ(admin: Member, member: Member) -> None:
    rate = {"amount": 6_000, "currency": "EUR"}
    admin.call("setOrganizationRate", path={"effectiveFrom": "2026-01-01"}, body=rate)
    tracked(member, -120, -60, billable=True)
    _do(member, "submit", member)
    approved = _do(admin, "approve", member).data
    assert (approved["approvedSeconds"], approved["approvedAmount"]["amount"]) == (3600, 6_000)
    assert approved["differsBy"] is None

    admin.call("setOrganizationRate", path={"effectiveFrom": "2026-06-01"}, body={**rate, "amount": 7_500})

    differs = {"seconds": 0, "amount": {"amount": 1_500, "currency": "EUR"}}
    assert _do(admin, "get", member).data["differsBy"] == differs
    [listed] = member.call("listTimesheets").data["items"]
    assert (listed["approvedSeconds"], listed["approvedAmount"]) == (3600, None)
    assert admin.call("listTimesheets").data["items"][0]["approvedAmount"]["amount"] == 6_000
    shown = _do(member, "get", member).data
    assert (shown["differsBy"], shown["approvedAmount"]) == ({"seconds": 0}, None)
    assert "amount" not in shown


def test_a_rate_that_is_deleted_under_an_approved_week_leaves_its_amount(admin: Member, member: Member) -> None:
    path = {"effectiveFrom": "2026-01-01"}
    admin.call("setOrganizationRate", path=path, body={"amount": 6_000, "currency": "EUR"})
    tracked(member, -120, -60, billable=True)
    _do(member, "submit", member)
    _do(admin, "approve", member)

    assert admin.call("deleteOrganizationRate", path=path).status == 200

    sheet = _do(admin, "get", member).data
    assert (sheet["approvedAmount"]["amount"], sheet.get("amount")) == (6_000, None)
    assert sheet["differsBy"] == {"seconds": 0, "amount": {"amount": -6_000, "currency": "EUR"}}


def test_a_week_is_frozen_as_instants_whatever_the_zone_becomes(member: Member) -> None:
    _do(member, "submit", member)
    member.call("updatePreferences", body={"timezone": "Pacific/Auckland"})
    sheet = _do(member, "get", member).data
    assert (sheet["startAt"], sheet["timezone"]) == ("2026-06-15T00:00:00.000Z", "UTC")
    _do(member, "withdraw", member)
    assert _do(member, "get", member).data["startAt"] == "2026-06-14T12:00:00.000Z"


def test_a_week_that_overlaps_a_frozen_one_is_not_submitted(admin: Member, member: Member) -> None:
    """Given a submitted week in locked time, when weeks begin on a new day, then none that overlaps is submitted."""
    _do(member, "submit", member)
    admin.post("lockTimesheet", before="2026-06-30")
    member.call("updatePreferences", body={"weekStart": "SUNDAY"})
    refused = _do(member, "submit", member, "2026-06-14")
    assert refused.error["message"] == "this week overlaps one that is submitted or approved"


# -- locks -----------------------------------------------------------------------------------------------------------


def test_everybodys_past_time_is_locked(admin: Member, member: Member, organization: Organization) -> None:
    """Given users with and without time, when past time is locked, then for all of them, also for those who join."""
    session = tracked(member, -120, -60)["id"]
    assert admin.post("lockTimesheet", before="2026-06-16").data["before"] == "2026-06-16"
    joined = organization.enrol(Role.MEMBER)
    for user in (member, joined, organization.member(Role.COORDINATOR), admin):
        assert _lock_of(attempt(user, -50, -40)) == (400, "LOCK")
    assert attempt(joined, 12 * 60, 12 * 60 + 1).status == 201
    assert _lock_of(member.call_on("deleteTimeSession", session)) == (400, "LOCK")
    admin.post("lockTimesheet", before="2026-06-10")
    assert _lock_of(attempt(member, -50, -40)) == (400, "LOCK")
    admin.post("unlockTimesheet", before="2026-06-15")
    for user in (member, joined):
        assert attempt(user, -50, -40).status == 201


def test_one_users_time_is_locked_at_their_midnight(admin: Member, member: Member) -> None:
    member.call("updatePreferences", body={"timezone": "Pacific/Auckland"})
    body = {"before": "2026-06-15", "userId": str(member.user.id)}
    assert admin.call("lockTimesheet", body=body).data["users"] == 1
    midnight = {"startAt": "2026-06-14T12:00:00Z", "endAt": "2026-06-14T12:30:00Z"}
    assert member.post("createTimeSession", **midnight).status == 201
    early = {"startAt": "2026-06-14T11:59:59Z", "endAt": "2026-06-14T12:30:00Z"}
    refused = member.post("createTimeSession", **early)
    assert refused.error["details"]["lockedUntil"] == "2026-06-14T12:00:00.000Z"
    assert attempt(admin, -48 * 60, -47 * 60).status == 201


# -- lists -----------------------------------------------------------------------------------------------------------


def test_lists_have_submitted_weeks_with_filters(admin: Member, member: Member) -> None:
    for week in ("2026-06-01", "2026-06-08", WEEK):
        assert _do(member, "submit", member, week).status == 200
    _do(admin, "submit", admin)
    _do(admin, "approve", member, "2026-06-08")

    def listed(by: Member, **query: str) -> list[str]:
        return sorted(sheet["weekStart"] for sheet in by.call("listTimesheets", query=query).data["items"])

    assert listed(admin) == ["2026-06-01", "2026-06-08", WEEK, WEEK]
    assert listed(member) == ["2026-06-01", "2026-06-08", WEEK]
    assert listed(admin, userId=str(member.user.id), status="APPROVED") == ["2026-06-08"]
    assert listed(member, **{"from": "2026-06-08", "to": "2026-06-14"}) == ["2026-06-08"]
    assert member.call("listTimesheets", query={"userId": str(admin.user.id)}).code == "FORBIDDEN"
