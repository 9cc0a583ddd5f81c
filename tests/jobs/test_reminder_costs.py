"""The cost of a run of the reminders follows the timers that run long, not those that run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.core import clock, ids
from chalicelib.jobs import reminders
from chalicelib.models.time import timers
from chalicelib.models.time.timers import StoredTimer
from chalicelib.models.users import Role
from infra.local.engine import Store, configured_store
from infra.local.lambda_events import invoke
from infra.local.stack import Stack
from tests.support import store as stores
from tests.support.client_hooks import Recording, recorded
from tests.support.factories import Organization
from tests.support.hypothesis_profile import IS_FULL
from tests.support.store import StoredItem
from tests.support.time_helpers import at, at_noon

SHORT = 200 if configured_store() is Store.MOTO else 10_000 if IS_FULL else 2_000
"""Timers that run short."""


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with at_noon():
        yield


def _run() -> Recording:
    with recorded() as recording:
        assert invoke(lambda _, context: reminders.tick(context), "remind_timers", {}) == 3
    return recording


def _stored(organization: Organization, hours: float) -> StoredItem:
    """Return the item of a timer that runs for so long, of a user of its own."""
    start = clock.now() - timers.LONG_RUNNING * (hours / 12)
    timer = StoredTimer(id=ids.new_id(), user_id=ids.new_id(), billable=False, start_at=start)
    item: StoredItem = timers._item(organization.id, timer).serialize()  # the product's own form
    return item


def test_a_run_costs_what_the_long_timers_cost(organization: Organization, local_stack: Stack) -> None:
    """Given many timers that run short beside 3 that run long, then a run costs what it costs without them."""
    store = stores.of(local_stack)
    for member in [organization.enrol(Role.MEMBER) for _ in range(3)]:
        assert member.post("startTimer", startAt=at(-13 * 60)).status == 201
    long = {key: item for key, item in store.items().items() if key[0].endswith("#TIMER")}
    alone = _run()
    store.put(long.values())
    store.put(_stored(organization, 11.9 * number / SHORT) for number in range(SHORT))

    among_many = _run()

    assert sorted(among_many.operations) == sorted(alone.operations)
    assert len(alone.operations) <= 8 + 3 + 3  # shards, reads of their rows, transactions
    assert sum(call.capacity for call in among_many.calls) == sum(call.capacity for call in alone.calls)
