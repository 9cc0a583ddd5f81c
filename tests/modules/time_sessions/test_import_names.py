"""Names in imported rows: users, and the clients, projects, tasks and tags that are created where they are missing."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.models.users import Role
from tests.support.client_hooks import overtaken
from tests.support.factories import Member, Organization
from tests.support.project_helpers import new_project, new_task
from tests.support.staffing import new_client
from tests.support.threads import at_once
from tests.support.time_helpers import tracked
from tests.support.time_imports import errors, harvest, results, send, sessions_of, toggl_file

HEADER = "date,start,end,email,user,client,project,task,tags"


pytestmark = pytest.mark.usefixtures("_noon")


def _file(*rows: str) -> str:
    """Return a file with one row an hour."""
    return "\n".join([HEADER, *(f"2026-06-01,{hour:02}:00,{hour + 1:02}:00,{row}" for hour, row in enumerate(rows))])


def _named(member: Member, action: str) -> list[str]:
    return sorted(row["name"] for row in member.call(action, query={"limit": 100}).data["items"])


# -- users -------------------------------------------------------------------------------------------------------------


def test_rows_of_other_users_need_the_permission(me: Member, organization: Organization) -> None:
    member = organization.enrol(Role.MEMBER)
    text = _file(f"{me.user.email},,,,,", f"{member.user.email.upper()},,,,,", ",,,,,", ",Test Owner,,,,")

    theirs, mine = send(member, text, "GENERIC"), send(me, text, "GENERIC")

    assert results(theirs) == ["error", "created", "created", "error"]
    assert [errors(theirs)[number][:2] for number in (1, 4)] == [("FORBIDDEN", "email"), ("FORBIDDEN", "user")]
    assert results(mine) == ["created", "duplicate", "created", "created"]
    assert len(sessions_of(me, userId=str(member.user.id))) == 2
    assert len(sessions_of(me, userId=str(me.user.id))) == 3


def test_the_id_of_anothers_session_is_no_duplicate(me: Member, organization: Organization) -> None:
    """Given another's session, then a row with its id is a new session of one's own, and the id is not told."""
    member = organization.enrol(Role.MEMBER)
    theirs = tracked(me, -60, 0)["id"]
    answer = member.post(
        "importTimeSessions",
        rows=[{"date": "2026-06-01", "start": "09:00", "hours": 1, "id": id_} for id_ in (theirs, "x")],
    )
    assert results(answer) == ["created"] * 2
    assert theirs not in {session["id"] for session in sessions_of(member)}


def test_users_without_an_address_are_named(me: Member, organization: Organization) -> None:
    """Given two users of one name, then rows with that name are errors, and one with another's are theirs."""
    coordinator = organization.member(Role.COORDINATOR)
    for _ in range(2):
        organization.enrol(Role.MEMBER)
    names = ("test COORDINATOR", "Test Member", "Test Nobody", "Test Owner")
    rows = [f"2026-06-01,,,,,,1,No,,,{name.replace(' ', ',')},,,,,,,," for name in names]

    answer = send(me, harvest(*rows), "HARVEST")

    assert results(answer) == ["created", "error", "error", "created"]
    assert errors(answer) == {
        2: ("VALIDATION_ERROR", "Last Name", "2 active users have this name"),
        3: ("NOT_FOUND", "Last Name", "no active user has this name"),
    }
    assert len(sessions_of(me, userId=str(coordinator.user.id))) == 1


def test_a_name_that_the_caller_shares_is_nobodys(me: Member, organization: Organization) -> None:
    organization.enrol(Role.OWNER)
    member = organization.enrol(Role.MEMBER)
    organization.enrol(Role.MEMBER)
    rows = [f"2026-06-01,,,,,,1,No,,,{name},,,,,,,," for name in ("Test,Owner", "Test,Member")]
    theirs, mine = send(member, harvest(*rows), "HARVEST"), send(me, harvest(*rows), "HARVEST")
    assert (results(theirs), results(mine)) == (["error", "created"], ["error", "error"])


