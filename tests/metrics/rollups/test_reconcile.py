"""Reconciliation: drift and missed events are corrected; correct buckets and pending changes stay untouched."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from pynamodb.expressions.operand import Path

from chalicelib.dal import keys, table
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import UnitOfWork
from chalicelib.jobs import metrics_queue, reconciliation
from chalicelib.metrics.rollups import reconcile
from chalicelib.metrics.rollups.apply import sync_entity
from chalicelib.models.rollups import buckets, rollups
from chalicelib.models.rollups.buckets import Increments
from infra.local.stack import Stack
from tests.support import store
from tests.support.api import Api
from tests.support.assignment_helpers import NOW, Desk
from tests.support.client_hooks import overtaken
from tests.support.deliveries import Deliveries
from tests.support.factories import Organization, new_organization
from tests.support.frozen_time import standing_still
from tests.support.queue_events import failed
from tests.support.store import Store

SOURCE = "assignments"


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(reconcile, "_PATIENCE_SECONDS", 0)
    with standing_still(NOW):
        yield


@pytest.fixture
def deliveries(local_stack: Stack) -> Deliveries:
    return Deliveries(local_stack)


@pytest.fixture
def table_store(local_stack: Stack) -> Store:
    return store.of(local_stack)


@pytest.fixture
def desk(api: Api, deliveries: Deliveries) -> Desk:
    """A desk with three assignments, rolled up."""
    desk = Desk.of(new_organization(api))
    position = desk.position()
    for start in (-50, -5, 30):
        desk.assign(desk.worker(), position, start, start + 8)
    deliveries.deliver(random.Random(0))
    return desk


def _buckets(stored: Store, desk: Desk) -> dict[tuple[str, str], dict[str, int]]:
    """Return all buckets of the organization, without zero amounts."""
    marked = f"{keys.tenant(desk.organization.id)}ROLLUP#"
    numbers = {
        key: {name: int(value["N"]) for name, value in item.items() if name != "derived" and value.get("N", "0") != "0"}
        for key, item in stored.items().items()
        if key[0].startswith(marked)
    }
    return {key: amounts for key, amounts in numbers.items() if amounts}


def _spoil(desk: Desk, sk: str = "M#2026-06", **amounts: int) -> None:
    key = Key(keys.rollup(desk.organization.id, SOURCE), sk)
    table.update(key, [Path(name).add(amount) for name, amount in amounts.items()])


def _reconcile(desk: Desk, deliveries: Deliveries) -> None:
    """Handle all messages of a night."""
    reconciliation.schedule([desk.organization.id])
    while messages := deliveries.messages():
        assert failed(metrics_queue.work, *messages) == []


def test_correct_rollups_stay_unchanged(desk: Desk, table_store: Store) -> None:
    before = _buckets(table_store, desk)
    assert reconcile.reapply_missed(desk.organization.id, SOURCE, None).reapplied == 0
    assert reconcile.fix_drift(desk.organization.id, SOURCE, 0, 1) == 0
    assert _buckets(table_store, desk) == before


def test_a_bucket_with_wrong_sums_is_corrected(desk: Desk, table_store: Store) -> None:
    before = _buckets(table_store, desk)
    _spoil(desk, s=3, b=-20)
    _spoil(desk, sk="D#2026-06-13", e=1)
    _spoil(desk, sk="D#2019-01-01", s=1)

    assert reconcile.fix_drift(desk.organization.id, SOURCE, 0, 1) == 3

    assert _buckets(table_store, desk) == before


def test_two_concurrent_corrections_apply_once(desk: Desk, table_store: Store) -> None:
    before = _buckets(table_store, desk)
    _spoil(desk, s=3, b=-20)
    _spoil(desk, sk="D#2019-01-01", s=1)

    # When one corrects between the read and the correction of the other
    with overtaken(lambda: reconcile.fix_drift(desk.organization.id, SOURCE, 0, 1)) as answers:
        repaired = reconcile.fix_drift(desk.organization.id, SOURCE, 0, 1)

    assert (answers, repaired) == ([2], 0)
    assert _buckets(table_store, desk) == before


def test_more_attributes_than_an_expression_holds_are_repaired_in_several(desk: Desk, table_store: Store) -> None:
    before = _buckets(table_store, desk)
    for first in range(0, 300, 100):
        _spoil(desk, sk="T#2019-01-01T00", **{f"m{number}": 1 for number in range(first, first + 100)})
    assert reconcile.fix_drift(desk.organization.id, SOURCE, 0, 1) == 1
    assert _buckets(table_store, desk) == before


def test_rollups_of_the_former_layout_are_rebuilt(desk: Desk, table_store: Store) -> None:
    """Formerly, a value of a dimension had separate buckets for days, hours and minutes."""
    before = _buckets(table_store, desk)
    former: Increments = {}
    for _, applied in rollups.all_applied(desk.organization.id, SOURCE):
        for change in applied.contribution:
            for dimension in change.dimensions:
                increments: Increments = {}
                buckets.add(increments, change._replace(dimensions=()), 1)
                for bucket, amounts in increments.items():
                    former.setdefault(bucket._replace(dimension=dimension), Counter()).update(amounts)
    values = f"{keys.rollup(desk.organization.id, SOURCE)}#"
    table_store.remove([key for key in table_store.items() if key[0].startswith(values)])
    unit = UnitOfWork(desk.organization.id)
    for bucket in [*former][:80]:
        rollups.write(unit, SOURCE, {bucket: former[bucket]})
    unit.commit()

    assert reconcile.fix_drift(desk.organization.id, SOURCE, 0, 1) > 0

    assert _buckets(table_store, desk) == before


@pytest.mark.parametrize("shards", [1, 3])
def test_buckets_without_contributions_are_emptied(organization: Organization, table_store: Store, shards: int) -> None:
    table.update(Key(keys.rollup(organization.id, SOURCE), "M#2026-06"), [Path("s").add(2)])
    assert sum(reconcile.fix_drift(organization.id, SOURCE, shard, shards) for shard in range(shards)) == 1
    (bucket,) = [item for key, item in table_store.items().items() if key[0] == keys.rollup(organization.id, SOURCE)]
    assert bucket["s"] == {"N": "0"}


def test_a_missing_bucket_is_rebuilt(desk: Desk, table_store: Store) -> None:
    before = _buckets(table_store, desk)
    table_store.remove([key for key in before if "#ASSIGNMENTS" in key[0] and key[1].startswith("T#")])

    assert reconcile.fix_drift(desk.organization.id, SOURCE, 0, 1) > 0

    assert _buckets(table_store, desk) == before


def test_every_bucket_is_in_one_shard(desk: Desk, table_store: Store) -> None:
    before = _buckets(table_store, desk)
    table_store.remove([key for key in before if "#ASSIGNMENTS" in key[0]])
    for shard in range(3):
        reconcile.fix_drift(desk.organization.id, SOURCE, shard, 3)
    assert _buckets(table_store, desk) == before


def test_a_bucket_that_moves_meanwhile_is_left_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a wrong bucket, and an assignment that moves it during the comparison
    _spoil(desk, s=3)
    everything = rollups.all_buckets
    late = [desk.assign(desk.worker(), desk.position(), 50, 60)["id"]]

    def overtaken(*arguments: Any) -> object:
        if late:
            sync_entity(desk.organization.id, SOURCE, UUID(late.pop()))
        return everything(*arguments)

    monkeypatch.setattr(rollups, "all_buckets", overtaken)
    # Then this night leaves the bucket, and the next one corrects it
    assert reconcile.fix_drift(desk.organization.id, SOURCE, 0, 1) == 0
    assert reconcile.fix_drift(desk.organization.id, SOURCE, 0, 1) == 1


def test_lost_events_are_applied(desk: Desk, deliveries: Deliveries, table_store: Store) -> None:
    # Given a creation, an end and a removal whose events are lost
    worker, position = desk.worker(), desk.position()
    ended, removed = (desk.assign(worker, position, start, start + 3)["id"] for start in (-1, 20))
    deliveries.deliver(random.Random(1))
    before = _buckets(table_store, desk)
    created = desk.assign(desk.worker(), position, -2, None)["id"]
    desk.done("endAssignment", ended)
    desk.done("deleteAssignment", removed)
    deliveries.changes()
    assert _buckets(table_store, desk) == before

    _reconcile(desk, deliveries)

    # Then the rollups are as if no event had been lost
    assert _buckets(table_store, desk) != before
    for identifier in (ended, removed, created):
        assert not sync_entity(desk.organization.id, SOURCE, UUID(identifier))
    assert reconcile.fix_drift(desk.organization.id, SOURCE, 0, 1) == 0


def test_rollups_can_be_built_from_nothing(desk: Desk, deliveries: Deliveries, table_store: Store) -> None:
    before = _buckets(table_store, desk)
    derived = [key for key in table_store.items() if "#ROLLUP#" in key[0] or "#APPLIED#" in key[0]]
    table_store.remove([key for key in derived if str(desk.organization.id) in key[0]])

    _reconcile(desk, deliveries)

    assert _buckets(table_store, desk) == before
