"""Texts of imported files: edge cases of CSV, hostile strings, and files that this product has exported itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core import csv_text
from tests.support.factories import Member, Organization
from tests.support.hypothesis_profile import law
from tests.support.project_helpers import new_project, new_task
from tests.support.staffing import new_client
from tests.support.time_helpers import at, pauses
from tests.support.time_imports import errors, results, send, sessions_of

VECTORS = Path(__file__).parents[2] / "vectors"
SPECTRUM = sorted(path.stem for path in (VECTORS / "csv-spectrum/csvs").glob("*.csv"))
NAUGHTY: list[str] = json.loads((VECTORS / "naughty-strings/blns.json").read_text())
HOSTILE = [text for text in NAUGHTY if text.strip() and "\0" not in text and "\ufffd" not in text]
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
DAYS = {"from": "2026-06-13", "to": "2026-06-17"}


pytestmark = pytest.mark.usefixtures("_noon")


# -- edge cases of CSV -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in SPECTRUM if name != "location_coordinates"])
def test_cells_are_read_as_every_reader_reads_them(name: str) -> None:
    with (VECTORS / f"csv-spectrum/csvs/{name}.csv").open(newline="") as file:
        rows = csv_text.read_as(file.read(), lambda header: header, maximum_rows=10)
    expected = json.loads((VECTORS / f"csv-spectrum/json/{name}.json").read_text())
    assert [row.values for row in rows] == (expected if isinstance(expected, list) else [expected])


@pytest.mark.parametrize("name", SPECTRUM)
def test_any_other_file_is_refused(me: Member, name: str) -> None:
    text = (VECTORS / f"csv-spectrum/csvs/{name}.csv").read_text()
    answer = send(me, text, "TOGGL")
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    expected = ["body"] if name == "location_coordinates" else ["Start date", "Start time", "End time"]
    assert [*answer.error["details"]["fieldErrors"]] == expected


@pytest.mark.parametrize("name", SPECTRUM)
def test_descriptions_are_imported_as_they_are(me: Member, name: str) -> None:
    stored = json.loads((VECTORS / f"csv-spectrum/json/{name}.json").read_text())
    cells = [cell for row in (stored if isinstance(stored, list) else [stored]) for cell in row.values() if cell]
    cells = [cell for cell in cells if "\ufffd" not in cell]
    rows = [("2026-06-01", f"{hour:02}:00", "0:30", cell) for hour, cell in enumerate(cells)]
    text = csv_text.write(("date", "start", "hours", "description"), rows)
    assert results(send(me, text, "GENERIC")) == ["created"] * len(cells)
    assert [session["description"] for session in sessions_of(me)] == cells


@pytest.mark.parametrize("column", ["description", "project", "tags", "email", "billable", "date", "start", "hours"])
def test_a_hostile_text_is_an_error_of_its_column_at_most(me: Member, column: str) -> None:
    cells = {"date": "2026-06-01", "start": "09:00", "hours": "0:01"}
    columns = [*cells, *({column} - {*cells})]
    rows = [{**cells, column: text} for text in HOSTILE]
    text = csv_text.write(columns, [[row[name] for name in columns] for row in rows])

    answer = send(me, text, "GENERIC", createMissing=True, dryRun=True)

    assert len(results(answer)) == len(HOSTILE)
    assert {field for _, field, _ in errors(answer).values()} <= {column}


def test_a_hostile_description_is_stored_as_sent(me: Member) -> None:
    rows = [{"date": "2026-06-01", "start": "09:00", "hours": "0:01", "description": text} for text in HOSTILE]
    answer = me.post("importTimeSessions", rows=rows)
    stored = {session["id"]: session["description"] for session in sessions_of(me)}
    assert [stored.get(row.get("sessionId")) for row in answer.data["rows"]] == [
        None if CONTROLS.search(text.strip()) else text.strip() for text in HOSTILE
    ]


# -- files of this product ---------------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12) | st.text("=+-@'\",;\n \ta", max_size=6)
tags = st.sampled_from(["Kunde", "a, b", '"', '"x"', "=1+1", "'", "x;y", "ü"])


@st.composite
def tracked_days(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw sessions within a day of noon, some equal, some with pauses, some over midnight."""
    days: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(-24 * 60, 0))
        length = draw(st.integers(1, 24 * 60))
        cuts = sorted(draw(st.sets(st.integers(0, length), max_size=4)))
        paused = [(start + low, start + high) for low, high in zip(cuts[::2], cuts[1::2], strict=False)]
        if sum(high - low for low, high in paused) == length:
            paused = []
        description = draw(texts).strip() or None
        days.append(
            {
                "startAt": at(start),
                "endAt": at(start + length),
                "pauses": pauses(*paused),
                "description": description,
                "billable": draw(st.booleans()),
                "tags": draw(st.lists(tags, max_size=3, unique=True)),
                "work": draw(st.integers(0, 3)),
            }
        )
    return days


@law(40)
@given(days=tracked_days(), zone=st.sampled_from(["UTC", "Asia/Kolkata", "America/St_Johns"]))
def test_an_export_is_imported_as_it_was(home: Member, days: list[dict[str, Any]], zone: str) -> None:
    # Given sessions, and their export
    work = _work(home)
    for day in days:
        session = {name: value for name, value in day.items() if name != "work"}
        answer = home.post("createTimeSession", **session, **work[day["work"]])
        assert answer.status == 201, answer.text
    exported = home.call("exportTimeSessionsToCsv", query={**DAYS, "timezone": zone}).text
    before = sessions_of(home)
    # When it is imported, then every row is a duplicate
    assert results(send(home, exported, "GENERIC")) == ["duplicate"] * len(days)
    # When the sessions are deleted before, then they come back as they were
    home.post("deleteTimeSessions", ids=[session["id"] for session in before])
    assert results(send(home, exported, "GENERIC")) == ["created"] * len(days)
    assert sorted(map(_content, sessions_of(home))) == sorted(map(_content, before))
    assert results(send(home, exported, "GENERIC", dryRun=True)) == ["duplicate"] * len(days)
    home.post("deleteTimeSessions", ids=[session["id"] for session in sessions_of(home)])


@pytest.fixture
def home(_noon: None, organization: Organization) -> Member:
    return organization.owner


def _work(member: Member) -> list[dict[str, Any]]:
    """Return work to track time on, created once: none, a project, a client's project, and a task."""
    projects = {row["name"]: row["id"] for row in member.call("listProjects").data["items"]}
    if not projects:
        client = new_client(member, name='@Hanse, "Kontor"')["id"]
        projects = {
            name: new_project(member, name=name, clientId=id_)["id"]
            for name, id_ in (("=Umzug; 'A'", None), ("Portal\u00a0", client))
        }
    plain, of_client = sorted(projects.values())
    tasks = member.call_on("listTasks", of_client).data["items"]
    task = tasks[0]["id"] if tasks else new_task(member, of_client, title="-Abbau, Block C")["id"]
    return [{}, {"projectId": plain}, {"projectId": of_client}, {"taskId": task}]


def _content(session: dict[str, Any]) -> str:
    left_out = {"id", "createdAt", "updatedAt", "version", "source", "externalId"}
    return json.dumps({name: value for name, value in session.items() if name not in left_out}, sort_keys=True)