def test_a_user_who_is_deactivated_meanwhile_gets_no_time(me: Member, organization: Organization) -> None:
    member = organization.enrol(Role.MEMBER)
    with overtaken(lambda: me.call("deactivateUser", path={"userId": member.user.id})):
        answer = send(me, _file(*[f"{member.user.email},,,,,"] * 2), "GENERIC")
    assert sorted(results(answer)) in (["created"] * 2, ["error"] * 2)
    assert len(sessions_of(me, userId=str(member.user.id))) == answer.data["created"]


def test_the_audit_log_names_whose_time_was_imported(me: Member, organization: Organization) -> None:
    member = organization.enrol(Role.MEMBER)
    send(me, _file(f"{member.user.email},,Hansekontor,Umzug,Abbau,", ",,,,,"), "GENERIC", createMissing=True)
    entries = me.call("getAuditLog", query={"limit": 6}).data["items"]
    assert sorted((entry["action"], entry["userId"]) for entry in entries if entry["userId"]) == [
        ("TIME_SESSION_CREATED", str(member.user.id))
    ]
    assert sorted(entry["action"] for entry in entries) == [
        "CLIENT_CREATED",
        "PROJECT_CREATED",
        "TASK_CREATED",
        "TIME_SESSIONS_IMPORTED",
        "TIME_SESSION_CREATED",
        "TIME_SESSION_CREATED",
    ]
    assert {name: change["after"] for name, change in entries[0]["changes"].items()} == {
        "created": 2,
        "duplicates": 0,
        "errors": 0,
        "newClients": 1,
        "newProjects": 1,
        "newTasks": 1,
    }


# -- clients, projects, tasks, tags ------------------------------------------------------------------------------------


def test_names_are_those_of_any_case(me: Member) -> None:
    client = new_client(me, name="Hansekontor")["id"]
    project = new_project(me, name="Umzug", clientId=client)["id"]
    first, _ = (new_task(me, project, title="Abbau", sortOrder=order)["id"] for order in (1, 2))
    tracked(me, -60, 0, tags=["Kunde"])

    answer = send(me, _file(",,HANSEKONTOR,umzug,ABBAU,KUNDE"), "GENERIC")

    assert results(answer) == ["created"]
    [session] = sessions_of(me, projectId=project)
    assert (session["taskId"], session["clientId"], session["tags"]) == (first, client, ["Kunde"])


def test_a_hundred_rows_create_a_name_once(me: Member) -> None:
    rows = [
        f",,{['Neu', 'NEU'][n % 2]},{['Umzug', 'uMZUG'][n % 2]},{['Abbau', 'ABBAU'][n % 2]},Halle" for n in range(20)
    ]
    text = HEADER + "".join(
        f"\n2026-06-{day:02},{hour:02}:00,{hour:02}:30,{rows[hour]}" for day in range(1, 6) for hour in range(20)
    )

    answer = send(me, text, "GENERIC", createMissing=True)

    assert results(answer) == ["created"] * 100
    assert [answer.data[name] for name in ("newClients", "newProjects", "newTasks")] == [1, 1, 1]
    assert (_named(me, "getClients"), _named(me, "listProjects")) == (["Neu"], ["Umzug"])
    [project] = me.call("listProjects").data["items"]
    assert (project["trackedSeconds"], project["taskCounts"]["TODO"]) == (100 * 1800, 1)
    assert me.call("listTags").data["tags"] == [{"tag": "Halle", "sessions": 100}]


def test_rows_that_are_refused_create_nothing(me: Member) -> None:
    """Given locked time, and a row that was imported before its project was archived, then nothing is created."""
    me.post("lockTimesheet", before="2026-06-01")
    text = _file(",,Hansekontor,Umzug,Abbau,Halle")
    send(me, text, "GENERIC", createMissing=True, timezone="UTC")
    [project] = me.call("listProjects").data["items"]
    me.call_on("updateProject", project["id"], body={"status": "ARCHIVED"})
    locked = "\n2026-05-01,09:00,10:00,,,Neu,Neu,Neu,Neu"

    answer = send(me, text + locked, "GENERIC", createMissing=True, timezone="UTC")

    assert results(answer) == ["duplicate", "error"]
    assert (_named(me, "getClients"), _named(me, "listProjects")) == (["Hansekontor"], ["Umzug"])


