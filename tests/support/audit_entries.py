"""The audit entries of one write: its own, and those of its chunks or of the action that it runs."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.action.registry import Action
from tests.support.exchange import is_exchange
from tests.support.store import Change, audit_entries

Entry = dict[str, Any]

WITH_OTHERS = {"executeQuickAction", "stopTimer"}


class Entries(NamedTuple):
    own: Entry
    """The entry with the action's own event."""
    others: list[Entry]
    """Entries of a chunked action, of one that runs another one, or of a timer that becomes a session."""
    signed: list[Entry]
    """Entries in the log of a loan's other side."""

    @property
    def about_one_entity(self) -> list[Entry]:
        """The entries about single entities: the own entry of such an action has only the total."""
        return self.others or [self.own]


def entries_of(action: Action, changes: dict[tuple[str, str], Change]) -> Entries:
    """Return the entries of a write that ran once."""
    signed = [entry for entry in audit_entries(changes) if is_signed(entry)]
    entries = [entry for entry in audit_entries(changes) if not is_signed(entry)]
    own = [entry for entry in entries if entry["action"] == action.audit]
    others = [entry for entry in entries if entry["action"] != action.audit]
    assert len(own) == 1, f"{action.name} wrote {len(own)} audit entries of its own"
    may_have_others = action.is_in_parts or action.name in WITH_OTHERS
    assert may_have_others or not others, f"{action.name} wrote {len(others)} entries of other events"
    assert len(signed) == is_exchange(action) or others, f"{action.name} wrote {len(signed)} entries of the other side"
    return Entries(own[0], others, signed)


def is_signed(entry: Entry) -> bool:
    """Return True for an entry about a loan whose author is the other side's organization."""
    return entry["entityType"] in {"loan", "kpi"} and "id" not in entry["actor"]
