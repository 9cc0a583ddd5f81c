"""The export of time sessions as CSV: columns, zones, rounding, and what a spreadsheet must not run."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from chalicelib.models.users import Role
from tests.support.factories import Member, Organization
from tests.support.project_helpers import new_project, new_task
from tests.support.staffing import new_client
from tests.support.time_helpers import pauses, tracked

DAY = {"from": "2026-06-15", "to": "2026-06-15"}


pytestmark = pytest.mark.usefixtures("_noon")


def _exported(member: Member, **query: Any) -> list[dict[str, str]]:
    answer = member.call("exportTimeSessionsToCsv", query={**DAY, **query})
    assert answer.status == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_a_line_has_everything_about_a_session(me: Member) -> None:
    client = new_client(me, name="Hansekontor")["id"]
    project = new_project(me, name="Umzug", clientId=client)["id"]
    task = new_task(me, project, title="Abbau")["id"]
    rate = {"amount": 6_000, "currency": "EUR"}
    me.call("setOrganizationRate", path={"effectiveFrom": "2026-01-01"}, body=rate)
    session = tracked(me, -90, 0, taskId=task, description='=cmd|"x"', tags=["a", "b"])

    [row] = _exported(me, timezone="Asia/Kolkata")

    assert row == {
        "date": "2026-06-15",
        "start": "16:00:00",
        "end": "17:30:00",
        "hours": "1.50",
        "seconds": "5400",
        "user": "Test Owner",
        "email": me.user.email,
        "client": "Hansekontor",
        "project": "Umzug",
        "task": "Abbau",
        "description": '\'=cmd|"x"',
        "billable": "true",
        "tags": "a, b",
        "amount": "90.00",
        "currency": "EUR",
        "startUtc": "2026-06-15T10:30:00.000Z",
        "endUtc": "2026-06-15T12:00:00.000Z",
        "id": session["id"],
        "pauses": "",
    }


def test_pauses_and_tags_are_written_so_that_they_can_be_read(me: Member) -> None:
    tracked(me, -90, 0, pauses=pauses((-60, -30), (-20, -10)), tags=["a, b", 'c"d', "e"])
    [row] = _exported(me)
    assert row["tags"] == '"a, b", "c""d", e'
    assert row["pauses"] == (
        "2026-06-15T11:00:00.000Z/2026-06-15T11:30:00.000Z 2026-06-15T11:40:00.000Z/2026-06-15T11:50:00.000Z"
    )


def test_sessions_are_those_that_start_in_the_days_of_the_zone(me: Member, organization: Organization) -> None:
    """Given sessions around midnight in Auckland, then its day has those that start in it, oldest first."""
    tracked(me, -60, 60, description="over midnight")
    tracked(me, 0, 30, description="at midnight")
    tracked(organization.member(Role.MEMBER), 10, 20, description="theirs")
    next_day = {"from": "2026-06-16", "to": "2026-06-16", "timezone": "Pacific/Auckland"}
    assert [row["description"] for row in _exported(me, **next_day)] == ["at midnight", "theirs"]
    assert [row["description"] for row in _exported(organization.member(Role.MEMBER))] == ["theirs"]
    assert _exported(me, tag="none") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [("1350", "22.50"), ("900", "15.00")]),
        ({"round": "UP:15"}, [("1800", "30.00"), ("900", "15.00")]),
        ({"round": "DOWN:30", "roundPer": "DAY_PROJECT"}, [("1350", "22.50"), ("450", "7.50")]),
    ],
)
def test_amounts_are_of_the_rounded_time(me: Member, query: dict[str, str], expected: list[tuple[str, str]]) -> None:
    rate = {"amount": 6_000, "currency": "EUR"}
    me.call("setOrganizationRate", path={"effectiveFrom": "2026-01-01"}, body=rate)
    tracked(me, -60, -37.5, billable=True)
    tracked(me, -15, 0, billable=True)
    assert [(row["seconds"], row["amount"]) for row in _exported(me, **query)] == expected


def test_an_export_has_a_limited_number_of_lines(me: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.modules.time_sessions.actions.MAX_ROWS", 1)
    tracked(me, -60, -50)
    assert len(_exported(me)) == 1
    tracked(me, -40, -30)
    answer = me.call("exportTimeSessionsToCsv", query=DAY)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
