"""Templates of activities: type, severity and title for each event of the audit log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from chalicelib.models.activities.activities import ACTOR, USER, ActivityType, Severity
from chalicelib.models.audit import AuditEntry, AuditEvent
from chalicelib.models.loans.covenants import KpiState

_PLACE = re.compile(r"\{([^}]*)\}")


class ActivityTemplate(NamedTuple):
    type: ActivityType
    severity: Severity
    title: str
    """`{actor}` is the author's name; another word in braces is the entity, with its name if the entry has it."""


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
    AuditEvent.ASSIGNMENT_CANCELLED: _progress("{actor} cancelled {assignment}"),
    AuditEvent.ASSIGNMENT_CREATED: _progress("{actor} created {assignment}", Severity.SUCCESS),
    AuditEvent.ASSIGNMENT_DELETED: _progress("{actor} deleted {assignment} for good"),
    AuditEvent.ASSIGNMENT_ENDED: _progress("{actor} ended {assignment}"),
    AuditEvent.ASSIGNMENT_UPDATED: _progress("{actor} changed {assignment}"),
    AuditEvent.CLIENT_CREATED: _creation("{actor} created {client}"),
    AuditEvent.CLIENT_DELETED: _change("{actor} deleted {client}"),
    AuditEvent.CLIENT_UPDATED: _change("{actor} changed {client}"),
    AuditEvent.INVITATION_ACCEPTED: _progress("{actor} accepted the invitation", Severity.SUCCESS),
    AuditEvent.INVITATION_RESENT: _progress("{actor} invited {user} again"),
    AuditEvent.INVITATION_WITHDRAWN: _change("{actor} withdrew the invitation of {user}"),
    AuditEvent.KPI_BREACH_WAIVED: _progress("{actor} waived the breach of a KPI"),
    AuditEvent.KPI_CREATED: _progress("{actor} defined {KPI}", Severity.SUCCESS),
    AuditEvent.KPI_DELETED: _progress("{actor} deleted {KPI}"),
    AuditEvent.KPI_UPDATED: _progress("{actor} changed a KPI"),
    AuditEvent.KPI_VALUE_RECORDED: _progress("{actor} recorded a value of a KPI"),
    AuditEvent.LOAN_ACCEPTED: _progress("{actor} accepted a loan", Severity.SUCCESS),
    AuditEvent.LOAN_CANCELLED: _progress("{actor} cancelled the offer of a loan"),
    AuditEvent.LOAN_CREATED: _progress("{actor} offered a loan", Severity.SUCCESS),
    AuditEvent.LOAN_DECLINED: _progress("{actor} declined a loan"),
    AuditEvent.LOAN_DELETED: _change("{actor} deleted a loan"),
    AuditEvent.LOAN_SETTLED: _progress("{actor} settled a loan", Severity.SUCCESS),
    AuditEvent.LOAN_UPDATED: _progress("{actor} changed the offer of a loan"),
    AuditEvent.LOAN_WRITTEN_OFF: _progress("{actor} wrote off a loan"),
    AuditEvent.MEMBER_RATE_DELETED: _change("{actor} deleted a rate of a user"),
    AuditEvent.MEMBER_RATE_SET: _change("{actor} set a rate of a user"),
    AuditEvent.METRIC_CREATED: _creation("{actor} created {metric}"),
    AuditEvent.METRIC_DELETED: _change("{actor} deleted {metric}"),
    AuditEvent.METRIC_UPDATED: _change("{actor} changed {metric}"),
    AuditEvent.ORGANIZATION_CREATED: _creation("{actor} founded {organization}"),
    AuditEvent.ORGANIZATION_RATE_DELETED: _change("{actor} deleted a rate of tracked time"),
    AuditEvent.ORGANIZATION_RATE_SET: _change("{actor} set a rate of tracked time"),
    AuditEvent.ORGANIZATION_UPDATED: _change("{actor} changed the organization's settings"),
    AuditEvent.OTHER_SESSIONS_REVOKED: _personal("{actor} ended their other sessions"),
    AuditEvent.PASSWORD_CHANGED: _personal("{actor} changed their password"),
    AuditEvent.PASSWORD_RESET: _personal("{actor} reset their password"),
    # Nobody is signed in who asks for it.
    AuditEvent.PASSWORD_RESET_REQUESTED: _personal("A new password was requested"),
    AuditEvent.POSITION_CREATED: _creation("{actor} created {position}"),
    AuditEvent.POSITION_DELETED: _change("{actor} deleted {position}"),
    AuditEvent.POSITION_RATE_DELETED: _change("{actor} deleted a bill rate of {position}"),
    AuditEvent.POSITION_RATE_SET: _change("{actor} set a bill rate of {position}"),
    AuditEvent.POSITION_UPDATED: _change("{actor} changed {position}"),
    AuditEvent.PREFERENCES_UPDATED: _personal("{actor} changed their preferences"),
    AuditEvent.PROFILE_UPDATED: _personal("{actor} changed their profile"),
    AuditEvent.PROJECT_CREATED: _creation("{actor} created {project}"),
    AuditEvent.PROJECT_DELETED: _change("{actor} deleted {project}"),
    AuditEvent.PROJECT_MEMBER_ADDED: _progress("{actor} added a member to {project}"),
    AuditEvent.PROJECT_MEMBER_RATE_DELETED: _change("{actor} deleted a rate of a member of {project}"),
    AuditEvent.PROJECT_MEMBER_RATE_SET: _change("{actor} set a rate of a member of {project}"),
    AuditEvent.PROJECT_MEMBER_REMOVED: _progress("{actor} removed a member from {project}"),
    AuditEvent.PROJECT_RATE_DELETED: _change("{actor} deleted a rate of {project}"),
    AuditEvent.PROJECT_RATE_SET: _change("{actor} set a rate of {project}"),
    AuditEvent.PROJECT_UPDATED: _change("{actor} changed {project}"),
    AuditEvent.QUICK_ACTION_CREATED: _creation("{actor} created {quick action}"),
    AuditEvent.QUICK_ACTION_DELETED: _change("{actor} deleted {quick action}"),
    AuditEvent.QUICK_ACTION_EXECUTED: _personal("{actor} ran {quick action}"),
    AuditEvent.QUICK_ACTION_UPDATED: _change("{actor} changed {quick action}"),
    AuditEvent.REPAYMENT_RECORDED: _progress("{actor} recorded a repayment of a loan", Severity.SUCCESS),
    AuditEvent.REPAYMENT_REVERSED: _progress("{actor} reversed a repayment of a loan"),
    AuditEvent.SESSION_REVOKED: _personal("{actor} ended a session of theirs"),
    AuditEvent.SIGNED_IN: _personal("{actor} signed in"),
    AuditEvent.SIGNED_OUT: _personal("{actor} signed out"),
    AuditEvent.SUBSCRIPTION_TIER_SET: _system("The subscription tier was changed"),
    AuditEvent.TASK_CREATED: _creation("{actor} created {task}"),
    AuditEvent.TASK_DELETED: _change("{actor} deleted {task}"),
    AuditEvent.TASK_UPDATED: _progress("{actor} changed {task}"),
    AuditEvent.TIMESHEET_APPROVED: _progress("{actor} approved a timesheet", Severity.SUCCESS),
    AuditEvent.TIMESHEET_REJECTED: _progress("{actor} rejected a timesheet"),
    AuditEvent.TIMESHEET_REOPENED: _progress("{actor} reopened a timesheet"),
    AuditEvent.TIMESHEET_SUBMITTED: _progress("{actor} submitted a timesheet"),
    AuditEvent.TIMESHEET_WITHDRAWN: _progress("{actor} withdrew a timesheet"),
    AuditEvent.TIME_SESSIONS_IMPORTED: _creation("{actor} imported time"),
    AuditEvent.TIME_LOCKED: _change("{actor} locked past time"),
    AuditEvent.TIME_UNLOCKED: _change("{actor} unlocked past time"),
    AuditEvent.USER_DEACTIVATED: _change("{actor} deactivated {user}"),
    AuditEvent.USER_DELETED: _change("{actor} deleted {user}"),
    AuditEvent.USER_INVITED: _progress("{actor} invited {user}", Severity.SUCCESS),
    AuditEvent.USER_REACTIVATED: _change("{actor} reactivated {user}"),
    AuditEvent.USER_ROLE_CHANGED: _change("{actor} changed the role of {user}"),
    AuditEvent.USER_UPDATED: _change("{actor} changed {user}"),
    AuditEvent.WIDGET_CREATED: _creation("{actor} created {widget}"),
    AuditEvent.WIDGET_DELETED: _change("{actor} deleted {widget}"),
    AuditEvent.WIDGET_UPDATED: _change("{actor} changed {widget}"),
    AuditEvent.WORKERS_IMPORTED: _creation("{actor} imported workers"),
    AuditEvent.WORKER_CREATED: _creation("{actor} created {worker}"),
    AuditEvent.WORKER_DELETED: _change("{actor} deleted {worker}"),
    AuditEvent.WORKER_RATE_DELETED: _change("{actor} deleted a pay rate of {worker}"),
    AuditEvent.WORKER_RATE_SET: _change("{actor} set a pay rate of {worker}"),
    AuditEvent.WORKER_UPDATED: _change("{actor} changed {worker}"),
    AuditEvent.WORK_LOCATION_CREATED: _creation("{actor} created {work location}"),
    AuditEvent.WORK_LOCATION_DELETED: _change("{actor} deleted {work location}"),
    AuditEvent.WORK_LOCATION_UPDATED: _change("{actor} changed {work location}"),
}

