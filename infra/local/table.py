"""The table and the queues of `infra/resources.yaml`, created in a local engine."""

from __future__ import annotations

import json
from typing import Any

from infra.local.template import properties

# The properties that shape the data. The others (encryption, backups, protection) concern deployed tables only.
_SHAPE = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")
_QUEUE_ATTRIBUTES = (
    "ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit",
    "MaximumMessageSize", "MessageRetentionPeriod", "VisibilityTimeout",
)  # fmt: skip


class TableDiffers(Exception):
    """The existing table has another shape than in `resources.yaml`."""


def table_definition() -> dict[str, Any]:
    """Return the input of CreateTable without the table's name."""
    table = properties("Table")
    return {name: table[name] for name in _SHAPE if name in table} | {
        "StreamSpecification": {"StreamEnabled": True, **table["StreamSpecification"]}
    }


def create_table(client: Any, name: str) -> None:
    client.create_table(TableName=name, **table_definition())
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    client.update_time_to_live(TableName=name, TimeToLiveSpecification=properties("Table")["TimeToLiveSpecification"])


def ensure_table(client: Any, name: str) -> None:
    """Create the table if it is missing. Raises TableDiffers if it exists in another shape."""
    try:
        stored = client.describe_table(TableName=name)["Table"]
    except client.exceptions.ResourceNotFoundException:
        create_table(client, name)
        return
    if shape(stored) != shape(table_definition()):
        raise TableDiffers(f"the stored table {name} no longer matches infra/resources.yaml; `make reset` drops it")


def shape(table: dict[str, Any]) -> dict[str, Any]:
    """Return keys, indexes and stream in a form that is the same for CreateTable's input and DescribeTable's answer."""
    return {
        "attributes": sorted((row["AttributeName"], row["AttributeType"]) for row in table["AttributeDefinitions"]),
        "keys": _keys(table),
        "indexes": {
            index["IndexName"]: (
                _keys(index),
                index["Projection"]["ProjectionType"],
                sorted(index["Projection"].get("NonKeyAttributes", [])),
            )
            for index in table.get("GlobalSecondaryIndexes", [])
        },
        "stream": table["StreamSpecification"]["StreamViewType"],
    }


def _keys(table: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["AttributeName"], row["KeyType"]) for row in table["KeySchema"]]


def create_queue(client: Any, resource: str, name: str) -> str:
    """Create a queue and its dead-letter queue; return the queue's URL. `resource`: its logical id in the template."""
    queue = properties(resource)
    redrive = queue["RedrivePolicy"]
    dead_letters = redrive["deadLetterTargetArn"]["Fn::GetAtt"].removesuffix(".Arn")
    stem, dot, suffix = name.partition(".")
    dead_letters_name = f"{stem}-dead-letters{dot}{suffix}"
    dead_letters_url = _create(client, dead_letters_name, _attributes(properties(dead_letters)))
    arn = client.get_queue_attributes(QueueUrl=dead_letters_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": redrive["maxReceiveCount"]})
    return _create(client, name, _attributes(queue) | {"RedrivePolicy": policy})


def _create(client: Any, name: str, attributes: dict[str, str]) -> str:
    url: str = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def _attributes(queue: dict[str, Any]) -> dict[str, str]:
    values = {name: queue[name] for name in _QUEUE_ATTRIBUTES if name in queue}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()}
