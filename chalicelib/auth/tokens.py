"""Session tokens: opaque to callers; 256 random bits, and the ids that make the keys of session and user."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import NamedTuple, Self
from uuid import UUID

from chalicelib.core.ids import OrganizationId

_PREFIX = "wl_"
_SECRET_BYTES = 32
_ID_BYTES = 16


class Token(NamedTuple):
    organization: OrganizationId
    user: UUID
    session: UUID
    secret: bytes

    @classmethod
    def new(cls, organization: OrganizationId, user: UUID, session: UUID) -> Self:
        return cls(organization, user, session, secrets.token_bytes(_SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for a text that no token has. The ids are claims until the secret is verified."""
        try:
            raw = base64.b64decode(text.removeprefix(_PREFIX), altchars=b"-_", validate=True)
        except ValueError:
            return None
        if not text.startswith(_PREFIX) or len(raw) != 3 * _ID_BYTES + _SECRET_BYTES:
            return None
        organization, user, session = (
            UUID(bytes=raw[start : start + _ID_BYTES]) for start in range(0, 3 * _ID_BYTES, _ID_BYTES)
        )
        return cls(OrganizationId(organization), user, session, raw[3 * _ID_BYTES :])

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.secret).hexdigest()

    def __str__(self) -> str:
        raw = self.organization.bytes + self.user.bytes + self.session.bytes + self.secret
        return _PREFIX + base64.urlsafe_b64encode(raw).decode()

    def __repr__(self) -> str:
        return f"Token(session={self.session})"
