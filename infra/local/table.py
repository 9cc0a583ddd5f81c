"""Creates the table and the queues of `infra/resources.yaml` in a local engine."""

from __future__ import annotations

import json
from typing import Any

from infra.local.template import properties

# What shapes the data. The rest of the definition (encryption, backups, protection) guards deployed tables only.
_SHAPE = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")
_QUEUE_ATTRIBUTES = ("DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "VisibilityTimeout")


class TableDiffers(Exception):
    """The table that was kept has another shape than `resources.yaml` gives it."""


def table_definition() -> dict[str, Any]:
    """The table as CreateTable takes it, all but its name."""
    table = properties("Table")
    return {name: table[name] for name in _SHAPE if name in table} | {
        "StreamSpecification": {"StreamEnabled": True, **table["StreamSpecification"]}
    }


def create_table(client: Any, name: str) -> None:
    client.create_table(TableName=name, **table_definition())
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    client.update_time_to_live(TableName=name, TimeToLiveSpecification=properties("Table")["TimeToLiveSpecification"])


def ensure_table(client: Any, name: str) -> None:
    """Creates the table unless it is there; raises TableDiffers when it is there in another shape."""
    try:
        kept = client.describe_table(TableName=name)["Table"]
    except client.exceptions.ResourceNotFoundException:
        create_table(client, name)
        return
    if shape(kept) != shape(table_definition()):
        raise TableDiffers(f"the kept table {name} no longer matches infra/resources.yaml; `make reset` drops it")


def shape(table: dict[str, Any]) -> dict[str, Any]:
    """Keys, indexes and stream of a table, comparable between CreateTable's input and DescribeTable's answer."""
    return {
        "attributes": sorted((each["AttributeName"], each["AttributeType"]) for each in table["AttributeDefinitions"]),
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
    return [(each["AttributeName"], each["KeyType"]) for each in table["KeySchema"]]


def create_queue(client: Any, resource: str, name: str) -> str:
    """Creates a queue and its dead-letter queue; returns the queue's URL. `resource`: what the template calls it."""
    queue = properties(resource)
    redrive = queue["RedrivePolicy"]
    dead_letters = redrive["deadLetterTargetArn"]["Fn::GetAtt"].removesuffix(".Arn")
    dead_letters_url = _create(client, f"{name}-dead-letters", _attributes(properties(dead_letters)))
    arn = client.get_queue_attributes(QueueUrl=dead_letters_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": redrive["maxReceiveCount"]})
    return _create(client, name, _attributes(queue) | {"RedrivePolicy": policy})


def _create(client: Any, name: str, attributes: dict[str, str]) -> str:
    url: str = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def _attributes(queue: dict[str, Any]) -> dict[str, str]:
    return {name: str(queue[name]) for name in _QUEUE_ATTRIBUTES if name in queue}
