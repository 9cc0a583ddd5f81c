"""The counts beside worker and position: how they move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from chalicelib.core import clock
from chalicelib.dal.roster import Occupation, Roster, Tally

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def test_an_end_that_has_passed_is_removed_and_not_counted_too() -> None:
    """DynamoDB refuses an update that names a path twice; local engines take it."""
    past = NOW - timedelta(hours=1)
    tally = Tally()
    tally.add(Occupation(UUID(int=1), past - timedelta(hours=8), past), -1)

    actions = tally.actions(Roster(ends={clock.to_text(past): 1}), NOW)

    assert len(actions) == len(("lane", "milliseconds", "changes", "removed end"))
