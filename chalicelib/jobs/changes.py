"""A change of one item, from the table's stream."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from chalicelib.dal import keys
from chalicelib.dal.keys import EntityName, Key


class Kind(StrEnum):
    INSERT = "INSERT"
    MODIFY = "MODIFY"
    REMOVE = "REMOVE"


class Change(NamedTuple):
    kind: Kind
    key: Key
    old: dict[str, Any]
    """The item before, as an attribute map {name: {type: value}} with binary values in Base64; empty for none."""
    new: dict[str, Any]
    """The item after, likewise."""

    @property
    def entity(self) -> EntityName | None:
        """The changed entity, if the item is one."""
        return keys.entity_of(self.key)

    @classmethod
    def of(cls, event: dict[str, Any]) -> Change:
        """Read a record of a DynamoDB stream event."""
        images = event["dynamodb"]
        key = Key(images["Keys"]["pk"]["S"], images["Keys"]["sk"]["S"])
        return cls(Kind(event["eventName"]), key, images.get("OldImage", {}), images.get("NewImage", {}))


Changes = Mapping[str, Change]
"""A batch, in its order, by sequence number."""
