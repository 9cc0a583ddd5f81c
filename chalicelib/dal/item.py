"""The item: one PynamoDB model for every entity.

An entity's fields live in the map `data`; other attributes are those that DynamoDB itself must see (keys, indexes,
version, counters, TTL), and those that a model registers because it writes them on their own. So there is one
connection and one client, however many entities there are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, TypeVar

from pynamodb.attributes import (
    Attribute,
    BinaryAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.constants import BOOLEAN, LIST, MAP, NULL, NUMBER, STRING
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from chalicelib.core.settings import settings
from chalicelib.dal.keys import GSI1, GSI2, GSI3, GSI4, GSI5, GSI6, GSI7, GSI8, GSI9, IndexPartition, Key
from chalicelib.dal.transport import Timeouts

# A request makes at most a handful of calls and must end before the gateway's 29 s.
TIMEOUTS = Timeouts(connect=1.0, read=3.0)
RETRIES = 2

T = TypeVar("T")
A = TypeVar("A", bound=Attribute[Any])

RAW_MAP: MapAttribute[str, Any] = MapAttribute()
"""Serializes a map of plain values of any type."""


class Packed(BinaryAttribute):
    """Bytes; absent where there are none."""

    def __init__(self) -> None:
        super().__init__(null=True, legacy_encoding=False)


class Count(NumberAttribute):
    """A whole number; absent where it was never counted."""

    def __init__(self) -> None:
        super().__init__(null=True)


class Text(UnicodeAttribute):
    """A text; absent where there is none."""

    def __init__(self) -> None:
        super().__init__(null=True)


class Number(NumberAttribute):
    """A number; absent where there is none."""

    def __init__(self) -> None:
        super().__init__(null=True)

    def deserialize(self, value: str) -> float:
        return _number(value)


class TextSet(UnicodeSetAttribute):
    """A set of texts, to which updates add and from which they remove; absent where it is empty."""

    def __init__(self) -> None:
        super().__init__(null=True)


class Document(Attribute[dict[str, Any] | None]):
    """A map of plain JSON values; absent where there is none."""

    attr_type = MAP

    def __init__(self) -> None:
        super().__init__(null=True)

    def serialize(self, value: Any) -> Any:
        return RAW_MAP.serialize(value)

    def deserialize(self, value: Any) -> dict[str, Any]:
        return plain_map(value)


def plain_map(values: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a map {name: {type: value}} of the wire as JSON values, in a third of the time of PynamoDB's map."""
    return {
        name: value if kind == STRING else _PLAIN[kind](value)
        for name, typed in values.items()
        for kind, value in typed.items()
    }


def plain_value(typed: Mapping[str, Any]) -> Any:
    """Return {type: value} of the wire as a JSON value."""
    [(kind, value)] = typed.items()
    return _PLAIN[kind](value)


def _number(text: str) -> float:
    return int(text) if text.removeprefix("-").isdecimal() else float(text)


def _listed(values: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [value if kind == STRING else _PLAIN[kind](value) for typed in values for kind, value in typed.items()]


_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    STRING: str,
    NUMBER: _number,
    BOOLEAN: bool,
    NULL: lambda _: None,
    MAP: plain_map,
    LIST: _listed,
}
"""Readers of the types that JSON values are stored as."""


def _index(name: str, sort_key: str) -> Any:
    """A secondary index, as PynamoDB needs it to query. Its projection is declared in `infra/resources.yaml`."""
    meta = type("Meta", (), {"index_name": name, "projection": KeysOnlyProjection()})
    keys = {f"{name}pk": UnicodeAttribute(hash_key=True), sort_key: UnicodeAttribute(range_key=True)}
    return type(name, (GlobalSecondaryIndex,), {"Meta": meta, **keys})()


class Item(Model):
    class Meta:
        table_name = settings().table
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        connect_timeout_seconds = TIMEOUTS.connect
        read_timeout_seconds = TIMEOUTS.read
        max_retry_attempts = RETRIES

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    version = Number()
    data = Document()
    children = Document()
    """Live children by entity, and other counts that conditions need."""
    reference = Document()
    """Name and parent of an entity, for the entities that refer to it."""
    at = UnicodeAttribute(null=True)
    """Sort key of the indexes by time; see `dal.intervals`."""
    gsi1pk = UnicodeAttribute(null=True)
    gsi2pk = UnicodeAttribute(null=True)
    gsi3pk = UnicodeAttribute(null=True)
    gsi4pk = UnicodeAttribute(null=True)
    gsi5pk = UnicodeAttribute(null=True)
    gsi6pk = UnicodeAttribute(null=True)
    gsi7pk = UnicodeAttribute(null=True)
    gsi8pk = UnicodeAttribute(null=True)
    gsi9pk = UnicodeAttribute(null=True)
    search = UnicodeAttribute(null=True)
    facets = Document()
    ttl = Number()
    derived = Number()
    """1 on items that the stream's main consumer has no use for: its event source's filter drops their changes."""

    gsi1 = _index(GSI1, "sk")
    gsi2 = _index(GSI2, "sk")
    gsi3 = _index(GSI3, "sk")
    gsi4 = _index(GSI4, "sk")
    gsi5 = _index(GSI5, "at")
    gsi6 = _index(GSI6, "at")
    gsi7 = _index(GSI7, "at")
    gsi8 = _index(GSI8, "at")
    gsi9 = _index(GSI9, "at")

    @classmethod
    def from_raw_data(cls, data: dict[str, dict[str, Any]]) -> Self:
        """Read an item from the wire; attributes that no model registered are left out.

        PynamoDB looks for each registered attribute, for its default too, and an item has few of them.
        """
        item, registered = cls.__new__(cls), cls._attributes
        item.attribute_values = {
            name: attribute.deserialize(attribute.get_value(value))
            for name, value in data.items()
            if (attribute := registered.get(name)) is not None and NULL not in value
        }
        return item

    @property
    def key(self) -> Key:
        return Key(self.pk, self.sk)

    def value(self, attribute: Attribute[T]) -> T | None:
        """The value of an attribute that a model registered."""
        value: T | None = getattr(self, attribute.attr_name)
        return value

    def set(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes by name; AttributeError for one that is not registered, which would not be stored."""
        for name, value in attributes.items():
            if name not in self.get_attributes():
                raise AttributeError(f"no model has registered the attribute {name}")
            setattr(self, name, value)

    def enter(self, *partitions: IndexPartition) -> None:
        """List the item in partitions of indexes."""
        self.set({partition.attribute: partition.pk for partition in partitions})

    def is_in(self, partition: IndexPartition) -> bool:
        return bool(getattr(self, partition.attribute) == partition.pk)


def attribute(name: str, kind: A) -> A:
    """Register a model's own attribute on the item; returns it for expressions and for `Item.value`."""
    if name in Item.get_attributes():
        raise ValueError(f"the attribute {name} is registered already")
    kind.__set_name__(Item, name)
    setattr(Item, name, kind)
    # PynamoDB collects attributes when a class is made, and has no other way in.
    Item._attributes[name] = kind
    return kind
