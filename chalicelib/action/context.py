"""The context of a server action: the request, the caller, the unit of work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.auth import sessions
from chalicelib.auth.principal import Principal
from chalicelib.auth.rate_limits import RequestLimits
from chalicelib.auth.sessions import OpenedSession
from chalicelib.core import clock
from chalicelib.core.ids import NO_ORGANIZATION, OrganizationId
from chalicelib.dal.cursors import Cursors
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.models.audit import Actor
from chalicelib.models.users import StoredUser


@dataclass(frozen=True)
class Request:
    """One HTTP request, the same for every server."""

    id: str
    source: str
    """The caller's IP address."""
    server: str
    """Path in front of the API's own paths: `/`, or a gateway's stage."""
    headers: Mapping[str, str]
    """Headers by lower-case name."""
    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    body: bytes

    @property
    def user_agent(self) -> str | None:
        return self.headers.get("user-agent")


@dataclass
class PublicContext:
    """The context of a public action, which chooses through `begin` the organization that it writes in."""

    request: Request
    limits: RequestLimits = field(default_factory=RequestLimits)
    digest: bytes = b""
    """The same for all repetitions of a request, and for no other request."""
    unit: UnitOfWork = field(default_factory=lambda: UnitOfWork(NO_ORGANIZATION))
    opened: OpenedSession | None = None
    actor: Actor = field(default_factory=lambda: Actor(name="nobody signed in"))

    def begin(self, organization: OrganizationId) -> UnitOfWork:
        self.unit = UnitOfWork(organization)
        return self.unit

    def open_session(self, user: StoredUser, *, is_target: bool = False) -> OpenedSession:
        """Signs the user in as part of the unit, and makes them the actor of the request."""
        self.opened = sessions.open_session(self.unit, user, self.request.user_agent, is_target=is_target)
        self.actor = Actor.of(user)
        return self.opened


@dataclass
class Context:
    """The context of a signed-in caller. The organization comes only from here."""

    request: Request
    principal: Principal
    unit: UnitOfWork
    action: str
    query_fingerprint: str
    """The filters of a list request: a cursor serves only the list and filters it was made for."""
    limits: RequestLimits = field(default_factory=RequestLimits)
    digest: bytes = b""
    """The same for all repetitions of a request, and for no other request."""
    now: datetime = field(default_factory=clock.now)
    """The one instant at which the request looks at everything whose state depends on time."""

    @property
    def organization(self) -> OrganizationId:
        return self.principal.tenant

    @property
    def user(self) -> StoredUser:
        return self.principal.user

    @property
    def actor(self) -> Actor:
        return Actor.of(self.principal.user)

    @property
    def cursors(self) -> Cursors:
        secret = bytes.fromhex(self.principal.organization.cursor_secret)
        return Cursors(secret, f"{self.action}?{self.query_fingerprint}")


AnyContext = Context | PublicContext
