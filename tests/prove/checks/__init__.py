"""Checks that compare the table after a run with the answers of the clients."""

from __future__ import annotations

from collections.abc import Sequence

from tests.prove.baseline import Baseline
from tests.prove.checks import counters, entities, items, lists, logs, read_state, replays, rollups, sessions, workloads
from tests.prove.client import Client
from tests.prove.world import World
from tests.support.store import Store


def all_of(world: World, clients: Sequence[Client], baseline: Baseline, table: Store) -> None:
    """Run all checks; report violations to the world."""
    snapshot = table.items()
    entities.check(world, baseline, snapshot)
    entities.check_rates(world, clients, snapshot)
    counters.check(world, snapshot)
    workloads.check(world, snapshot)
    items.check(world, baseline, snapshot)
    logs.check(world, snapshot)
    rollups.check(world, snapshot)
    lists.check(world, clients, snapshot)
    sessions.check(world, clients)
    read_state.check(world, clients)
    replays.check(world, clients, table)
