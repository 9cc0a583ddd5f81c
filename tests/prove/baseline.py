"""The table before the clients started: the organization and its users."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tests.prove import layout
from tests.support.store import Snapshot


@dataclass(frozen=True)
class Baseline:
    versions: dict[layout.EntityKey, int]
    kinds: Counter[str]
    """Kind to number of items."""

    @classmethod
    def of(cls, snapshot: Snapshot) -> Baseline:
        versions = {key: layout.version_of(item) for key, item in layout.entities(snapshot).items()}
        return cls(versions, layout.kinds(snapshot))
