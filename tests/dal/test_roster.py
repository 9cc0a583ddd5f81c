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


def test_ends_that_nothing_ends_at_any_more_go_together_under_a_condition() -> None:
    ahead = [clock.to_text(NOW + timedelta(days=day)) for day in range(1, 26)]
    few, many = (Roster(ends=dict.fromkeys(ends, 0)) for ends in (ahead[:20], ahead))
    tally = Tally()
    tally.add(Occupation(UUID(int=1), NOW, NOW + timedelta(days=3)), 1)

    counted = len(("lane", "end", "milliseconds", "changes"))
    assert (few.condition(NOW), len(tally.actions(few, NOW))) == (None, counted)
    assert many.condition(NOW) is not None
    assert len(tally.actions(many, NOW)) == counted + 20
