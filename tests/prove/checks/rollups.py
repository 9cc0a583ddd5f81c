"""The cells of the rollups are a recount of the entities, and the nightly comparison finds nothing."""

from __future__ import annotations

from chalicelib.metrics.rollups import reconcile
from chalicelib.metrics.rollups.sources import SOURCES
from tests.jobs import rolled
from tests.prove import layout
from tests.prove.world import World
from tests.support.store import Snapshot, Store


class _Frozen(Store):
    """The table as it was once: read again for each source, it would take minutes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def items(self) -> Snapshot:
        return self._snapshot


def check(world: World, snapshot: Snapshot) -> None:
    table = _Frozen(snapshot)
    for organization in layout.organizations(snapshot):
        for source in SOURCES:
            held, counted = rolled.cells(table, organization, source), rolled.wanted(organization, source)
            for cell in sorted({key for key in {*held, *counted} if held.get(key) != counted.get(key)})[:5]:
                message = f"{source} {cell} holds {held.get(cell)} instead of {counted.get(cell)}"
                world.report("rollup", message, organization=organization)
            healed, repaired = 0, reconcile.fix_drift(organization, source, 0, 1)
            after: str | None = None
            while True:
                page = reconcile.reapply_missed(organization, source, after)
                healed, after = healed + page.reapplied, page.after
                if after is None:
                    break
            if healed or repaired:
                message = f"{source}: {healed} entities were not rolled up, {repaired} cells were repaired"
                world.report("reconciliation", message, organization=organization)
