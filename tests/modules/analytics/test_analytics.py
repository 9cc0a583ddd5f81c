"""Analytics: published cases walked second by second elsewhere, and a property over any sessions, zones and groups."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.factories import Member, Organization, new_organization
from tests.support.frozen_time import standing_still
from tests.support.hypothesis_profile import law
from tests.support.project_helpers import new_project, new_task
from tests.support.staffing import new_client
from tests.support.time_helpers import NOON, at, at_noon, minutes_later, tracked

CASES = json.loads((Path(__file__).parent / "time_cases.json").read_text())["cases"]
DAY = {"from": "2026-06-15", "to": "2026-06-15"}


def _totals(member: Member, **query: Any) -> dict[str, Any]:
    answer = member.call("getAnalyticsSummary", query=query)
    assert answer.status == 200, answer.text
    totals: dict[str, Any] = answer.data["totals"]
    return totals


def _groups(member: Member, group_by: str, **query: Any) -> dict[Any, Any]:
    """Return seconds by key, or, of two dimensions, seconds by both keys."""
    answer = member.call("getAnalyticsSummary", query={**query, "groupBy": group_by})
    assert answer.status == 200, answer.text
    if "," not in group_by:
        return {group["key"]: group["seconds"] for group in answer.data["groups"] if group["seconds"]}
    return {
        (group["key"], inner["key"]): inner["seconds"]
        for group in answer.data["groups"]
        for inner in group["groups"]
        if inner["seconds"]
    }


# -- published cases -------------------------------------------------------------------------------------------------


CALENDAR = [case for case in CASES if "ratesPerHourMinorByDay" not in case]
MONEY = [case for case in CASES if "ratesPerHourMinorByDay" in case]


def _play(member: Member, sessions: list[dict[str, Any]], now: datetime) -> None:
    """Create the sessions; one without an end is a running timer."""
    for session in sessions:
        pauses = [{"startAt": pause["from"], "endAt": pause["to"]} for pause in session.get("pauses", [])]
        if session["endAt"] is not None:
            body = {"startAt": session["startAt"], "endAt": session["endAt"], "pauses": pauses}
            ended = datetime.fromisoformat(session["endAt"])
            with standing_still(max(now, ended)):
                assert member.call("createTimeSession", body=body).status == 201
            continue
        assert member.post("startTimer", startAt=session["startAt"]).status == 201
        for pause in pauses:
            assert member.post("pauseTimer", at=pause["startAt"]).status == 200
            if pause["endAt"] is not None:
                assert member.post("resumeTimer", at=pause["endAt"]).status == 200


@pytest.mark.parametrize("case", CALENDAR, ids=lambda case: case["id"])
def test_a_published_case(api: Api, case: dict[str, Any]) -> None:
    now = datetime.fromisoformat(case["now"])
    expected = case["expected"]
    with standing_still(now):
        organization = new_organization(api, timezone="UTC")
        member = organization.owner
        preferences = {"timezone": case["zone"], "weekStart": case.get("weekStart", "MONDAY")}
        assert member.call("updatePreferences", body=preferences).status == 200
        _play(member, case["sessions"], now)
        days = [date.fromisoformat(day) for day in expected["secondsByDay"]] or [now.date()]
        span = case["range"] or {"from": str(min(days) - timedelta(days=2)), "to": str(max(days) + timedelta(days=2))}
        query = {**span, "userId": str(member.user.id)}

        assert _totals(member, **query)["seconds"] == expected["totalSeconds"]
        assert _groups(member, "day", **query) == {k: v for k, v in expected["secondsByDay"].items() if v}
        assert _groups(member, "week", **query) == {k: v for k, v in expected["secondsByWeekStart"].items() if v}
        assert _groups(member, "month", **query) == {k: v for k, v in expected["secondsByMonth"].items() if v}
        heatmap = member.call("getActivityHeatmap", query=span).data
        assert heatmap["cells"] == expected["heatmapSeconds"]
        if case["range"] is None:
            streak = member.call("getTrackingStreak").data
            assert {
                name: streak[name] for name in ("current", "longest", "longestFrom", "longestTo", "days", "today")
            } == {
                name: expected["streak"][name]
                for name in ("current", "longest", "longestFrom", "longestTo", "days", "today")
            }


def test_a_pause_over_midnight_and_a_clock_change_counts_nowhere(api: Api) -> None:
    """Given a timer paused from 23:30 until 3:30, over the hour that Berlin skips, then each day has its own part."""
    with standing_still(datetime(2026, 3, 29, 3, tzinfo=UTC)):
        me = new_organization(api, timezone="Europe/Berlin").owner
        me.post("startTimer", startAt="2026-03-28T22:00:00Z")
        me.post("pauseTimer", at="2026-03-28T22:30:00Z")
        me.post("resumeTimer", at="2026-03-29T01:30:00Z")
        session = me.post("stopTimer").data
        query = {"from": "2026-03-28", "to": "2026-03-29"}
        heatmap = me.call("getActivityHeatmap", query=query).data["cells"]

        assert session["durationSeconds"] == 2 * 3600
        assert _groups(me, "day", **query) == {"2026-03-28": 1800, "2026-03-29": 5400}
    assert [(cell["hour"], cell["seconds"]) for cell in heatmap] == [(23, 1800), (3, 1800), (4, 3600)]


@pytest.mark.parametrize("case", MONEY, ids=lambda case: case["id"])
def test_a_published_price(api: Api, case: dict[str, Any]) -> None:
    ends = [datetime.fromisoformat(session["endAt"]) for session in case["sessions"]]
    with standing_still(max(ends)):
        me = new_organization(api, timezone=case["zone"]).owner
        for day, amount in case["ratesPerHourMinorByDay"].items():
            rate = {"amount": amount, "currency": "EUR"}
            assert me.call("setOrganizationRate", path={"effectiveFrom": day}, body=rate).status == 200
        for session in case["sessions"]:
            times = {"startAt": session["startAt"], "endAt": session["endAt"]}
            created = me.post("createTimeSession", **times, billable=True)
            assert created.data["amount"]["amount"] == case["expected"]["amountBySession"][session["id"]]
        first, last = min(case["sessions"], key=lambda s: s["startAt"])["startAt"][:10], str(max(ends).date())
        totals = _totals(me, **{"from": first, "to": last})
    assert totals["amount"]["amount"] == case["expected"]["amountTotalFromExactSum"]


# -- dimensions, filters, names --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def office(api: Api) -> Iterator[Organization]:
    """An organization with an hour each on a client's project, on a task with two tags, and without a project."""
    with at_noon():
        organization = new_organization(api, timezone="Europe/Berlin")
        me, member = organization.owner, organization.member(Role.MEMBER)
        client = new_client(me, name="Hansekontor")["id"]
        project = new_project(me, name="Umzug", clientId=client)["id"]
        inner = new_project(me, name="Intern", isBillable=False)["id"]
        task = new_task(me, inner, title="Planung")["id"]
        tracked(me, -300, -240, projectId=project)
        tracked(me, -180, -120, taskId=task, tags=["Plan", "Team"])
        tracked(member, -60, 0, billable=True)
        yield organization


