"""Headers for the treatment of answers by browsers and caches: the app's, the gateway's own and the local pages'."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence

SECURITY_HEADERS: Mapping[str, str] = {
    # Tokens and personal data must not be stored anywhere; cacheable answers carry a header of their own.
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer that sets none of its own."""

ANYBODYS = "public, max-age=3600"
"""Cache-Control of answers that are the same for everybody and change with a release."""
REVALIDATED = "private, no-cache"
"""Cache-Control of answers with an ETag: stored by the caller alone, and validated before each use."""


def page_policy(*, scripts: Sequence[str] = (), styles: Sequence[str] = (), **sources: str) -> str:
    """Return the Content-Security-Policy of a page with these inline scripts and styles, and no others.

    `sources`: further directives, such as `img_src="data:"`.
    """
    directives = {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        **{name.replace("_", "-"): value for name, value in sources.items()},
    }
    for name, texts in (("script-src", scripts), ("style-src", styles)):
        if texts:
            directives[name] = " ".join(map(_hash, texts))
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
