"""Analytics of tracked time: summary, heatmap and streak, exact in any time zone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core import text
from chalicelib.core.days import day_of
from chalicelib.core.errors import ErrorCode
from chalicelib.core.money import Money
from chalicelib.dal import table
from chalicelib.dal.collection import Collection, get_together
from chalicelib.models.organizations import WeekDay
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.time import accounts, rates, tracked
from chalicelib.models.time.local_calendar import Days
from chalicelib.models.time.packed_months import Group
from chalicelib.models.time.pricing import Pricer, levels_of
from chalicelib.models.time.projects import PROJECTS, StoredProject
from chalicelib.models.time.tasks import TASKS
from chalicelib.models.time.tracked import TrackedGroup
from chalicelib.models.users import USERS
from chalicelib.modules.analytics.contracts import (
    Change,
    DayRange,
    Dimension,
    GetAnalyticsSummary,
    Heatmap,
    HeatmapCell,
    Streak,
    Summary,
    Totals,
)
from chalicelib.modules.analytics.merged import merged
from chalicelib.modules.analytics.summary import Grouping, Names, Piece, Sums, pieces_of, previous_days, rounded
from chalicelib.modules.time_sessions.access import visible_user

_READ_BY_KEY = 100
"""Items of one request; the rates of more levels are read with all of the organization."""


class Calendar(NamedTuple):
    zone: str
    week_start: WeekDay


@action(
    "getAnalyticsSummary",
    "GET /analytics/summary",
    permission=Permission.TIME_TRACK,
    errors=(ErrorCode.INVALID_DATE_RANGE, ErrorCode.NOT_FOUND),
)
def get_analytics_summary(ctx: Context, data: GetAnalyticsSummary) -> Summary:
    """The time of up to 366 days by up to two dimensions: one's own, or everybody's for a time admin.

    A session stands under each of its tags, and under null without one; totals count it once, whatever the groups.
    A running timer counts up to now. Rounding changes what is shown, never what is stored.
    """
    data.require_order()
    user = visible_user(ctx, data.user_id)
    calendar = calendar_of(ctx, user)
    days = Days(data.from_, data.to, calendar.zone)
    before = previous_days(days)
    dimensions = data.group_by or ()
    sees_money = ctx.principal.sees_money
    groups = [*_tracked(ctx, user, before.start, days.end)]
    needs_projects = data.client_id is not None or bool({Dimension.CLIENT, Dimension.PROJECT} & {*dimensions})
    by_level, projects = _rates_and_projects(ctx, user, groups, needs_projects=needs_projects)
    pricer = Pricer(ctx.principal.organization, by_level)
    clients = {id_: project.client_id for id_, project in projects.items() if project.client_id is not None}
    matching = [group for group in groups if _matches(data, group.group, clients)]
    pieces: Iterable[Piece]
    if data.round is None:
        pieces = merged(matching, before, days, pricer, dimensions)
    else:
        sessions = [*tracked.sessions_of(matching)]
        wholes = (rounded(pieces_of(sessions, of, pricer), data.round, data.round_per) for of in (before, days))
        pieces = (piece for whole in wholes for parts in whole for piece in parts)
    grouping, sums, previous = Grouping(dimensions, calendar.week_start, clients), Sums(), Sums()
    for piece in pieces:
        if piece.day < days.first:
            previous.add(piece)
        else:
            sums.add(piece)
            grouping.add(piece)
    currency = ctx.principal.organization.currency if sees_money else None
    names = _names(ctx, {dimension: grouping.keys(dimension) for dimension in dimensions}, projects)
    change = sums.seconds - previous.seconds
    return Summary(
        totals=Totals(**sums.totals(currency)),
        previous=Totals(**previous.totals(currency)),
        change=Change(seconds=change, percent=round(100 * change / previous.seconds, 2) if previous.seconds else None),
        groups=grouping.groups(days, names, currency),
        timezone=calendar.zone,
        week_start=calendar.week_start,
    )


@action(
    "getActivityHeatmap",
    "GET /analytics/heatmap",
    permission=Permission.TIME_TRACK,
    errors=(ErrorCode.INVALID_DATE_RANGE,),
)
def get_activity_heatmap(ctx: Context, data: DayRange) -> Heatmap:
    """The caller's seconds by weekday and clock hour, over up to 366 days.

    An hour that comes twice, where clocks go back, collects both.
    """
    data.require_order()
    calendar = calendar_of(ctx, ctx.user.id)
    days = Days(data.from_, data.to, calendar.zone)
    spans = sorted(
        span
        for group in tracked.of_user(ctx.organization, ctx.user.id, days.start, days.end, ctx.now)
        for span in days.clip(group.together)
    )
    seconds: Counter[tuple[int, int]] = Counter()
    pending: list[tuple[int, int]] = []
    remaining = iter(spans)
    following = next(remaining, None)
    for cell in days.hours():
        while following is not None and following[0] < cell.end:
            pending.append(following)
            following = next(remaining, None)
        seconds[cell.iso_weekday, cell.hour] += sum(
            max(0, min(high, cell.end) - max(low, cell.start)) for low, high in pending
        )
        pending = [(low, high) for low, high in pending if high > cell.end]
    return Heatmap(
        cells=[
            HeatmapCell(iso_weekday=weekday, hour=hour, seconds=number)
            for (weekday, hour), number in sorted(seconds.items())
            if number
        ],
        total_seconds=sum(seconds.values()),
        timezone=calendar.zone,
        week_start=calendar.week_start,
    )


@action("getTrackingStreak", "GET /analytics/streak", permission=Permission.TIME_TRACK)
def get_tracking_streak(ctx: Context) -> Streak:
    """The caller's current and longest run of days with tracked time."""
    calendar = calendar_of(ctx, ctx.user.id)
    account = accounts.read(ctx.organization, ctx.user.id)
    today = day_of(ctx.now, calendar.zone)
    days: set[date] = set()
    groups = tracked.of_months(ctx.organization, ctx.user.id, account.months, ctx.now)
    for session in tracked.sessions_of(groups):
        first, last = (
            day_of(datetime.fromtimestamp(at, UTC), calendar.zone)
            for at in (session.spans[0][0], session.spans[-1][1] - 1)
        )
        days.update(day for day, _ in Days(first, last, calendar.zone).split(session.spans))
    runs = list(_runs(days))
    longest = max(runs, key=lambda run: (run[1] - run[0], -run[0].toordinal()), default=None)
    current = next((run for run in runs if run[0] <= today and run[1] >= today - timedelta(days=1)), None)
    return Streak(
        current=0 if current is None else (min(current[1], today) - current[0]).days + 1,
        longest=0 if longest is None else (longest[1] - longest[0]).days + 1,
        longest_from=None if longest is None else longest[0],
        longest_to=None if longest is None else longest[1],
        days=len(days),
        today=today,
        timezone=calendar.zone,
        week_start=calendar.week_start,
    )


