"""Texts of mails: each names its sender and how to object, and contains no link but our own.

Names come from strangers. A name in a mail is short, on one line and no link, however it is stored; see
docs/decisions/mail.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from chalicelib.jobs.safe_names import LINKING, safe_name
from chalicelib.jobs.weekly_figures import Figure
from chalicelib.models.audit import Actor
from chalicelib.models.outbox import Template


@dataclass(frozen=True)
class EmailText:
    subject: str
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers; their values are our own, and have no line breaks."""


_OBJECTION = "To report mail that you do not want, write to {abuse_contact}.\n"
_PREFERENCE = "You can switch such mails off in your preferences.\n" + _OBJECTION

_TEXTS = {
    Template.EMAIL_CONFIRMATION: EmailText(
        "Confirm your e-mail address for Workledger",
        "Hello {name},\n\nsomeone, hopefully you, signed up {organization} on Workledger with this e-mail address. "
        "Within 7 days you can confirm here that it is yours:\n\n{link}\n\nor enter this code in the app: {code}\n\n"
        "If it was not you, do nothing: the address stays unconfirmed.\n" + _OBJECTION,
    ),
    Template.INVITATION: EmailText(
        "Your invitation to {organization} on Workledger",
        "Hello {name},\n\n{requester} invites you to join {organization} on Workledger. Choose your password here "
        "within 7 days:\n\n{link}\n\nor enter this code in the app: {code}\n\n"
        "If you did not expect this, do nothing: the invitation ends by itself.\n" + _OBJECTION,
    ),
    Template.PASSWORD_RESET: EmailText(
        "Your Workledger password",
        "Hello {name},\n\nsomeone, hopefully you, entered your e-mail address to reset your password. Within the next "
        "hour you can choose a new one here:\n\n{link}\n\nor enter this code in the app: {code}\n\n"
        "If it was not you, do nothing: your password stays as it is.\n" + _OBJECTION,
    ),
    Template.TIMER_LONG_RUNNING: EmailText(
        "Your timer is still running",
        "Hello {name},\n\nyour timer in {organization} has run for more than 12 hours. It runs on until you stop it; "
        "if you forgot it, you can stop it at the time when you finished:\n\n{link}\n\n" + _PREFERENCE,
    ),
    Template.TIMESHEET_SUBMITTED: EmailText(
        "A timesheet to approve, week of {week}",
        "Hello {name},\n\n{requester} submitted their timesheet of the week of {week} in {organization}. You can "
        "approve or reject it here:\n\n{link}\n\n" + _PREFERENCE,
    ),
    Template.TIMESHEET_APPROVED: EmailText(
        "Your timesheet was approved, week of {week}",
        "Hello {name},\n\n{requester} approved your timesheet of the week of {week} in {organization}. It is here:"
        "\n\n{link}\n\n" + _PREFERENCE,
    ),
    Template.TIMESHEET_REJECTED: EmailText(
        "Your timesheet was rejected, week of {week}",
        "Hello {name},\n\n{requester} rejected your timesheet of the week of {week} in {organization}. You can read "
        "why, change it and submit it again here:\n\n{link}\n\n" + _PREFERENCE,
    ),
    Template.TIMESHEET_REOPENED: EmailText(
        "Your timesheet was reopened, week of {week}",
        "Hello {name},\n\n{requester} reopened your timesheet of the week of {week} in {organization}. You can read "
        "why, change it and submit it again here:\n\n{link}\n\n" + _PREFERENCE,
    ),
    Template.WEEKLY_REPORT: EmailText(
        "Your week from {week} in {organization}",
        "Hello {name},\n\nthe week from {week} in {organization}, and the change to the week before:\n\n{figures}\n\n"
        "More is on the dashboard:\n\n{link}\n\n" + _PREFERENCE,
    ),
}

_PLAIN_ADDRESS = re.compile(r"(?!www\.)[\w.+-]+@[\w.-]+", re.IGNORECASE)


def compose(
    template: Template,
    *,
    name: str,
    organization: str,
    requested_by: Actor | None,
    link: str,
    code: str = "",
    week: date | None = None,
    figures: str = "",
    abuse_contact: str,
) -> EmailText:
    """Return the text of a mail. Names are made safe here; `link`, `code` and `abuse_contact` are our own.

    `code`, `week` and `figures`: of the templates that have one; figures as `listed`.
    """
    organization = safe_name(organization) or "an organization"
    words: Mapping[str, str] = {
        "name": safe_name(name) or "there",
        "organization": organization,
        "requester": _requester(requested_by) or organization,
        "link": link,
        "code": code,
        "week": str(week),
        "figures": figures,
        "abuse_contact": abuse_contact,
    }
    text = _TEXTS[template]
    return EmailText(text.subject.format(**words), text.body.format(**words))


def listed(figures: Iterable[Figure], further: int) -> str:
    """Return figures as lines, their names made safe, and the number of further metrics."""
    lines = [
        f"{safe_name(figure.name)}: {figure.value}" + (f" ({figure.change})" if figure.change else "")
        for figure in figures
    ]
    return "\n".join([*lines, *([f"and {further} more"] if further else ())])


def _requester(actor: Actor | None) -> str | None:
    if actor is None or actor.email is None:
        return None
    # An address is to be answered, so it stays whole, unless its local part looks like a link.
    email = actor.email if _PLAIN_ADDRESS.fullmatch(actor.email) else LINKING.sub(" ", actor.email)
    return f"{safe_name(actor.name)} ({email})".strip()
