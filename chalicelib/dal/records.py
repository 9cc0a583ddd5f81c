"""Records: the fields of every stored entity, and their form as an item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field
from pydantic_core import to_jsonable_python
from pynamodb.constants import STRING

from chalicelib.core import clock, ids
from chalicelib.core.contracts import Contract
from chalicelib.core.errors import not_found
from chalicelib.core.field_types import STORED, Instant
from chalicelib.dal import table
from chalicelib.dal.item import Item, plain_value
from chalicelib.dal.keys import Key

_BOOKKEEPING = {"id", "version", "created_at", "updated_at"}


@dataclass(frozen=True)
class Stored:
    """Marks a field of a record that is stored, but is not part of the content that the audit log compares."""

    attribute: bool = False
    """It is an attribute of the item with the field's name, because it is written on its own."""
    counter: str | None = None
    """It is the item's counter of this name."""


INTERNAL = Stored()
"""Marks a field of the entity's data that never leaves the server."""
ATTRIBUTE = Stored(attribute=True)


class Record(Contract):
    """An entity as the API shows it. A subclass may add `Stored` fields, which answers of the API's type leave out."""

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
        attributes = item.attribute_values
        stored = {**item.data, "id": item.sk, "version": item.version}
        for name, mark in cls.stored_fields().items():
            if mark.counter is not None:
                stored[name] = (item.children or {}).get(mark.counter, 0)
            elif mark.attribute and (value := attributes.get(name)) is not None:
                stored[name] = value
        # A newer version of this code may have written fields that this one does not know.
        return cls.model_validate(stored, extra="ignore", context=STORED)

    @classmethod
    def json_of(cls, fields: Mapping[str, Mapping[str, Any]], identifier: str, version: int) -> dict[str, Any]:
        """Return the API's JSON of an entity from its stored fields, as the wire has them, without a validation.

        For a type of texts, numbers and instants only: these are stored as the API shows them. Fields that the type
        does not have are left out: they are internal, or of a newer version of this code.
        """
        defaults = _shown_defaults(cls)
        shown = {**defaults, "id": identifier, "version": version}
        for name, typed in fields.items():
            if name in defaults:
                shown[name] = typed[STRING] if STRING in typed else plain_value(typed)
        return shown

    @classmethod
    def extending(cls, record: Record, **more: Any) -> Self:
        """Return a record with more fields, for an answer that shows more than the record."""
        return cls.model_validate({**dict(record), **more}, extra="ignore", context=STORED)

    def data(self) -> dict[str, Any]:
        """The stored form: JSON values by camelCase name, absent where null."""
        apart = {name for name, mark in self.stored_fields().items() if mark != INTERNAL}
        return self.model_dump(mode="json", round_trip=True, exclude=apart | {"id", "version"}, exclude_none=True)

    def shown(self) -> dict[str, Any]:
        """Return the fields that the audit log compares: every field of the entity's content."""
        return self.model_dump(mode="json", exclude=_BOOKKEEPING | self.stored_fields().keys())

    @classmethod
    def stored_fields(cls) -> Mapping[str, Stored]:
        """Return the fields that are marked as `Stored`, with their marks."""
        return _stored_fields(cls)

    def item(self, key: Key) -> Item:
        return Item(key.pk, key.sk, data=self.data(), version=self.version)

    def changed(self, **changes: Any) -> Self:
        """The record after a change: one version on."""
        return self.model_copy(update={**changes, "updated_at": clock.now(), "version": self.version + 1})


@cache
def _stored_fields(record: type[Record]) -> Mapping[str, Stored]:
    fields = record.model_fields.items()
    return {name: mark for name, field in fields for mark in field.metadata if isinstance(mark, Stored)}


_MISSING = object()
"""In the place of a required field: nothing encodes it, so an answer without that field fails."""


@cache
def _shown_defaults(record: type[Record]) -> Mapping[str, Any]:
    """Return the API's names of the fields with their defaults as JSON."""
    return {
        str(field.alias): _MISSING
        if field.is_required()
        else to_jsonable_python(field.get_default(call_default_factory=True))
        for field in record.model_fields.values()
    }


class DeletableRecord(Record):
    deleted_at: Annotated[Instant | None, Field(examples=[None])] = None


def versions(keys: Iterable[Key]) -> dict[Key, int]:
    """The versions of items as they are now; strongly consistent. Absent keys are absent."""
    items = table.raw_batch(keys, consistent=True, attributes=[Item.version.attr_name])
    return {key: int(item["version"]["N"]) for key, item in items.items() if "version" in item}
