"""The table after a run, held against what the clients were answered."""

from __future__ import annotations

from collections.abc import Sequence

from tests.prove.baseline import Baseline
from tests.prove.checks import counters, entities, items, lists, logs, marks, replays, rollups, rosters, sessions
from tests.prove.client import Client
from tests.prove.world import World
from tests.support.store import Store


def all_of(world: World, clients: Sequence[Client], baseline: Baseline, table: Store) -> None:
    """Reports every violation to the world."""
    snapshot = table.items()
    entities.check(world, baseline, snapshot)
    entities.check_rates(world, clients, snapshot)
    counters.check(world, snapshot)
    rosters.check(world, snapshot)
    items.check(world, baseline, snapshot)
    logs.check(world, snapshot)
    rollups.check(world, snapshot)
    lists.check(world, clients, snapshot)
    sessions.check(world, clients)
    marks.check(world, clients)
    replays.check(world, clients, table)
