"""Answers as they are stored for the repetitions of a request: JSON text, and the session that the request opened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from chalicelib.core import former_users


def masked(body: Mapping[str, Any], former: AbstractSet[str]) -> dict[str, Any]:
    """Return a stored answer with the names of former users masked. `former`: their ids."""
    return {**body, "data": json.dumps(former_users.mask(json.loads(body["data"]), former))} if former else dict(body)
