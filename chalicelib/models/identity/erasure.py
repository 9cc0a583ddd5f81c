"""Erases the data of a user who was deleted, page by page, wherever it is stored apart from the user's own item.

To the outside it is gone with the deletion: their credential and item are, and other items with their name are masked
when they are read, as long as `StoredOrganization.erasing` has their id. Erasing a page twice is as good as once. See
docs/decisions/former-users.md.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.dal import idempotency, keys, table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import IndexPartition, Key
from chalicelib.dal.unit_of_work import MAX_WRITES, UnitOfWork, stale
from chalicelib.models import audit
from chalicelib.models.dashboards.widgets import WIDGETS
from chalicelib.models.users import USERS, StoredUser

After = str | None
"""The place behind which a page begins or ends; None for the beginning, and at the end."""


def read(organization: OrganizationId, identifier: UUID) -> StoredUser | None:
    """Return a user who was deleted; None for others."""
    user = USERS.get_many(organization, [identifier]).get(identifier)
    return user if user is not None and user.deleted_at is not None else None


# -- their own data: it is deleted -----------------------------------------------------------------------------------


def erase_address(organization: OrganizationId, user: StoredUser, after: After) -> After:
    """Delete the answers that are stored under their former address, then their item's note of the address.

    Somebody else may have the address by now, whose own answers stay. So do the limits of the address, which expire
    within two days: without them, deleting and inviting by turns would mail an address without end.
    """
    if user.freed_address is None or user.deleted_at is None:
        return None
    page = table.query(keys.credential(user.freed_address).pk, after=after, limit=MAX_WRITES)
    unit = UnitOfWork(organization)
    for item in map(table.item_from_raw, page.items):
        if keys.is_decoy(item.key) or _is_answer_of(item, user, user.deleted_at):
            unit.delete(item.key, None, stale)
    unit.commit()
    if page.last is None:
        table.update(USERS.key(organization, user.id), [table.assign("freedAddress", None)], Item.pk.exists())
    return page.last


def _is_answer_of(item: Item, user: StoredUser, deleted_at: datetime) -> bool:
    """Return True for an answer to the user, or to nobody signed in before the user was deleted."""
    if not keys.is_idempotency_of_address(item.key):
        return False
    owner = idempotency.session_user(item)
    if owner is not None:
        return owner == user.id
    return int(item.ttl or 0) - idempotency.KEPT_SECONDS < int(deleted_at.timestamp())


def erase_own(organization: OrganizationId, user: StoredUser, _: After) -> After:
    """Delete their sessions, their read state of the feed, and their personal widgets."""
    unit = UnitOfWork(organization)
    partitions: tuple[str | IndexPartition, ...] = (
        keys.sessions(organization, user.id),
        keys.activity_marks(organization, user.id),
        keys.children(organization, WIDGETS.kind, user.id),
    )
    room = MAX_WRITES
    for partition in partitions:
        for row in table.query(partition, limit=room).items if room else ():
            unit.delete(Key(row["pk"]["S"], row["sk"]["S"]), None, stale)
            room -= 1
    unit.commit()
    # The rest begins where this began.
    return None if room else "the rest"


# -- the organization's history: it is masked -----------------------------------------------------------------------


def mask_acts(organization: OrganizationId, user: StoredUser, after: After) -> After:
    """Mask the audit entries of their acts."""
    return _mask_entries(organization, user, keys.audit_of_actor(organization, user.id), after)


def mask_entries_about(organization: OrganizationId, user: StoredUser, after: After) -> After:
    """Mask the audit entries of the acts of others on them."""
    partition = keys.audit_of_entity(organization, USERS.entity, str(user.id))
    return _mask_entries(organization, user, partition, after)


def _mask_entries(organization: OrganizationId, user: StoredUser, partition: IndexPartition, after: After) -> After:
    page = table.query(partition, after=after, limit=MAX_WRITES)
    entries = [audit.read(row) for row in audit.stored(organization, (UUID(row["sk"]["S"]) for row in page.items))]
    unit = UnitOfWork(organization)
    for entry in entries:
        audit.mask_stored(unit, entry, {user.id})
    unit.commit()
    return page.last
