"""The write units of one create, item by item: what of its price is the entity, its indexes, its guards and its log."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import show
from infra.local.stack import Stack
from tests.support.api import Api
from tests.support.arrange import arrange
from tests.support.factories import new_organization

_ACTIONS = ("createClient", "createAssignment")


def run(api: Api, stack: Stack) -> None:
    organization = new_organization(api)
    client = stack.engine.client("dynamodb")
    for action in _ACTIONS:
        alone, keyed = (arrange(action, organization).send(key) for key in (None, "writes"))
        rows: list[tuple[object, ...]] = []
        for write in transaction(keyed):
            kind, request = next(iter(write.items()))
            # An update's units depend on the item that is there.
            own = units(client, stack.table, request) if kind == "Put" else ("", "")
            rows.append((_name(kind, request), *own))
        rows.append(("all, as billed", capacity(keyed), ""))
        rows.append(("... without an Idempotency-Key", capacity(alone), ""))
        show(f"{action}: write units", ("item", "itself", "its indexes"), rows)


def transaction(answer: Any) -> list[dict[str, Any]]:
    [call] = [call for call in answer.recording.calls if call.operation == "TransactWriteItems"]
    writes: list[dict[str, Any]] = call.parameters["TransactItems"]
    return writes


def capacity(answer: Any) -> float:
    return float(sum(call.capacity for call in answer.recording.calls if call.operation == "TransactWriteItems"))


def units(client: Any, table: str, put: dict[str, Any]) -> tuple[float, float]:
    """Return the units of an item in a transaction, and those of its index entries, from a put of a copy of it."""
    item = {**put["Item"], "sk": {"S": f"{put['Item']['sk']['S'][:-1]}-"}}
    consumed = client.put_item(TableName=table, Item=item, ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
    indexes = consumed.get("GlobalSecondaryIndexes", {})
    return consumed["Table"]["CapacityUnits"] * 2, float(sum(index["CapacityUnits"] for index in indexes.values()))


def _name(kind: str, request: dict[str, Any]) -> str:
    key = request.get("Item") or request["Key"]
    return f"{kind.lower()} {'#'.join(key['pk']['S'].split('#')[2:4])}"
