"""Signing up, in and out; own sessions, profile, password and preferences."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from pydantic import SecretStr

from chalicelib.action.context import AnyContext, Context, PublicContext
from chalicelib.action.registry import action
from chalicelib.auth import codes, mail_limits, passwords
from chalicelib.auth.permissions import PUBLIC, Permission
from chalicelib.auth.rate_limits import (
    HASHES,
    PASSWORD_CHANGES,
    REPETITIONS,
    RESET_MAILS,
    RESET_MAILS_OF_SOURCE,
    SIGN_INS,
    SIGN_UPS,
    of_source,
)
from chalicelib.core import clock
from chalicelib.core.contracts import CursorPage, CursorQuery, Success
from chalicelib.core.errors import ActionError, ErrorCode, forbidden, invalid_field, invalid_state
from chalicelib.core.observability import logger
from chalicelib.dal import limits
from chalicelib.dal.collection import is_deleted
from chalicelib.dal.limits import Usage
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models import organizations, outbox, users
from chalicelib.models.audit import Actor, AuditEvent
from chalicelib.models.dashboards import metric_states
from chalicelib.models.identity import credentials, sessions
from chalicelib.models.identity.credentials import CodePurpose, Credential
from chalicelib.models.identity.sessions import ListedSession
from chalicelib.models.outbox import Template
from chalicelib.models.time.projects import PROJECTS
from chalicelib.models.users import Role, StoredUser, User
from chalicelib.modules.auth.contracts import (
    AcceptInvitation,
    ConfirmEmail,
    ConfirmResetPassword,
    CurrentUser,
    Profile,
    ResetPassword,
    SignedIn,
    SignedUp,
    SignIn,
    SignUp,
    UpdatePassword,
    UpdatePreferences,
    UpdateProfile,
    UserPreferences,
    UserRole,
)

# -- public ----------------------------------------------------------------------------------------------------------


@action(
    "signUp",
    "POST /auth/sign-up",
    permission=PUBLIC,
    audit=AuditEvent.ORGANIZATION_CREATED,
    status=201,
    errors=(ErrorCode.DUPLICATE_ENTRY,),
    limits=(HASHES, SIGN_UPS, REPETITIONS),
)
def sign_up(ctx: PublicContext, data: SignUp) -> SignedUp:
    """Creates an organization with its OWNER, and signs them in: all or nothing. Mails a code for `confirmEmail`."""
    password = passwords.require_acceptable(data.password, data.email, "password")
    owner = StoredUser.new(
        email=data.email,
        first_name=data.first_name,
        last_name=data.last_name,
        role=Role.OWNER,
        accepted_at=clock.now(),
    )
    organization = organizations.new_organization(name=data.organization_name)
    unit = ctx.begin(organization.tenant)
    sources = of_source(ctx.request.source, SIGN_UPS, HASHES)
    usages = limits.load(*sources, *mail_limits.confirmations(data.email))
    by_source, mails = usages[: len(sources)], usages[len(sources) :]
    # Counted with the organization: neither a repetition nor a refused sign-up makes one.
    for usage in by_source[:1]:
        ctx.limits.take_in(unit, usage)
    ctx.limits.take(*by_source[1:])
    credentials.take(unit, data.email, owner.id, passwords.hash_secret(password))
    organization = organizations.create(unit, organization, users.founding_counts(owner))
    users.create_founder(unit, owner)
    metric_states.begin(unit, clock.now())
    _mail_confirmation(unit, owner, mails)
    opened = ctx.open_session(owner)
    return SignedUp(token=opened.token, expires_at=opened.expires_at, user=owner, organization=organization)


@action(
    "signIn",
    "POST /auth/sign-in",
    permission=PUBLIC,
    audit=AuditEvent.SIGNED_IN,
    errors=(ErrorCode.INVALID_CREDENTIALS, ErrorCode.FORBIDDEN),
    limits=(SIGN_INS, HASHES, REPETITIONS),
)
def sign_in(ctx: PublicContext, data: SignIn) -> SignedIn:
    """Opens a session. A wrong password and an unknown address get the same words after the same time."""
    failures = SIGN_INS.of_address(data.email)
    credential, usages = credentials.get_with_usages(data.email, failures, *of_source(ctx.request.source, HASHES))
    ctx.limits.take(*usages)
    password = data.password.get_secret_value()
    if not passwords.verify(credential.password_hash if credential else None, password) or credential is None:
        raise ActionError(ErrorCode.INVALID_CREDENTIALS, "wrong e-mail address or password")
    ctx.limits.prove(failures)
    user = users.get(credential.tenant, credential.user_id)
    if not user.is_active:
        raise forbidden("this user is deactivated")
    unit = ctx.begin(credential.tenant)
    if credential.password_hash and passwords.needs_rehash(credential.password_hash):
        credentials.rehash_password(unit, credential, passwords.hash_secret(password))
    else:
        credentials.require_unchanged(unit, credential)
    ctx.limits.forget(unit, failures)
    opened = ctx.open_session(user, is_target=True)
    return SignedIn(token=opened.token, expires_at=opened.expires_at, user=user)


@action(
    "resetPassword",
    "POST /auth/reset-password",
    permission=PUBLIC,
    audit=AuditEvent.PASSWORD_RESET_REQUESTED,
    limits=(RESET_MAILS, RESET_MAILS_OF_SOURCE),
)
def reset_password(ctx: PublicContext, data: ResetPassword) -> Success:
    """Mails a code to the address, if it is known. The answer and its time are the same if it is not."""
    credential, usages = credentials.get_with_usages(
        data.email, RESET_MAILS.of_address(data.email), *of_source(ctx.request.source, RESET_MAILS_OF_SOURCE)
    )
    has_room = all(usage.left for usage in usages)
    is_mailed = has_room and credential is not None and credential.password_hash is not None
    unit = ctx.begin(credential.tenant) if is_mailed and credential else ctx.unit
    for usage in usages:
        # A mail too many is answered as any other; it is not sent.
        if has_room:
            ctx.limits.take_in(unit, usage)
        else:
            ctx.limits.note(usage)
    if is_mailed and credential:
        outbox.enqueue(unit, Template.PASSWORD_RESET, credential.email, credential.user_id)
        unit.audit_target("user", credential.user_id, {}, {})
    else:
        logger.info("no reset mail: too many, no such address, or the invitation is still open")
        credentials.write_decoys(unit, data.email)
    return Success()


@action(
    "confirmResetPassword",
    "POST /auth/reset-password/confirm",
    permission=PUBLIC,
    audit=AuditEvent.PASSWORD_RESET,
    limits=(HASHES, REPETITIONS),
)
def confirm_reset_password(ctx: PublicContext, data: ConfirmResetPassword) -> Success:
    """Sets a new password with the mailed code, and ends every session of the user. It confirms their address, too."""
    password = passwords.require_acceptable(data.new_password, data.email, "newPassword")
    credential = _with_code(ctx, data.email, CodePurpose.RESET, data.code)
    user = users.get(credential.tenant, credential.user_id)
    unit = ctx.begin(credential.tenant)
    credentials.set_password(unit, credential, passwords.hash_secret(password), consuming=CodePurpose.RESET)
    users.update(unit, user, {"session_epoch": user.session_epoch + 1, "email_confirmed": True})
    ctx.limits.forget(unit, SIGN_INS.of_address(data.email))
    ctx.actor = Actor.of(user)
    return Success()


@action(
    "acceptInvitation",
    "POST /auth/invitation/accept",
    permission=PUBLIC,
    audit=AuditEvent.INVITATION_ACCEPTED,
    errors=(ErrorCode.FORBIDDEN,),
    limits=(HASHES, REPETITIONS),
)
def accept_invitation(ctx: PublicContext, data: AcceptInvitation) -> SignedIn:
    """Chooses a password with the mailed code, and signs in. It confirms the address, too."""
    password = passwords.require_acceptable(data.password, data.email, "password")
    credential = _with_code(ctx, data.email, CodePurpose.INVITATION, data.code)
    invited = users.get(credential.tenant, credential.user_id)
    if not invited.is_active:
        raise forbidden("this user is deactivated")
    unit = ctx.begin(credential.tenant)
    credentials.set_password(unit, credential, passwords.hash_secret(password), consuming=CodePurpose.INVITATION)
    user = users.update(unit, invited, {"accepted_at": clock.now(), "email_confirmed": True})
    opened = ctx.open_session(user)
    return SignedIn(token=opened.token, expires_at=opened.expires_at, user=user)


def _with_code(ctx: AnyContext, email: str, purpose: CodePurpose, code: SecretStr) -> Credential:
    credential, usages = credentials.get_with_usages(email, *of_source(ctx.request.source, HASHES))
    ctx.limits.take(*usages)
    return codes.require_right(credential, email, purpose, code, ctx.digest)


# -- own sessions ----------------------------------------------------------------------------------------------------


@action("signOut", "POST /auth/sign-out", permission=Permission.SELF, audit=AuditEvent.SIGNED_OUT)
def sign_out(ctx: Context) -> Success:
    """Ends this session: its token stops working at once."""
    sessions.revoke(ctx.unit, ctx.principal.session)
    return Success()


@action("listSessions", "GET /auth/sessions", permission=Permission.SELF)
def list_sessions(ctx: Context, data: CursorQuery) -> CursorPage[ListedSession]:
    """The caller's open sessions, newest first."""
    return sessions.list_live(
        ctx.organization, ctx.user, ctx.principal.session.id, ctx.cursors, cursor=data.cursor, limit=data.limit
    )


