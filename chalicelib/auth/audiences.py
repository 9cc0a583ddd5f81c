"""The audience table: who may read the activity of an audited event. The one place that says so.

It follows the permissions: an activity is for those who may read what it is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from chalicelib.auth.permissions import Permission
from chalicelib.auth.principal import Principal
from chalicelib.models.activities import audience
from chalicelib.models.activities.audience import Audience, Group, Reader
from chalicelib.models.audit import AuditEvent, StoredAuditEntry
from chalicelib.models.users import USERS

GROUPS: Mapping[Group, Permission] = {
    Group.EVERYONE: Permission.WORKSPACE_READ,
    Group.LOANS: Permission.LOANS_MANAGE,
    Group.METRICS: Permission.METRICS_VALUES_READ,
    Group.RATES: Permission.RATES_MANAGE,
    Group.TIME: Permission.TIME_OF_OTHERS,
    Group.USERS: Permission.USERS_MANAGE,
    Group.WIDGETS: Permission.WIDGETS_SHARE,
}
"""The permission that makes a user one of a group."""


@dataclass(frozen=True)
class Readers:
    """The users who may read the activities of an event."""

    groups: frozenset[Group] = frozenset()
    subject: bool = False
    """The user that the event is about, or else its actor."""
    entity: bool = False
    """Those whom the write named, because it depends on the entity."""


EVERYONE = Readers(frozenset({Group.EVERYONE}))
LOANS = Readers(frozenset({Group.LOANS}))
RATES = Readers(frozenset({Group.RATES}))
USER_ADMINISTRATORS = Readers(frozenset({Group.USERS}))
ONESELF = Readers(subject=True)
ONESELF_AND_TIME = Readers(frozenset({Group.TIME}), subject=True)
AS_THE_ENTITY = Readers(entity=True)
NOBODY = Readers()

AUDIENCES: Mapping[AuditEvent, Readers] = {
    # Read state is the reader's own: an activity of it would make something unread by reading it.
    AuditEvent.ACTIVITIES_READ: NOBODY,
    AuditEvent.ACTIVITY_ARCHIVED: NOBODY,
    AuditEvent.ACTIVITY_READ: NOBODY,
    AuditEvent.ACTIVITY_UNARCHIVED: NOBODY,
    # The activity that was recorded is there already, for everyone.
    AuditEvent.ACTIVITY_RECORDED: NOBODY,
    AuditEvent.ASSIGNMENT_CANCELLED: EVERYONE,
    AuditEvent.ASSIGNMENT_CREATED: EVERYONE,
    AuditEvent.ASSIGNMENT_DELETED: EVERYONE,
    AuditEvent.ASSIGNMENT_ENDED: EVERYONE,
    AuditEvent.ASSIGNMENT_UPDATED: EVERYONE,
    AuditEvent.CLIENT_CREATED: EVERYONE,
    AuditEvent.CLIENT_DELETED: EVERYONE,
    AuditEvent.CLIENT_UPDATED: EVERYONE,
    AuditEvent.EMAIL_CONFIRMATION_RESENT: ONESELF,
    AuditEvent.EMAIL_CONFIRMED: ONESELF,
    AuditEvent.INVITATION_ACCEPTED: USER_ADMINISTRATORS,
    AuditEvent.INVITATION_RESENT: USER_ADMINISTRATORS,
    AuditEvent.INVITATION_WITHDRAWN: USER_ADMINISTRATORS,
    AuditEvent.KPI_BREACH_WAIVED: LOANS,
    AuditEvent.KPI_CREATED: LOANS,
    AuditEvent.KPI_DELETED: LOANS,
    AuditEvent.KPI_UPDATED: LOANS,
    AuditEvent.KPI_VALUE_RECORDED: LOANS,
    AuditEvent.LOAN_ACCEPTED: LOANS,
    AuditEvent.LOAN_CANCELLED: LOANS,
    AuditEvent.LOAN_CREATED: LOANS,
    AuditEvent.LOAN_DECLINED: LOANS,
    AuditEvent.LOAN_DELETED: LOANS,
    AuditEvent.LOAN_SETTLED: LOANS,
    AuditEvent.LOAN_UPDATED: LOANS,
    AuditEvent.LOAN_WRITTEN_OFF: LOANS,
    AuditEvent.MAIL_UNSUBSCRIBED: ONESELF,
    AuditEvent.MEMBER_RATE_DELETED: RATES,
    AuditEvent.MEMBER_RATE_SET: RATES,
    AuditEvent.METRIC_CREATED: EVERYONE,
    AuditEvent.METRIC_DELETED: EVERYONE,
    AuditEvent.METRIC_UPDATED: EVERYONE,
    AuditEvent.ORGANIZATION_CREATED: EVERYONE,
    AuditEvent.ORGANIZATION_RATE_DELETED: RATES,
    AuditEvent.ORGANIZATION_RATE_SET: RATES,
    AuditEvent.ORGANIZATION_UPDATED: EVERYONE,
    AuditEvent.OTHER_SESSIONS_REVOKED: ONESELF,
    AuditEvent.PASSWORD_CHANGED: ONESELF,
    AuditEvent.PASSWORD_RESET: ONESELF,
    AuditEvent.PASSWORD_RESET_REQUESTED: ONESELF,
    AuditEvent.POSITION_CREATED: EVERYONE,
    AuditEvent.POSITION_DELETED: EVERYONE,
    AuditEvent.POSITION_RATE_DELETED: RATES,
    AuditEvent.POSITION_RATE_SET: RATES,
    AuditEvent.POSITION_UPDATED: EVERYONE,
    AuditEvent.PREFERENCES_UPDATED: ONESELF,
    AuditEvent.PROFILE_UPDATED: ONESELF,
    AuditEvent.PROJECT_CREATED: EVERYONE,
    AuditEvent.PROJECT_DELETED: EVERYONE,
    AuditEvent.PROJECT_MEMBER_ADDED: EVERYONE,
    AuditEvent.PROJECT_MEMBER_RATE_DELETED: RATES,
    AuditEvent.PROJECT_MEMBER_RATE_SET: RATES,
    AuditEvent.PROJECT_MEMBER_REMOVED: EVERYONE,
    AuditEvent.PROJECT_RATE_DELETED: RATES,
    AuditEvent.PROJECT_RATE_SET: RATES,
    AuditEvent.PROJECT_UPDATED: EVERYONE,
    AuditEvent.QUICK_ACTION_CREATED: EVERYONE,
    AuditEvent.QUICK_ACTION_DELETED: EVERYONE,
    # What it runs has an activity of its own, for its own readers: nobody else learns that somebody started a timer.
    AuditEvent.QUICK_ACTION_EXECUTED: ONESELF,
    AuditEvent.QUICK_ACTION_UPDATED: EVERYONE,
    AuditEvent.REPAYMENT_RECORDED: LOANS,
    AuditEvent.REPAYMENT_REVERSED: LOANS,
    AuditEvent.SESSION_REVOKED: ONESELF,
    AuditEvent.SIGNED_IN: ONESELF,
    AuditEvent.SIGNED_OUT: ONESELF,
    AuditEvent.SUBSCRIPTION_TIER_SET: EVERYONE,
    AuditEvent.TASK_CREATED: EVERYONE,
    AuditEvent.TASK_DELETED: EVERYONE,
    AuditEvent.TASK_UPDATED: EVERYONE,
    # A person's own time, dozens of times a day: rows that everybody's lists would have to pass over.
    AuditEvent.TIMER_DISCARDED: NOBODY,
    AuditEvent.TIMER_PAUSED: NOBODY,
    AuditEvent.TIMER_RESUMED: NOBODY,
    AuditEvent.TIMER_STARTED: NOBODY,
    AuditEvent.TIMER_STOPPED: NOBODY,
    AuditEvent.TIMER_UPDATED: NOBODY,
    AuditEvent.TIME_SESSIONS_DELETED: NOBODY,
    AuditEvent.TIME_SESSIONS_UPDATED: NOBODY,
    AuditEvent.TIME_SESSION_CREATED: NOBODY,
    AuditEvent.TIME_SESSION_DELETED: NOBODY,
    AuditEvent.TIME_SESSION_UPDATED: NOBODY,
    AuditEvent.TIMESHEET_APPROVED: ONESELF_AND_TIME,
    AuditEvent.TIMESHEET_REJECTED: ONESELF_AND_TIME,
    AuditEvent.TIMESHEET_REOPENED: ONESELF_AND_TIME,
    AuditEvent.TIMESHEET_SUBMITTED: ONESELF_AND_TIME,
    AuditEvent.TIMESHEET_WITHDRAWN: ONESELF_AND_TIME,
    AuditEvent.TIME_LOCKED: AS_THE_ENTITY,
    AuditEvent.TIME_SESSIONS_IMPORTED: ONESELF_AND_TIME,
    AuditEvent.TIME_UNLOCKED: AS_THE_ENTITY,
    AuditEvent.USER_DEACTIVATED: USER_ADMINISTRATORS,
    AuditEvent.USER_DELETED: USER_ADMINISTRATORS,
    AuditEvent.USER_INVITED: USER_ADMINISTRATORS,
    AuditEvent.USER_REACTIVATED: USER_ADMINISTRATORS,
    AuditEvent.USER_ROLE_CHANGED: USER_ADMINISTRATORS,
    AuditEvent.USER_UPDATED: USER_ADMINISTRATORS,
    AuditEvent.WIDGET_CREATED: AS_THE_ENTITY,
    AuditEvent.WIDGET_DELETED: AS_THE_ENTITY,
    AuditEvent.WIDGET_UPDATED: AS_THE_ENTITY,
    AuditEvent.WORKERS_IMPORTED: EVERYONE,
    AuditEvent.WORKER_CREATED: EVERYONE,
    AuditEvent.WORKER_DELETED: EVERYONE,
    AuditEvent.WORKER_RATE_DELETED: RATES,
    AuditEvent.WORKER_RATE_SET: RATES,
    AuditEvent.WORKER_UPDATED: EVERYONE,
    AuditEvent.WORK_LOCATION_CREATED: EVERYONE,
    AuditEvent.WORK_LOCATION_DELETED: EVERYONE,
    AuditEvent.WORK_LOCATION_UPDATED: EVERYONE,
}

if missing := {*AuditEvent} - AUDIENCES.keys():
    raise AssertionError(f"no audience for {', '.join(sorted(missing))}")

SILENT = frozenset(event for event, readers in AUDIENCES.items() if readers == NOBODY)
"""Events that have no activity."""


def audience_of(event: AuditEvent, entry: StoredAuditEntry) -> Audience:
    """Return who may read the activity of an entry; empty for nobody, who needs none."""
    readers = AUDIENCES[event]
    if readers.entity:
        return frozenset(entry.readers)
    subject = subject_of(entry) or entry.actor.id
    own = {audience.group_of_user(subject)} if readers.subject and subject is not None else set()
    return frozenset({*readers.groups, *own})


def subject_of(entry: StoredAuditEntry) -> UUID | None:
    """Return the user that an entry is about, where that is another one than its actor, or a user is its target."""
    if entry.user_id is None and entry.entity_type == USERS.entity:
        return UUID(entry.entity_id)
    return entry.user_id


def reader_of(principal: Principal) -> Reader:
    """Return the caller as a reader of activities."""
    user = principal.user
    groups = {group for group, permission in GROUPS.items() if permission in principal.permissions}
    return Reader(user, frozenset({*groups, audience.group_of_user(user.id)}) | audience.groups_of_roles([user.role]))
