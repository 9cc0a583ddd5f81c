"""The timer: its states, its instants, and what happens when two devices use it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from chalicelib.core import ids
from chalicelib.models.users import Role
from tests.support.api import Answer
from tests.support.client_hooks import overtaken
from tests.support.factories import Member, Organization
from tests.support.project_helpers import new_project, new_task
from tests.support.staffing import new_client
from tests.support.threads import at_once
from tests.support.time_helpers import at, attempt, minutes_later, pauses, tracked

pytestmark = pytest.mark.usefixtures("_noon")


def _start(member: Member, **fields: Any) -> dict[str, Any]:
    answer = member.post("startTimer", **fields)
    assert answer.status == 201, answer.text
    timer: dict[str, Any] = answer.data["timer"]
    return timer


def _current(member: Member) -> Any:
    return member.call("getCurrentTimer").data["timer"]


def _refusal(answer: Answer) -> tuple[str | None, str | None]:
    """Return the code of an error and its first field."""
    fields = (answer.error.get("details") or {}).get("fieldErrors", {})
    return answer.code, next(iter(fields), None)


# -- start -----------------------------------------------------------------------------------------------------------


def test_no_timer_runs_at_first(me: Member) -> None:
    assert me.call("getCurrentTimer").data == {"timer": None, "serverTime": at(0)}


def test_a_started_timer_runs_from_now_on(me: Member) -> None:
    client = new_client(me)["id"]
    project = new_project(me, clientId=client)["id"]
    task = new_task(me, project)["id"]

    started = me.post("startTimer", taskId=task, description="Abbau", tags=["Umzug", "Block C"], externalId="x-1")

    timer = started.data["timer"]
    assert (timer["projectId"], timer["taskId"], timer["clientId"]) == (project, task, client)
    assert (timer["startAt"], timer["billable"], timer["tags"]) == (at(0), True, ["Umzug", "Block C"])
    assert (timer["elapsedSeconds"], timer["isPaused"], started.data["stopped"]) == (0, False, None)
    with minutes_later(90):
        assert _current(me) == {**timer, "elapsedSeconds": 5400}


@pytest.mark.parametrize(
    ("minutes", "field"), [(0.1, "startAt"), (-24 * 60 - 0.1, "startAt"), (-24 * 60, None), (0, None)]
)
def test_a_start_is_up_to_a_day_back_and_never_ahead(me: Member, minutes: float, field: str | None) -> None:
    answer = me.post("startTimer", startAt=at(minutes))
    assert (answer.status, _refusal(answer)[1] if field else None) == (400 if field else 201, field)


def test_the_default_project_serves_unless_null_is_said(me: Member) -> None:
    project = new_project(me, isBillable=True)["id"]
    assert me.call("updatePreferences", body={"defaultProjectId": project}).status == 200
    assert _start(me)["projectId"] == project
    me.call("discardTimer")
    assert _start(me, projectId=None)["projectId"] is None
    me.call("discardTimer")
    me.call_on("updateProject", project, body={"status": "ARCHIVED"})
    assert _start(me)["projectId"] is None


def test_work_must_be_live_active_and_of_one_project(me: Member) -> None:
    active, archived = new_project(me)["id"], new_project(me, status="ARCHIVED")["id"]
    task = new_task(me, active)["id"]
    other = new_project(me)["id"]
    assert _refusal(me.post("startTimer", projectId=archived)) == ("VALIDATION_ERROR", "projectId")
    assert _refusal(me.post("startTimer", projectId=other, taskId=task)) == ("VALIDATION_ERROR", "taskId")
    for fields in ({"projectId": str(ids.new_id())}, {"taskId": str(ids.new_id())}):
        assert me.post("startTimer", **fields).code == "NOT_FOUND"


def test_eleven_tags_and_equal_ones_are_refused(me: Member) -> None:
    for tags in ([f"tag {number}" for number in range(11)], ["Umzug", "umzug"], ["x" * 51]):
        answer = me.post("startTimer", tags=tags)
        _, field = _refusal(answer)
        assert field is not None
        assert (answer.status, field.split(".")[0]) == (400, "tags")


# -- switch ----------------------------------------------------------------------------------------------------------


def test_a_second_start_shows_the_running_timer(me: Member) -> None:
    running = _start(me, description="first")
    answer = me.post("startTimer", description="second")
    assert (answer.status, answer.code, answer.error["details"]["timer"]) == (400, "VALIDATION_ERROR", running)
    assert _current(me) == running


def test_a_switch_leaves_no_gap_and_no_overlap(me: Member) -> None:
    """Given a timer of an hour, when another starts back-dated in its place, then the first ends where it starts."""
    project = new_project(me)["id"]
    first = _start(me, projectId=project, description="first", tags=["a"])
    with minutes_later(60):
        answer = me.post("startTimer", description="second", startAt=at(45), stopRunning=True, tags=["b"])

    assert answer.status == 201, answer.text
    stopped, timer = answer.data["stopped"], answer.data["timer"]
    assert (stopped["id"], stopped["startAt"], stopped["endAt"]) == (first["id"], at(0), at(45))
    assert (stopped["durationSeconds"], stopped["source"], stopped["projectId"]) == (2700, "TIMER", project)
    assert (timer["startAt"], timer["description"]) == (at(45), "second")
    assert me.call_on("getTimeSession", first["id"]).data == stopped
    assert me.call_on("getProject", project).data["trackedSeconds"] == 2700


def test_a_switch_may_end_the_running_timer_earlier(me: Member) -> None:
    _start(me)
    with minutes_later(60):
        answer = me.post("startTimer", stopRunning=True, runningEndAt=at(30))
    assert (answer.data["stopped"]["endAt"], answer.data["timer"]["startAt"]) == (at(30), at(60))


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"startAt": at(-5)}, "INVALID_DATE_RANGE", "startAt"),
        ({"runningEndAt": at(-5)}, "INVALID_DATE_RANGE", "runningEndAt"),
        ({"runningEndAt": at(61)}, "VALIDATION_ERROR", "runningEndAt"),
    ],
)
def test_a_switch_must_end_the_running_timer_after_its_start(
    me: Member, fields: dict[str, str], code: str, field: str
) -> None:
    running = _start(me)
    with minutes_later(60):
        answer = me.post("startTimer", stopRunning=True, **fields)
        assert (_refusal(answer), _current(me)["id"]) == ((code, field), running["id"])


def test_a_timer_of_more_than_a_day_needs_the_instant_of_its_end(me: Member) -> None:
    _start(me)
    with minutes_later(25 * 60):
        assert _refusal(me.post("startTimer", stopRunning=True)) == ("VALIDATION_ERROR", "runningEndAt")
        assert _refusal(me.post("stopTimer")) == ("VALIDATION_ERROR", "endAt")
        assert _refusal(me.post("stopTimer", endAt=at(24 * 60 + 1))) == ("VALIDATION_ERROR", "endAt")
        assert me.post("startTimer", stopRunning=True, runningEndAt=at(24 * 60)).status == 201


# -- pause and resume ------------------------------------------------------------------------------------------------


def test_pauses_do_not_count(me: Member) -> None:
    _start(me)
    with minutes_later(30):
        paused = me.post("pauseTimer").data["timer"]
        assert (paused["isPaused"], paused["pausedAt"], paused["elapsedSeconds"]) == (True, at(30), 1800)
    with minutes_later(50):
        assert _current(me)["elapsedSeconds"] == 1800
        assert me.post("resumeTimer").data["timer"]["pauses"] == pauses((30, 50))
    with minutes_later(60):
        session = me.post("stopTimer").data
    assert (session["durationSeconds"], session["pauses"], session["endAt"]) == (2400, pauses((30, 50)), at(60))


def test_a_pause_of_no_time_vanishes_and_touching_ones_merge(me: Member) -> None:
    _start(me)
    with minutes_later(10):
        me.post("pauseTimer")
        assert me.post("resumeTimer").data["timer"]["pauses"] == []
        me.post("pauseTimer")
    with minutes_later(15):
        me.post("resumeTimer")
        me.post("pauseTimer")
    with minutes_later(20):
        assert me.post("resumeTimer").data["timer"]["pauses"] == pauses((10, 20))


@pytest.mark.parametrize(("action", "minutes"), [("pauseTimer", -1), ("pauseTimer", 61)])
def test_a_pause_is_after_the_last_change_and_not_ahead(me: Member, action: str, minutes: float) -> None:
    _start(me)
    with minutes_later(60):
        assert _refusal(me.post(action, at=at(minutes))) == ("VALIDATION_ERROR", "at")
        assert me.post(action, at=at(59)).status == 200
        assert _refusal(me.post("resumeTimer", at=at(58))) == ("VALIDATION_ERROR", "at")


def test_states_refuse_what_does_not_fit_them(me: Member) -> None:
    for action in ("pauseTimer", "resumeTimer", "stopTimer"):
        assert me.post(action).error["message"] == "no timer is running"
    assert me.call("discardTimer").code == me.call("updateTimer", body={"description": "x"}).code == "VALIDATION_ERROR"
    _start(me)
    assert me.post("resumeTimer").error["message"] == "the timer is not paused"
    me.post("pauseTimer")
    assert me.post("pauseTimer").error["message"] == "the timer is paused already"


def test_a_timer_has_a_limited_number_of_pauses(me: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.models.time.timers.MAX_PAUSES", 2)
    _start(me)
    with minutes_later(60):
        for number, status in enumerate((200, 200, 400)):
            assert me.post("pauseTimer", at=at(10 * number + 1)).status == 200
            assert me.post("resumeTimer", at=at(10 * number + 2)).status == status


# -- change ----------------------------------------------------------------------------------------------------------


def test_a_timer_may_change_what_it_runs_for(me: Member) -> None:
    """Given a timer of a project, when it moves to a task of another and starts earlier, then that is counted."""
    first, second = new_project(me)["id"], new_project(me)["id"]
    task = new_task(me, second)["id"]
    _start(me, projectId=first)

    changes = {"projectId": second, "taskId": task, "startAt": at(-30), "tags": ["x"], "billable": False}
    timer = me.call("updateTimer", body=changes).data["timer"]

    assert {name: timer[name] for name in changes} == changes
    assert timer["elapsedSeconds"] == 1800
    assert me.call_on("deleteProject", first).status == 200
    for action, identifier in [("deleteProject", second), ("deleteTask", task)]:
        refused = me.call_on(action, identifier)
        assert (refused.code, refused.error["details"]["dependencies"]) == ("HAS_DEPENDENCIES", {"timer": 1})


def test_a_start_stays_before_the_first_pause(me: Member) -> None:
    _start(me, startAt=at(-60))
    me.post("pauseTimer", at=at(-30))
    assert _refusal(me.call("updateTimer", body={"startAt": at(-29)})) == ("VALIDATION_ERROR", "startAt")
    assert me.call("updateTimer", body={"startAt": at(-31)}).data["timer"]["elapsedSeconds"] == 60


def test_a_project_archived_while_its_timer_runs_gets_the_session(me: Member) -> None:
    project = new_project(me)["id"]
    _start(me, projectId=project, startAt=at(-10))
    me.call_on("updateProject", project, body={"status": "ARCHIVED"})
    assert me.call("updateTimer", body={"description": "still"}).status == 200
    assert me.post("stopTimer").data["projectId"] == project


# -- stop ------------------------------------------------------------------------------------------------------------


def test_a_stopped_timer_is_a_session_with_its_id(me: Member) -> None:
    timer = _start(me, description="Abbau", externalId="x-9")
    with minutes_later(25):
        session = me.post("stopTimer").data
    assert (session["id"], session["durationSeconds"], session["source"]) == (timer["id"], 1500, "TIMER")
    assert (session["externalId"], session["warnings"], session["alreadyStopped"]) == ("x-9", [], False)
    assert _current(me) is None


def test_start_and_stop_in_the_same_second_are_no_session(me: Member) -> None:
    _start(me)
    assert _refusal(me.post("stopTimer")) == ("INVALID_DATE_RANGE", "endAt")
    assert _current(me) is not None


def test_a_paused_timer_ends_where_its_pause_began(me: Member) -> None:
    _start(me, startAt=at(-60))
    me.post("pauseTimer", at=at(-20))
    session = me.post("stopTimer").data
    assert (session["endAt"], session["pauses"], session["durationSeconds"]) == (at(-20), [], 2400)


def test_a_stop_at_the_instant_of_the_pause_has_no_pause(me: Member) -> None:
    _start(me, startAt=at(-60))
    me.post("pauseTimer", at=at(-20))
    session = me.post("stopTimer", endAt=at(-20)).data
    assert (session["endAt"], session["pauses"], session["durationSeconds"]) == (at(-20), [], 2400)


def test_pauses_after_the_end_are_cut(me: Member) -> None:
    _start(me, startAt=at(-60))
    for pause, resume in ((-50, -45), (-30, -20), (-15, -10)):
        me.post("pauseTimer", at=at(pause))
        me.post("resumeTimer", at=at(resume))
    session = me.post("stopTimer", endAt=at(-25)).data
    assert (session["pauses"], session["durationSeconds"]) == (pauses((-50, -45), (-30, -25)), (35 - 5 - 5) * 60)


def test_an_end_is_not_ahead(me: Member) -> None:
    _start(me, startAt=at(-5))
    assert _refusal(me.post("stopTimer", endAt=at(1))) == ("VALIDATION_ERROR", "endAt")
    assert _refusal(me.post("stopTimer", endAt=at(-6))) == ("INVALID_DATE_RANGE", "endAt")


def test_the_stop_of_an_old_client_leaves_a_newer_timer_alone(me: Member) -> None:
    """Given a stopped timer and a newer one, when an old client stops the first, then that is answered as it is."""
    first = _start(me, startAt=at(-30))
    stopped = me.post("stopTimer", endAt=at(-20)).data
    newer = _start(me, startAt=at(-10))

    again = me.post("stopTimer", sessionId=first["id"], endAt=at(-1))

    assert (again.status, again.data) == (200, {**stopped, "alreadyStopped": True})
    assert _current(me)["id"] == newer["id"]
    assert me.post("stopTimer", sessionId=str(ids.new_id())).code == "NOT_FOUND"
    assert me.post("stopTimer", sessionId=newer["id"]).data["alreadyStopped"] is False


def test_another_users_session_was_not_stopped_by_me(organization: Organization, me: Member) -> None:
    session = tracked(organization.member(Role.MEMBER), -60, -30)
    assert me.post("stopTimer", sessionId=session["id"]).code == "NOT_FOUND"


def test_a_discarded_timer_leaves_nothing(me: Member) -> None:
    project = new_project(me)["id"]
    _start(me, projectId=project, startAt=at(-60))
    assert me.call("discardTimer").data == {"timer": None, "serverTime": at(0)}
    assert me.call("listTimeSessions").data["items"] == []
    assert me.call_on("deleteProject", project).status == 200


# -- several devices -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("on_a_safe_engine")
def test_many_concurrent_starts_make_one_timer(me: Member) -> None:
    answers = at_once([partial(me.post, "startTimer", description=str(number)) for number in range(50)])
    started = [answer for answer in answers if answer.status == 201]
    assert len(started) == 1
    assert {answer.code for answer in answers if answer.status != 201} <= {"VALIDATION_ERROR", "CONFLICT"}
    assert _current(me)["id"] == started[0].data["timer"]["id"]


@pytest.mark.usefixtures("on_a_safe_engine")
def test_many_concurrent_stops_make_one_session(me: Member) -> None:
    timer = _start(me, startAt=at(-10))
    answers = at_once([partial(me.post, "stopTimer", sessionId=timer["id"]) for _ in range(50)])
    assert {answer.status for answer in answers} <= {200, 409}
    assert sum(answer.status == 200 and not answer.data["alreadyStopped"] for answer in answers) == 1
    assert len(me.call("listTimeSessions").data["items"]) == 1


def test_a_stop_that_is_overtaken_by_a_pause_ends_there(me: Member) -> None:
    _start(me, startAt=at(-10))
    with overtaken(lambda: me.post("pauseTimer", at=at(-4))):
        session = me.post("stopTimer").data
    assert (session["endAt"], session["durationSeconds"]) == (at(-4), 360)


def test_a_long_running_timer_warns(me: Member) -> None:
    _start(me)
    with minutes_later(12 * 60):
        assert _current(me)["warnings"] == []
    with minutes_later(12 * 60 + 1):
        assert [warning["code"] for warning in _current(me)["warnings"]] == ["LONG_RUNNING"]


def test_a_session_that_overlaps_the_running_timer_warns(me: Member) -> None:
    timer = _start(me, startAt=at(-30))
    warned, apart = attempt(me, -40, -20), attempt(me, -60, -40)
    assert [warning["sessionIds"] for warning in warned.data["warnings"]] == [[timer["id"]]]
    assert apart.data["warnings"] == []


# -- the end of its user ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "expected"), [(30, (at(30), 1800)), (25 * 60, (at(24 * 60), 86_400)), (0, None)])
def test_the_timer_of_a_deactivated_user_ends(
    organization: Organization, me: Member, minutes: float, expected: tuple[str, int] | None
) -> None:
    """Given a running timer, when its user is deactivated, then it is a session, of a day at most, or gone."""
    member = organization.member(Role.MEMBER)
    timer = _start(member)
    with minutes_later(minutes):
        path = {"userId": str(member.user.id)}
        assert me.call("deactivateUser", path=path, headers={"If-Match": '"1"'}).status == 200
        sessions = me.call("listTimeSessions").data["items"]

    assert [(session["endAt"], session["durationSeconds"]) for session in sessions] == ([expected] if expected else [])
    events = [
        entry["action"]
        for entry in me.call("getAuditLog", query={"entityType": "timer", "entityId": timer["id"]}).data["items"]
    ]
    assert events[0] == ("TIMER_STOPPED" if expected else "TIMER_DISCARDED")


def test_a_start_that_is_overtaken_by_a_deactivation_starts_nothing(organization: Organization, me: Member) -> None:
    member = organization.member(Role.MEMBER)
    path = {"userId": str(member.user.id)}
    with overtaken(lambda: me.call("deactivateUser", path=path)):
        late = member.post("startTimer")
    assert (late.status, late.code) == (403, "FORBIDDEN")
    me.call("reactivateUser", path=path)
    assert member.call("getCurrentTimer").status in {200, 401}
    assert me.call("listTimeSessions").data["items"] == []


def test_a_paused_timer_of_a_deactivated_user_ends_at_its_pause(organization: Organization, me: Member) -> None:
    member = organization.member(Role.MEMBER)
    _start(member, startAt=at(-60))
    member.post("pauseTimer", at=at(-40))
    me.call("deactivateUser", path={"userId": str(member.user.id)})
    assert [session["endAt"] for session in me.call("listTimeSessions").data["items"]] == [at(-40)]
