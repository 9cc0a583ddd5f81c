"""The audit entries of one write: its own, and those of its parts or of the action that it runs."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.action.registry import Action
from tests.support.store import Change, audit_entries

Entry = dict[str, Any]

RUNNING_ANOTHER = {"executeQuickAction"}


class Entries(NamedTuple):
    own: Entry
    """The one with the action's own event."""
    others: list[Entry]
    """Only of an action that is done in parts, or that runs another one."""

    @property
    def about_one_entity(self) -> list[Entry]:
        """Such an action tells of itself only what it ran, or how much it did."""
        return self.others or [self.own]


def entries_of(action: Action, changes: dict[tuple[str, str], Change]) -> Entries:
    """Of a write that was carried out once."""
    entries = audit_entries(changes)
    own = [entry for entry in entries if entry["action"] == action.audit]
    others = [entry for entry in entries if entry["action"] != action.audit]
    assert len(own) == 1, f"{action.name} left {len(own)} audit entries of its own"
    may_have_others = action.is_in_parts or action.name in RUNNING_ANOTHER
    assert may_have_others or not others, f"{action.name} left {len(others)} entries of other events"
    return Entries(own[0], others)
