"""Sends the mails of the outbox through SES. Their codes are made here: none is stored or logged."""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol, cast
from urllib.parse import urlencode

from chalicelib.auth import codes
from chalicelib.core.observability import emit, logger
from chalicelib.core.settings import settings
from chalicelib.jobs import aws_clients, mail_texts
from chalicelib.jobs.mail_texts import EmailText
from chalicelib.models import outbox, users
from chalicelib.models.identity import credentials
from chalicelib.models.identity.credentials import CodePurpose
from chalicelib.models.organizations import ORGANIZATIONS
from chalicelib.models.outbox import Mail, MailReference, Template


class _SesClient(Protocol):
    def send_email(self, **arguments: Any) -> dict[str, Any]: ...


_PURPOSE = {Template.INVITATION: CodePurpose.INVITATION, Template.PASSWORD_RESET: CodePurpose.RESET}
_PAGES = {Template.INVITATION: "accept-invitation", Template.PASSWORD_RESET: "reset-password"}


def deliver(reference: MailReference) -> bool:
    """Sends one mail of the outbox, once. False when another sender has it now; raises when it cannot be sent.

    Killed between sending and noting that it was sent, a mail goes out twice; the later code then is the valid one.
    """
    mail = outbox.claim(reference)
    if mail is None:
        return outbox.is_sent(reference)
    try:
        _send(reference, mail)
    except Exception:
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
    _ses().send_email(
        FromEmailAddress=settings().mail_from,
        Destination={"ToAddresses": [mail.email]},
        Content={
            "Simple": {
                "Subject": {"Data": text.subject, "Charset": "UTF-8"},
                "Body": {"Text": {"Data": text.body, "Charset": "UTF-8"}},
            }
        },
    )


def _compose(reference: MailReference, mail: Mail) -> EmailText | None:
    """The mail's text with a fresh code; None when there is nobody to send it to, or no reason any more."""
    credential = credentials.get(mail.email)
    if credential is None or credential.user_id != mail.user_id:
        return None
    code = codes.issue(credential, _PURPOSE[mail.template])
    if code is None:
        return None
    query = urlencode({"email": mail.email, "code": code})
    return mail_texts.compose(
        mail.template,
        name=users.get(reference.organization, mail.user_id).first_name,
        organization=ORGANIZATIONS.get(reference.organization, reference.organization).name,
        requested_by=mail.requested_by,
        link=f"{settings().app_url}/{_PAGES[mail.template]}?{query}",
        code=code,
        abuse_contact=settings().abuse_contact,
    )


@cache
def _ses() -> _SesClient:
    return cast(_SesClient, aws_clients.client("sesv2"))