KPI_STATES: Mapping[str, ActivityTemplate] = {
    KpiState.MET: _progress("{actor} recorded a value of a KPI: the target is met", Severity.SUCCESS),
    KpiState.BREACHED: _progress("{actor} recorded a value of a KPI: the target is breached", Severity.WARNING),
    KpiState.CURED: _progress("{actor} recorded a value of a KPI: the breach is cured", Severity.SUCCESS),
}
"""Templates of values that change the state of a test."""


def template_of(event: AuditEvent, entry: AuditEntry) -> ActivityTemplate:
    """Return the template of an entry. KeyError for a silent event, which has none."""
    if event is AuditEvent.KPI_VALUE_RECORDED:
        states = (change.after for name, change in entry.changes.items() if name.endswith(".state"))
        return KPI_STATES.get(next(states, ""), TEMPLATES[event])
    return TEMPLATES[event]


def title(story: ActivityTemplate, entry: AuditEntry) -> str:
    name = _name(entry)

    def words(place: re.Match[str]) -> str:
        thing = place[1]
        if thing == "actor":
            return ACTOR
        if thing == "user":
            return USER
        return f"{_article(thing)} {thing}" if name is None else f"the {thing} {name}"

    return _PLACE.sub(words, story.title)


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeio" else "a"


def _name(entry: AuditEntry) -> str | None:
    """Return the entity's name, as it is after the event, or else was before it; None where the entry has none."""
    for fields in (("name",), ("title",), ("firstName", "lastName")):
        changes = [entry.changes.get(field) for field in fields]
        names = [change.after or change.before for change in changes if change is not None]
        if len(names) == len(fields) and all(isinstance(name, str) for name in names):
            return " ".join(names)
    return None
