"""The faults that other nets inject work as named: checked on one plain call, with SDK and engine."""

from __future__ import annotations

import pytest

from chalicelib.core.errors import ActionError
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from tests.support.client_hooks import Fault, ProcessDied, Refusal, broken
from tests.support.store import Store, plain

pytestmark = pytest.mark.usefixtures("without_pauses")

COUNTER = Key("ORG#faults#COUNTER", "one")
ATTEMPTS = 3
"""Attempts of the SDK, retries included."""


def count_once() -> None:
    table.update(COUNTER, [Item.version.add(1)])


def counted(store: Store) -> int:
    item = store.items().get(tuple(COUNTER))
    return int(plain(item)["version"]) if item else 0


@pytest.mark.parametrize(
    ("kind", "executions"),
    [("request lost", 0), ("response lost", ATTEMPTS)],
)
def test_a_lost_call_is_lost_in_every_attempt(store: Store, kind: str, executions: int) -> None:
    with broken(Fault(1, kind)), pytest.raises(ActionError, match="the store did not answer"):
        count_once()

    assert counted(store) == executions


@pytest.mark.parametrize(("kind", "executions"), [("request lost once", 1), ("response lost once", 2)])
def test_a_call_lost_once_is_retried_by_the_sdk(store: Store, kind: str, executions: int) -> None:
    with broken(Fault(1, kind)) as operations:
        count_once()

    assert operations == ["UpdateItem"]
    assert counted(store) == executions


@pytest.mark.parametrize(("kind", "executions"), [("process dies before", 0), ("process dies after", 1)])
def test_a_process_dies_around_one_execution(store: Store, kind: str, executions: int) -> None:
    with broken(Fault(1, kind)), pytest.raises(ProcessDied):
        count_once()

    assert counted(store) == executions


def test_only_the_chosen_call_fails(store: Store) -> None:
    with broken(Fault(2, "request lost")):
        count_once()
        with pytest.raises(ActionError):
            count_once()
        count_once()

    assert counted(store) == 2


def test_an_injected_refusal_is_handled_like_the_engines_own(store: Store) -> None:
    with (
        broken(Refusal("UpdateItem", "ProvisionedThroughputExceededException", calls=1)),
        pytest.raises(ActionError, match="the store did not answer"),
    ):
        count_once()

    assert counted(store) == 0
