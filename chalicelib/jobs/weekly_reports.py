"""Decides on the weekly reports, every minute: one mail a user and week, on the user's Monday morning.

Only rows that are due are read. The mail and the row's next Monday are one transaction on condition that the row is
unchanged, so runs that overlap, repeat or die decide once. The figures are read when the mail is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.observability import emit, log_error, logger
from chalicelib.dal import table
from chalicelib.dal.due_index import DueRow
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import StaleRead, UnitOfWork
from chalicelib.jobs import due_rows
from chalicelib.jobs.deadline import Deadline
from chalicelib.metrics.language.periods import Step, first_day_of
from chalicelib.models import outbox, weekly_reports
from chalicelib.models.organizations import ORGANIZATIONS, WeekDay
from chalicelib.models.outbox import Template
from chalicelib.models.users import USERS
from chalicelib.models.weekly_reports import EARLIEST_ZONE, first_monday, morning_of

MAX_ROWS = 1_000
"""Rows of one run; the next minute takes more."""
_A_PAGE = 33
"""Rows that are read at once, each with its user and organization: one batch."""


def tick(context: Any) -> int:
    """Decide on the reports that are due; return how many. One that fails keeps no other from its turn."""
    deadline, decided, failed = Deadline(context), 0, 0
    for rows in due_rows.pages(weekly_reports.DUE, deadline, size=_A_PAGE, maximum=MAX_ROWS):
        items = table.batch_get({key for row in rows for key in _keys(row)})
        for row in rows:
            if deadline.is_over():
                break
            try:
                decided += _decide(row, items)
            except Exception as error:  # noqa: BLE001  logged, and due again in a minute
                log_error("no weekly report", error, organization_id=str(row.organization), user_id=row.row)
                failed += 1
    logger.info("weekly reports decided on", extra={"reports": decided, "failed": failed})
    emit({"job": "reportWeekly"}, WeeklyReports=decided)
    if failed:
        raise RuntimeError(f"there are no weekly reports for {failed} users")
    return decided


def _keys(row: DueRow) -> tuple[Key, Key, Key]:
    user = UUID(row.row)
    return (
        weekly_reports.key(row.organization, user),
        USERS.key(row.organization, user),
        ORGANIZATIONS.key(row.organization, row.organization),
    )


def _decide(row: DueRow, items: Mapping[Key, Item]) -> bool:
    """Decide on one report; False where it is not due: the index trails the table, and knows no time zone."""
    report_key, user_key, organization_key = _keys(row)
    report = weekly_reports.of(items.get(report_key))
    if report is None:
        return False
    user = USERS.record.of(items[user_key]) if user_key in items else None
    if user is None or user.report_zone is None:
        weekly_reports.unlist(row.organization, report)
        return False
    organization = ORGANIZATIONS.record.of(items.get(organization_key))
    now, zone = clock.now(), user.report_zone or organization.timezone
    monday = report.monday or first_monday(zone, report.since)
    if morning_of(monday, zone) > now:
        weekly_reports.wait(row.organization, report, monday, morning_of(monday, zone))
        return False
    following = first_monday(zone, now)
    # Without a zone of one's own, the organization's may change until then: the row is looked at when Monday comes
    # anywhere.
    until = morning_of(following, user.report_zone or EARLIEST_ZONE)
    unit = UnitOfWork(row.organization)
    unit.update(
        report_key,
        weekly_reports.waiting(row.organization, report, following, until),
        report.unchanged,
        lambda _: StaleRead(),
    )
    week = reported_week(monday, user.preferences.week_start or organization.week_start)
    outbox.enqueue(unit, Template.WEEKLY_REPORT, user.email, user.id, week=week)
    try:
        unit.commit()
    except StaleRead:  # another run was first, or the user has changed
        return False
    return True


def reported_week(monday: date, week_start: WeekDay) -> date:
    """Return the first day of the last week that is over on a Monday."""
    return first_day_of(Step.WEEK, monday, week_start) - timedelta(days=7)
