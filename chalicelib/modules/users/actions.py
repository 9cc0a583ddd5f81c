"""The members of the caller's organization."""

from __future__ import annotations

from uuid import UUID

from chalicelib.action import lists
from chalicelib.action.context import Context
from chalicelib.action.registry import action
from chalicelib.auth import mail_limits
from chalicelib.auth.permissions import Permission
from chalicelib.core.contracts import CursorPage, Page, Success
from chalicelib.core.errors import ErrorCode, forbidden, invalid_state
from chalicelib.dal import cache
from chalicelib.dal.limits import RateLimited
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.models import outbox, users
from chalicelib.models.audit import AuditEvent
from chalicelib.models.identity import credentials
from chalicelib.models.outbox import Template
from chalicelib.models.users import Role, StoredUser, User, UserStatus
from chalicelib.modules.timer.ending import end_with_user
from chalicelib.modules.users.contracts import ChangeUserRole, GetUsers, InviteUser, UpdateName


@action("getUsers", "GET /users", permission=Permission.USERS_MANAGE)
def get_users(ctx: Context, data: GetUsers) -> Page[User] | CursorPage[User]:
    """The organization's users; `search` looks at name and e-mail address."""
    return lists.answer(
        ctx, users.USERS, data, default_sort="name", facets={"role": data.role, "isActive": data.is_active}
    )


@action("getUser", "GET /users/{userId}", permission=Permission.USERS_MANAGE, entity=users.USERS)
def get_user(ctx: Context, user_id: UUID) -> User:
    """One user of the organization."""
    return users.get(ctx.organization, user_id)


@action(
    "inviteUser",
    "POST /users",
    permission=Permission.USERS_MANAGE,
    audit=AuditEvent.USER_INVITED,
    status=201,
    errors=(ErrorCode.DUPLICATE_ENTRY,),
    limits=mail_limits.LIMITS,
)
def invite_user(ctx: Context, data: InviteUser) -> User:
    """Adds a user and mails them an invitation. An address that anyone uses, anywhere, is DUPLICATE_ENTRY.

    An organization may mail 20 invitations a day, 100 as PRO, 500 as ENTERPRISE; more are RATE_LIMITED. Until the
    caller has confirmed their e-mail address, they may mail 5 in all; more are FORBIDDEN.
    """
    _require_owner_for(ctx, data.role)
    user = StoredUser.new(email=data.email, first_name=data.first_name, last_name=data.last_name, role=data.role)
    credentials.take(ctx.unit, user.email, user.id, None)
    users.create(ctx.unit, user)
    try:
        _mail_invitation(ctx, user)
    except RateLimited:
        # The address of somebody invited a moment ago is taken, and waiting would not change that.
        credentials.require_free(user.email)
        raise
    return user


@action(
    "resendInvitation",
    "POST /users/{userId}/invitation",
    permission=Permission.USERS_MANAGE,
    entity=users.USERS,
    audit=AuditEvent.INVITATION_RESENT,
    limits=mail_limits.LIMITS,
)
def resend_invitation(ctx: Context, user_id: UUID) -> User:
    """Mails a new code to an invited user; the earlier one ends. At most one mail every five minutes, five a day."""
    user = users.get(ctx.organization, user_id)
    if user.status is not UserStatus.INVITED:
        raise invalid_state("the user is not waiting for an invitation")
    _mail_invitation(ctx, user)
    users.require_unchanged(ctx.unit, user)
    return user


@action(
    "withdrawInvitation",
    "DELETE /users/{userId}/invitation",
    permission=Permission.USERS_MANAGE,
    entity=users.USERS,
    audit=AuditEvent.INVITATION_WITHDRAWN,
)
def withdraw_invitation(ctx: Context, user_id: UUID) -> Success:
    """Takes an open invitation back: its code ends, and its address is free again, for anybody."""
    user = users.get(ctx.organization, user_id)
    _require_owner_for(ctx, user.role)
    if user.accepted_at is not None:
        raise invalid_state("the invitation was accepted: delete the user instead")
    _delete(ctx, user)
    return Success()


