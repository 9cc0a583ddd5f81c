"""Imports of time sessions: the files of other products, rows that are refused, and names that are missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.factories import Member
from tests.support.time_helpers import tracked
from tests.support.time_imports import (
    clockify_file,
    harvest_file,
    results,
    send,
    sessions_of,
    toggl,
    toggl_file,
)

EXAMPLES = Path(__file__).parents[3] / "docs/examples"
BERLIN = {"timezone": "Europe/Berlin"}


pytestmark = pytest.mark.usefixtures("_noon")


def _seen(session: dict[str, Any]) -> tuple[Any, ...]:
    names = ("startAt", "endAt", "description", "billable", "tags")
    return tuple(session[name] for name in names)


# -- files of other products -------------------------------------------------------------------------------------------


def test_a_file_of_toggl(me: Member) -> None:
    answer = send(me, toggl_file(me), createMissing=True, **BERLIN)

    assert results(answer) == ["created"] * 5
    assert [answer.data[name] for name in ("newClients", "newProjects", "newTasks")] == [1, 2, 1]
    sessions = sessions_of(me)
    assert {session["source"] for session in sessions} == {"IMPORT"}
    assert [_seen(session) for session in sessions] == [
        ("2026-06-01T06:00:00.000Z", "2026-06-01T08:30:00.000Z", "Regale, Block C", True, ["Kunde", "Halle 3"]),
        ("2026-06-01T08:30:00.000Z", "2026-06-01T09:00:00.000Z", "Fahrt", False, ["Kunde"]),
        ("2026-06-01T21:30:00.000Z", "2026-06-01T22:15:00.000Z", None, False, []),
        *[("2026-06-02T07:00:00.000Z", "2026-06-02T07:05:00.000Z", "Anruf", False, [])] * 2,
    ]
    assert sessions[0]["projectId"] == sessions[1]["projectId"]
    assert [me.call_on("getClient", session["clientId"]).data["name"] for session in sessions[:3]] == [
        "Hansekontor"
    ] * 3
    assert me.call_on("getTask", sessions[0]["taskId"]).data["title"] == "Abbau"
    moved = me.call_on("getProject", sessions[0]["projectId"]).data
    assert (moved["name"], moved["trackedSeconds"], moved["taskCounts"]["TODO"]) == ("Umzug", 3 * 3600, 1)


def test_a_file_of_clockify(me: Member) -> None:
    answer = send(me, clockify_file(me), "CLOCKIFY", createMissing=True, **BERLIN)

    assert results(answer) == ["created"] * 2
    assert [_seen(session) for session in sessions_of(me)] == [
        ("2026-06-01T06:00:00.000Z", "2026-06-01T10:15:00.000Z", "Regale", True, ["Kunde", "Halle 3"]),
        ("2026-06-01T11:00:00.000Z", "2026-06-01T11:30:00.000Z", "zwei\nZeilen", False, []),
    ]
    projects = me.call("listProjects").data["items"]
    assert {project["name"]: project["isBillable"] for project in projects} == {"Umzug": True, "Portal": False}


def test_hours_of_harvest_are_laid_end_to_end(me: Member) -> None:
    answer = send(me, harvest_file(me), "HARVEST", createMissing=True, **BERLIN)

    assert results(answer) == ["created"] * 4
    assert [_seen(session)[:3] for session in sessions_of(me)] == [
        ("2026-06-01T07:00:00.000Z", "2026-06-01T09:30:00.000Z", "Regale, Block C"),
        ("2026-06-01T09:30:00.000Z", "2026-06-01T10:15:00.000Z", None),
        ("2026-06-01T10:15:00.000Z", "2026-06-01T11:30:00.000Z", None),
        ("2026-06-02T07:00:00.000Z", "2026-06-02T15:00:00.000Z", None),
    ]


@pytest.mark.parametrize("name", ["toggl", "clockify", "harvest", "generic"])
def test_the_example_of_the_documentation(me: Member, name: str) -> None:
    """Given the demo organization's owner in place of the caller, then all rows are imported."""
    text = (EXAMPLES / f"{name}.csv").read_text()
    names = (("owner@demo.example", me.user.email), ("Ottilie", me.user.first_name), ("Brandt", me.user.last_name))
    for demo, own in names:
        text = text.replace(demo, own)
    assert {*results(send(me, text, name.upper(), createMissing=True, **BERLIN))} == {"created"}
    assert f"examples/{name}.csv" in (EXAMPLES.parent / "time.md").read_text()


