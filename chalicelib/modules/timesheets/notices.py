"""Notices of timesheets by mail: a submitted one to those who may approve it, a decision to its user.

Nobody gets mail about their own step, nor who has switched mails off. A withdrawal is in the feed alone: there is
nothing left to do.
"""

from __future__ import annotations

from chalicelib.action.context import Context
from chalicelib.models import outbox, users
from chalicelib.models.outbox import Template
from chalicelib.models.time.timesheets import Timesheet, TimesheetState
from chalicelib.models.users import Recipient, StoredUser

MAX_APPROVERS = 20
"""Approvers that one submission is mailed to: who has more does not wait for a mail to all of them."""

_DECISIONS = {
    TimesheetState.APPROVED: Template.TIMESHEET_APPROVED,
    TimesheetState.REJECTED: Template.TIMESHEET_REJECTED,
    TimesheetState.OPEN: Template.TIMESHEET_REOPENED,
}


def mail_approvers(ctx: Context, sheet: Timesheet) -> None:
    """Mail a submission, in its transaction."""
    # One more than is mailed, since the submitter may be among them.
    recipients = users.administrators(ctx.organization, MAX_APPROVERS + 1)
    others = [recipient for recipient in recipients if recipient.id != ctx.user.id]
    for recipient in others[:MAX_APPROVERS]:
        _enqueue(ctx, Template.TIMESHEET_SUBMITTED, recipient, sheet)


def mail_user(ctx: Context, user: StoredUser, sheet: Timesheet) -> None:
    """Mail the decision on a timesheet, by its new state, in its transaction."""
    if user.id != ctx.user.id:
        _enqueue(ctx, _DECISIONS[sheet.state], Recipient.of(user), sheet)


def _enqueue(ctx: Context, template: Template, recipient: Recipient, sheet: Timesheet) -> None:
    if recipient.wants_mail:
        outbox.enqueue(ctx.unit, template, recipient.email, recipient.id, requested_by=ctx.actor, week=sheet.week_start)
