"""Templates of activities: type, severity and title for each event of the audit log; `activity_titles` fills them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from chalicelib.models.activities.activities import ActivityType, Severity
from chalicelib.models.audit import AuditEntry, AuditEvent
from chalicelib.models.loans.covenants import KpiState
from chalicelib.models.time.tasks import TaskStatus


class ActivityTemplate(NamedTuple):
    type: ActivityType
    severity: Severity
    title: str
    """A sentence with places in braces; see `activity_titles`."""


def _change(title: str) -> ActivityTemplate:
    return ActivityTemplate(ActivityType.DATA_CHANGE, Severity.INFO, title)


def _creation(title: str) -> ActivityTemplate:
    return ActivityTemplate(ActivityType.DATA_CHANGE, Severity.SUCCESS, title)


def _personal(title: str) -> ActivityTemplate:
    return ActivityTemplate(ActivityType.USER_ACTION, Severity.INFO, title)


def _progress(title: str, severity: Severity = Severity.INFO) -> ActivityTemplate:
    return ActivityTemplate(ActivityType.WORKFLOW_UPDATE, severity, title)


def _system(title: str) -> ActivityTemplate:
    return ActivityTemplate(ActivityType.SYSTEM_EVENT, Severity.INFO, title)


TEMPLATES: Mapping[AuditEvent, ActivityTemplate] = {
    AuditEvent.ASSIGNMENT_CANCELLED: _progress("{actor} cancelled the assignment of {name or a worker}{when}"),
    AuditEvent.ASSIGNMENT_CREATED: _progress("{actor} assigned {name or a worker}{when}", Severity.SUCCESS),
    AuditEvent.ASSIGNMENT_DELETED: _progress("{actor} deleted for good the assignment of {name or a worker}{when}"),
    AuditEvent.ASSIGNMENT_ENDED: _progress("{actor} ended the assignment of {name or a worker}{until}"),
    AuditEvent.ASSIGNMENT_UPDATED: _progress("{actor} changed {fields} of the assignment of {name or a worker}{when}"),
    AuditEvent.CLIENT_CREATED: _creation("{actor} created {the client}"),
    AuditEvent.CLIENT_DELETED: _change("{actor} deleted {the client}"),
    AuditEvent.CLIENT_UPDATED: _change("{actor} changed {fields} of {name or a client}"),
    AuditEvent.EMAIL_CONFIRMATION_RESENT: _personal("{actor} asked for another code for their e-mail address"),
    AuditEvent.EMAIL_CONFIRMED: _personal("{actor} confirmed their e-mail address"),
    AuditEvent.INVITATION_ACCEPTED: _progress("{actor} accepted the invitation", Severity.SUCCESS),
    AuditEvent.INVITATION_RESENT: _progress("{actor} invited {user} again"),
    AuditEvent.INVITATION_WITHDRAWN: _change("{actor} withdrew the invitation of {user}"),
    AuditEvent.KPI_BREACH_WAIVED: _progress("{actor} waived a breach of {the KPI}"),
    AuditEvent.KPI_CREATED: _progress("{actor} defined {the KPI}", Severity.SUCCESS),
    AuditEvent.KPI_DELETED: _progress("{actor} deleted {the KPI}"),
    AuditEvent.KPI_UPDATED: _progress("{actor} changed {fields} of {the KPI}"),
    AuditEvent.KPI_VALUE_RECORDED: _progress("{actor} recorded a value of {the KPI}"),
    AuditEvent.LOAN_ACCEPTED: _progress("{actor} accepted the {loan}", Severity.SUCCESS),
    AuditEvent.LOAN_CANCELLED: _progress("{actor} cancelled the offer of the {loan}"),
    AuditEvent.LOAN_CREATED: _progress("{actor} offered a {loan}", Severity.SUCCESS),
    AuditEvent.LOAN_DECLINED: _progress("{actor} declined the {loan}"),
    AuditEvent.LOAN_DELETED: _change("{actor} deleted the {loan}"),
    AuditEvent.LOAN_SETTLED: _progress("{actor} settled the {loan}", Severity.SUCCESS),
    AuditEvent.LOAN_UPDATED: _progress("{actor} changed {fields} in the offer of the {loan}"),
    AuditEvent.LOAN_WRITTEN_OFF: _progress("{actor} wrote off the {loan}"),
    AuditEvent.MAIL_UNSUBSCRIBED: _personal("{actor} unsubscribed from a mail"),
    AuditEvent.MEMBER_RATE_DELETED: _change("{actor} deleted the rate of {user}{day}"),
    AuditEvent.MEMBER_RATE_SET: _change("{actor} set the rate of {user}{day}"),
    AuditEvent.METRIC_CREATED: _creation("{actor} created {the metric}"),
    AuditEvent.METRIC_DELETED: _change("{actor} deleted {the metric}"),
    AuditEvent.METRIC_UPDATED: _change("{actor} changed {fields} of {the metric}"),
    AuditEvent.ORGANIZATION_CREATED: _creation("{actor} founded {the organization}"),
    AuditEvent.ORGANIZATION_RATE_DELETED: _change("{actor} deleted the rate of {the organization}{day}"),
    AuditEvent.ORGANIZATION_RATE_SET: _change("{actor} set the rate of {the organization}{day}"),
    AuditEvent.ORGANIZATION_UPDATED: _change("{actor} changed {fields} of {the organization}"),
    AuditEvent.OTHER_SESSIONS_REVOKED: _personal("{actor} ended their other sessions"),
    AuditEvent.PASSWORD_CHANGED: _personal("{actor} changed their password"),
    AuditEvent.PASSWORD_RESET: _personal("{actor} reset their password"),
    # Nobody is signed in who asks for it.
    AuditEvent.PASSWORD_RESET_REQUESTED: _personal("A new password was requested"),
    AuditEvent.POSITION_CREATED: _creation("{actor} created {the position}"),
    AuditEvent.POSITION_DELETED: _change("{actor} deleted {the position}"),
    AuditEvent.POSITION_RATE_DELETED: _change("{actor} deleted the bill rate of {the position}{day}"),
    AuditEvent.POSITION_RATE_SET: _change("{actor} set the bill rate of {the position}{day}"),
    AuditEvent.POSITION_UPDATED: _change("{actor} changed {fields} of {the position}"),
    AuditEvent.PREFERENCES_UPDATED: _personal("{actor} changed their preferences"),
    AuditEvent.PROFILE_UPDATED: _personal("{actor} changed their profile"),
    AuditEvent.PROJECT_CREATED: _creation("{actor} created {the project}"),
    AuditEvent.PROJECT_DELETED: _change("{actor} deleted {the project}"),
    AuditEvent.PROJECT_MEMBER_ADDED: _progress("{actor} added {user} to {the project}"),
    AuditEvent.PROJECT_MEMBER_RATE_DELETED: _change("{actor} deleted the rate of {user} in {the project}{day}"),
    AuditEvent.PROJECT_MEMBER_RATE_SET: _change("{actor} set the rate of {user} in {the project}{day}"),
    AuditEvent.PROJECT_MEMBER_REMOVED: _progress("{actor} removed {user} from {the project}"),
    AuditEvent.PROJECT_RATE_DELETED: _change("{actor} deleted the rate of {the project}{day}"),
    AuditEvent.PROJECT_RATE_SET: _change("{actor} set the rate of {the project}{day}"),
    AuditEvent.PROJECT_UPDATED: _change("{actor} changed {fields} of {the project}"),
    AuditEvent.QUICK_ACTION_CREATED: _creation("{actor} created {the quick action}"),
    AuditEvent.QUICK_ACTION_DELETED: _change("{actor} deleted {the quick action}"),
    AuditEvent.QUICK_ACTION_EXECUTED: _personal("{actor} ran {the quick action}"),
    AuditEvent.QUICK_ACTION_UPDATED: _change("{actor} changed {fields} of {the quick action}"),
    AuditEvent.REPAYMENT_RECORDED: _progress("{actor} recorded a repayment of the {loan}", Severity.SUCCESS),
    AuditEvent.REPAYMENT_REVERSED: _progress("{actor} reversed a repayment of the {loan}"),
    AuditEvent.SESSION_REVOKED: _personal("{actor} ended a session of theirs"),
    AuditEvent.SIGNED_IN: _personal("{actor} signed in"),
    AuditEvent.SIGNED_OUT: _personal("{actor} signed out"),
    AuditEvent.SUBSCRIPTION_TIER_SET: _system("The subscription tier of {the organization} is {now subscriptionTier}"),
    AuditEvent.TASK_CREATED: _creation("{actor} created {the task}"),
    AuditEvent.TASK_DELETED: _change("{actor} deleted {the task}"),
    AuditEvent.TASK_UPDATED: _progress("{actor} changed {fields} of {the task}"),
    AuditEvent.TIMESHEET_APPROVED: _progress("{actor} approved {timesheet}", Severity.SUCCESS),
    AuditEvent.TIMESHEET_REJECTED: _progress("{actor} rejected {timesheet}"),
    AuditEvent.TIMESHEET_REOPENED: _progress("{actor} reopened {timesheet}"),
    AuditEvent.TIMESHEET_SUBMITTED: _progress("{actor} submitted {timesheet}"),
    AuditEvent.TIMESHEET_WITHDRAWN: _progress("{actor} withdrew {timesheet}"),
    AuditEvent.TIME_SESSIONS_IMPORTED: _creation("{actor} imported {created time session}"),
    AuditEvent.TIME_LOCKED: _change("{actor} locked {time}{before}"),
    AuditEvent.TIME_UNLOCKED: _change("{actor} unlocked {time}{since}"),
    AuditEvent.USER_DEACTIVATED: _change("{actor} deactivated {user}"),
    AuditEvent.USER_DELETED: _change("{actor} deleted {user}"),
    AuditEvent.USER_INVITED: _progress("{actor} invited {user}", Severity.SUCCESS),
    AuditEvent.USER_REACTIVATED: _change("{actor} reactivated {user}"),
    AuditEvent.USER_ROLE_CHANGED: _change("{actor} changed the role of {user} to {now role}"),
    AuditEvent.USER_UPDATED: _change("{actor} changed {fields} of {user}"),
    AuditEvent.WIDGET_CREATED: _creation("{actor} created {the widget}"),
    AuditEvent.WIDGET_DELETED: _change("{actor} deleted {the widget}"),
    AuditEvent.WIDGET_UPDATED: _change("{actor} changed {fields} of {the widget}"),
    AuditEvent.WORKERS_IMPORTED: _creation("{actor} imported {created worker}"),
    AuditEvent.WORKER_CREATED: _creation("{actor} created {the worker}"),
    AuditEvent.WORKER_DELETED: _change("{actor} deleted {the worker}"),
    AuditEvent.WORKER_RATE_DELETED: _change("{actor} deleted the pay rate of {name or a worker}{day}"),
    AuditEvent.WORKER_RATE_SET: _change("{actor} set the pay rate of {name or a worker}{day}"),
    AuditEvent.WORKER_UPDATED: _change("{actor} changed {fields} of {name or a worker}"),
    AuditEvent.WORK_LOCATION_CREATED: _creation("{actor} created {the work location}"),
    AuditEvent.WORK_LOCATION_DELETED: _change("{actor} deleted {the work location}"),
    AuditEvent.WORK_LOCATION_UPDATED: _change("{actor} changed {fields} of {name or a work location}"),
}

KPI_STATES: Mapping[str, ActivityTemplate] = {
    KpiState.MET: _progress("{actor} recorded a value of {the KPI}: the target is met", Severity.SUCCESS),
    KpiState.BREACHED: _progress("{actor} recorded a value of {the KPI}: the target is breached", Severity.WARNING),
    KpiState.CURED: _progress("{actor} recorded a value of {the KPI}: the breach is cured", Severity.SUCCESS),
}
"""Templates of values that change the state of a test."""

TASK_FINISHED = _progress("{actor} finished {the task}", Severity.SUCCESS)


def template_of(event: AuditEvent, entry: AuditEntry) -> ActivityTemplate:
    """Return the template of an entry. KeyError for a silent event, which has none."""
    if event is AuditEvent.KPI_VALUE_RECORDED:
        states = (change.after for name, change in entry.changes.items() if name.endswith(".state"))
        return KPI_STATES.get(next(states, ""), TEMPLATES[event])
    if event is AuditEvent.TASK_UPDATED and "status" in entry.changes:
        return TASK_FINISHED if entry.changes["status"].after == TaskStatus.DONE else TEMPLATES[event]
    return TEMPLATES[event]
