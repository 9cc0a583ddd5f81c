"""The audit entries of one write: its own, and those of its parts."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.action.registry import Action
from tests.support.store import Change, audit_entries

Entry = dict[str, Any]


class Entries(NamedTuple):
    own: Entry
    """The one with the action's own event."""
    of_parts: list[Entry]
    """Only of an action that is done in parts."""

    @property
    def about_one_entity(self) -> list[Entry]:
        """An action in parts tells of itself only how much it did."""
        return self.of_parts or [self.own]


def entries_of(action: Action, changes: dict[tuple[str, str], Change]) -> Entries:
    """Of a write that was carried out once."""
    entries = audit_entries(changes)
    own = [entry for entry in entries if entry["action"] == action.audit]
    others = [entry for entry in entries if entry["action"] != action.audit]
    assert len(own) == 1, f"{action.name} left {len(own)} audit entries of its own"
    assert action.is_in_parts or not others, f"{action.name} left {len(others)} entries of other events"
    return Entries(own[0], others)
