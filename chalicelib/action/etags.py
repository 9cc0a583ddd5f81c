"""ETags: the entity's version, and a digest of the fields shown."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from chalicelib.core.errors import invalid_field

MAX_LENGTH = 255
"""Characters of `If-Match` and `If-None-Match`: eight tags."""
_TAG = '(?:W/)?"[!#-~]*"'
PATTERN = f"^(?:\\*|{_TAG}(?: *, *{_TAG})*)$"
"""`If-Match` and `If-None-Match` as RFC 9110 writes them; the OpenAPI document shows the same."""
_HEADER = re.compile(PATTERN)
_OPAQUE = re.compile('"([!#-~]*)"')


def etag_of(data: Any) -> str | None:
    """Return the ETag, None without a version. The digest covers fields, such as counts, that move no version."""
    if not isinstance(data, dict) or not isinstance(data.get("version"), int):
        return None
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]
    return f'"{data["version"]}-{digest}"'


def matches(if_none_match: str | None, etag: str | None) -> bool:
    """Weak comparison, as RFC 9110 has it for `If-None-Match`."""
    if if_none_match is None or etag is None:
        return False
    tags = _tags(if_none_match, "If-None-Match")
    return tags is None or etag.strip('"') in tags


def expected_versions(if_match: str | None) -> frozenset[int] | None:
    """The versions that `If-Match` allows, None for any. A tag that was never ours matches nothing."""
    tags = None if if_match is None else _tags(if_match, "If-Match")
    if tags is None:
        return None
    versions = (tag.partition("-")[0] for tag in tags)
    return frozenset(int(version) for version in versions if version.isdecimal() and len(version) < 10)


def _tags(header: str, name: str) -> list[str] | None:
    """Return the tags in a header without quotes, None for `*`."""
    header = header.strip(" \t")
    # The length first: a header that is read character by character is short.
    if len(header) > MAX_LENGTH:
        raise invalid_field(name, f"must have at most {MAX_LENGTH} characters")
    if not _HEADER.fullmatch(header):
        raise invalid_field(name, 'must be * or entity tags such as "3-5feceb66ffc86f38"')
    return None if header == "*" else _OPAQUE.findall(header)