@action("revokeSession", "DELETE /auth/sessions/{id}", permission=Permission.SELF, audit=AuditEvent.SESSION_REVOKED)
def revoke_session(ctx: Context, id_: UUID) -> Success:
    """Ends one of the caller's sessions."""
    sessions.revoke(ctx.unit, sessions.get(ctx.organization, ctx.user, id_))
    return Success()


@action(
    "revokeOtherSessions", "DELETE /auth/sessions", permission=Permission.SELF, audit=AuditEvent.OTHER_SESSIONS_REVOKED
)
def revoke_other_sessions(ctx: Context) -> Success:
    """Ends all sessions of the caller but this one."""
    _end_other_sessions(ctx)
    return Success()


# -- oneself ---------------------------------------------------------------------------------------------------------


@action("getCurrentUser", "GET /auth/me", permission=Permission.SELF)
def get_current_user(ctx: Context) -> CurrentUser:
    """The caller's user and organization, and their permissions."""
    return CurrentUser(
        user=ctx.user,
        profile=Profile(
            first_name=ctx.user.first_name,
            last_name=ctx.user.last_name,
            full_name=ctx.user.full_name,
            preferences=ctx.user.preferences,
        ),
        organization=ctx.principal.organization,
        role=ctx.user.role,
        email_confirmed=ctx.user.email_confirmed,
        permissions=sorted(ctx.principal.permissions),
    )


