"""Records: the fields of every stored entity, and their form as an item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from pydantic import Field

from chalicelib.core import clock, ids
from chalicelib.core.contracts import STORED, Contract, Instant
from chalicelib.core.errors import not_found
from chalicelib.dal import table
from chalicelib.dal.item import Item
from chalicelib.dal.keys import Key

_BOOKKEEPING = {"id", "version", "created_at", "updated_at"}


class Record(Contract):
    """An entity as the API shows it. A subclass may add `internal` fields; an output is cut to its declared type."""

    internal: ClassVar[frozenset[str]] = frozenset()
    """Fields that never leave the server, not even to the audit log."""
    counts: ClassVar[Mapping[str, str]] = {}
    """Fields that are counters apart from the entity's data: field to the counter's name."""
    attributes: ClassVar[frozenset[str]] = frozenset()
    """Fields that are attributes apart from the entity's data, because they are written on their own."""

    id: UUID
    created_at: Instant
    updated_at: Instant
    version: int

    @classmethod
    def new(cls, **fields: Any) -> Self:
        now = clock.now()
        return cls(**{"id": ids.new_id(), "created_at": now, "updated_at": now, "version": 1, **fields})

    @classmethod
    def of(cls, item: Item | None, called: str = "entity") -> Self:
        """Reads the stored form; NOT_FOUND for none."""
        if item is None or item.data is None:
            raise not_found(called)
        counters = item.children or {}
        counted = {name: counters.get(counter, 0) for name, counter in cls.counts.items()}
        attributes = {name: value for name in cls.attributes if (value := getattr(item, name)) is not None}
        # A newer version of this code may have written fields that this one does not know.
        stored = {**item.data, **counted, **attributes, "id": item.sk, "version": item.version}
        return cls.model_validate(stored, extra="ignore", context=STORED)

    @classmethod
    def extending(cls, record: Record, **more: Any) -> Self:
        """Return a record with more fields, for an answer that shows more than the record."""
        return cls.model_validate({**dict(record), **more}, extra="ignore", context=STORED)

    def data(self) -> dict[str, Any]:
        """The stored form: JSON values by camelCase name, absent where null."""
        return self.model_dump(
            mode="json", round_trip=True, exclude=self._apart() | {"id", "version"}, exclude_none=True
        )

    def shown(self) -> dict[str, Any]:
        """Return the fields that the audit log compares: every field of the entity's content."""
        return self.model_dump(mode="json", exclude=_BOOKKEEPING | self.internal | self._apart())

    @classmethod
    def _apart(cls) -> set[str]:
        return {*cls.counts, *cls.attributes}

    def item(self, key: Key) -> Item:
        return Item(key.pk, key.sk, data=self.data(), version=self.version)

    def changed(self, **changes: Any) -> Self:
        """The record after a change: one version on."""
        return self.model_copy(update={**changes, "updated_at": clock.now(), "version": self.version + 1})


class DeletableRecord(Record):
    deleted_at: Annotated[Instant | None, Field(examples=[None])] = None


def versions(keys: Iterable[Key]) -> dict[Key, int]:
    """The versions of items as they are now; strongly consistent. Absent keys are absent."""
    items = table.raw_batch(keys, consistent=True, attributes=[Item.version.attr_name])
    return {key: int(item["version"]["N"]) for key, item in items.items() if "version" in item}
