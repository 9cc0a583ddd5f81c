"""Budgets of projects: how much of a period's money and estimated time is used, and the thresholds reported.

Each threshold is reported once in a period. Another budget or estimate begins anew. See docs/decisions/budgets.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from chalicelib.core.contracts import Contract
from chalicelib.core.days import start_of
from chalicelib.core.ids import OrganizationId
from chalicelib.core.pricing import HOUR
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models.time import keys as time_keys
from chalicelib.models.time.projects import Project

THRESHOLDS = (80, 100)
"""Percentages that are reported."""
TOTAL = "TOTAL"
"""The period of a project whose budget is for all of its time. The others are months, `YYYY-MM`."""


class BudgetKind(StrEnum):
    BUDGET = "BUDGET"
    ESTIMATE = "ESTIMATE"


class Use(NamedTuple):
    """Time and money of a project in one period."""

    seconds: int
    product: int
    """Exact price in minor units × milliseconds, for `core.pricing.amount_of`."""

    def reached(self, project: Project, kind: BudgetKind) -> list[int]:
        """Return the thresholds of its budget or estimate that are reached."""
        if kind is BudgetKind.BUDGET:
            used, whole = self.product, 0 if project.budget is None else project.budget.amount * HOUR
        else:
            used, whole = self.seconds, (project.estimated_minutes or 0) * 60
        # In whole numbers: a budget that is used up exactly is.
        return [percent for percent in THRESHOLDS if whole and 100 * used >= percent * whole]


class _Mark(Contract):
    size: str
    """The budget or estimate of which it was reported."""
    percent: int


class Reported(NamedTuple):
    """The reported thresholds of one project in one period, as read."""

    project: UUID
    period: str
    marks: Mapping[BudgetKind, _Mark]
    version: int
    """0: nothing was reported yet."""

    def missing(self, project: Project, kind: BudgetKind, reached: list[int]) -> list[int]:
        """Return the thresholds, of those that are reached, that were not reported of this budget or estimate."""
        mark = self.marks.get(kind)
        last = mark.percent if mark is not None and mark.size == size_of(project, kind) else 0
        return [percent for percent in reached if percent > last]


def size_of(project: Project, kind: BudgetKind) -> str | None:
    """Return a budget or estimate as text; None where the project has none."""
    if kind is BudgetKind.BUDGET:
        return None if project.budget is None else f"{project.budget.amount} {project.budget.currency}"
    return None if project.estimated_minutes is None else f"{project.estimated_minutes} min"


def kinds_of(project: Project) -> list[BudgetKind]:
    return [kind for kind in BudgetKind if size_of(project, kind) is not None]


# -- periods ---------------------------------------------------------------------------------------------------------


def month_of(instant: datetime, zone: str) -> str:
    """Return the local month of an instant."""
    return f"{instant.astimezone(ZoneInfo(zone)):%Y-%m}"


def span_of(month: str, zone: str) -> tuple[int, int]:
    """Return the first second of a local month, and of the next one, since 1970."""
    first = date.fromisoformat(f"{month}-01")
    next_first = (first + timedelta(days=32)).replace(day=1)
    start, end = (round(start_of(day, zone).timestamp()) for day in (first, next_first))
    return start, end


# -- reports -----------------------------------------------------------------------------------------------


def read_reported(organization: OrganizationId, project: UUID, period: str) -> Reported:
    item = table.get(time_keys.budget_use(organization, project, period))
    if item is None:
        return Reported(project, period, {}, 0)
    marks = {BudgetKind(name): _Mark.model_validate(mark) for name, mark in (item.data or {}).items()}
    return Reported(project, period, marks, int(item.version or 0))


def report(unit: UnitOfWork, reported: Reported, project: Project, percents: Mapping[BudgetKind, int]) -> None:
    """Mark thresholds as reported, if nothing was reported since they were read."""
    marks = dict(reported.marks)
    for kind, percent in percents.items():
        marks[kind] = _Mark(size=size_of(project, kind) or "", percent=percent)
    key = time_keys.budget_use(unit.organization, reported.project, reported.period)
    data = {kind.value: mark.model_dump(mode="json") for kind, mark in marks.items()}
    unchanged = Item.version == reported.version if reported.version else Item.pk.does_not_exist()
    unit.put(Item(*key, version=reported.version + 1, data=data, derived=1), unchanged, stale)