@action("getUserRole", "GET /auth/role", permission=Permission.SELF)
def get_user_role(ctx: Context) -> UserRole:
    """The caller's role."""
    return UserRole(role=ctx.user.role)


@action("updateProfile", "PATCH /auth/me", permission=Permission.SELF, audit=AuditEvent.PROFILE_UPDATED)
def update_profile(ctx: Context, data: UpdateProfile) -> User:
    """Changes the caller's own name."""
    return users.update(ctx.unit, ctx.user, data.changes())


@action(
    "updatePassword",
    "POST /auth/password",
    permission=Permission.SELF,
    audit=AuditEvent.PASSWORD_CHANGED,
    errors=(ErrorCode.INVALID_CREDENTIALS,),
    limits=(PASSWORD_CHANGES, HASHES, REPETITIONS),
    replays_first=True,
)
def update_password(ctx: Context, data: UpdatePassword) -> Success:
    """Changes the caller's password and ends their other sessions."""
    failures = PASSWORD_CHANGES.of_address(ctx.user.email)
    credential, usages = credentials.get_with_usages(ctx.user.email, failures, *of_source(ctx.request.source, HASHES))
    ctx.limits.take(*usages)
    current = data.current_password.get_secret_value()
    if credential is None or not passwords.verify(credential.password_hash, current):
        raise ActionError(ErrorCode.INVALID_CREDENTIALS, "the current password is wrong")
    ctx.limits.prove(failures)
    password = passwords.require_acceptable(data.new_password, ctx.user.email, "newPassword")
    if password == current:
        raise invalid_field("newPassword", "must differ from the current password")
    ctx.limits.forget(ctx.unit, failures)
    credentials.set_password(ctx.unit, credential, passwords.hash_secret(password))
    _end_other_sessions(ctx)
    return Success()