def test_groups_have_names_and_totals_do_not_depend_on_them(office: Organization) -> None:
    me = office.owner
    expected = {
        "project": {"Umzug": 3600, "Intern": 3600, None: 3600},
        "client": {"Hansekontor": 3600, None: 7200},
        "task": {"Planung": 3600, None: 7200},
        "user": {"Test Owner": 7200, "Test Member": 3600},
        "tag": {"Plan": 3600, "Team": 3600, None: 7200},
        "billable": {"true": 7200, "false": 3600},
        "day": {"2026-06-15": 10_800},
    }
    with at_noon():
        for dimension, groups in expected.items():
            answer = me.call("getAnalyticsSummary", query={**DAY, "groupBy": dimension}).data
            assert {group["name"]: group["seconds"] for group in answer["groups"]} == groups, dimension
            assert (answer["totals"]["seconds"], answer["totals"]["billableSeconds"]) == (10_800, 7200), dimension
        two = me.call("getAnalyticsSummary", query={**DAY, "groupBy": "client,tag"}).data["groups"]
    assert [(group["name"], [(inner["name"], inner["seconds"]) for inner in group["groups"]]) for group in two] == [
        ("Hansekontor", [(None, 3600)]),
        (None, [("Plan", 3600), ("Team", 3600), (None, 3600)]),
    ]


