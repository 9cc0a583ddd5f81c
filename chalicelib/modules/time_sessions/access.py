"""Access to time: the caller's own, and another user's with the permission to manage it."""

from __future__ import annotations

from uuid import UUID

from chalicelib.action.context import Context
from chalicelib.auth.permissions import Permission
from chalicelib.models.time.sessions import TIME_SESSIONS, TimeSession


def whose(ctx: Context, user: UUID | None) -> UUID:
    """Return the user of new time, by default the caller. FORBIDDEN for another without the permission."""
    if user is None or user == ctx.user.id:
        return ctx.user.id
    ctx.principal.require(Permission.TIME_OF_OTHERS)
    return user


def visible_user(ctx: Context, user: UUID | None) -> UUID | None:
    """Return the user whose time a list shows, None for everybody's."""
    if user is None and Permission.TIME_OF_OTHERS in ctx.principal.permissions:
        return None
    return whose(ctx, user)


def owned(ctx: Context, identifier: UUID) -> TimeSession:
    """Return a session that the caller may see and change. FORBIDDEN for another's without the permission."""
    session = TIME_SESSIONS.get(ctx.organization, identifier)
    whose(ctx, session.user_id)
    return session
