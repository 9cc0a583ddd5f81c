"""Time sessions: bounds, pauses, overlaps, tags, external ids, other users' time, lists and bulk changes."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.core import ids
from chalicelib.models.users import Role
from tests.support.client_hooks import overtaken
from tests.support.factories import Member, Organization
from tests.support.project_helpers import new_project, new_task
from tests.support.staffing import new_client
from tests.support.time_helpers import at, attempt, minutes_later, pauses, tracked

pytestmark = pytest.mark.usefixtures("_noon")


def _listed(member: Member, **query: Any) -> list[str]:
    """Return the ids of a whole list, page by page."""
    collected: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = member.call("listTimeSessions", query={"limit": 2, **query, **cursor})
        assert answer.status == 200, answer.text
        collected += [session["id"] for session in answer.data["items"]]
        if answer.data["nextCursor"] is None:
            return collected
        cursor = {"cursor": answer.data["nextCursor"]}


# -- create ----------------------------------------------------------------------------------------------------------


def test_a_created_session_is_read(me: Member) -> None:
    client = new_client(me)["id"]
    project = new_project(me, clientId=client)["id"]
    task = new_task(me, project)["id"]

    created = tracked(me, -180, -60, taskId=task, description="Abbau", tags=["Umzug"], pauses=pauses((-120, -90)))

    read = me.call_on("getTimeSession", created["id"])
    assert {**read.data, "warnings": []} == created
    assert (created["projectId"], created["taskId"], created["clientId"]) == (project, task, client)
    assert (created["durationSeconds"], created["billable"], created["source"]) == (90 * 60, True, "MANUAL")
    assert (created["userId"], created["lockedBy"]) == (str(me.user.id), None)
    assert me.call_on("getProject", project).data["trackedSeconds"] == 90 * 60
    assert me.call_on("deleteProject", project).code == me.call_on("deleteTask", task).code == "HAS_DEPENDENCIES"


def test_instants_are_cut_to_whole_seconds(me: Member) -> None:
    answer = me.post("createTimeSession", startAt="2026-06-15T08:00:00.999Z", endAt="2026-06-15T10:00:01.001+02:00")
    assert (answer.data["startAt"], answer.data["endAt"]) == ("2026-06-15T08:00:00.000Z", "2026-06-15T08:00:01.000Z")
    assert answer.data["durationSeconds"] == 1


@pytest.mark.parametrize(
    ("start", "end", "breaks", "code", "field"),
    [
        (0, 0, [], "INVALID_DATE_RANGE", "endAt"),
        (0, -1, [], "INVALID_DATE_RANGE", "endAt"),
        (-24 * 60, 0.1, [], "VALIDATION_ERROR", "endAt"),
        (24 * 60 - 1, 24 * 60 + 1, [], "VALIDATION_ERROR", "endAt"),
        (-60, 0, [(-60, 0)], "VALIDATION_ERROR", "pauses"),
        (-60, 0, [(-61, -50)], "VALIDATION_ERROR", "pauses.0.startAt"),
        (-60, 0, [(-10, 1)], "VALIDATION_ERROR", "pauses.0.endAt"),
        (-60, 0, [(-40, -40)], "VALIDATION_ERROR", "pauses.0.endAt"),
        (-60, 0, [(-40, -30), (-30, -20)], "VALIDATION_ERROR", "pauses.1.startAt"),
        (-60, 0, [(-20, -10), (-40, -30)], "VALIDATION_ERROR", "pauses.1.startAt"),
    ],
)
def test_a_session_has_bounds(
    me: Member, start: float, end: float, breaks: list[tuple[float, float]], code: str, field: str
) -> None:
    answer = attempt(me, start, end, pauses=pauses(*breaks))
    assert (answer.status, answer.code, [*answer.error["details"]["fieldErrors"]]) == (400, code, [field])


@pytest.mark.parametrize("year", ["0001", "1899"])
def test_a_session_is_of_a_year_that_somebody_means(me: Member, year: str) -> None:
    answer = me.post("createTimeSession", startAt=f"{year}-01-01T00:00:00Z", endAt=f"{year}-01-01T01:00:00Z")
    assert (answer.status, [*answer.error["details"]["fieldErrors"]]) == (400, ["startAt"])


def test_the_bounds_themselves_are_allowed(me: Member) -> None:
    assert tracked(me, -24 * 60, 0)["durationSeconds"] == 86_400
    assert tracked(me, 24 * 60 - 1, 24 * 60)["durationSeconds"] == 60
    assert tracked(me, -60, 0, pauses=pauses((-60, -30), (-29, 0)))["durationSeconds"] == 60
    assert attempt(me, -60, 0, pauses=pauses(*((-60 + n / 4, -60 + n / 4 + 0.1) for n in range(101)))).status == 400


def test_tags_are_spelled_as_first_used(me: Member, organization: Organization) -> None:
    tracked(me, -60, -50, tags=["Umzug", "Büro"])
    other = tracked(organization.member(Role.MEMBER), -60, -50, tags=["UMZUG", "neu"])
    assert other["tags"] == ["Umzug", "neu"]
    uses = [{"tag": "Büro", "sessions": 1}, {"tag": "neu", "sessions": 1}, {"tag": "Umzug", "sessions": 2}]
    assert me.call("listTags").data["tags"] == uses
    me.call_on("deleteTimeSession", other["id"])
    assert me.call("listTags").data["tags"] == [{**use, "sessions": 1} for use in uses if use["tag"] != "neu"]


def test_the_list_of_tags_has_an_end(me: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.models.time.tags.MAX_SHOWN", 1)
    tracked(me, -60, -50, tags=["a", "b"])
    tracked(me, -60, -50, tags=["b"])
    assert me.call("listTags").data["tags"] == [{"tag": "b", "sessions": 2}]


def test_a_user_has_a_limited_number_of_tags(me: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.models.time.accounts.MAX_TAGS", 2)
    tracked(me, -60, -50, tags=["a", "b"])
    assert attempt(me, -60, -50, tags=["c"]).code == "VALIDATION_ERROR"
    assert attempt(me, -60, -50, tags=["A"]).status == 201


def test_a_month_has_a_limited_size(me: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.models.time.packed_months.MAX_BYTES", 30)
    for status in (201, 201, 201, 400):
        assert attempt(me, -60, -50).status == status


# -- external ids ----------------------------------------------------------------------------------------------------


def test_an_external_id_is_unique_for_its_user(me: Member, organization: Organization) -> None:
    first = tracked(me, -60, -50, externalId="Toggl-1")
    again = attempt(me, -40, -30, externalId="Toggl-1")
    assert (again.status, again.code) == (409, "DUPLICATE_ENTRY")
    assert again.error["details"]["existingId"] == first["id"]
    assert tracked(me, -60, -50, externalId="toggl-1")["externalId"] == "toggl-1"
    assert tracked(organization.member(Role.MEMBER), -60, -50, externalId="Toggl-1")["id"] != first["id"]
    me.call_on("updateTimeSession", first["id"], body={"externalId": None})
    assert tracked(me, -40, -30, externalId="Toggl-1")["externalId"] == "Toggl-1"


# -- overlaps --------------------------------------------------------------------------------------------------------


def test_overlaps_warn_and_block_nothing(me: Member, organization: Organization) -> None:
    first, second = tracked(me, -120, -60), tracked(me, -60, 0)
    tracked(organization.member(Role.MEMBER), -120, 0)
    assert second["warnings"] == []

    third = tracked(me, -90, -30)

    [warning] = third["warnings"]
    assert (warning["code"], warning["sessionIds"]) == ("OVERLAP", [first["id"], second["id"]])
    moved = me.call_on("updateTimeSession", third["id"], body={"startAt": at(-60), "endAt": at(-30)}).data
    assert [warning["sessionIds"] for warning in moved["warnings"]] == [[second["id"]]]
    apart = me.call_on("updateTimeSession", third["id"], body={"startAt": at(0), "endAt": at(30)}).data
    assert apart["warnings"] == []


def test_an_equal_session_is_an_overlap(me: Member) -> None:
    first = tracked(me, -60, 0)
    second = tracked(me, -60, 0)
    assert [warning["sessionIds"] for warning in second["warnings"]] == [[first["id"]]]
    changed = me.call_on("updateTimeSession", second["id"], body={"description": "x"}).data
    assert [warning["sessionIds"] for warning in changed["warnings"]] == [[first["id"]]]


def test_a_session_of_the_night_before_the_month_overlaps(me: Member) -> None:
    """Given a session from May into June, when one of June touches it, then that is an overlap."""
    night = me.post("createTimeSession", startAt="2026-05-31T22:00:00Z", endAt="2026-06-01T06:00:00Z").data
    answer = me.post("createTimeSession", startAt="2026-06-01T05:00:00Z", endAt="2026-06-01T07:00:00Z")
    assert [warning["sessionIds"] for warning in answer.data["warnings"]] == [[night["id"]]]


# -- change and delete -----------------------------------------------------------------------------------------------


def test_what_is_named_changes_and_the_rest_stays(me: Member) -> None:
    first, second = new_project(me)["id"], new_project(me)["id"]
    before = tracked(me, -60, 0, projectId=first, tags=["a"], description="before")

    with minutes_later(1):
        after = me.call_on("updateTimeSession", before["id"], body={"projectId": second, "startAt": at(-30)}).data

    changes = {"projectId": second, "startAt": at(-30), "durationSeconds": 1800, "version": 2, "updatedAt": at(1)}
    assert after == {**before, **changes}
    tracked_seconds = [me.call_on("getProject", project).data["trackedSeconds"] for project in (first, second)]
    assert tracked_seconds == [0, 1800]


def test_a_task_moves_with_its_project_only(me: Member) -> None:
    project = new_project(me)["id"]
    session = tracked(me, -60, 0, taskId=new_task(me, project)["id"])["id"]
    other = new_project(me)["id"]
    refused = me.call_on("updateTimeSession", session, body={"projectId": other})
    assert [*refused.error["details"]["fieldErrors"]] == ["taskId"]
    moved = me.call_on("updateTimeSession", session, body={"projectId": other, "taskId": None}).data
    assert (moved["projectId"], moved["taskId"]) == (other, None)
    none = me.call_on("updateTimeSession", session, body={"projectId": None}).data
    assert (none["projectId"], none["clientId"]) == (None, None)


def test_billable_cannot_be_cleared(me: Member) -> None:
    session, unclear = tracked(me, -60, 0)["id"], {"billable": None}
    one = me.call_on("updateTimeSession", session, body=unclear)
    many = me.call("updateTimeSessions", body={"ids": [session], "changes": unclear})
    assert one.error["details"]["fieldErrors"] == {"billable": ["must be true or false"]}
    assert many.error["details"]["fieldErrors"] == {"changes.billable": ["must be true or false"]}


def test_a_deleted_session_is_gone(me: Member) -> None:
    project = new_project(me)["id"]
    session = tracked(me, -60, 0, projectId=project)["id"]
    deleted = me.call_on("deleteTimeSession", session).data
    assert (deleted["deletedAt"], deleted["version"]) == (deleted["updatedAt"], 2)
    assert me.call_on("getTimeSession", session).code == me.call_on("deleteTimeSession", session).code == "NOT_FOUND"
    assert _listed(me) == []
    assert me.call_on("deleteProject", project).status == 200


def test_changes_of_a_user_are_ordered(me: Member) -> None:
    """Given changes in one millisecond, then each is later than the one before: nothing is missed by a sync."""
    sessions = [tracked(me, -60, 0) for _ in range(3)]
    changed = me.call_on("updateTimeSession", sessions[0]["id"], body={"description": "x"}).data
    instants = [session["updatedAt"] for session in (*sessions, changed)]
    assert instants == sorted(set(instants))


def test_two_changes_at_once_both_count(me: Member) -> None:
    project = new_project(me)["id"]
    session = tracked(me, -60, 0, projectId=project)["id"]
    with overtaken(lambda: me.call_on("updateTimeSession", session, body={"startAt": at(-30)})):
        late = me.call_on("updateTimeSession", session, body={"endAt": at(-10)})
    assert (late.data["startAt"], late.data["endAt"], late.data["durationSeconds"]) == (at(-30), at(-10), 1200)
    assert me.call_on("getProject", project).data["trackedSeconds"] == 1200


def test_a_project_deleted_meanwhile_gets_no_time(me: Member) -> None:
    project = new_project(me)["id"]
    with overtaken(lambda: me.call_on("deleteProject", project)):
        assert attempt(me, -60, 0, projectId=project).code == "NOT_FOUND"


# -- other users -----------------------------------------------------------------------------------------------------


def test_others_time_needs_the_permission(me: Member, organization: Organization) -> None:
    member, other = organization.member(Role.MEMBER), organization.member(Role.COORDINATOR)
    theirs = tracked(me, -60, 0, userId=str(member.user.id))

    assert theirs["userId"] == str(member.user.id)
    assert member.call_on("getTimeSession", theirs["id"]).status == 200
    for action, body in [
        ("getTimeSession", None),
        ("updateTimeSession", {"billable": True}),
        ("deleteTimeSession", None),
    ]:
        assert other.call_on(action, theirs["id"], body=body).code == "FORBIDDEN", action
        assert me.call_on(action, theirs["id"], body=body).status == 200, action
    assert attempt(other, -60, 0, userId=str(member.user.id)).code == "FORBIDDEN"
    assert other.call("listTimeSessions", query={"userId": str(member.user.id)}).code == "FORBIDDEN"
    assert attempt(me, -60, 0, userId=str(ids.new_id())).code == "NOT_FOUND"


def test_the_audit_log_names_whose_time_another_changed(me: Member, organization: Organization) -> None:
    member = organization.member(Role.MEMBER)
    own = tracked(member, -60, -50)["id"]
    sessions = [own, *(tracked(me, -60, -50, userId=str(member.user.id))["id"] for _ in range(2))]
    me.call_on("updateTimeSession", sessions[0], body={"description": "checked"})
    me.post("updateTimeSessions", ids=sessions[:1], changes={"description": "checked again"})
    me.call_on("deleteTimeSession", sessions[1])
    me.post("deleteTimeSessions", ids=sessions[2:])

    entries = me.call("getAuditLog", query={"entityType": "timeSession", "limit": 100}).data["items"]

    assert [(entry["action"], entry["actor"]["id"], entry["userId"]) for entry in reversed(entries)] == [
        ("TIME_SESSION_CREATED", str(member.user.id), None),
        *[("TIME_SESSION_CREATED", str(me.user.id), str(member.user.id))] * 2,
        *[("TIME_SESSION_UPDATED", str(me.user.id), str(member.user.id))] * 2,
        *[("TIME_SESSION_DELETED", str(me.user.id), str(member.user.id))] * 2,
    ]


def test_amounts_are_for_those_who_may_read_rates(me: Member, organization: Organization) -> None:
    member = organization.member(Role.MEMBER)
    path = {"effectiveFrom": "2026-01-01"}
    me.call("setOrganizationRate", path=path, body={"amount": 6_000, "currency": "EUR"})
    session = tracked(member, -60, -30, billable=True)
    unbilled = tracked(member, -30, 0)
    assert "amount" not in session
    assert me.call_on("getTimeSession", session["id"]).data["amount"] == {"amount": 3_000, "currency": "EUR"}
    assert "amount" not in me.call_on("getTimeSession", unbilled["id"]).data


# -- lists -----------------------------------------------------------------------------------------------------------


def test_lists_are_newest_first_with_filters(me: Member, organization: Organization) -> None:
    client = new_client(me)["id"]
    project = new_project(me, clientId=client)["id"]
    task = new_task(me, project)["id"]
    first = tracked(me, -300, -240, taskId=task, tags=["Umzug"])["id"]
    second = tracked(me, -200, -100, projectId=project, billable=False)["id"]
    third = tracked(me, -50, 0, tags=["umzug", "x"])["id"]
    theirs = tracked(organization.member(Role.MEMBER), -45, -10)["id"]

    mine = {"userId": str(me.user.id)}
    assert _listed(me) == [theirs, third, second, first]
    assert _listed(organization.member(Role.MEMBER)) == [theirs]
    assert _listed(me, **mine) == [third, second, first]
    assert _listed(me, projectId=project) == [second, first]
    assert _listed(me, clientId=client) == _listed(me, clientId=client, **mine) == [second, first]
    assert _listed(me, clientId=new_client(me)["id"]) == []
    assert _listed(me, taskId=task) == _listed(me, tag="UMZUG", projectId=project) == [first]
    assert _listed(me, tag="umzug") == [third, first]
    assert _listed(me, billable="true") == [first]
    assert _listed(me, **{"from": at(-240), "to": at(-50)}) == [second]
    assert _listed(me, **{"from": at(-241), "to": at(-49)}) == [third, second, first]
    refused = me.call("listTimeSessions", query={"from": at(0), "to": at(-1)})
    assert refused.code == "INVALID_DATE_RANGE"


# -- sync ------------------------------------------------------------------------------------------------------------


def _changed(member: Member, since: str, **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = member.call("listTimeSessions", query={"modifiedSince": since, "limit": 2, **query, **cursor})
        assert answer.status == 200, answer.text
        rows += answer.data["items"]
        if answer.data["nextCursor"] is None:
            return rows
        cursor = {"cursor": answer.data["nextCursor"]}


def test_a_client_that_syncs_sees_each_change_once(me: Member) -> None:
    """Given a client that has all, when sessions change and go, then it gets those, and tombstones, in their order."""
    first, moved, gone = (tracked(me, -60 * number - 60, -60 * number) for number in range(3))
    assert [row["id"] for row in _changed(me, at(-1))] == [first["id"], moved["id"], gone["id"]]
    with minutes_later(5):
        deleted = me.call_on("deleteTimeSession", gone["id"]).data
        changed = me.call_on("updateTimeSession", moved["id"], body={"description": "x"}).data
        new = tracked(me, 1, 2)

        rows = _changed(me, at(4))

    tombstone = {"id": gone["id"], "deletedAt": deleted["deletedAt"], "version": 2}
    shown = [{name: value for name, value in row.items() if name != "warnings"} for row in (changed, new)]
    assert rows == [tombstone, *shown]
    assert _changed(me, at(6)) == []
    assert _changed(me, new["updatedAt"]) == rows[-1:]


def test_changes_of_others_need_the_permission(me: Member, organization: Organization) -> None:
    member = organization.member(Role.MEMBER)
    theirs = tracked(member, -60, 0)
    assert _changed(me, at(-1)) == []
    assert [row["id"] for row in _changed(me, at(-1), userId=str(member.user.id))] == [theirs["id"]]
    query = {"modifiedSince": at(-1), "userId": str(me.user.id)}
    assert member.call("listTimeSessions", query=query).code == "FORBIDDEN"
    assert me.call("listTimeSessions", query={"modifiedSince": at(-1), "tag": "x"}).status == 400


# -- bulk ------------------------------------------------------------------------------------------------------------


def test_many_sessions_change_with_a_result_for_each(me: Member, organization: Organization) -> None:
    """Given sessions of which some cannot change, when all are to change, then each has its own result."""
    member = organization.member(Role.MEMBER)
    foreign, fine = tracked(me, -60, 0)["id"], tracked(member, -60, 0)["id"]
    right, short = tracked(member, -50, 0)["id"], tracked(member, -60, -55)["id"]
    unknown = str(ids.new_id())

    answer = member.call(
        "updateTimeSessions",
        body={"ids": [foreign, fine, right, short, unknown, fine], "changes": {"startAt": at(-50)}},
    )

    results = {row["id"]: (row["result"], row["code"], row["field"]) for row in answer.data["results"]}
    assert results == {
        foreign: ("error", "FORBIDDEN", None),
        fine: ("updated", None, None),
        right: ("unchanged", None, None),
        short: ("error", "INVALID_DATE_RANGE", "endAt"),
        unknown: ("error", "NOT_FOUND", None),
    }
    assert member.call_on("getTimeSession", fine).data["startAt"] == at(-50)
    assert member.call_on("getTimeSession", short).data["startAt"] == at(-60)


def test_many_sessions_are_deleted(me: Member) -> None:
    sessions = [tracked(me, -60, 0)["id"] for _ in range(3)]
    answer = me.post("deleteTimeSessions", ids=[*sessions, sessions[0]])
    assert [row["result"] for row in answer.data["results"]] == ["deleted"] * 3
    assert _listed(me) == []
    again = me.post("deleteTimeSessions", ids=sessions)
    assert {row["code"] for row in again.data["results"]} == {"NOT_FOUND"}
    for body in ({"ids": []}, {"ids": [str(ids.new_id()) for _ in range(101)]}):
        assert me.call("deleteTimeSessions", body=body).status == 400
