"""Budgets: after changes of a project's time, an activity for each threshold that its budget or estimate reaches.

The stream queues one message an organization and batch; a worker adds up the use that may have reached a threshold. It
is never part of a session's transaction: amounts follow from rates, and writes of a team would collide. See
docs/decisions/budgets.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from pydantic import Field

from chalicelib.core import clock, ids
from chalicelib.core.contracts import Contract
from chalicelib.core.errors import ActionError, ErrorCode
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import log_error, logger
from chalicelib.core.settings import settings
from chalicelib.dal import table
from chalicelib.dal.collection import get_together, is_deleted
from chalicelib.dal.unit_of_work import UnitOfWork, retry_stale
from chalicelib.jobs import queues
from chalicelib.jobs.changes import Change, Changes
from chalicelib.jobs.deadline import Deadline
from chalicelib.models.activities import activities
from chalicelib.models.activities.activities import ActivityType, Severity, StoredActivity
from chalicelib.models.activities.audience import EVERYONE, Group
from chalicelib.models.audit import PRODUCT
from chalicelib.models.organizations import ORGANIZATIONS, StoredOrganization
from chalicelib.models.time import budgets, packed_months, rates, tracked
from chalicelib.models.time.budgets import THRESHOLDS, TOTAL, BudgetKind, Use
from chalicelib.models.time.pricing import Pricer
from chalicelib.models.time.projects import PROJECTS, BudgetPeriod, StoredProject
from chalicelib.models.time.sessions import TIME_SESSIONS

_FIRST, _LAST = "0001-01", "9999-12"
"""Months that all sessions are between."""
_TRIES = 5
_OF_SESSIONS = ("projectId", "userId", "billable", "startAt", "endAt", "pauses", "deletedAt")
_OF_PROJECTS = ("budget", "budgetPeriod", "estimatedMinutes")


class BudgetCheck(Contract):
    """A message: projects of one organization whose time or budget has changed."""

    kind: Literal["checkBudgets"] = "checkBudgets"
    organization_id: UUID
    projects: Annotated[dict[UUID, list[str]], Field(description="The local months with changes, by project.")]


class _Period(NamedTuple):
    project: UUID
    label: str
    """A month, or TOTAL."""


# -- the stream ------------------------------------------------------------------------------------------------------


def enqueue(changes: Changes, _: Deadline) -> set[str]:
    """Queue a check of the budgets that a batch may have changed the use of; return the changes to deliver again."""
    instants: dict[OrganizationId, dict[UUID, set[datetime]]] = {}
    numbers: set[str] = set()
    for number, change in changes.items():
        for organization, project, instant in _touched(change):
            instants.setdefault(organization, {}).setdefault(project, set()).add(instant)
            numbers.add(number)
    try:
        for organization, by_project in instants.items():
            _queue(organization, by_project)
    except Exception as error:  # noqa: BLE001  logged, and delivered again
        log_error("checks of budgets not queued", error, stream_sequence_numbers=sorted(numbers))
        return numbers
    return set()


def _touched(change: Change) -> list[tuple[OrganizationId, UUID, datetime]]:
    """Return the projects whose use a change may have moved, with the instants at which."""
    if change.entity is None:
        return []
    organization = change.entity.organization
    old, new = (table.plain(image, "data") for image in (change.old, change.new))
    if change.entity.kind == PROJECTS.kind:
        has_budget = any(name in new for name in ("budget", "estimatedMinutes"))
        return [(organization, change.entity.id, clock.now())] if has_budget and _differ(old, new, _OF_PROJECTS) else []
    if change.entity.kind != TIME_SESSIONS.kind or not _differ(old, new, _OF_SESSIONS):
        return []
    return [
        (organization, UUID(image["projectId"]), instant)
        for image in (old, new)
        if "projectId" in image
        for instant in (
            datetime.fromisoformat(image["startAt"]),
            datetime.fromisoformat(image["endAt"]) - timedelta(seconds=1),
        )
    ]


def _differ(old: Mapping[str, Any], new: Mapping[str, Any], names: Iterable[str]) -> bool:
    return any(old.get(name) != new.get(name) for name in names)


def _queue(tenant: OrganizationId, instants: Mapping[UUID, set[datetime]]) -> None:
    projects, organizations = get_together(tenant, [(PROJECTS, instants), (ORGANIZATIONS, [tenant])])
    zone = organizations[tenant].timezone
    months = {
        project: sorted({budgets.month_of(instant, zone) for instant in at})
        for project, at in instants.items()
        if project in projects and budgets.kinds_of(projects[project])
    }
    if months:
        check = BudgetCheck(organization_id=tenant, projects=months)
        queues.send(settings().metrics_queue_url, [check.model_dump(mode="json")])


# -- the worker ------------------------------------------------------------------------------------------------------


def work(message: Mapping[str, Any]) -> None:
    """Report the thresholds that are reached. A repetition, or two at once, report nothing twice."""
    check = BudgetCheck.model_validate(message)
    tenant = OrganizationId(check.organization_id)
    by_id, organizations = get_together(tenant, [(PROJECTS, check.projects), (ORGANIZATIONS, [tenant])])
    projects: dict[UUID, StoredProject] = {id_: project for id_, project in by_id.items() if not is_deleted(project)}
    periods = [
        _Period(project.id, label)
        for project in projects.values()
        for label in ([TOTAL] if project.budget_period is BudgetPeriod.TOTAL else check.projects[project.id])
    ]
    organization = organizations[tenant]
    for period, use in _uses(organization, projects, periods).items():
        _report(tenant, projects[period.project], period, use)


def _uses(
    organization: StoredOrganization, projects: Mapping[UUID, StoredProject], periods: Iterable[_Period]
) -> dict[_Period, Use]:
    """Return the use of the periods in which a threshold may be reached. Months are read only if one may."""
    uses = {
        period: Use(projects[period.project].tracked_seconds, 0)
        for period in periods
        if period.label == TOTAL and projects[period.project].budget is None
    }
    other = [period for period in periods if period not in uses]
    if not other:
        return uses
    by_level = rates.read_all(organization.tenant)
    highest = max((money.amount for level in by_level.values() for money in level.values()), default=0)
    near = [period for period in other if _may_reach(projects[period.project], highest)]
    if near:
        try:
            uses |= _added_up(organization, near, Pricer(organization, by_level))
        except ActionError as error:
            if error.code is not ErrorCode.VALIDATION_ERROR:
                raise
            # More time than any analysis reads: not better the next time.
            logger.warning("budgets not checked", extra={"organization_id": str(organization.id)})
    return uses


def _may_reach(project: StoredProject, highest: int) -> bool:
    """Return False if all time of a project, at the highest rate there is, reaches no threshold."""
    most = Use(project.tracked_seconds, project.tracked_seconds * 1000 * highest)
    return any(most.reached(project, kind) for kind in BudgetKind)


def _added_up(organization: StoredOrganization, periods: list[_Period], pricer: Pricer) -> dict[_Period, Use]:
    """Add up the sessions of periods: one pass over the months of all users, a few pages."""
    zone = organization.timezone
    spans = {period: None if period.label == TOTAL else budgets.span_of(period.label, zone) for period in periods}
    first, last = _FIRST, _LAST
    bounds = [span for span in spans.values() if span is not None]
    if len(bounds) == len(spans):
        low, high = min(start for start, _ in bounds), max(end for _, end in bounds)
        labels = packed_months.labels_of(datetime.fromtimestamp(low, UTC), datetime.fromtimestamp(high, UTC))
        first, last = labels[0], labels[-1]
    by_project: dict[UUID, list[_Period]] = defaultdict(list)
    for period in periods:
        by_project[period.project].append(period)
    uses = dict.fromkeys(periods, Use(0, 0))
    # Consistent: the changes that asked for this are counted.
    for tracked_group in tracked.months_of_all(organization.tenant, first, last, consistent=True):
        user, group = tracked_group.user, tracked_group.group
        for period in by_project.get(group.project, []) if group.project else []:
            span, parts = spans[period], tracked_group.together
            if span is not None:
                start, end = span
                parts = [(max(low, start), min(high, end)) for low, high in parts if low < end and start < high]
            seconds = sum(high - low for low, high in parts)
            product = pricer.price(user, group.project, parts)[0] if group.billable else 0
            use = uses[period]
            uses[period] = Use(use.seconds + seconds, use.product + product)
    return uses


def _report(tenant: OrganizationId, project: StoredProject, period: _Period, use: Use) -> None:
    """Record an activity for each threshold that is reached and was not reported, and mark it, in one transaction."""
    reached = {kind: use.reached(project, kind) for kind in BudgetKind}
    if not any(reached.values()):
        return

    def attempt(_: int) -> None:
        reported = budgets.read_reported(tenant, *period)
        missing = {kind: reported.missing(project, kind, percents) for kind, percents in reached.items()}
        if not any(missing.values()):
            return
        unit = UnitOfWork(tenant)
        for kind, percents in missing.items():
            for percent in percents:
                activities.record(unit, _activity(project, period, kind, percent))
        budgets.report(unit, reported, project, {kind: max(percents) for kind, percents in missing.items() if percents})
        unit.commit()

    retry_stale(attempt, _TRIES)


_NAMES = {BudgetKind.BUDGET: "budget", BudgetKind.ESTIMATE: "estimated time"}


def _activity(project: StoredProject, period: _Period, kind: BudgetKind, percent: int) -> StoredActivity:
    # A share of a budget, which everyone knows, is an amount that follows from rates.
    readers = frozenset({Group.RATES}) if kind is BudgetKind.BUDGET else EVERYONE
    month = "" if period.label == TOTAL else f" in {date.fromisoformat(f'{period.label}-01'):%B %Y}"
    return StoredActivity.happened(
        ids.new_id(),
        title=f"{project.name} has used {percent} % of its {_NAMES[kind]}{month}",
        type=ActivityType.SYSTEM_EVENT,
        entity_type=PROJECTS.entity,
        entity_id=str(project.id),
        action="PROJECT_BUDGET_REACHED",
        metadata={"limit": kind.value, "percent": percent, "period": period.label},
        severity=Severity.CRITICAL if percent == max(THRESHOLDS) else Severity.WARNING,
        actor=PRODUCT,
        readers=readers,
    )
