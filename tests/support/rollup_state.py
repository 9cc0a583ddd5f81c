"""Stored and expected rollups of an organization, and changes as the stream delivers them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from chalice.local import LambdaContext

from chalicelib.core.ids import OrganizationId
from chalicelib.dal import keys, table
from chalicelib.dal.collection import get_together
from chalicelib.dal.keys import Key
from chalicelib.jobs import rollups as rollups_consumer
from chalicelib.jobs.changes import Change, Kind
from chalicelib.jobs.deadline import Deadline
from chalicelib.metrics.rollups.sources import SOURCES
from chalicelib.models.rollups import rollups
from chalicelib.models.rollups.buckets import Increments, add
from tests.support import client_hooks
from tests.support.client_hooks import Fault, ProcessDied, broken, without_waiting
from tests.support.store import Store, StoredItem

Rollups = dict[tuple[str, str], Any]


def stored_rollups(store: Store, organization: OrganizationId) -> Rollups:
    """Return buckets without zeros, and applied contributions without their revision; empty ones are left out."""
    rollups_by_key: Rollups = {}
    for key, item in store.items().items():
        if key[0].startswith(f"{keys.tenant(organization)}ROLLUP#"):
            amounts = {name: int(value["N"]) for name, value in item.items() if "N" in value and name != "derived"}
            rollups_by_key[key] = {name: amount for name, amount in amounts.items() if amount}
        elif key[0].startswith(f"{keys.tenant(organization)}APPLIED#"):
            rollups_by_key[key] = rollups._applied_of(table.item_from_raw(item)).contribution
    return {key: value for key, value in rollups_by_key.items() if value}


def buckets(store: Store, organization: OrganizationId, source: str) -> Rollups:
    """Return the stored buckets of one source."""
    prefix = f"{keys.rollup(organization, source)}#"
    return {key: value for key, value in stored_rollups(store, organization).items() if f"{key[0]}#".startswith(prefix)}


def expected_buckets(organization: OrganizationId, *sources: str) -> Rollups:
    """Return the buckets computed from the current entities."""
    expected: Rollups = {}
    for source in sources:
        rollup = SOURCES[source]
        increments: Increments = {}
        records = rollup.collection.all_of(organization, 100_000)
        assert records is not None, f"too many {source} to count"
        for record in records:
            dependencies = rollup.dependencies(organization, record)
            together = get_together(organization, [(collection, [key]) for collection, key in dependencies])
            inputs = [entities[key] for entities, (_, key) in zip(together, dependencies, strict=True)]
            further = rollup.further(organization, [record]).get(record.id, ())
            for level_change in rollup.contribution(record, [*inputs, *further]):
                add(increments, level_change, 1)
        for (dimension, sk), amounts in increments.items():
            amounts_left = {name: amount for name, amount in amounts.items() if amount}
            if amounts_left:
                expected[keys.rollup(organization, source, *(dimension or ())), sk] = amounts_left
    return expected


# -- changes ---------------------------------------------------------------------------------------------------------


def changes_of(store: Store, act: Callable[[], Any]) -> list[Change]:
    """Return the changes that an act makes to the table, one for each changed item."""
    before = store.items()
    act()
    after = store.items()
    return [
        Change(_kind(before.get(key), after.get(key)), Key(*key), before.get(key, {}), after.get(key, {}))
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def _kind(before: StoredItem | None, after: StoredItem | None) -> Kind:
    if before is None:
        return Kind.INSERT
    return Kind.REMOVE if after is None else Kind.MODIFY


def change_of(store: Store, kind: str, act: Callable[[], Any]) -> Change:
    """Return the change of the one entity of a kind that the act changes."""
    (change,) = [row for row in changes_of(store, act) if row.entity is not None and row.entity.kind == kind]
    return change


def roll_up(*changes: Change) -> set[int]:
    """Roll up a batch with enough time; return the numbers, from 0, of the changes to deliver again."""
    batch = {str(number): change for number, change in enumerate(changes)}
    return {
        int(number)
        for number in rollups_consumer.roll_up(batch, Deadline(LambdaContext("test", 1024, max_runtime_ms=60_000)))
    }


# -- deaths ----------------------------------------------------------------------------------------------------------


def calls_of(run: Callable[[], Any]) -> list[str]:
    with client_hooks.recorded() as recording:
        run()
    return recording.operations


def cut_off(run: Callable[[], Any], fault: Fault) -> None:
    """Run with a fault at one of the calls."""
    with without_waiting(), broken(fault), contextlib.suppress(ProcessDied, Exception):
        run()


def deaths(operations: list[str], *only: str) -> Iterator[Fault]:
    """Yield deaths before and after each call, or each call of some operations."""
    for number, operation in enumerate(operations, 1):
        if not only or operation in only:
            for kind in ("process dies before", "process dies after"):
                yield Fault(number, kind)
