"""The directory: names, parents and rates of all clients, work locations, positions and workers, deleted ones too.

What a report names, it names from here: one read, however many rows it has.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.core.ids import OrganizationId
from chalicelib.core.money import Money
from chalicelib.dal import keys, table
from chalicelib.dal.collection import Collection
from chalicelib.dal.keys import GSI4, Key
from chalicelib.dal.roster import Standing


class Card(NamedTuple):
    key: Key
    name: str
    parent: UUID | None
    rates: dict[date, Money]
    standing: list[Standing]


class Directory:
    def __init__(self, organization: OrganizationId) -> None:
        self._organization = organization
        self._cards: dict[UUID, Card] = {}
        after: str | None = None
        while True:
            page = table.query(keys.directory(organization), index=GSI4, after=after)
            for row in page.items:
                self._cards[UUID(row["sk"]["S"])] = _card(row)
            after = page.last
            if after is None:
                break

    def __getitem__(self, identifier: UUID) -> Card:
        return self._cards[identifier]

    def has(self, collection: Collection[Any], identifier: UUID) -> bool:
        """Whether it is one of these, and not of another kind."""
        card = self._cards.get(identifier)
        return card is not None and card.key == collection.key(self._organization, identifier)

    def standing(self) -> Iterable[tuple[UUID, Standing]]:
        """The long assignments of all workers, by worker."""
        return [(worker, each) for worker, card in self._cards.items() for each in card.standing]

    def complete(self, collection: Collection[Any], identifiers: Iterable[UUID]) -> None:
        """Adds those that the index, which trails the table, does not have yet."""
        missing = {collection.key(self._organization, each): each for each in identifiers if each not in self._cards}
        for key, item in table.batch_get(missing).items():
            self._cards[missing[key]] = _card(item.serialize())


def _card(attributes: dict[str, Any]) -> Card:
    card, rates, standing = (table.plain(attributes, name) for name in ("card", "rates", "standing"))
    return Card(
        Key(attributes["pk"]["S"], attributes["sk"]["S"]),
        card["name"],
        UUID(card["parent"]) if "parent" in card else None,
        {date.fromisoformat(day): Money(**money) for day, money in rates.items()},
        [Standing.model_validate(each) for each in standing.values()],
    )
