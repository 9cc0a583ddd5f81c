"""The table beside the app: what lies in it, what a request changed, and back to how it was."""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.utilities import dynamo_json_dump

from infra.local.engine import ACCOUNT, REGION
from infra.local.engine import Store as Engines
from infra.local.stack import Stack

StoredItem = dict[str, Any]
"""As the wire has it: {name: {type: value}}."""

Snapshot = dict[tuple[str, str], StoredItem]
"""By partition and sort key."""

_BATCH = 25
_DESERIALIZER = TypeDeserializer()

_LIMIT = "LIMIT#"
"""What the sort keys of limits start with. What counts is how much is used: slots and versions pass with time."""

_DECOY = "DECOY#"
"""Sort keys of what says nothing."""

_VOLATILE = {"lastSeenAt", "tokenHashes", "ttl"}
"""Attributes that move with time, or with each answer: `tokens_in` counts the tokens."""

_MADE_UP = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # ids
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"  # instants
    r"|\$argon2id\$[^\"\\]+"  # hashes of secrets
    r"|DUE#\d\d"  # shards, by id
    r"|[0-9a-f]{64}"  # digests, secrets of cursors
)


@dataclass(frozen=True)
class Change:
    before: StoredItem | None
    after: StoredItem | None


class Store:
    """Reads and writes with a client of its own, so that no hook on the app's client sees it."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def items(self) -> Snapshot:
        pages = self._client.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True)
        return {(item["pk"]["S"], item["sk"]["S"]): item for page in pages for item in page["Items"]}

    def changes(self, before: Snapshot, *, limits: bool = True) -> dict[tuple[str, str], Change]:
        """Everything that differs from before, attempts and (on demand not) uses of limits included."""
        after = self.items()
        ignored = (_DECOY,) if limits else (_DECOY, _LIMIT)
        return {
            key: Change(before.get(key), after.get(key))
            for key in sorted({*before, *after})
            if _differ(before.get(key), after.get(key)) and not key[1].startswith(ignored)
        }

    def restore(self, snapshot: Snapshot) -> None:
        now = self.items()
        gone = [{"DeleteRequest": {"Key": {"pk": item["pk"], "sk": item["sk"]}}} for item in _beyond(now, snapshot)]
        back = [{"PutRequest": {"Item": item}} for key, item in snapshot.items() if now.get(key) != item]
        self._write([*gone, *back])

    def put(self, items: Iterable[StoredItem]) -> None:
        self._write([{"PutRequest": {"Item": item}} for item in items])

    def remove(self, keys: Iterable[tuple[str, str]]) -> None:
        self._write([{"DeleteRequest": {"Key": {"pk": {"S": pk}, "sk": {"S": sk}}}} for pk, sk in keys])

    def _write(self, requests: list[dict[str, Any]]) -> None:
        for start in range(0, len(requests), _BATCH):
            batch = requests[start : start + _BATCH]
            answer = self._client.batch_write_item(RequestItems={self._table: batch})
            assert not answer.get("UnprocessedItems"), "the engine left writes undone"


class MotoStore(Store):
    """Looks into moto, which is in this process, directly: a scan of a few items takes it 50 ms."""

    def items(self) -> Snapshot:
        table = dynamodb_backends[ACCOUNT][REGION].tables[self._table]
        stored = (item.attrs for partition in table.items.values() for item in partition.values())
        items = (json.loads(dynamo_json_dump(attributes), object_hook=_with_bytes) for attributes in stored)
        return {(item["pk"]["S"], item["sk"]["S"]): item for item in items}


def _with_bytes(value: dict[str, Any]) -> dict[str, Any]:
    """Binary values as a client gets them; on the wire they are Base64."""
    return {"B": base64.b64decode(value["B"])} if {*value} == {"B"} and isinstance(value["B"], str) else value


def of(stack: Stack) -> Store:
    kind = MotoStore if stack.engine.store is Engines.MOTO else Store
    return kind(stack.engine.client("dynamodb"), stack.table)


def _beyond(now: Snapshot, snapshot: Snapshot) -> Iterator[StoredItem]:
    return (item for key, item in now.items() if key not in snapshot)


def plain(item: StoredItem) -> dict[str, Any]:
    """The attributes as Python values."""
    return {name: _DESERIALIZER.deserialize(value) for name, value in item.items()}


def tokens_in(changes: dict[tuple[str, str], Change]) -> int:
    """How many tokens the session has that was opened, 0 where none was."""
    opened = (plain(change.after).get("data") for change in changes.values() if not change.before and change.after)
    return sum(len(data.get("tokenHashes", ())) for data in opened if isinstance(data, dict))


def audit_entries(changes: dict[tuple[str, str], Change]) -> list[dict[str, Any]]:
    """The audit entries among changes; each with its `changes` as values."""
    entries = [
        plain(change.after)["data"]
        for (pk, _), change in changes.items()
        if pk.endswith("#AUDIT") and change.before is None and change.after is not None
    ]
    return [{**entry, "changes": json.loads(entry["changes"])} for entry in entries]


def entity_in(snapshot: Snapshot, organization: object, entity_type: str, entity_id: str) -> StoredItem | None:
    """The item of an entity, by the names the audit log has for it."""
    kind = f"ORG#{organization}#{entity_type.upper()}"
    keys = (key for key in snapshot if key[1] == entity_id and (key[0] + "#").startswith(kind + "#"))
    return next((snapshot[key] for key in keys), None)


def canonical(changes: dict[tuple[str, str], Change], before: Snapshot) -> list[str]:
    """Changes in a form in which two runs of one request are equal: what either made up is numbered no more."""
    known = json.dumps(list(before.values()), default=repr)
    texts = (
        json.dumps(_compared(change.after) or f"{key} is gone", sort_keys=True, default=repr)
        for key, change in changes.items()
    )
    return sorted(anonymous(text, known) for text in texts)


def anonymous(text: str, known: str = "") -> str:
    """The text with every id, instant and hash that is not `known` taken out."""
    return _MADE_UP.sub(lambda found: found.group() if found.group() in known else "…", text)


def _differ(before: StoredItem | None, after: StoredItem | None) -> bool:
    if before == after:
        return False
    return _compared(before) != _compared(after)


def _compared(item: StoredItem | None) -> Any:
    """An item without what moves by itself; None for one that is not there, or a limit of which nothing is used."""
    if item is None:
        return None
    values = plain(item)
    if values["sk"].startswith(_LIMIT):
        used = values["data"]["used"]
        return {"pk": values["pk"], "sk": values["sk"], "used": used} if used else None
    return _steady(values)


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _steady(each) for name, each in value.items() if name not in _VOLATILE}
    if isinstance(value, list):
        return [_steady(each) for each in value]
    return value


def partitions_of(snapshot: Snapshot, organization: object) -> Snapshot:
    """What lies in an organization's partitions."""
    return {key: item for key, item in snapshot.items() if key[0].startswith(f"ORG#{organization}#")}


def texts_in(item: StoredItem) -> list[str]:
    """Every text in an item, whatever it is nested in; JSON inside texts included as it stands."""
    return list(itertools.chain.from_iterable(_texts(plain(item)[name]) for name in item))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
