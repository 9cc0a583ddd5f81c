"""The outbox: mails that were decided in a unit of work and are sent after its commit.

A mail names its template and addressee, never its text: codes are made when it is sent, so none is stored. Notices are
mails without a code, which their addressee may switch off.
Until it is sent it is listed in `keys.UNSENT_MAIL`; `data.sentAt` says that it was.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from chalicelib.core import clock, ids
from chalicelib.core.contracts import Contract
from chalicelib.core.days import Day
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.item import Item
from chalicelib.dal.unit_of_work import UnitOfWork, stale
from chalicelib.models.audit import Actor, former_actor

SENDER_SECONDS = 60
"""The longest that a function which sends mail may run: `.chalice/config.json`, held together by a test."""
LEASE = timedelta(seconds=SENDER_SECONDS + 15)
"""A claim outlives its sender, with room for clocks that differ: no two send the same mail at once."""

_KEPT = timedelta(days=30)


class Template(StrEnum):
    EMAIL_CONFIRMATION = "EMAIL_CONFIRMATION"
    INVITATION = "INVITATION"
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105  the name of a template
    TIMER_LONG_RUNNING = "TIMER_LONG_RUNNING"
    TIMESHEET_APPROVED = "TIMESHEET_APPROVED"
    TIMESHEET_REJECTED = "TIMESHEET_REJECTED"
    TIMESHEET_REOPENED = "TIMESHEET_REOPENED"
    TIMESHEET_SUBMITTED = "TIMESHEET_SUBMITTED"
    WEEKLY_REPORT = "WEEKLY_REPORT"


class Mail(Contract):
    template: Template
    email: str
    user_id: UUID
    requested_by: Actor | None = None
    """None where nobody was signed in."""
    week: Day | None = None
    """The first day of the week of a timesheet or report."""
    created_at: Instant
    sent_at: Instant | None = None
    lease_until: Instant | None = None


class MailReference(NamedTuple):
    organization: OrganizationId
    id: UUID


def enqueue(
    unit: UnitOfWork,
    template: Template,
    email: str,
    user: UUID,
    requested_by: Actor | None = None,
    *,
    week: date | None = None,
) -> None:
    now = clock.now()
    mail = Mail(template=template, email=email, user_id=user, requested_by=requested_by, week=week, created_at=now)
    item = Item(*keys.mail(unit.organization, ids.new_id()), data=mail.model_dump(mode="json", exclude_none=True))
    item.enter(keys.UNSENT_MAIL)
    # The main consumer's filter drops it: mail is another consumer's.
    item.derived = 1
    item.ttl = int((now + _KEPT).timestamp())
    unit.put_new(item, stale)


def reference_of(pk: str, sk: str) -> MailReference | None:
    """The mail that a stored key names, None for another entity's key."""
    try:
        organization = keys.organization_of(pk)
    except ValueError:
        return None
    return MailReference(organization, UUID(sk)) if pk == keys.mail_partition(organization) else None


def claim(reference: MailReference) -> Mail | None:
    """Takes a mail that is still to be sent; None when it was sent or another sender has it."""
    now = clock.now()
    item = table.update(
        keys.mail(*reference),
        [table.assign("leaseUntil", clock.to_text(now + LEASE))],
        Item.pk.exists()
        & Item.data["sentAt"].does_not_exist()
        & (Item.data["leaseUntil"].does_not_exist() | (Item.data["leaseUntil"] < clock.to_text(now))),
    )
    return None if item is None or item.data is None else Mail.model_validate(item.data, extra="ignore")


def is_sent(reference: MailReference) -> bool:
    item = table.get(keys.mail(*reference))
    return item is None or item.data is None or "sentAt" in item.data


def mark_sent(reference: MailReference) -> None:
    table.update(
        keys.mail(*reference),
        [table.assign("sentAt", clock.to_text(clock.now())), table.entry(keys.UNSENT_MAIL).remove()],
        Item.pk.exists(),
    )


def release(reference: MailReference) -> None:
    """Gives a claimed mail back after a failure, so that the next sender need not wait."""
    table.update(keys.mail(*reference), [table.assign("leaseUntil", None)], Item.pk.exists())


def forget(organization: OrganizationId, user: UUID, after: str | None, limit: int) -> str | None:
    """Delete the mails to a former user, and mask those that they asked for; of `limit` mails behind a key.

    Return the key to go on behind; None at the end.
    """
    page = table.query(keys.mail_partition(organization), after=after, limit=limit)
    unit = UnitOfWork(organization)
    for row in page.items:
        key = keys.mail(organization, UUID(row["sk"]["S"]))
        mail = Mail.model_validate(table.plain(row, "data"), extra="ignore")
        if mail.user_id == user:
            unit.delete(key, None, stale)
        elif mail.requested_by is not None and mail.requested_by.id == user:
            actor = former_actor(mail.requested_by).model_dump(mode="json", exclude_none=True)
            unit.update(key, [table.assign("requestedBy", actor)], None, stale)
    unit.commit()
    return page.last


def unsent_since(instant: datetime, limit: int) -> list[MailReference]:
    """Mails that were decided before `instant` and are neither sent nor queued, oldest first."""
    page = table.query(keys.UNSENT_MAIL, between=(" ", str(ids.first_id_at(instant))), limit=limit)
    return [MailReference(keys.organization_of(row["pk"]["S"]), UUID(row["sk"]["S"])) for row in page.items]


def mark_queued(reference: MailReference) -> None:
    """Mark a mail as queued: from here on the queue sees to it."""
    table.update(keys.mail(*reference), [table.entry(keys.UNSENT_MAIL).remove()], Item.pk.exists())