# -- shared by the actions -------------------------------------------------------------------------------------------


def calendar_of(ctx: Context, user: UUID | None) -> Calendar:
    """Return the calendar of one user's figures; the organization's for figures over users."""
    organization = ctx.principal.organization
    if user is None:
        return Calendar(organization.timezone, organization.week_start)
    preferences = (ctx.user if user == ctx.user.id else USERS.get(ctx.organization, user)).preferences
    return Calendar(preferences.timezone or organization.timezone, preferences.week_start or organization.week_start)


def _tracked(ctx: Context, user: UUID | None, start: int, end: int) -> Iterator[TrackedGroup]:
    if user is None:
        return tracked.of_all(ctx.organization, start, end, ctx.now)
    return tracked.of_user(ctx.organization, user, start, end, ctx.now)


def _rates_and_projects(
    ctx: Context, user: UUID | None, groups: Iterable[TrackedGroup], *, needs_projects: bool
) -> tuple[Mapping[str, Mapping[date, Money]], dict[UUID, StoredProject]]:
    """Return rates by level, and the projects that are needed; of one user's time all in one read, by their keys."""
    organization = ctx.organization
    ids = {group.group.project for group in groups if group.group.project is not None} if needs_projects else set()
    pairs = {(group.user, group.group.project) for group in groups if group.group.billable}
    levels = {level.key(organization) for pair in pairs for level in levels_of(organization, *pair)}
    if user is None or len(levels) + len(ids) > _READ_BY_KEY:
        return rates.read_all(organization), PROJECTS.get_many(organization, ids)
    rows = table.raw_batch([*levels, *(PROJECTS.key(organization, project) for project in ids)])
    items = {key: table.item_from_raw(row) for key, row in rows.items()}
    records = (PROJECTS.record.of(items.get(PROJECTS.key(organization, project))) for project in ids)
    return rates.rates_in(organization, items), {record.id: record for record in records}


def _matches(data: GetAnalyticsSummary, group: Group, clients: Mapping[UUID, UUID]) -> bool:
    return (
        data.project_id in {None, group.project}
        and data.task_id in {None, group.task}
        and data.billable in {None, group.billable}
        and (data.tag is None or text.fold(data.tag) in {text.fold(tag) for tag in group.tags})
        and (data.client_id is None or (group.project is not None and clients.get(group.project) == data.client_id))
    )


def _names(
    ctx: Context, keys: Mapping[Dimension, set[str | None]], projects: Mapping[UUID, StoredProject]
) -> dict[Dimension, Names]:
    """Return the names of entities by their keys, in one read; other keys are their own names."""
    ids = {
        dimension: [UUID(key) for key in of_dimension if key is not None]
        for dimension, of_dimension in keys.items()
        if dimension in _ENTITIES
    }
    requested = [(_ENTITIES[dimension][0], identifiers) for dimension, identifiers in ids.items()]
    together = get_together(ctx.organization, requested, [ctx.user, *projects.values()])
    return {
        dimension: {str(id_): getattr(record, _ENTITIES[dimension][1]) for id_, record in records.items()}
        for dimension, records in zip(ids, together, strict=True)
    }


_ENTITIES: dict[Dimension, tuple[Collection[Any], str]] = {
    Dimension.PROJECT: (PROJECTS, "name"),
    Dimension.CLIENT: (CLIENTS, "name"),
    Dimension.TASK: (TASKS, "title"),
    Dimension.USER: (USERS, "full_name"),
}


def _runs(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """Yield the first and last day of each run of consecutive days, in order."""
    start = last = None
    for day in sorted(days):
        if start is None or last is None:
            start = day
        elif day - last > timedelta(days=1):
            yield start, last
            start = day
        last = day
    if start is not None and last is not None:
        yield start, last
