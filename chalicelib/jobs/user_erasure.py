"""Erases the data of users who were deleted, page by page on the metrics queue.

The deletion's own change orders it, so it is completed however the request ended. The night does it once more, for
requests that had begun before the deletion and committed after it; then the user's id is no longer masked when
something is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.action import answers
from chalicelib.core import clock
from chalicelib.core.contracts import Contract
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import logger
from chalicelib.core.settings import settings
from chalicelib.dal import idempotency, keys, table
from chalicelib.dal.unit_of_work import MAX_WRITES, UnitOfWork
from chalicelib.jobs import queues
from chalicelib.jobs.changes import Change
from chalicelib.models import audit, organizations, outbox
from chalicelib.models.identity import erasure
from chalicelib.models.identity.erasure import After
from chalicelib.models.users import USERS, StoredUser

_PAGES = 10
"""Pages of a message."""
_SETTLED = timedelta(minutes=15)
"""Far longer than a request, or a worker of the feed, may run: those that began before a deletion have ended."""


_ANSWERS_KEPT = timedelta(days=3)
"""Time after which DynamoDB has removed an answer that has expired after a day."""


class UserErasure(Contract):
    """A message: the pages of one place where data of a deleted user may be, or of the first one."""

    kind: Literal["eraseUser"] = "eraseUser"
    organization_id: UUID
    user_id: UUID
    place: Annotated[int, Field(description="The number of the place in PLACES.")] = 0
    after: Annotated[str | None, Field(description="The place's key behind which it goes on.")] = None


def enqueue(change: Change) -> None:
    """Queue the erasure of a user who was deleted."""
    entity = change.entity
    if entity is None or entity.kind != USERS.kind:
        return
    if "deletedAt" in table.plain(change.new, "data") and "deletedAt" not in table.plain(change.old, "data"):
        schedule(entity.organization, [entity.id])


def schedule(organization: OrganizationId, users: Iterable[UUID]) -> None:
    _send(*(UserErasure(organization_id=organization, user_id=user) for user in users))


def work(message: Mapping[str, Any]) -> None:
    """Erase some pages; the rest is another message. Twice is as good as once."""
    piece = UserErasure.model_validate(message)
    organization = OrganizationId(piece.organization_id)
    user = erasure.read(organization, piece.user_id)
    if user is None or user.deleted_at is None:
        return
    place, after = piece.place, piece.after
    for _ in range(_PAGES):
        after = PLACES[place](organization, user, after)
        place += after is None
        if place == len(PLACES):
            break
    else:
        _send(piece.model_copy(update={"place": place, "after": after}))
        return
    is_settled = user.deleted_at < clock.now() - _SETTLED
    if is_settled:
        organizations.end_erasure(organization, user.id)
    extra = {"organization_id": str(organization), "user_id": str(user.id), "is_settled": is_settled}
    logger.info("user erased", extra=extra)


def _mask_answers(organization: OrganizationId, user: StoredUser, after: After) -> After:
    """Mask the answers that are kept for repetitions, which are found by their audit entries."""
    now = clock.now()
    page = audit.page_between(organization, now - _ANSWERS_KEPT, now, after=after, limit=MAX_WRITES)
    digests = [digest for row in page.items if (digest := audit.answer_of(row)) is not None]
    items = table.batch_get(keys.idempotency(organization, digest) for digest in digests)
    unit = UnitOfWork(organization)
    for key, item in items.items():
        body = (item.data or {})["body"]
        masked = json.dumps(answers.masked(json.loads(body), {str(user.id)}))
        if masked != body:
            idempotency.replace_body(unit, key, body, masked)
    unit.commit()
    return page.last


def _forget_mails(organization: OrganizationId, user: StoredUser, after: After) -> After:
    return outbox.forget(organization, user.id, after, MAX_WRITES)


PLACES: tuple[Callable[[OrganizationId, StoredUser, After], After], ...] = (
    erasure.erase_address,
    erasure.erase_own,
    erasure.mask_acts,
    erasure.mask_entries_about,
    _mask_answers,
    _forget_mails,
)
"""Erases a page of a place, behind a key; returns the key to go on behind, None at the end."""


def _send(*messages: UserErasure) -> None:
    queues.send(
        settings().metrics_queue_url, [message.model_dump(mode="json", exclude_none=True) for message in messages]
    )
