"""What the rollups of an organization hold, and what they should."""

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
from tests.support import wire
from tests.support.store import Store, StoredItem
from tests.support.wire import Fault, ProcessDied, broken, without_waiting

Held = dict[tuple[str, str], Any]


def held(store: Store, organization: OrganizationId) -> Held:
    """Cells without what is 0, and what is applied of whom without its revision; nothing of what is gone."""
    found: Held = {}
    for key, item in store.items().items():
        if key[0].startswith(f"{keys.tenant(organization)}ROLLUP#"):
            amounts = {name: int(value["N"]) for name, value in item.items() if "N" in value and name != "derived"}
            found[key] = {name: amount for name, amount in amounts.items() if amount}
        elif key[0].startswith(f"{keys.tenant(organization)}APPLIED#"):
            found[key] = rollups._applied_of(table.item_from_raw(item)).contribution
    return {key: value for key, value in found.items() if value}


def cells(store: Store, organization: OrganizationId, source: str) -> Held:
    """Of one source."""
    mine = keys.rollup(organization, source)
    return {key: value for key, value in held(store, organization).items() if f"{key[0]}#".startswith(f"{mine}#")}


def wanted(organization: OrganizationId, *sources: str) -> Held:
    """The cells that the entities as they are now come to."""
    found: Held = {}
    for source in sources:
        rollup = SOURCES[source]
        moves: Increments = {}
        records = rollup.collection.all_of(organization, 100_000)
        assert records is not None, f"too many {source} to count"
        for record in records:
            relied_on = rollup.dependencies(organization, record)
            together = get_together(organization, [(collection, [each]) for collection, each in relied_on])
            inputs = [entities[each] for entities, (_, each) in zip(together, relied_on, strict=True)]
            further = rollup.further(organization, [record]).get(record.id, ())
            for edge in rollup.contribution(record, [*inputs, *further]):
                add(moves, edge, 1)
        for (dimension, sk), amounts in moves.items():
            left = {name: amount for name, amount in amounts.items() if amount}
            if left:
                found[keys.rollup(organization, source, *(dimension or ())), sk] = left
    return found


# -- changes ---------------------------------------------------------------------------------------------------------


def told(store: Store, act: Callable[[], Any]) -> list[Change]:
    """What the stream would tell of an act; of an item that it changes twice, once."""
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


def told_of(store: Store, kind: str, act: Callable[[], Any]) -> Change:
    """The change of the one entity of a kind that the act changes."""
    (change,) = [each for each in told(store, act) if each.entity is not None and each.entity.kind == kind]
    return change


def roll_up(*changes: Change) -> set[int]:
    """A batch of changes, with time enough; those to deliver again, by number from 0."""
    batch = {str(number): change for number, change in enumerate(changes)}
    return {
        int(number)
        for number in rollups_consumer.roll_up(batch, Deadline(LambdaContext("test", 1024, max_runtime_ms=60_000)))
    }


# -- deaths ----------------------------------------------------------------------------------------------------------


def calls_of(run: Callable[[], Any]) -> list[str]:
    with wire.recorded() as recording:
        run()
    return recording.operations


def cut_off(run: Callable[[], Any], fault: Fault) -> None:
    """Something goes wrong at a call."""
    with without_waiting(), broken(fault), contextlib.suppress(ProcessDied, Exception):
        run()


def deaths(operations: list[str], *only: str) -> Iterator[Fault]:
    """Before and after each call, or each call of some operations."""
    for number, operation in enumerate(operations, 1):
        if not only or operation in only:
            for kind in ("process dies before", "process dies after"):
                yield Fault(number, kind)
