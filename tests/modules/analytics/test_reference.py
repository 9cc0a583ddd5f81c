"""Analytics held against a walk of every second: any two dimensions, hours, streaks, timesheets and prices."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core import clock
from chalicelib.models.users import Role
from tests.support.api import Api
from tests.support.factories import Member, new_organization
from tests.support.frozen_time import standing_still
from tests.support.hypothesis_profile import law
from tests.support.project_helpers import new_project, new_task
from tests.support.staffing import new_client
from tests.support.time_reference import Figures, WalkedSession, by_day, by_hour, current_run, figures, longest_run

NIGHTS = [
    ("Europe/Berlin", datetime(2026, 3, 28, 18, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, 18, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 6, tzinfo=UTC)),
    ("Pacific/Chatham", datetime(2026, 4, 4, 6, tzinfo=UTC)),
    ("Pacific/Chatham", datetime(2026, 9, 26, 6, tzinfo=UTC)),
    ("America/St_Johns", datetime(2026, 3, 7, 22, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 1, 31, 10, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 29, 20, tzinfo=UTC)),
]
"""Zones with an instant before clocks change: both ways, by an hour, by half of one, and by a day that is skipped."""
ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]
DIMENSIONS = ["day", "week", "month", "project", "client", "task", "user", "tag", "billable"]
LEVELS = ["member", "project", "user", "organization"]
"""Levels of rates, the most specific first."""


class Plan(NamedTuple):
    """A session as drawn: seconds from the first instant, and what it is for."""

    start: int
    length: int
    pause: tuple[int, int] | None
    work: int
    is_billable: bool
    tags: list[str]
    is_members: bool


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    length = draw(st.integers(1, 9_000))
    pause = None
    if length > 3 and draw(st.booleans()):
        low = draw(st.integers(0, length - 2))
        pause = (low, draw(st.integers(low + 1, length - (low == 0))))
    tags = draw(st.lists(st.sampled_from(["a", "b", "c"]), max_size=2, unique=True))
    start = draw(st.integers(0, 40 * 3600))
    return Plan(start, length, pause, draw(st.integers(0, 3)), draw(st.booleans()), tags, draw(st.booleans()))


@law(40)
@given(
    st.sampled_from(NIGHTS),
    st.sampled_from(ZONES),
    st.lists(plans(), min_size=1, max_size=5),
    st.dictionaries(
        st.sampled_from(LEVELS), st.dictionaries(st.integers(-1, 2), st.integers(1, 9_999), min_size=1, max_size=2)
    ),
    st.lists(st.sampled_from(list(permutations(DIMENSIONS, 2))), min_size=3, max_size=3, unique=True),
)
def test_analytics_equal_a_walk_by_seconds(
    api: Api,
    night: tuple[str, datetime],
    own_zone: str,
    planned: list[Plan],
    rates_by_level: dict[str, dict[int, int]],
    groupings: list[tuple[str, str]],
) -> None:
    """Given any sessions, rates and zones, then all figures are those of a walk, and totals whatever the groups."""
    zone, first = night
    days = {"from": str(first.date() - timedelta(days=3)), "to": str(first.date() + timedelta(days=5))}
    with standing_still(first + timedelta(days=20)):
        organization = new_organization(api, timezone=zone)
        owner, member = organization.owner, organization.member(Role.MEMBER)
        member.call("updatePreferences", body={"timezone": own_zone})
        client = new_client(owner)["id"]
        projects = [new_project(owner, clientId=client)["id"], new_project(owner)["id"]]
        works: list[tuple[str | None, str | None]] = [
            (None, None),
            (projects[0], None),
            (projects[0], new_task(owner, projects[0])["id"]),
            (projects[1], None),
        ]
        rates = {
            level: {first.date() + timedelta(days=day): amount for day, amount in by_start.items()}
            for level, by_start in rates_by_level.items()
        }
        _set_rates(owner, member, projects[0], rates)
        walked = [_create(owner, member, plan, first, works, client) for plan in planned]
        theirs = [session for session, plan in zip(walked, planned, strict=True) if plan.is_members]

        for dimensions in groupings:
            expected = figures(walked, dimensions, zone, zone, rates)
            assert _summary(owner, dimensions, days) == _shown(expected), dimensions
            expected = figures(theirs, dimensions, own_zone, zone, rates)
            answer = _summary(owner, dimensions, {**days, "userId": str(member.user.id)})
            assert answer == _shown(expected), dimensions

        heatmap = member.call("getActivityHeatmap", query=days).data
        cells = {(cell["isoWeekday"], cell["hour"]): cell["seconds"] for cell in heatmap["cells"]}
        assert cells == by_hour(theirs, own_zone)

        of_days = by_day(theirs, own_zone)
        streak = member.call("getTrackingStreak").data
        length, start, end = longest_run([*of_days])
        assert (streak["days"], streak["longest"]) == (len(of_days), length)
        assert (streak["longestFrom"], streak["longestTo"]) == tuple(
            None if day is None else str(day) for day in (start, end)
        )

        with standing_still(first + timedelta(hours=48)):
            streak = member.call("getTrackingStreak").data
        assert streak["current"] == current_run([*of_days], date.fromisoformat(streak["today"]))

        for week in {day - timedelta(days=day.weekday()) for day in of_days}:
            _hold_timesheet(owner, member, week, theirs, own_zone, rates, zone)


def _set_rates(owner: Member, member: Member, project: str, rates: dict[str, dict[date, int]]) -> None:
    user = {"userId": str(member.user.id)}
    paths: dict[str, tuple[str, dict[str, str]]] = {
        "member": ("setProjectMemberRate", {"id": project, **user}),
        "project": ("setProjectRate", {"id": project}),
        "user": ("setMemberRate", user),
        "organization": ("setOrganizationRate", {}),
    }
    owner.call("addProjectMember", path={"id": project, **user})
    for level, by_day_ in rates.items():
        action, path = paths[level]
        for day, amount in by_day_.items():
            body = {"amount": amount, "currency": "EUR"}
            assert owner.call(action, path={**path, "effectiveFrom": str(day)}, body=body).status == 200


def _create(
    owner: Member,
    member: Member,
    plan: Plan,
    first: datetime,
    works: list[tuple[str | None, str | None]],
    client: str,
) -> WalkedSession:
    """Create a session, and return it for the walk."""
    user, (project, task) = (member if plan.is_members else owner), works[plan.work]
    start = round(first.timestamp()) + plan.start
    pauses = [] if plan.pause is None else [(start + plan.pause[0], start + plan.pause[1])]
    body: dict[str, Any] = {
        "startAt": _text(start),
        "endAt": _text(start + plan.length),
        "pauses": [{"startAt": _text(low), "endAt": _text(high)} for low, high in pauses],
        "projectId": project,
        "taskId": task,
        "billable": plan.is_billable,
        "tags": plan.tags,
    }
    answer = user.call("createTimeSession", body=body)
    assert answer.status == 201, answer.text
    is_first = plan.work in {1, 2}
    levels = ["project", "organization"] if is_first else ["organization"]
    if plan.is_members:
        levels = ["member", "project", "user", "organization"] if is_first else ["user", "organization"]
    keys: dict[str, list[str | None]] = {
        "project": [project],
        "client": [client if is_first else None],
        "task": [task],
        "user": [str(user.user.id)],
        "tag": [*plan.tags] or [None],
        "billable": ["true" if plan.is_billable else "false"],
    }
    return WalkedSession(start, start + plan.length, pauses[0] if pauses else None, keys, levels)


def _text(second: int) -> str:
    return clock.to_text(datetime.fromtimestamp(second, UTC))


Shown = dict[tuple[str | None, ...], tuple[int, int, int | None, int]]


def _shown(groups: dict[tuple[str | None, ...], Figures]) -> Shown:
    """Return the figures of the totals, and of the groups of two keys that have time."""
    return {key: group.shown() for key, group in groups.items() if len(key) in {0, 2}}


def _summary(owner: Member, dimensions: tuple[str, str], query: dict[str, str]) -> Shown:
    answer = owner.call("getAnalyticsSummary", query={**query, "groupBy": ",".join(dimensions)})
    assert answer.status == 200, answer.text
    inner = {
        (group["key"], row["key"]): _row(row)
        for group in answer.data["groups"]
        for row in group["groups"]
        if row["seconds"]
    }
    return {(): _row(answer.data["totals"]), **inner}


def _row(row: dict[str, Any]) -> tuple[int, int, int | None, int]:
    amount = row.get("amount")
    return row["seconds"], row["billableSeconds"], amount and amount["amount"], row["unpricedSeconds"]


def _hold_timesheet(
    owner: Member,
    member: Member,
    week: date,
    sessions: list[WalkedSession],
    own_zone: str,
    rates: dict[str, dict[date, int]],
    zone: str,
) -> None:
    """Assert that a week's timesheet has the days and totals of the walk."""
    path = {"userId": str(member.user.id), "weekStart": str(week)}
    answer = owner.call("getTimesheet", path=path)
    assert answer.status == 200, answer.text
    of_days = by_day(sessions, own_zone)
    dates = [week + timedelta(days=number) for number in range(7)]
    shown = {day["day"]: day["seconds"] for day in answer.data["days"]}
    assert shown == {str(day): of_days[day] for day in dates}
    totals = figures(sessions, ["week"], own_zone, zone, rates)[(str(week),)]
    seconds, billable, amount, _ = totals.shown()
    expected = (seconds, billable, None if amount is None else {"amount": amount, "currency": "EUR"})
    assert (answer.data["seconds"], answer.data["billableSeconds"], answer.data.get("amount")) == expected
