"""Opens sessions: a proven user becomes a session and its token."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from chalicelib.auth.tokens import Token
from chalicelib.core import clock, ids
from chalicelib.core.ids import OrganizationId
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models import users
from chalicelib.models.identity import sessions
from chalicelib.models.identity.sessions import StoredSession
from chalicelib.models.users import StoredUser

LIFETIME = timedelta(days=30)
_USER_AGENT_LENGTH = 300


class OpenedSession(NamedTuple):
    token: str
    expires_at: datetime
    id: UUID
    user: UUID


def open_session(
    unit: UnitOfWork, user: StoredUser, user_agent: str | None, *, is_target: bool = False
) -> OpenedSession:
    """Add a session to the unit. `is_target`: the session is the audit target."""
    token = Token.new(unit.organization, user.id, ids.new_id())
    now = clock.now()
    session = StoredSession.new(
        id=token.session,
        created_at=now,
        updated_at=now,
        last_seen_at=now,
        expires_at=now + LIFETIME,
        user_agent=user_agent[:_USER_AGENT_LENGTH] if user_agent else None,
        user_id=user.id,
        token_hashes=[token.hash],
        epoch=user.session_epoch,
    )
    sessions.create(unit, session, is_target=is_target)
    return OpenedSession(str(token), session.expires_at, session.id, user.id)


def another_token(organization: OrganizationId, user: UUID, session: UUID) -> str | None:
    """A fresh token for an open session: the answer to a repeated request must not have stored the first.

    None when the session has ended: by itself, with all others when the user's password changed, or with the user.
    """
    token = Token.new(organization, user, session)
    holder = users.USERS.get_many(organization, [user])[user]
    return str(token) if sessions.add_token(organization, holder, session, token.hash) else None
