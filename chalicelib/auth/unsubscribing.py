"""Links that end a mail without a sign-in: the address and a signature that only our own mails have (RFC 8058)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import urlencode
from uuid import UUID

from chalicelib.core.settings import settings
from chalicelib.models.organizations import StoredOrganization

PATH = "/mail/unsubscribe"
_SIGNATURE_BYTES = 16


def token(organization: StoredOrganization, user: UUID, email: str) -> str:
    """Return the signature of an address. It does not expire: a mail may be old when its reader has had enough."""
    message = f"unsubscribe weekly report\0{user}\0{email}".encode()
    signature = hmac.digest(bytes.fromhex(organization.cursor_secret), message, hashlib.sha256)[:_SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


def is_token(text: str, organization: StoredOrganization, user: UUID, email: str) -> bool:
    return hmac.compare_digest(text.encode(), token(organization, user, email).encode())


def headers(organization: StoredOrganization, user: UUID, email: str) -> dict[str, str]:
    """Return the mail headers by which mail programs offer to unsubscribe with one click."""
    # Encoded, so that no address can break out of the header.
    query = urlencode({"email": email, "token": token(organization, user, email)})
    return {
        "List-Unsubscribe": f"<{settings().api_url}/api/v1{PATH}?{query}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
