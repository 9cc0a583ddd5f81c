"""Former users: the form in which users who were deleted appear wherever others had their name."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

FIRST_NAME, LAST_NAME = "former", "user"
NAME = f"{FIRST_NAME} {LAST_NAME}"
EMAIL = ""
"""The address of a former user, where a user has to have one."""

_USER = {"firstName": FIRST_NAME, "lastName": LAST_NAME, "email": EMAIL}
_AUTHOR = {"name": NAME, "email": None}


def mask(value: Any, former: AbstractSet[str]) -> Any:
    """Return JSON values with the names and addresses of former users masked, wherever their ids are with them."""
    if isinstance(value, list):
        return [mask(element, former) for element in value]
    if not isinstance(value, Mapping):
        return value
    masked: Mapping[str, str | None] = {}
    if value.get("id") in former:
        masked = _AUTHOR if "name" in value else _USER
    return {name: masked[name] if name in masked else mask(child, former) for name, child in value.items()}
