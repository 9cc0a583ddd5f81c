"""Sends the mails of the outbox through SES. Their codes are made here: none is stored or logged.

Whether a notice is still wanted, and allowed by the limit of its address, is decided here too: a hundred timesheets
submitted at once would collide on the limit of their approver, and none of them shall wait for a mail.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, Protocol, cast
from urllib.parse import urlencode

from chalicelib.auth import codes, mail_limits, unsubscribing
from chalicelib.auth.permissions import PERMISSIONS, Permission
from chalicelib.core import clock
from chalicelib.core.observability import emit, log_error, logger
from chalicelib.core.settings import settings
from chalicelib.dal import limits
from chalicelib.dal.collection import get_together
from chalicelib.dal.limits import RateLimited
from chalicelib.jobs import aws_clients, mail_texts, weekly_figures
from chalicelib.jobs.mail_texts import EmailText
from chalicelib.models import outbox, users
from chalicelib.models.identity import credentials
from chalicelib.models.identity.credentials import CodePurpose
from chalicelib.models.organizations import ORGANIZATIONS, SubscriptionTier
from chalicelib.models.outbox import Mail, MailReference, Template
from chalicelib.models.users import USERS, StoredUser, UserStatus


class _SesClient(Protocol):
    def send_email(self, **arguments: Any) -> dict[str, Any]: ...


_PURPOSE = {
    Template.EMAIL_CONFIRMATION: CodePurpose.CONFIRMATION,
    Template.INVITATION: CodePurpose.INVITATION,
    Template.PASSWORD_RESET: CodePurpose.RESET,
}
_PAGES = {
    Template.EMAIL_CONFIRMATION: "confirm-email",
    Template.INVITATION: "accept-invitation",
    Template.PASSWORD_RESET: "reset-password",
}


def deliver(reference: MailReference) -> bool:
    """Sends one mail of the outbox, once. False when another sender has it now; raises when it cannot be sent.

    Killed between sending and noting that it was sent, a mail goes out twice; the later code then is the valid one.
    """
    mail = outbox.claim(reference)
    if mail is None:
        return outbox.is_sent(reference)
    try:
        _send(reference, mail)
    except Exception as error:
        log_error("mail not sent", error, organization_id=str(reference.organization), mail_id=str(reference.id))
        emit({"template": mail.template}, MailFailures=1)
        outbox.release(reference)
        raise
    outbox.mark_sent(reference)
    logger.info("mail sent", extra={"organization_id": str(reference.organization), "mail_id": str(reference.id)})
    return True


def _send(reference: MailReference, mail: Mail) -> None:
    text = _compose(reference, mail)
    if text is None:
        logger.info("mail no longer wanted", extra={"mail_id": str(reference.id)})
        return
    named = [{"Name": name, "Value": value} for name, value in text.headers.items()]
    headers = {"Headers": named} if named else {}
    _ses().send_email(
        FromEmailAddress=settings().mail_from,
        Destination={"ToAddresses": [mail.email]},
        Content={
            "Simple": {
                "Subject": {"Data": text.subject, "Charset": "UTF-8"},
                "Body": {"Text": {"Data": text.body, "Charset": "UTF-8"}},
                **headers,
            }
        },
    )


def _compose(reference: MailReference, mail: Mail) -> EmailText | None:
    """Return the mail's text; None when there is nobody to send it to, or no reason any more."""
    return _compose_code(reference, mail) if mail.template in _PURPOSE else _compose_notice(reference, mail)


def _compose_code(reference: MailReference, mail: Mail) -> EmailText | None:
    """Return the text with a fresh code."""
    credential = credentials.get(mail.email)
    if credential is None or credential.user_id != mail.user_id:
        return None
    user = users.get(reference.organization, mail.user_id)
    if mail.template is Template.EMAIL_CONFIRMATION and user.email_confirmed:
        return None
    code = codes.issue(credential, _PURPOSE[mail.template])
    if code is None:
        return None
    query = urlencode({"email": mail.email, "code": code})
    return mail_texts.compose(
        mail.template,
        name=user.first_name,
        organization=ORGANIZATIONS.get(reference.organization, reference.organization).name,
        requested_by=mail.requested_by,
        link=f"{settings().app_url}/{_PAGES[mail.template]}?{query}",
        code=code,
        abuse_contact=settings().abuse_contact,
    )


def _compose_notice(reference: MailReference, mail: Mail) -> EmailText | None:
    tenant = reference.organization
    recipients, organizations = get_together(tenant, [(USERS, [mail.user_id]), (ORGANIZATIONS, [tenant])])
    user, organization = recipients.get(mail.user_id), organizations[tenant]
    if user is None or not _is_wanted(mail, user):
        return None
    listed = None
    if mail.template is Template.WEEKLY_REPORT and mail.week is not None:
        listed = weekly_figures.figures(organization, user.role, mail.week, clock.now())
        if not listed.figures:
            return None
    if not _take_notice(mail.email, organization.subscription_tier):
        logger.warning("mail dropped: its address had as many today as it may", extra={"mail_id": str(reference.id)})
        return None
    text = mail_texts.compose(
        mail.template,
        name=user.first_name,
        organization=organization.name,
        requested_by=mail.requested_by,
        link=f"{settings().app_url}/{_page_of(mail)}",
        week=mail.week,
        figures="" if listed is None else mail_texts.listed(listed.figures, listed.further),
        abuse_contact=settings().abuse_contact,
    )
    return text if listed is None else replace(text, headers=unsubscribing.headers(organization, user.id, user.email))


def _is_wanted(mail: Mail, user: StoredUser) -> bool:
    is_theirs = user.status is UserStatus.ACTIVE and user.email == mail.email
    if mail.template is Template.WEEKLY_REPORT:
        return is_theirs and user.preferences.notifications.weekly_report
    if not is_theirs or not user.preferences.notifications.email:
        return False
    return mail.template is not Template.TIMESHEET_SUBMITTED or Permission.TIME_OF_OTHERS in PERMISSIONS[user.role]


def _take_notice(address: str, tier: SubscriptionTier) -> bool:
    """Reserve a use of the address's limit; False where there is none left."""
    try:
        limits.take(*limits.load(mail_limits.notices(tier).of_address(address)))
    except RateLimited:
        return False
    return True


def _page_of(mail: Mail) -> str:
    """Return the app's page of a notice's subject."""
    if mail.template is Template.WEEKLY_REPORT:
        return "dashboard"
    if mail.week is None:
        return "timer"
    submitted_by = mail.requested_by if mail.template is Template.TIMESHEET_SUBMITTED else None
    owner = mail.user_id if submitted_by is None else submitted_by.id
    return f"timesheets/{owner}/{mail.week}"


@cache
def _ses() -> _SesClient:
    return cast(_SesClient, aws_clients.client("sesv2"))