@action(
    "updateUser",
    "PATCH /users/{userId}/profile",
    permission=Permission.USERS_MANAGE,
    entity=users.USERS,
    audit=AuditEvent.USER_UPDATED,
)
def update_user(ctx: Context, user_id: UUID, data: UpdateName) -> User:
    """Changes a user's name."""
    return users.update(ctx.unit, users.get(ctx.organization, user_id), data.changes())


@action(
    "changeUserRole",
    "PATCH /users/{userId}",
    permission=Permission.USERS_MANAGE,
    entity=users.USERS,
    audit=AuditEvent.USER_ROLE_CHANGED,
)
def change_user_role(ctx: Context, user_id: UUID, data: ChangeUserRole) -> User:
    """Gives a user another role; to or from OWNER only by an OWNER, and never to oneself."""
    user = _another(ctx, user_id)
    _require_owner_for(ctx, user.role, data.role)
    return users.update(ctx.unit, user, {"role": data.role})


@action(
    "deleteUser",
    "DELETE /users/{userId}",
    permission=Permission.USERS_MANAGE,
    entity=users.USERS,
    audit=AuditEvent.USER_DELETED,
)
def delete_user(ctx: Context, user_id: UUID) -> Success:
    """Deletes a user and their personal data, for good; their acts stay, as a former user's.

    Their sessions and their timer end now, and their address is free for anybody. Names that are stored in the history
    are masked at once, and erased soon after. Not oneself; an OWNER only by another OWNER, of whom one stays.
    """
    user = _another(ctx, user_id, "nobody deletes themselves")
    _require_owner_for(ctx, user.role)
    # Of two who delete each other at once, one stays: the other's request runs again, and its caller is gone.
    users.require_active(ctx.unit, ctx.user)
    end_with_user(ctx, user.id)
    _delete(ctx, user)
    return Success()


@action(
    "deactivateUser",
    "POST /users/{userId}/deactivate",
    permission=Permission.USERS_MANAGE,
    entity=users.USERS,
    audit=AuditEvent.USER_DEACTIVATED,
)
def deactivate_user(ctx: Context, user_id: UUID) -> User:
    """Shuts a user out: refused on their very next request, in every session. Their timer ends now."""
    user = _another(ctx, user_id)
    _require_owner_for(ctx, user.role)
    if not user.is_active:
        raise invalid_state("the user is deactivated already")
    end_with_user(ctx, user.id)
    # A new epoch, so that sessions of before do not come back to life with the user.
    return users.update(ctx.unit, user, {"is_active": False, "session_epoch": user.session_epoch + 1})


@action(
    "reactivateUser",
    "POST /users/{userId}/reactivate",
    permission=Permission.USERS_MANAGE,
    entity=users.USERS,
    audit=AuditEvent.USER_REACTIVATED,
)
def reactivate_user(ctx: Context, user_id: UUID) -> User:
    """Lets a deactivated user back in."""
    user = users.get(ctx.organization, user_id)
    _require_owner_for(ctx, user.role)
    if user.is_active:
        raise invalid_state("the user is active already")
    return users.update(ctx.unit, user, {"is_active": True})


def _mail_invitation(ctx: Context, user: StoredUser) -> None:
    users.count_invitation(ctx.unit, ctx.user)
    mail_limits.take_invitation(ctx.limits, ctx.unit, user.email, ctx.principal.organization.subscription_tier)
    outbox.enqueue(ctx.unit, Template.INVITATION, user.email, user.id, requested_by=ctx.actor)


def _delete(ctx: Context, user: StoredUser) -> None:
    users.delete(ctx.unit, user)
    credentials.release(ctx.unit, user.email, user.id)
    # Cached results name the users that they are grouped by.
    for source in SOURCES.values():
        if any(field.entity == users.USERS.entity for field in source.fields.values()):
            cache.bump(ctx.unit, source.name)


def _another(ctx: Context, user_id: UUID, refusal: str = "nobody deactivates or demotes themselves") -> StoredUser:
    if user_id == ctx.user.id:
        raise forbidden(refusal)
    return users.get(ctx.organization, user_id)


def _require_owner_for(ctx: Context, *roles: Role) -> None:
    if Role.OWNER in roles:
        ctx.principal.require(Permission.ORGANIZATION_GOVERN, "only an OWNER decides who is an OWNER")