def test_filters_narrow_totals(office: Organization) -> None:
    with at_noon():
        me, member = office.owner, office.member(Role.MEMBER)
        client = me.call("getClients").data["data"][0]["id"]
        for query, seconds in [
            ({"clientId": client}, 3600),
            ({"tag": "PLAN"}, 3600),
            ({"billable": "false"}, 3600),
            ({"userId": str(member.user.id)}, 3600),
            ({"userId": str(me.user.id), "billable": "true"}, 3600),
        ]:
            assert _totals(me, **DAY, **query)["seconds"] == seconds, query
        assert _totals(member, **DAY)["seconds"] == 3600
        refused = member.call("getAnalyticsSummary", query={**DAY, "userId": str(me.user.id)})
        assert refused.code == "FORBIDDEN"


def test_empty_days_are_filled_and_compared_with_as_many_before(office: Organization) -> None:
    with at_noon():
        query = {"from": "2026-06-15", "to": "2026-06-17", "groupBy": "day"}
        days = office.owner.call("getAnalyticsSummary", query=query).data
        later = {"from": "2026-06-16", "to": "2026-06-16"}
        after = office.owner.call("getAnalyticsSummary", query=later).data
    assert [(group["key"], group["seconds"]) for group in days["groups"]] == [
        ("2026-06-15", 10_800),
        ("2026-06-16", 0),
        ("2026-06-17", 0),
    ]
    assert (days["previous"]["seconds"], days["change"]) == (0, {"seconds": 10_800, "percent": None})
    assert (after["previous"]["seconds"], after["change"]) == (10_800, {"seconds": -10_800, "percent": -100.0})
    assert (after["timezone"], after["weekStart"]) == ("Europe/Berlin", "MONDAY")


def test_a_running_timer_counts_up_to_now(office: Organization) -> None:
    member = office.enrol(Role.MEMBER)
    with at_noon():
        member.post("startTimer", startAt=at(-20))
        member.post("pauseTimer", at=at(-5))
        member.post("resumeTimer", at=at(0))
        with minutes_later(10):
            assert _totals(member, **DAY)["seconds"] == 25 * 60
        member.call("discardTimer")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-06-16", "to": "2026-06-15"}, "to"),
        ({"from": "2025-01-01", "to": "2026-01-02"}, None),
        ({**DAY, "groupBy": "day,week,month"}, "groupBy"),
        ({**DAY, "groupBy": "colour"}, "groupBy"),
        ({**DAY, "groupBy": "day,day"}, "groupBy"),
        ({**DAY, "round": "UP:7"}, "round"),
        ({**DAY, "roundPer": "WEEK"}, "roundPer"),
    ],
)
def test_what_cannot_be_asked_is_named(office: Organization, query: dict[str, str], field: str | None) -> None:
    answer = office.owner.call("getAnalyticsSummary", query=query)
    assert answer.status == 400
    assert field is None or [*answer.error["details"]["fieldErrors"]] == [field]


# -- money -----------------------------------------------------------------------------------------------------------


