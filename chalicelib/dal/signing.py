"""Signature Version 4 of requests to DynamoDB (docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html)."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

_ALGORITHM = "AWS4-HMAC-SHA256"
_SERVICE = "dynamodb"


class Credentials(NamedTuple):
    access_key: str
    secret_key: str
    token: str | None
    """The token of a session; None for a user's own keys."""


def signed(
    headers: dict[str, str], body: bytes, credentials: Credentials, region: str, now: datetime
) -> dict[str, str]:
    """Return the headers of `POST /` with date, token and signature. `headers`: by lower-case names, `host` too."""
    time = f"{now:%Y%m%dT%H%M%SZ}"
    all_headers = {**headers, "x-amz-date": time}
    if credentials.token is not None:
        all_headers["x-amz-security-token"] = credentials.token
    names = sorted(all_headers)
    canonical = "".join(f"{name}:{all_headers[name]}\n" for name in names)
    signed_names = ";".join(names)
    request = f"POST\n/\n\n{canonical}\n{signed_names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{time[:8]}/{region}/{_SERVICE}/aws4_request"
    text = f"{_ALGORITHM}\n{time}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = _hmac(_key(credentials.secret_key, time[:8], region), text).hex()
    authorization = (
        f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={signed_names}, Signature={signature}"
    )
    return {**all_headers, "authorization": authorization}


# One key holds for a day; two for the hours in which clocks and credentials change.
@lru_cache(maxsize=2)
def _key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, _SERVICE, "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