FILES = {"TOGGL": toggl_file, "CLOCKIFY": clockify_file, "HARVEST": harvest_file}


@pytest.mark.parametrize("format_", FILES)
def test_the_same_file_again_is_all_duplicates(me: Member, format_: str) -> None:
    text = FILES[format_](me)
    first = send(me, text, format_, createMissing=True, **BERLIN)
    before = sessions_of(me), me.call("listProjects").data["items"]

    again = send(me, text, format_, createMissing=True, **BERLIN)
    elsewhere = send(me, text, format_, timezone="Asia/Kolkata")

    assert {*results(again)} == {*results(elsewhere)} == {"duplicate"}
    ids = [row["sessionId"] for row in first.data["rows"]]
    assert [row["sessionId"] for row in again.data["rows"]] == ids
    assert again.data["newProjects"] == again.data["newClients"] == again.data["newTasks"] == 0
    assert (sessions_of(me), me.call("listProjects").data["items"]) == before


@pytest.mark.parametrize("format_", FILES)
def test_a_longer_file_adds_its_new_rows(me: Member, format_: str) -> None:
    """Given a file without its last row, when all of it is imported, then only that row is new."""
    text = FILES[format_](me)
    shorter = text[: text.rstrip().rindex("\n") + 1] if format_ != "CLOCKIFY" else "\r\n".join(text.split("\r\n")[:2])
    send(me, shorter, format_, createMissing=True, **BERLIN)
    answer = send(me, text, format_, createMissing=True, **BERLIN)
    assert results(answer)[:-1] == ["duplicate"] * (len(answer.data["rows"]) - 1)
    assert results(answer)[-1] == "created"


def test_a_session_that_was_deleted_is_imported_anew(me: Member) -> None:
    text = toggl_file(me)
    first = send(me, text, createMissing=True, **BERLIN).data["rows"][0]["sessionId"]
    me.call_on("deleteTimeSession", first)
    assert results(send(me, text, createMissing=True, **BERLIN)) == ["created", *["duplicate"] * 4]


@pytest.mark.parametrize("creates", [True, False])
@pytest.mark.parametrize("format_", FILES)
def test_a_dry_run_predicts_the_import_and_writes_nothing(me: Member, format_: str, creates: bool) -> None:  # noqa: FBT001  drawn
    tracked(me, -14 * 24 * 60 - 120, -14 * 24 * 60, description="overlapped")
    before = _everything(me)
    text = FILES[format_](me)

    predicted = send(me, text, format_, createMissing=creates, dryRun=True, **BERLIN)

    assert _everything(me) == before
    done = send(me, text, format_, createMissing=creates, **BERLIN)
    assert predicted.data["dryRun"] is True
    assert _without_new_ids(predicted.data) == _without_new_ids(done.data)
    assert creates == (done.data["errors"] == 0)
    assert any(row["warnings"] for row in done.data["rows"]) or not creates or format_ == "TOGGL"


def _everything(me: Member) -> list[Any]:
    lists = ("listTimeSessions", "listProjects", "getClients", "listTags", "getAuditLog")
    return [me.call(name, query={} if name == "listTags" else {"limit": 100}).data for name in lists]


def _without_new_ids(data: dict[str, Any]) -> dict[str, Any]:
    rows = [
        {name: value for name, value in row.items() if name != "sessionId" or row["result"] == "duplicate"}
        for row in data["rows"]
    ]
    return {**data, "dryRun": None, "rows": rows}


def test_rows_in_json_are_those_of_a_file(me: Member) -> None:
    text = toggl("Test Owner,,,,,Anruf,No,2026-06-01,09:00:00,2026-06-01,09:05:00,00:05:00,,")
    names = text.lstrip("\ufeff").splitlines()[0].split(",")
    cells = text.splitlines()[1].split(",")
    first = send(me, text, key="k", timezone="UTC")

    body = {"rows": [dict(zip(names, cells, strict=True))], "format": "TOGGL", "timezone": "UTC"}
    again = me.call("importTimeSessions", key="k", body=body)

    assert (again.is_replay, again.data) == (True, first.data)
    typed = {"date": "2026-06-02", "start": "09:00", "hours": 1.5, "billable": True, "tags": [], "project": None}
    answer = me.post("importTimeSessions", rows=[typed])
    assert results(answer) == ["created"]
    assert (sessions_of(me)[1]["durationSeconds"], sessions_of(me)[1]["billable"]) == (5400, True)