def test_the_most_specific_rate_of_the_day_prices(api: Api) -> None:
    """Given rates of all four levels, then each hour has that of its most specific level; a past rate re-prices."""
    with at_noon():
        organization = new_organization(api)
        me = organization.owner
        user, project = str(me.user.id), new_project(me)["id"]
        me.call("addProjectMember", path={"id": project, "userId": user})
        tracked(me, -60, 0, projectId=project)
        tracked(me, -120, -60, billable=True)
        since = {"effectiveFrom": "2026-01-01"}

        def priced() -> tuple[Any, int]:
            totals = _totals(me, **DAY)
            return (totals.get("amount") or {}).get("amount"), totals["unpricedSeconds"]

        assert priced() == (None, 7200)
        for action, path, amount, expected in [
            ("setProjectRate", {"id": project}, 50_00, (50_00, 3600)),
            ("setOrganizationRate", {}, 40_00, (90_00, 0)),
            ("setMemberRate", {"userId": user}, 45_00, (95_00, 0)),
            ("setProjectMemberRate", {"id": project, "userId": user}, 60_00, (105_00, 0)),
        ]:
            body = {"amount": amount, "currency": "EUR"}
            assert me.call(action, path={**path, **since}, body=body).status == 200
            assert priced() == expected, action
        assert "amount" not in _totals(organization.member(Role.MEMBER), **DAY)


def test_amounts_are_rounded_once(api: Api) -> None:
    """Given three sessions of a third of a cent each, then the total is one cent, and each group's is rounded alone."""
    with at_noon():
        me = new_organization(api).owner
        body = {"amount": 20, "currency": "EUR"}
        me.call("setOrganizationRate", path={"effectiveFrom": "2026-01-01"}, body=body)
        for number in range(3):
            tracked(me, -10 - number, -9 - number, billable=True, tags=[f"t{number}"])
        answer = me.call("getAnalyticsSummary", query={**DAY, "groupBy": "tag"}).data
    assert answer["totals"]["amount"]["amount"] == 1
    assert [group["amount"]["amount"] for group in answer["groups"]] == [0, 0, 0]


# -- rounding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rounding", "per", "seconds"),
    [
        ("UP:15", "SESSION", 900 + 1800),
        ("DOWN:15", "SESSION", 900 + 900),
        ("NEAREST:15", "SESSION", 900 + 1800),
        ("UP:60", "DAY_PROJECT", 3600),
        ("NEAREST:60", "DAY_PROJECT", 3600),
        ("DOWN:60", "DAY_PROJECT", 0),
        ("UP:1", "SESSION", 900 + 23 * 60),
    ],
)
def test_rounding_is_of_sessions_or_of_a_project_in_a_day(api: Api, rounding: str, per: str, seconds: int) -> None:
    """Given 15 minutes, which stay, and 22.5, then both are rounded; groups sum to the total and nothing is stored."""
    with at_noon():
        me = new_organization(api).owner
        tracked(me, -15, 0, tags=["a"])
        tracked(me, -60, -37.5, tags=["b"])
        query = {**DAY, "round": rounding, "roundPer": per}
        assert _totals(me, **query)["seconds"] == seconds
        assert sum(_groups(me, "tag", **query).values()) == seconds
        assert _totals(me, **DAY)["seconds"] == 37.5 * 60


# -- the law ---------------------------------------------------------------------------------------------------------

ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe"]
FIRST = datetime(2026, 3, 28, tzinfo=UTC)
"""The night before Berlin's clocks go forward."""


