"""Analytics of tracked time: summary, heatmap and streak, exact in any time zone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth.permissions import Permission
from chalicelib.core import text
from chalicelib.core.days import day_of
from chalicelib.core.errors import ErrorCode
from chalicelib.models.organizations import WeekDay
from chalicelib.models.time import tracked
from chalicelib.models.time.cached_time import UserTime
from chalicelib.models.time.everybody import EverybodysTime
from chalicelib.models.time.local_calendar import Days
from chalicelib.models.time.packed_months import Group
from chalicelib.models.time.pricing import Pricer
from chalicelib.models.users import USERS
from chalicelib.modules.analytics import cached_summaries, sources
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
from chalicelib.modules.analytics.summary import Grouping, Piece, Sums, pieces_of, previous_days, rounded
from chalicelib.modules.time_sessions.access import visible_user


class Calendar(NamedTuple):
    zone: str
    week_start: WeekDay


@action(
    "getAnalyticsSummary",
    "GET /analytics/summary",
    permission=Permission.TIME_TRACK,
    ahead=sources.summary_keys,
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
    needs_projects = data.client_id is not None or bool(
        {Dimension.CLIENT, Dimension.PROJECT} & {*(data.group_by or ())}
    )
    if user is not None:
        time = sources.of_user(ctx, user, before.start, days.end, needs_projects=needs_projects)
        return _summary(ctx, data, calendar, days, before, time)
    everybody = EverybodysTime(ctx.organization)

    def compute() -> Summary:
        time = sources.of_everybody(ctx, everybody, before.start, days.end, needs_projects=needs_projects)
        return _summary(ctx, data, calendar, days, before, time)

    return cached_summaries.answered(ctx, data, everybody, compute)


@action(
    "getActivityHeatmap",
    "GET /analytics/heatmap",
    permission=Permission.TIME_TRACK,
    ahead=sources.own_keys,
    errors=(ErrorCode.INVALID_DATE_RANGE,),
)
def get_activity_heatmap(ctx: Context, data: DayRange) -> Heatmap:
    """The caller's seconds by weekday and clock hour, over up to 366 days.

    An hour that comes twice, where clocks go back, collects both.
    """
    data.require_order()
    calendar = calendar_of(ctx, ctx.user.id)
    days = Days(data.from_, data.to, calendar.zone)
    time = UserTime(ctx.organization, ctx.user.id)
    groups = sources.groups_of_user(ctx, time, tracked.labels_of(days.start, days.end))
    time.cache(ctx.now)
    spans = sorted(span for group in groups for span in days.clip(group.together))
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


@action("getTrackingStreak", "GET /analytics/streak", permission=Permission.TIME_TRACK, ahead=sources.own_keys)
def get_tracking_streak(ctx: Context) -> Streak:
    """The caller's current and longest run of days with tracked time."""
    calendar = calendar_of(ctx, ctx.user.id)
    time = UserTime(ctx.organization, ctx.user.id)
    groups = sources.groups_of_user(ctx, time, time.account.months)
    time.cache(ctx.now)
    today = day_of(ctx.now, calendar.zone)
    days: set[date] = set()
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


def _summary(
    ctx: Context, data: GetAnalyticsSummary, calendar: Calendar, days: Days, before: Days, time: sources.Tracked
) -> Summary:
    dimensions = data.group_by or ()
    pricer = Pricer(ctx.principal.organization, time.rates)
    clients = {id_: project.client_id for id_, project in time.projects.items() if project.client_id is not None}
    matching = [group for group in time.groups if _matches(data, group.group, clients)]
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
    currency = ctx.principal.organization.currency if ctx.principal.sees_money else None
    names = sources.names(ctx, {dimension: grouping.keys(dimension) for dimension in dimensions}, time.projects)
    change = sums.seconds - previous.seconds
    return Summary(
        totals=Totals(**sums.totals(currency)),
        previous=Totals(**previous.totals(currency)),
        change=Change(seconds=change, percent=round(100 * change / previous.seconds, 2) if previous.seconds else None),
        groups=grouping.groups(days, names, currency),
        timezone=calendar.zone,
        week_start=calendar.week_start,
    )


def _matches(data: GetAnalyticsSummary, group: Group, clients: Mapping[UUID, UUID]) -> bool:
    return (
        data.project_id in {None, group.project}
        and data.task_id in {None, group.task}
        and data.billable in {None, group.billable}
        and (data.tag is None or text.fold(data.tag) in {text.fold(tag) for tag in group.tags})
        and (data.client_id is None or (group.project is not None and clients.get(group.project) == data.client_id))
    )


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
