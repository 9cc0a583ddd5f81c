"""Entity tags: the part of an ETag that follows from the stored entity alone, so that a write can compare it.

An ETag is `"<version>-<stamp><digest>"`. The stamp is of the version and the time of the last change. The digest is of
all that the answer shows, counts and sums among it, which move without a change of the entity: it decides about
`If-None-Match`, and no write is refused for it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from chalicelib.core import clock

_STAMP_DIGITS = 8
_DIGEST_DIGITS = 16


def full_tag(version: int, updated_at: str | None, shown: str) -> str:
    """Return the tag of an answer, without quotes. `shown`: its data as text."""
    return _stamped(version, updated_at) + _hash(shown, _DIGEST_DIGITS)


def is_tag_of(tag: str, version: int, updated_at: datetime | None) -> bool:
    """Return True for a tag of the entity as it is, and for its version alone, which lists show.

    `updated_at`: as reads show it. Without, the version of a tag decides.
    """
    if tag == str(version):
        return True
    stamped = f"{version}-" if updated_at is None else _stamped(version, clock.to_text(updated_at))
    return tag.startswith(stamped) and len(tag) == len(f"{version}-") + _STAMP_DIGITS + _DIGEST_DIGITS


def _stamped(version: int, updated_at: str | None) -> str:
    return f"{version}-{_hash(f'{version} {updated_at}', _STAMP_DIGITS)}"


def _hash(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
