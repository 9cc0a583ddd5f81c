"""ETags: the entity's version, and a digest of what was shown of it."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from chalicelib.core.errors import invalid_field

_ETAG = re.compile(r'\s*(?:W/)?"([^"]*)"\s*(?:,|$)')


def etag_of(data: Any) -> str | None:
    """None for what has no version. The digest moves with fields, such as counts, that the version does not cover."""
    if not isinstance(data, dict) or not isinstance(data.get("version"), int):
        return None
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]
    return f'"{data["version"]}-{digest}"'


def matches(if_none_match: str | None, etag: str | None) -> bool:
    """Weak comparison, as RFC 9110 has it for `If-None-Match`."""
    if if_none_match is None or etag is None:
        return False
    return if_none_match.strip() == "*" or etag.strip('"') in _ETAG.findall(if_none_match)


def expected_versions(if_match: str | None) -> frozenset[int] | None:
    """The versions that `If-Match` allows, None for any. A tag that was never ours matches nothing."""
    if if_match is None or if_match.strip() == "*":
        return None
    tags = _ETAG.findall(if_match)
    if not tags:
        raise invalid_field("If-Match", 'must be * or entity tags such as "3-5feceb66ffc86f38"')
    versions = (tag.partition("-")[0] for tag in tags)
    return frozenset(int(version) for version in versions if version.isdecimal() and len(version) < 10)
