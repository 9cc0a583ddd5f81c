"""The roster of a worker or position: what its assignments come to, kept beside the entity in their transactions.

It answers exactly, at any instant and at no further read, what no index could: whether anything is active or scheduled
(so a delete cannot race with a new assignment), and how many hours are planned.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pynamodb.expressions.condition import Condition

from chalicelib.core import clock
from chalicelib.core.contracts import Contract
from chalicelib.dal.table import Item

WITHOUT_END = "open"


class Roster(Contract):
    changes: int = 0
    """Moves with every change: what was read is still so while it has not moved."""
    milliseconds: int = 0
    """Of all assignments with an end that are not cancelled; only on workers."""
    ends: dict[str, int] = {}
    """How many assignments, cancelled ones aside, end at which instant; past ones may be missing."""
    spans: dict[str, int] = {}
    """How many assignments, cancelled ones aside, lie on each lane of the timeline."""

    def live(self, now: datetime) -> int:
        """How many are active or scheduled."""
        since = clock.to_text(now)
        return sum(count for end, count in self.ends.items() if end == WITHOUT_END or end > since)

    @property
    def is_unchanged(self) -> Condition:
        return Item.roster["changes"] == self.changes


def new_roster() -> dict[str, Any]:
    """The attribute of a new entity: its maps are there to be counted in."""
    return Roster().model_dump()
