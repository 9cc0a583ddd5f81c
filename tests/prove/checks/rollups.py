"""The buckets of the rollups equal a recount of the entities, and the nightly reconciliation finds no difference."""

from __future__ import annotations

from chalicelib.metrics.rollups import reconcile
from chalicelib.metrics.rollups.sources import SOURCES
from tests.prove import layout
from tests.prove.world import World
from tests.support import rollup_state
from tests.support.store import Snapshot, Store


class _Frozen(Store):
    """The table as a snapshot: a scan for each source would take minutes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def items(self) -> Snapshot:
        return self._snapshot


def check(world: World, snapshot: Snapshot) -> None:
    table = _Frozen(snapshot)
    for organization in layout.organizations(snapshot):
        for source in SOURCES:
            stored = rollup_state.buckets(table, organization, source)
            expected = rollup_state.expected_buckets(organization, source)
            for key in sorted({key for key in {*stored, *expected} if stored.get(key) != expected.get(key)})[:5]:
                message = f"{source} {key} has {stored.get(key)} instead of {expected.get(key)}"
                world.report("rollup", message, organization=organization)
            missed, corrected = 0, reconcile.fix_drift(organization, source, 0, 1)
            after: str | None = None
            while True:
                page = reconcile.reapply_missed(organization, source, after)
                missed, after = missed + page.reapplied, page.after
                if after is None:
                    break
            if missed or corrected:
                message = f"{source}: {missed} entities were not rolled up, {corrected} buckets were corrected"
                world.report("reconciliation", message, organization=organization)
