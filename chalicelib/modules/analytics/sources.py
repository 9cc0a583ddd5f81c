"""Sources of analyses: the tracked time of one user or of everybody, and the rates and names that it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.action.registry import Named
from chalicelib.dal.collection import Collection, get_together
from chalicelib.dal.keys import Key
from chalicelib.models import labels
from chalicelib.models.staffing.clients import CLIENTS
from chalicelib.models.time import cached_time, tracked
from chalicelib.models.time.cached_time import ProjectLabel, RatesByLevel, UserTime
from chalicelib.models.time.everybody import EverybodysTime
from chalicelib.models.time.pricing import levels_of
from chalicelib.models.time.projects import PROJECTS
from chalicelib.models.time.tasks import TASKS
from chalicelib.models.time.tracked import TrackedGroup
from chalicelib.models.users import USERS
from chalicelib.modules.analytics import cached_summaries
from chalicelib.modules.analytics.contracts import Dimension, GetAnalyticsSummary
from chalicelib.modules.analytics.summary import Names


def own_keys(named: Named) -> list[Key]:
    """Return the keys that an analysis of the caller's own time reads first."""
    return cached_time.keys_of(named.organization, named.user)


def summary_keys(named: Named) -> list[Key]:
    """Return the keys that a summary reads first: whether without `userId` it is everybody's, the role will say."""
    data: GetAnalyticsSummary | None = named.data()
    if data is None:
        return []
    organization, shared = named.organization, [labels.key(named.organization)]
    if data.user_id is None:
        return [*own_keys(named), *shared, cached_summaries.key_of(organization, named.user, data)]
    of_other = [] if data.user_id == named.user else [USERS.key(organization, data.user_id)]
    return [*cached_time.keys_of(organization, data.user_id), *shared, *of_other]


class Tracked(NamedTuple):
    """Tracked time, with what prices and names it."""

    groups: list[TrackedGroup]
    rates: RatesByLevel
    projects: Mapping[UUID, ProjectLabel]


def groups_of_user(ctx: Context, time: UserTime, months: Iterable[str]) -> list[TrackedGroup]:
    """Return the user's sessions of some months, and their running timer."""
    return [*tracked.of_packed(time.user, time.months(months), time.timer, ctx.now)]


def of_user(ctx: Context, user: UUID, start: int, end: int, *, needs_projects: bool) -> Tracked:
    """Return the user's time that can overlap [start, end), in seconds since 1970."""
    organization, time = ctx.principal.organization, UserTime(ctx.organization, user)
    groups = groups_of_user(ctx, time, tracked.labels_of(start, end))
    pairs = {(group.user, group.group.project) for group in groups if group.group.billable}
    levels = [level for pair in pairs for level in levels_of(ctx.organization, *pair)]
    rates, projects = time.labels(levels, _projects(groups) if needs_projects else (), organization.rate_count)
    time.cache(ctx.now)
    return Tracked(groups, rates, projects)


def of_everybody(ctx: Context, time: EverybodysTime, start: int, end: int, *, needs_projects: bool) -> Tracked:
    """Return everybody's time that can overlap [start, end), in seconds since 1970."""
    groups, rates = time.read(start, end, ctx.now)
    projects = PROJECTS.get_many(ctx.organization, _projects(groups) if needs_projects else ())
    return Tracked(groups, rates, {id_: ProjectLabel.of(project) for id_, project in projects.items()})


def _projects(groups: Iterable[TrackedGroup]) -> set[UUID]:
    return {group.group.project for group in groups if group.group.project is not None}


def names(
    ctx: Context, keys: Mapping[Dimension, set[str | None]], projects: Mapping[UUID, ProjectLabel]
) -> dict[Dimension, Names]:
    """Return the names of entities by their keys, in one read; other keys are their own names."""
    ids = {
        dimension: [UUID(key) for key in of_dimension if key is not None]
        for dimension, of_dimension in keys.items()
        if dimension in _ENTITIES
    }
    requested = [(_ENTITIES[dimension][0], identifiers) for dimension, identifiers in ids.items()]
    together = get_together(ctx.organization, requested, [ctx.user])
    named: dict[Dimension, Names] = {
        dimension: {str(id_): getattr(record, _ENTITIES[dimension][1]) for id_, record in records.items()}
        for dimension, records in zip(ids, together, strict=True)
    }
    return {**named, Dimension.PROJECT: {str(id_): project.name for id_, project in projects.items()}}


_ENTITIES: dict[Dimension, tuple[Collection[Any], str]] = {
    Dimension.CLIENT: (CLIENTS, "name"),
    Dimension.TASK: (TASKS, "title"),
    Dimension.USER: (USERS, "full_name"),
}
