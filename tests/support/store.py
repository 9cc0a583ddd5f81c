"""Direct access to the table: its items, the changes of a request, and snapshots to restore."""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.utilities import dynamo_json_dump

from chalicelib.dal.signing import Credentials
from chalicelib.dal.transport import Timeouts, Transport
from chalicelib.models.time import packed_months
from infra.local.engine import ACCOUNT, REGION
from infra.local.engine import Store as Engines
from infra.local.stack import Stack
from tests.support import writes

StoredItem = dict[str, Any]
"""DynamoDB JSON: {name: {type: value}}."""

Snapshot = dict[tuple[str, str], StoredItem]
"""Partition and sort key to item."""

_BATCH = 25
_DESERIALIZER = TypeDeserializer()

_LIMIT = "LIMIT#"
"""Prefix of the sort keys of limits. Only their used amount is compared: slots and versions change with time."""

_DECOY = "DECOY#"
"""Prefix of the sort keys of decoys, which carry no information."""

_PACKED = "#TIMEMONTH"
"""Suffix of the partition of packed months, which are compared unpacked: the ids in them are bytes."""

_VOLATILE = {"lastSeenAt", "tokenHashes", "ttl"}
"""Attributes that change with time or with each answer: `tokens_in` counts the tokens."""

_GENERATED = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # ids
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"  # instants
    r"|\$argon2id\$[^\"\\]+"  # hashes of secrets
    r"|DUE#\d\d"  # shards, by id
    r"|elapsedSeconds\W+\d+"  # of a timer that runs on
    r"|[0-9a-f]{64}"  # digests, secrets of cursors
)


@dataclass(frozen=True)
class Change:
    before: StoredItem | None
    after: StoredItem | None


@dataclass
class Store:
    """The table, through a client of its own, so that the hooks on the app's client do not see it."""

    client: Transport
    table: str
    _last: tuple[int, Snapshot] = field(default=(-1, {}), init=False)
    """The number of writes before the last scan, and what it returned."""

    def items(self) -> Snapshot:
        """Return all items. Scans only if there was a write since: a scan costs as much as five requests."""
        before = writes.count()
        if self._last[0] != before:
            self._last = before, {(item["pk"]["S"], item["sk"]["S"]): item for item in self._scan()}
        return dict(self._last[1])

    def _scan(self) -> Iterator[StoredItem]:
        request: dict[str, Any] = {"TableName": self.table, "ConsistentRead": True}
        while True:
            page = self._call("Scan", request)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        return self.client._make_api_call(operation, request)

    def changes(self, before: Snapshot, *, limits: bool = True) -> dict[tuple[str, str], Change]:
        """Return all differences from a snapshot. `limits`: include the used amounts of limits."""
        after = self.items()
        ignored = (_DECOY,) if limits else (_DECOY, _LIMIT)
        return {
            key: Change(before.get(key), after.get(key))
            for key in sorted({*before, *after})
            if _differ(before.get(key), after.get(key)) and not key[1].startswith(ignored)
        }

    def restore(self, snapshot: Snapshot) -> None:
        now = self.items()
        added = (item for key, item in now.items() if key not in snapshot)
        deletes = [{"DeleteRequest": {"Key": {"pk": item["pk"], "sk": item["sk"]}}} for item in added]
        puts = [{"PutRequest": {"Item": item}} for key, item in snapshot.items() if now.get(key) != item]
        self._write([*deletes, *puts])

    def put(self, items: Iterable[StoredItem]) -> None:
        self._write([{"PutRequest": {"Item": item}} for item in items])

    def remove(self, keys: Iterable[tuple[str, str]]) -> None:
        self._write([{"DeleteRequest": {"Key": {"pk": {"S": pk}, "sk": {"S": sk}}}} for pk, sk in keys])

    def _write(self, requests: list[dict[str, Any]]) -> None:
        for start in range(0, len(requests), _BATCH):
            writes.note()
            answer = self._call("BatchWriteItem", {"RequestItems": {self.table: requests[start : start + _BATCH]}})
            assert not answer.get("UnprocessedItems"), "the engine did not process all writes"


class MotoStore(Store):
    """The table inside moto, read directly in this process: a scan of a few items would take 50 ms."""

    def _scan(self) -> Iterator[StoredItem]:
        table = dynamodb_backends[ACCOUNT][REGION].tables[self.table]
        stored = (item.attrs for partition in table.items.values() for item in partition.values())
        return (json.loads(dynamo_json_dump(attributes), object_hook=_with_bytes) for attributes in stored)