@st.composite
def plans(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """Draw sessions as start, length and the place of a pause, in quarters of an hour."""
    return [
        (draw(st.integers(0, 4 * 24 * 6)), draw(st.integers(2, 96)), draw(st.integers(0, 40)))
        for _ in range(draw(st.integers(1, 6)))
    ]


@law(12)
@given(st.sampled_from(ZONES), plans())
def test_groups_equal_a_walk_by_quarters_of_hours(api: Api, zone: str, plan: list[tuple[int, int, int]]) -> None:
    """Given any sessions with pauses, then days and hours have exactly the quarters that the local calendar shows."""
    by_day, by_hour = Counter[str](), Counter[tuple[int, int]]()
    with standing_still(FIRST + timedelta(days=20)):
        me = new_organization(api).owner
        me.call("updatePreferences", body={"timezone": zone})
        for start, length, pause in plan:
            quarters = [start + number for number in range(length)]
            breaks = []
            if 0 < pause < length - 1:
                quarters.remove(start + pause)
                breaks = [{"startAt": _quarter(start + pause), "endAt": _quarter(start + pause + 1)}]
            body = {"startAt": _quarter(start), "endAt": _quarter(start + length), "pauses": breaks}
            assert me.call("createTimeSession", body=body).status == 201
            for quarter in quarters:
                local = (FIRST + timedelta(minutes=15 * quarter)).astimezone(ZoneInfo(zone))
                by_day[str(local.date())] += 900
                by_hour[local.isoweekday(), local.hour] += 900
        query = {"from": "2026-03-26", "to": "2026-04-10", "userId": str(me.user.id)}
        assert _groups(me, "day", **query) == by_day
        heatmap = me.call("getActivityHeatmap", query={"from": "2026-03-26", "to": "2026-04-10"}).data
        assert {(cell["isoWeekday"], cell["hour"]): cell["seconds"] for cell in heatmap["cells"]} == by_hour
        assert _totals(me, **query)["seconds"] == heatmap["totalSeconds"] == sum(by_day.values())
        assert me.call("getTrackingStreak").data["days"] == len(by_day)


def _quarter(number: int) -> str:
    return (FIRST + timedelta(minutes=15 * number)).isoformat()


def test_the_frozen_noon_is_a_monday() -> None:
    assert NOON.isoweekday() == 1


# -- merged sessions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group_by", [None, "day", "project,billable", "tag,month", "task", "client,week", "user"])
def test_merged_sessions_sum_to_those_one_by_one(api: Api, group_by: str | None) -> None:
    """Given whole minutes, rounding to one minute changes nothing, but adds the sessions up one by one."""
    with at_noon():
        organization = new_organization(api, timezone="Asia/Kolkata")
        owner, member = organization.owner, organization.member(Role.MEMBER)
        # Days of figures are Berlin's, days of rates Kolkata's
        assert owner.call("updatePreferences", body={"timezone": "Europe/Berlin"}).status == 200
        project = new_project(owner, clientId=new_client(owner)["id"])["id"]
        task = new_task(owner, project)["id"]
        for day, amount in (("2026-06-15", 6011), ("2026-06-16", 7013)):
            rate = {"amount": amount, "currency": "EUR"}
            assert owner.call("setOrganizationRate", path={"effectiveFrom": day}, body=rate).status == 200
        path = {"effectiveFrom": "2026-06-13", "userId": str(member.user.id)}
        assert owner.call("setMemberRate", path=path, body={"amount": 8017, "currency": "EUR"}).status == 200
        for number, person in enumerate((owner, member, owner, member)):
            start = -1441 + 397 * number
            fields = {"billable": number != 2, "tags": ["a", "b"][: number % 3]}
            work = {"taskId": task} if number % 2 else {"projectId": project} if number else {}
            spans = [{"startAt": at(start + 60), "endAt": at(start + 90)}]
            tracked(person, start, start + 500, pauses=spans, **fields, **work)
    for user in ({}, {"userId": str(owner.user.id)}):
        query = {"from": "2026-06-14", "to": "2026-06-15", **user, **({"groupBy": group_by} if group_by else {})}
        with at_noon(), minutes_later(24 * 60):
            merged, apart = (
                owner.call("getAnalyticsSummary", query={**query, **rounding}).data
                for rounding in ({}, {"round": "UP:1"})
            )
        assert merged == apart
        assert merged["totals"]["amount"]["amount"] > 0
        assert merged["totals"]["unpricedSeconds"] > 0
