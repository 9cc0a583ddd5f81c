"""The audit entries of one write: its own, and those of its chunks or of the action that it runs."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.action.registry import Action
from tests.support.store import Change, audit_entries

Entry = dict[str, Any]

WITH_OTHERS = {"executeQuickAction", "stopTimer"}


class Entries(NamedTuple):
    own: Entry
    """The entry with the action's own event."""
    others: list[Entry]
    """Entries of a chunked action, of one that runs another one, or of a timer that becomes a session."""

    @property
    def about_one_entity(self) -> list[Entry]:
        """The entries about single entities: the own entry of such an action has only the total."""
        return self.others or [self.own]


def entries_of(action: Action, changes: dict[tuple[str, str], Change]) -> Entries:
    """Return the entries of a write that ran once."""
    entries = audit_entries(changes)
    own = [entry for entry in entries if entry["action"] == action.audit]
    others = [entry for entry in entries if entry["action"] != action.audit]
    assert len(own) == 1, f"{action.name} wrote {len(own)} audit entries of its own"
    may_have_others = action.is_in_parts or action.name in WITH_OTHERS
    assert may_have_others or not others, f"{action.name} wrote {len(others)} entries of other events"
    return Entries(own[0], others)
