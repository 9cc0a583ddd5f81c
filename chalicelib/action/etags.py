"""ETags of answers, and the headers that compare them; `core/entity_tags.py` has their parts."""

from __future__ import annotations

import json
import re
from typing import Any

from chalicelib.core.entity_tags import full_tag
from chalicelib.core.errors import invalid_field

MAX_LENGTH = 255
"""Characters of `If-Match` and `If-None-Match`: eight tags."""
_TAG = '(?:W/)?"[!#-~]*"'
PATTERN = f"^(?:\\*|{_TAG}(?: *, *{_TAG})*)$"
"""`If-Match` and `If-None-Match` as RFC 9110 writes them; the OpenAPI document shows the same."""
_HEADER = re.compile(PATTERN)
_OPAQUE = re.compile('"([!#-~]*)"')


def etag_of(data: Any, entity_field: str = "") -> str | None:
    """Return the ETag, None without a version. `entity_field`: the field that has the entity; none: all of the data."""
    entity = data.get(entity_field) if isinstance(data, dict) and entity_field else data
    if not isinstance(entity, dict) or not isinstance(entity.get("version"), int):
        return None
    return f'"{full_tag(entity["version"], entity.get("updatedAt"), json.dumps(data, sort_keys=True))}"'


def matches(if_none_match: str | None, etag: str | None) -> bool:
    """Weak comparison, as RFC 9110 has it for `If-None-Match`."""
    if if_none_match is None or etag is None:
        return False
    tags = _tags(if_none_match, "If-None-Match")
    return tags is None or etag.strip('"') in tags


def expected_tags(if_match: str | None) -> frozenset[str] | None:
    """The tags that `If-Match` allows, None for any. One that was weakened under way is as good."""
    tags = None if if_match is None else _tags(if_match, "If-Match")
    return None if tags is None else frozenset(tags)


def _tags(header: str, name: str) -> list[str] | None:
    """Return the tags in a header without quotes, None for `*`."""
    header = header.strip(" \t")
    # The length first: a header that is read character by character is short.
    if len(header) > MAX_LENGTH:
        raise invalid_field(name, f"must have at most {MAX_LENGTH} characters")
    if not _HEADER.fullmatch(header):
        raise invalid_field(name, 'must be * or entity tags such as "3-1b4f0e985feceb66ffc86f38"')
    return None if header == "*" else _OPAQUE.findall(header)
