"""Sessions: the state behind a token. Only hashes of tokens are stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chalicelib.core import clock
from chalicelib.core.contracts import Contract, CursorPage
from chalicelib.core.errors import conflict, not_found
from chalicelib.core.field_types import Instant
from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.cursors import Cursors, walk
from chalicelib.dal.item import Item
from chalicelib.dal.records import INTERNAL, Record
from chalicelib.dal.unit_of_work import UnitOfWork, pause, stale
from chalicelib.models.users import StoredUser

ENTITY = "session"

_KEPT_AFTER_EXPIRY = timedelta(days=30)
"""Time for which an ended session still answers that it has ended."""

_MAX_TOKENS = 20
_TRIES = 6


class Session(Record):
    last_seen_at: Instant
    """To within a quarter of an hour."""
    expires_at: Instant
    user_agent: Annotated[str, Field(max_length=300)] | None = None


class StoredSession(Session):
    user_id: UUID
    token_hashes: Annotated[list[str], INTERNAL]
    """One hash, and one more for each replay of the request that opened the session."""
    epoch: Annotated[int, INTERNAL]
    revoked_at: Instant | None = None

    def is_live(self, user: StoredUser) -> bool:
        return self.revoked_at is None and self.epoch == user.session_epoch and self.expires_at > clock.now()


class ListedSession(Contract):
    id: UUID
    created_at: Instant
    updated_at: Instant
    version: int
    last_seen_at: Instant
    expires_at: Instant
    user_agent: Annotated[str | None, Field(examples=["Mozilla/5.0 (X11; Linux x86_64; rv:128.0)"])]
    current: bool


def create(unit: UnitOfWork, session: StoredSession, *, is_target: bool) -> None:
    item = session.item(keys.session(unit.organization, session.user_id, session.id))
    item.ttl = int((session.expires_at + _KEPT_AFTER_EXPIRY).timestamp())
    unit.put_new(item, stale)
    if is_target:
        unit.audit_target(ENTITY, session.id, {}, session.shown())


def get(organization: OrganizationId, user: StoredUser, identifier: UUID) -> StoredSession:
    """Return an open session. NOT_FOUND for an ended one, too."""
    session = StoredSession.of(table.get(keys.session(organization, user.id, identifier)), ENTITY)
    if not session.is_live(user):
        raise not_found(ENTITY)
    return session


def revoke(unit: UnitOfWork, session: StoredSession) -> None:
    unit.require_version(session.version, session.updated_at)
    now = clock.now()
    after = session.changed(revoked_at=now)
    unit.update(
        keys.session(unit.organization, session.user_id, session.id),
        [table.assign("revokedAt", clock.to_text(now)), Item.version.set(after.version)],
        Item.version == session.version,
        stale,
    )
    unit.audit_target(ENTITY, session.id, session.shown(), after.shown())


def carry_over(unit: UnitOfWork, session: StoredSession, epoch: int) -> None:
    """Lets one session live on into a new epoch, in which all others have ended."""
    unit.update(
        keys.session(unit.organization, session.user_id, session.id),
        [Item.data["epoch"].set(epoch)],
        Item.data["revokedAt"].does_not_exist(),
        stale,
    )


def add_token(organization: OrganizationId, user: StoredUser, identifier: UUID, token_hash: str) -> bool:
    """Another token for a session that is open; False when it has ended, alone or with all others of the user.

    Of too many, the oldest but the first makes room: the first answer may have arrived, of the others the latest is
    the one that its client waits for.
    """
    key = keys.session(organization, user.id, identifier)
    hashes = Item.data["tokenHashes"]
    is_open = (
        Item.pk.exists()
        & Item.data["revokedAt"].does_not_exist()
        & (Item.data["epoch"] == user.session_epoch)
        & (Item.data["expiresAt"] > clock.to_text(clock.now()))
    )
    has_room = hashes[_MAX_TOKENS - 1].does_not_exist()
    if table.update(key, [hashes.set(hashes.append([token_hash]))], is_open & has_room) is not None:
        return True
    for tried in range(_TRIES):
        if tried:
            pause(tried)
        item = table.get(key)
        if item is None:
            return False
        session = StoredSession.of(item)
        if not session.is_live(user):
            return False
        first, *others = session.token_hashes
        newest = [first, *others[2 - _MAX_TOKENS :], token_hash]
        if table.update(key, [hashes.set(newest)], is_open & (hashes == session.token_hashes)) is not None:
            return True
    raise conflict()


def touch(organization: OrganizationId, session: StoredSession) -> None:
    """Notes that the session was used."""
    table.update(
        keys.session(organization, session.user_id, session.id),
        [table.assign("lastSeenAt", clock.to_text(clock.now()))],
        Item.pk.exists(),
    )


def list_live(
    organization: OrganizationId, user: StoredUser, current: UUID, cursors: Cursors, *, cursor: str | None, limit: int
) -> CursorPage[ListedSession]:
    """Newest first."""

    def listed(rows: list[dict[str, object]]) -> list[ListedSession]:
        sessions = (StoredSession.of(table.item_from_raw(row)) for row in rows)
        return [
            ListedSession(
                id=session.id,
                created_at=session.created_at,
                updated_at=session.updated_at,
                version=session.version,
                last_seen_at=session.last_seen_at,
                expires_at=session.expires_at,
                user_agent=session.user_agent,
                current=session.id == current,
            )
            for session in sessions
        ]

    return walk(
        keys.sessions(organization, user.id),
        cursors,
        CursorPage[ListedSession],
        listed,
        cursor=cursor,
        limit=limit,
        forward=False,
        condition=Item.data["revokedAt"].does_not_exist()
        & (Item.data["epoch"] == user.session_epoch)
        & (Item.data["expiresAt"] > clock.to_text(clock.now())),
    )
