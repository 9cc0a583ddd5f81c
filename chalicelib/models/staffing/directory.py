"""The directory: names, parents and rates of all entities that others refer to, deleted ones too.

Reports take all names from here: one read, however many rows they have.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, cast
from uuid import UUID

from chalicelib.core import text
from chalicelib.core.ids import OrganizationId
from chalicelib.core.money import Money
from chalicelib.dal import keys, table
from chalicelib.dal.collection import Collection
from chalicelib.dal.keys import Key
from chalicelib.models.staffing.workload import LongRunning


@dataclass(eq=False)
class Reference:
    """Compared by identity: one instance per entity, cheap as a dict key."""

    id: UUID
    key: Key
    name: str
    parent: UUID | None
    rates: dict[date, Money]
    long_running: list[LongRunning]

    @cached_property
    def sorted_by(self) -> tuple[str, UUID]:
        """Sort key: the name without case and accents, then the id."""
        return text.fold(self.name), self.id


class NameIndex:
    def __init__(self, organization: OrganizationId) -> None:
        self._organization = organization
        self._references: dict[UUID, Reference] = {}
        for row in table.query_all(keys.directory(organization)):
            identifier = UUID(row["sk"]["S"])
            self._references[identifier] = _reference(identifier, row)

    def __getitem__(self, identifier: UUID) -> Reference:
        return self._references[identifier]

    def __contains__(self, identifier: UUID) -> bool:
        return identifier in self._references

    def parent_of(self, reference: Reference) -> Reference:
        if reference.parent is None:
            raise LookupError(f"{reference.key} has no parent")
        return self._references[reference.parent]

    def references_of(self, collection: Collection[Any]) -> list[Reference]:
        """Return the references of all entities of one kind."""
        partition = keys.partition(self._organization, collection.kind)
        return [reference for reference in self._references.values() if reference.key.pk == partition]

    def has(self, collection: Collection[Any], identifier: UUID) -> bool:
        """Return True if the id is one of this collection, and not of another kind."""
        reference = self._references.get(identifier)
        return reference is not None and reference.key == collection.key(self._organization, identifier)

    def named(self, search: str) -> frozenset[UUID]:
        """Return the entities whose names hold a text, in any case and accents."""
        term = text.fold(search)
        return frozenset(id_ for id_, reference in self._references.items() if term in text.fold(reference.name))

    def long_running(self) -> Iterable[tuple[UUID, LongRunning]]:
        """The long assignments of all workers, by worker."""
        return [
            (worker, assignment)
            for worker, reference in self._references.items()
            for assignment in reference.long_running
        ]

    def complete(self, collection: Collection[Any], identifiers: Iterable[UUID]) -> None:
        """Adds those that the index, which trails the table, does not have yet."""
        missing = {collection.key(self._organization, id_): id_ for id_ in identifiers if id_ not in self._references}
        for key, item in table.batch_get(missing).items():
            self._references[missing[key]] = _reference(missing[key], item.serialize())


def _reference(identifier: UUID, attributes: dict[str, Any]) -> Reference:
    """Straight from the wire's form: a report reads a reference of everybody."""
    reference = attributes["reference"]["M"]
    return Reference(
        identifier,
        Key(attributes["pk"]["S"], attributes["sk"]["S"]),
        reference["name"]["S"],
        UUID(reference["parent"]["S"]) if "parent" in reference else None,
        {date.fromisoformat(day): _money(money["M"]) for day, money in _map(attributes, "rates").items()},
        [LongRunning.model_validate(stored) for stored in table.plain(attributes, "long_running").values()],
    )


def _map(attributes: dict[str, Any], name: str) -> dict[str, Any]:
    return cast(dict[str, Any], attributes[name]["M"]) if name in attributes else {}


def _money(attributes: dict[str, Any]) -> Money:
    return Money(amount=int(attributes["amount"]["N"]), currency=attributes["currency"]["S"])
