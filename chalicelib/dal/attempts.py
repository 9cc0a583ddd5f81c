"""Counts of attempts by address and by source, in fixed windows of time."""

from __future__ import annotations

from typing import NamedTuple

from pynamodb.expressions.update import Action

from chalicelib.core import clock
from chalicelib.dal import credentials, keys, table
from chalicelib.dal.credentials import Credential
from chalicelib.dal.keys import Key
from chalicelib.dal.table import Item
from chalicelib.dal.unit_of_work import UnitOfWork, stale

_DECOY_BYTES = 200


class Window(NamedTuple):
    """Where the attempts for one purpose are counted now."""

    of_address: Key
    of_source: Key
    ends: int
    """Epoch seconds."""


class Standing(NamedTuple):
    credential: Credential | None
    by_address: int
    by_source: int


def window(address: str, source: str, purpose: str, seconds: int) -> Window:
    number = keys.window_of(clock.now(), seconds)
    return Window(
        keys.attempts_of_address(address, purpose, number),
        keys.attempts_of_source(source, purpose, number),
        (number + 1) * seconds,
    )


def standing(address: str, counted_in: Window) -> Standing:
    """The credential and both counts, in one round trip."""
    key = keys.credential(address)
    items = table.batch_get((key, counted_in.of_address, counted_in.of_source))
    return Standing(
        credentials.read(items.get(key)),
        _count(items.get(counted_in.of_address)),
        _count(items.get(counted_in.of_source)),
    )


def count(counted_in: Window) -> None:
    """Apart from any unit of work, and one by one: a busy source must not make the counts collide."""
    table.update(counted_in.of_address, _one_more(counted_in))
    count_source(counted_in)


def count_source(counted_in: Window) -> None:
    table.update(counted_in.of_source, _one_more(counted_in))


def count_address(unit: UnitOfWork, counted_in: Window) -> None:
    unit.upsert(counted_in.of_address, _one_more(counted_in))


def _one_more(counted_in: Window) -> list[Action]:
    return [Item.version.add(1), Item.ttl.set(counted_in.ends)]


def write_decoys(unit: UnitOfWork, address: str) -> None:
    """The same writes for an unknown address as a mail and its audit entry are for a known one: time tells nothing."""
    for number in range(2):
        item = Item(*keys.decoy(address, number), data={"filling": "-" * _DECOY_BYTES})
        item.gsi2pk = item.pk
        item.gsi3pk = item.pk if number else None
        item.ttl = int(clock.now().timestamp())
        unit.put(item, None, stale)


def forget_address(unit: UnitOfWork, counted_in: Window) -> None:
    unit.delete(counted_in.of_address, None, stale)


def _count(item: Item | None) -> int:
    return int(item.version or 0) if item else 0
