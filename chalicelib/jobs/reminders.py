"""Reminds users of timers that they may have forgotten, every minute: one activity and one mail a timer.

Only timers that have run for long are read. Timer, activity and mail are one transaction on condition that nobody was
reminded of the timer yet, so runs that overlap, repeat or die remind once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chalicelib.core import clock, ids
from chalicelib.core.observability import emit, log_error, logger
from chalicelib.dal import table
from chalicelib.dal.due_index import DueRow
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import StaleRead, UnitOfWork
from chalicelib.jobs import due_rows
from chalicelib.jobs.deadline import Deadline
from chalicelib.models import outbox
from chalicelib.models.activities import activities
from chalicelib.models.activities.activities import USER, ActivityType, Severity, StoredActivity
from chalicelib.models.activities.audience import Group, group_of_user
from chalicelib.models.audit import PRODUCT
from chalicelib.models.outbox import Template
from chalicelib.models.time import timers
from chalicelib.models.time.timers import StoredTimer
from chalicelib.models.users import USERS, Recipient

MAX_ROWS = 1_000
"""Timers of one run; the next minute takes more."""
_A_PAGE = 50
"""Timers that are read at once, with their users: one batch."""


def tick(context: Any) -> int:
    """Remind the users of timers that are due; return how many. A timer that fails keeps no other from its turn."""
    deadline, reminded, failed = Deadline(context), 0, 0
    for rows in due_rows.pages(timers.DUE, deadline, size=_A_PAGE, maximum=MAX_ROWS):
        keys = [key for row in rows for key in (_timer_key(row), _user_key(row))]
        items = table.batch_get(keys)
        for row in rows:
            if deadline.is_over():
                break
            try:
                reminded += _remind(row, items)
            except Exception as error:  # noqa: BLE001  logged, and due again in a minute
                log_error("no reminder of a timer", error, organization_id=str(row.organization), user_id=row.row)
                failed += 1
    logger.info("timers reminded of", extra={"timers": reminded, "failed": failed})
    emit({"job": "remindTimers"}, RemindedTimers=reminded)
    if failed:
        raise RuntimeError(f"there are no reminders of {failed} timers")
    return reminded


def _timer_key(row: DueRow) -> Key:
    return timers.key(row.organization, UUID(row.row))


def _user_key(row: DueRow) -> Key:
    return USERS.key(row.organization, UUID(row.row))


def _remind(row: DueRow, items: Mapping[Key, Item]) -> bool:
    """Remind of one timer; False where that is done, or no longer due: the index trails the table."""
    now, timer = clock.now(), timers.of(items.get(_timer_key(row)))
    if timer is None or timer.due_at is None or not timer.is_long_running(now):
        return False
    user = USERS.record.of(items.get(_user_key(row)), USERS.entity)
    unit = UnitOfWork(row.organization)
    timers.mark_reminded(unit, timer, now)
    activities.record(unit, _activity(timer))
    recipient = Recipient.of(user)
    if recipient.wants_mail:
        outbox.enqueue(unit, Template.TIMER_LONG_RUNNING, recipient.email, recipient.id)
    try:
        unit.commit()
    except StaleRead:
        # Another run was first, or the timer has changed: it is due again, or not any more.
        return False
    return True


def _activity(timer: StoredTimer) -> StoredActivity:
    return StoredActivity.happened(
        ids.new_id(),
        title=f"The timer of {USER} has run for more than 12 hours",
        user_id=timer.user_id,
        readers=frozenset({Group.TIME, group_of_user(timer.user_id)}),
        type=ActivityType.SYSTEM_EVENT,
        entity_type=timers.ENTITY,
        entity_id=str(timer.id),
        action="TIMER_LONG_RUNNING",
        severity=Severity.WARNING,
        actor=PRODUCT,
    )
