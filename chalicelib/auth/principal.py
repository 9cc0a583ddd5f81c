"""The caller of an authenticated action, loaded in one strongly consistent batch read."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.auth.permissions import PERMISSIONS, Permission
from chalicelib.auth.tokens import Token
from chalicelib.core import clock
from chalicelib.core.errors import ActionError, ErrorCode, forbidden
from chalicelib.core.ids import OrganizationId
from chalicelib.core.observability import emit, logger
from chalicelib.dal.keys import Key
from chalicelib.models import sleep
from chalicelib.models.identity import callers, sessions
from chalicelib.models.identity.sessions import StoredSession
from chalicelib.models.organizations import StoredOrganization
from chalicelib.models.users import StoredUser

_SEEN_EVERY = timedelta(minutes=15)
"""Precision of `lastSeenAt`: one write in this time, instead of one a request."""


@dataclass(frozen=True)
class Principal:
    organization: StoredOrganization
    user: StoredUser
    session: StoredSession

    @property
    def tenant(self) -> OrganizationId:
        return self.organization.tenant

    @property
    def permissions(self) -> frozenset[Permission]:
        return PERMISSIONS[self.user.role]

    @property
    def sees_money(self) -> bool:
        """Return True for those who may read rates: nobody else sees the amounts that follow from them."""
        return Permission.RATES_MANAGE in self.permissions

    def require(self, permission: Permission, message: str | None = None) -> None:
        if permission not in self.permissions:
            raise forbidden(message or f"the role {self.user.role} lacks the permission {permission}")


class SessionEnded(ActionError):
    """The token is genuine and its session has ended; `principal` is whose it was."""

    def __init__(self, principal: Principal) -> None:
        super().__init__(ErrorCode.SESSION_EXPIRED, "the session has ended; sign in again")
        self.principal = principal


def authenticate(authorization: str | None, ahead: Callable[[Token], Iterable[Key]] = lambda _: ()) -> Principal:
    """Read the caller from the `Authorization` header. NOT_AUTHENTICATED, SESSION_EXPIRED, FORBIDDEN if deactivated.

    `ahead`: keys in the token's organization that the request reads next, which come in the same round trip.
    """
    scheme, _, text = (authorization or "").strip().partition(" ")
    token = Token.parse(text.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        raise _not_authenticated()
    caller = callers.load(token.organization, token.user, token.session, ahead(token))
    if caller is None or not any(hmac.compare_digest(known, token.hash) for known in caller.session.token_hashes):
        raise _not_authenticated()
    principal = Principal(*caller)
    if not principal.user.is_active:
        raise forbidden("this user is deactivated")
    if not principal.session.is_live(principal.user):
        raise SessionEnded(principal)
    if principal.session.last_seen_at < clock.now() - _SEEN_EVERY:
        # The session last: were this cut off in between, the next request would note both.
        sleep.note_use(token.organization)
        sessions.touch(token.organization, principal.session)
    _wake(principal.organization)
    return principal


def _wake(organization: StoredOrganization) -> None:
    if organization.sleep is None or organization.sleep.is_waking:
        return
    if sleep.wake(organization, organization.sleep):
        logger.info("organization wakes", extra={"organization_id": str(organization.id)})
        emit({"job": "sleep"}, WokenOrganizations=1)


def _not_authenticated() -> ActionError:
    return ActionError(ErrorCode.NOT_AUTHENTICATED, "sign in and send `Authorization: Bearer <token>`")
