"""The table's stream. On dynoxide it is off unless a test needs it, because its records slow down writes."""

from __future__ import annotations

from typing import Any

from infra.local.engine import Store
from infra.local.stack import Stack
from infra.local.table import table_definition


def turn_off(stack: Stack) -> None:
    if stack.engine.store is Store.DYNOXIDE:
        client = stack.engine.client("dynamodb")
        client.update_table(TableName=stack.table, StreamSpecification={"StreamEnabled": False})


def is_on(stack: Stack) -> bool:
    return _has_stream(stack.engine.client("dynamodb").describe_table(TableName=stack.table)["Table"])


def turn_on(stack: Stack) -> str:
    """Enable the stream for writes from now on; return its ARN."""
    client = stack.engine.client("dynamodb")
    table = client.describe_table(TableName=stack.table)["Table"]
    if not _has_stream(table):
        specification = table_definition()["StreamSpecification"]
        table = client.update_table(TableName=stack.table, StreamSpecification=specification)["TableDescription"]
    arn: str = table["LatestStreamArn"]
    return arn


def _has_stream(table: dict[str, Any]) -> bool:
    return bool(table.get("StreamSpecification", {}).get("StreamEnabled"))