def test_a_member_creates_projects_and_no_clients(organization: Organization) -> None:
    member = organization.member(Role.MEMBER)
    text = _file(",,Neu,Umzug,,", ",,,Portal,Entwurf,Halle")
    for dry_run in (True, False):
        answer = send(member, text, "GENERIC", createMissing=True, dryRun=dry_run)
        assert results(answer) == ["error", "created"]
        assert errors(answer)[1][:2] == ("FORBIDDEN", "client")
    assert _named(member, "listProjects") == ["Portal"]


def test_a_project_has_the_client_that_it_has(me: Member) -> None:
    """Given a project without a client and one with another, then the one warns and the other is refused."""
    new_project(me, name="Umzug")
    new_client(me, name="Hansekontor")
    rows = (",,Hansekontor,Umzug,,", ",,Neu,Umzug,,", ",,Eins,Portal,,", ",,Zwei,Portal,,")
    for dry_run in (True, False):
        answer = send(me, _file(*rows), "GENERIC", createMissing=True, dryRun=dry_run)
        assert results(answer) == ["created", "created", "created", "error"]
        assert errors(answer)[4][1:] == ("client", "is not the client of the project with this name")
        warnings = [(row["warnings"] or [{}])[0].get("code") for row in answer.data["rows"]]
        assert warnings == ["CLIENT_IGNORED", "CLIENT_IGNORED", None, None]
    assert _named(me, "getClients") == ["Eins", "Hansekontor"]


def test_a_title_is_claimed_again_after_its_task_was_deleted(me: Member) -> None:
    text = _file(",,,Umzug,Abbau,")
    first = send(me, text, "GENERIC", createMissing=True).data["rows"][0]["sessionId"]
    task = me.call_on("getTimeSession", first).data["taskId"]
    me.call_on("deleteTimeSession", first)
    me.call_on("deleteTask", task)
    again = send(me, text, "GENERIC", createMissing=True)
    assert (results(again), again.data["newTasks"], again.data["newProjects"]) == (["created"], 1, 0)
    assert me.call_on("getTimeSession", again.data["rows"][0]["sessionId"]).data["taskId"] != task


def test_an_import_that_is_overtaken_uses_what_the_other_created(me: Member, organization: Organization) -> None:
    other = organization.enrol(Role.ADMIN)
    text = _file(*[",,Hansekontor,Umzug,Abbau,Halle"] * 3)
    with overtaken(lambda: send(other, text, "GENERIC", createMissing=True)) as overtaking:
        late = send(me, text, "GENERIC", createMissing=True)
    assert results(late) == results(overtaking[0]) == ["created"] * 3
    assert (late.data["newClients"], overtaking[0].data["newClients"]) == (0, 1)
    _require_one_of_each(me)


@pytest.mark.usefixtures("on_a_safe_engine")
def test_imports_at_once_create_names_once(me: Member, organization: Organization) -> None:
    members = [me, *(organization.enrol(Role.ADMIN) for _ in range(3))]
    text = _file(*[",,Hansekontor,Umzug,Abbau,Halle"] * 3)
    answers = at_once([lambda member=member: send(member, text, "GENERIC", createMissing=True) for member in members])
    assert [results(answer) for answer in answers] == [["created"] * 3] * 4
    _require_one_of_each(me)


def _require_one_of_each(me: Member) -> None:
    assert (_named(me, "getClients"), _named(me, "listProjects")) == (["Hansekontor"], ["Umzug"])
    [project] = me.call("listProjects").data["items"]
    assert project["taskCounts"]["TODO"] == 1
    assert len({(session["projectId"], session["taskId"]) for session in sessions_of(me)}) == 1


@pytest.mark.usefixtures("on_a_safe_engine")
def test_one_file_at_once_is_imported_once(me: Member) -> None:
    """Every chunk moves the user's account: an import that loses too often ends, and its repetition completes it."""
    text = toggl_file(me)

    def until_done(key: str) -> dict[str, Any]:
        while True:
            answer = send(me, text, key=key, createMissing=True)
            if answer.status != 409:
                assert answer.status == 200, answer.text
                data: dict[str, Any] = answer.data
                return data

    reports = at_once([lambda number=number: until_done(f"key {number}") for number in range(4)])
    assert sorted(report["created"] + report["duplicates"] for report in reports) == [5] * 4
    assert sum(report["created"] for report in reports) == 5
    assert len(sessions_of(me)) == 5
