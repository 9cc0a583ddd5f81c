"""A change of one item, as the table's stream tells it."""

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
        """What has changed, if it is an entity."""
        return keys.entity_of(self.key)

    @classmethod
    def of(cls, event: dict[str, Any]) -> Change:
        """From a record of a DynamoDB stream event."""
        told = event["dynamodb"]
        key = Key(told["Keys"]["pk"]["S"], told["Keys"]["sk"]["S"])
        return cls(Kind(event["eventName"]), key, told.get("OldImage", {}), told.get("NewImage", {}))


Changes = Mapping[str, Change]
"""A batch, in its order, by sequence number."""
