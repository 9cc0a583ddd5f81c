"""Quotas: how many entities an organization or a user may have, counted on their item in the same transaction.

For entities that are made too seldom to make that item a hot spot.
"""

from __future__ import annotations

from chalicelib.core.errors import invalid_state
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key
from chalicelib.dal.unit_of_work import UnitOfWork


def count(unit: UnitOfWork, holder: Key, entity: str, by: int, *, maximum: int, refusal: str) -> None:
    """Count an entity. VALIDATION_ERROR, in the words of `refusal`, for one more than there may be."""
    counter = Item.children[entity]
    room = counter.does_not_exist() | (counter < maximum)
    unit.update(holder, [table.increment(counter, by)], room if by > 0 else None, lambda _: invalid_state(refusal))