@action(
    "confirmEmail",
    "POST /auth/email/confirm",
    permission=Permission.SELF,
    audit=AuditEvent.EMAIL_CONFIRMED,
    limits=(HASHES, REPETITIONS),
)
def confirm_email(ctx: Context, data: ConfirmEmail) -> Success:
    """Confirms with the mailed code that the caller's e-mail address is theirs."""
    if ctx.user.email_confirmed:
        raise _confirmed_already()
    credential = _with_code(ctx, ctx.user.email, CodePurpose.CONFIRMATION, data.code)
    credentials.use_code(ctx.unit, credential, CodePurpose.CONFIRMATION)
    users.update(ctx.unit, ctx.user, {"email_confirmed": True})
    return Success()


@action(
    "resendConfirmation",
    "POST /auth/email/resend",
    permission=Permission.SELF,
    audit=AuditEvent.EMAIL_CONFIRMATION_RESENT,
    limits=mail_limits.CONFIRMATION_LIMITS,
)
def resend_confirmation(ctx: Context) -> Success:
    """Mails the caller another code for their address; the earlier one ends. One mail in five minutes, five a day."""
    if ctx.user.email_confirmed:
        raise _confirmed_already()
    for usage in limits.load(*mail_limits.confirmations(ctx.user.email)):
        ctx.limits.take_in(ctx.unit, usage)
    outbox.enqueue(ctx.unit, Template.EMAIL_CONFIRMATION, ctx.user.email, ctx.user.id)
    users.require_unchanged(ctx.unit, ctx.user)
    return Success()


def _mail_confirmation(unit: UnitOfWork, owner: StoredUser, usages: Sequence[Usage]) -> None:
    """Mail a code with the sign-up. A mail too many, to an address that was deleted and signed up anew, is left out."""
    if not all(usage.left for usage in usages):
        logger.info("no confirmation mail: too many to its address")
        return
    for usage in usages:
        limits.take_in(unit, usage)
    outbox.enqueue(unit, Template.EMAIL_CONFIRMATION, owner.email, owner.id)


def _confirmed_already() -> ActionError:
    return invalid_state("the e-mail address is confirmed already")


@action("getPreferences", "GET /auth/me/preferences", permission=Permission.SELF)
def get_preferences(ctx: Context) -> UserPreferences:
    """The caller's preferences; null time zone and week start mean the organization's."""
    return _preferences(ctx.user)


@action(
    "updatePreferences", "PATCH /auth/me/preferences", permission=Permission.SELF, audit=AuditEvent.PREFERENCES_UPDATED
)
def update_preferences(ctx: Context, data: UpdatePreferences) -> UserPreferences:
    """Changes the caller's preferences."""
    changes = data.changes()
    if changes.get("default_project_id") is not None:
        _require_project(ctx, changes["default_project_id"])
    if "notifications" in changes:
        changes["notifications"] = ctx.user.preferences.notifications.model_copy(
            update=changes["notifications"].changes()
        )
    preferences = ctx.user.preferences.model_copy(update=changes)
    return _preferences(users.update(ctx.unit, ctx.user, {"preferences": preferences}))


def _require_project(ctx: Context, identifier: UUID) -> None:
    project = PROJECTS.get_many(ctx.organization, [identifier]).get(identifier)
    if project is None or is_deleted(project):
        raise invalid_field("defaultProjectId", "is not a project of the organization")


def _preferences(user: StoredUser) -> UserPreferences:
    return UserPreferences(**dict(user.preferences), version=user.version, updated_at=user.updated_at)


def _end_other_sessions(ctx: Context) -> None:
    """One step of the user's session epoch ends all sessions, however many; this one is carried over."""
    epoch = ctx.user.session_epoch + 1
    users.update(ctx.unit, ctx.user, {"session_epoch": epoch})
    sessions.carry_over(ctx.unit, ctx.principal.session, epoch)
