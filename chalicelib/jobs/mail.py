"""Sends the mails of the outbox through SES. Their codes are made here: none ever lies in the table or a log line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, cast
from urllib.parse import urlencode

import botocore.session

from chalicelib.auth import codes
from chalicelib.core.observability import emit, logger
from chalicelib.core.settings import settings
from chalicelib.dal import credentials, outbox, users
from chalicelib.dal.credentials import CodePurpose
from chalicelib.dal.organizations import ORGANIZATIONS
from chalicelib.dal.outbox import Mail, MailReference, Template


class _SesClient(Protocol):
    def send_email(self, **arguments: Any) -> dict[str, Any]: ...


@dataclass(frozen=True)
class _Letter:
    subject: str
    body: str


_PURPOSE = {Template.INVITATION: CodePurpose.INVITATION, Template.PASSWORD_RESET: CodePurpose.RESET}

_LETTERS = {
    Template.INVITATION: _Letter(
        "Your invitation to {organization} on Workledger",
        "Hello {name},\n\n{organization} invites you to Workledger. Choose your password here within 7 days:\n\n"
        "{link}\n\nor enter this code in the app: {code}\n",
    ),
    Template.PASSWORD_RESET: _Letter(
        "Your Workledger password",
        "Hello {name},\n\nsomeone, hopefully you, asked to reset your password. Within the next hour you can choose a "
        "new one here:\n\n{link}\n\nor enter this code in the app: {code}\n\n"
        "If it was not you, nothing needs to be done.\n",
    ),
}
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
    letter = _compose(reference, mail)
    if letter is None:
        logger.info("mail no longer wanted", extra={"mail_id": str(reference.id)})
        return
    _ses().send_email(
        FromEmailAddress=settings().mail_from,
        Destination={"ToAddresses": [mail.email]},
        Content={
            "Simple": {
                "Subject": {"Data": letter.subject, "Charset": "UTF-8"},
                "Body": {"Text": {"Data": letter.body, "Charset": "UTF-8"}},
            }
        },
    )


def _compose(reference: MailReference, mail: Mail) -> _Letter | None:
    """The mail's text with a fresh code; None when there is nobody to send it to, or no reason any more."""
    credential = credentials.get(mail.email)
    if credential is None or credential.user_id != mail.user_id:
        return None
    code = codes.issue(credential, _PURPOSE[mail.template])
    if code is None:
        return None
    user = users.get(reference.organization, mail.user_id)
    organization = ORGANIZATIONS.get(reference.organization, reference.organization)
    query = urlencode({"email": mail.email, "code": code})
    words = {
        "name": user.first_name,
        "organization": organization.name,
        "code": code,
        "link": f"{settings().app_url}/{_PAGES[mail.template]}?{query}",
    }
    letter = _LETTERS[mail.template]
    return _Letter(letter.subject.format(**words), letter.body.format(**words))


@cache
def _ses() -> _SesClient:
    return cast(_SesClient, botocore.session.get_session().create_client("sesv2"))