def _with_bytes(value: dict[str, Any]) -> dict[str, Any]:
    """Decode binary values, which are Base64 on the wire."""
    return {"B": base64.b64decode(value["B"])} if {*value} == {"B"} and isinstance(value["B"], str) else value


@cache
def of(stack: Stack) -> Store:
    kind = MotoStore if stack.engine.store is Engines.MOTO else Store
    timeouts = Timeouts(connect=10, read=60)
    client = Transport(stack.engine.table_endpoint, REGION, lambda: Credentials("local", "local", None), timeouts, 2)
    return kind(client, stack.table)


def plain(item: StoredItem) -> dict[str, Any]:
    """Return the attributes as Python values."""
    return {name: _DESERIALIZER.deserialize(value) for name, value in item.items()}


def tokens_in(changes: dict[tuple[str, str], Change]) -> int:
    """Return the number of tokens of the opened session, 0 if none was opened."""
    opened = (plain(change.after).get("data") for change in changes.values() if not change.before and change.after)
    return sum(len(data.get("tokenHashes", ())) for data in opened if isinstance(data, dict))


def audit_entries(changes: dict[tuple[str, str], Change]) -> list[dict[str, Any]]:
    """Return the audit entries among changes, with their `changes` parsed."""
    entries = [
        plain(change.after)["data"]
        for (pk, _), change in changes.items()
        if pk.endswith("#AUDIT") and change.before is None and change.after is not None
    ]
    return [{**entry, "changes": json.loads(entry["changes"])} for entry in entries]


def entity_in(snapshot: Snapshot, organization: object, entity_type: str, entity_id: str) -> StoredItem | None:
    """Return the item of an entity, by its type and id in the audit log."""
    kind = f"ORG#{organization}#{entity_type.upper()}"
    if entity_type == "timer":  # its key is its user's
        timers = (item for (pk, _), item in snapshot.items() if pk == kind)
        return next((item for item in timers if plain(item)["data"]["id"] == entity_id), None)
    if entity_type == "timesheet":
        entity_id = entity_id.replace("/", "#")
    keys = (key for key in snapshot if key[1] == entity_id and (key[0] + "#").startswith(kind + "#"))
    return next((snapshot[key] for key in keys), None)


def canonical(changes: dict[tuple[str, str], Change], before: Snapshot) -> list[str]:
    """Return changes in a form that is equal for two runs of one request, without generated ids and instants."""
    known = json.dumps(list(before.values()), default=repr)
    texts = (
        json.dumps(_compared(change.after) or f"{key} is gone", sort_keys=True, default=repr)
        for key, change in changes.items()
    )
    return sorted(anonymous(text, known) for text in texts)


def anonymous(text: str, known: str = "") -> str:
    """Replace each id, instant and hash that is not in `known`."""
    return _GENERATED.sub(lambda match: match.group() if match.group() in known else "…", text)


def _differ(before: StoredItem | None, after: StoredItem | None) -> bool:
    if before == after:
        return False
    return _compared(before) != _compared(after)


def _compared(item: StoredItem | None) -> Any:
    """Return an item without volatile attributes; None for a missing item, or a limit of which nothing is used."""
    if item is None:
        return None
    values = plain(item)
    if values["sk"].startswith(_LIMIT):
        used = values["data"]["used"]
        return {"pk": values["pk"], "sk": values["sk"], "used": used} if used else None
    if values["pk"].endswith(_PACKED):
        month = packed_months.unpack(values["sk"].partition("#")[0], bytes(values["spans"]))
        values["spans"] = sorted(
            (group.tags, spans, group.billable, str(group.project), str(group.task)) for group, spans in month.items()
        )
    return _steady(values)


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _steady(child) for name, child in value.items() if name not in _VOLATILE}
    if isinstance(value, list):
        return [_steady(child) for child in value]
    return value


def partitions_of(snapshot: Snapshot, organization: object) -> Snapshot:
    """Return the items in an organization's partitions."""
    return {key: item for key, item in snapshot.items() if key[0].startswith(f"ORG#{organization}#")}


def texts_in(item: StoredItem) -> list[str]:
    """Return all texts in an item, at any depth; JSON in a text is one text."""
    return list(itertools.chain.from_iterable(_texts(plain(item)[name]) for name in item))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, child in value.items():
            yield name
            yield from _texts(child)
    elif isinstance(value, list):
        for child in value:
            yield from _texts(child)
