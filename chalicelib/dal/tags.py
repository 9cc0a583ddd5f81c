"""Tags: what costly answers depend on. A tag moves with every change of what it names."""

from __future__ import annotations

from chalicelib.dal import keys
from chalicelib.dal.table import Item
from chalicelib.dal.unit_of_work import UnitOfWork


def bump(unit: UnitOfWork, name: str) -> None:
    unit.upsert(keys.tag(unit.organization, name), [Item.version.add(1), Item.derived.set(1)])
