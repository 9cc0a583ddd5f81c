"""The table's stream. On dynoxide it is off unless a test is about it: with all that it ever told, writes slow down."""

from __future__ import annotations

from infra.local.engine import Store
from infra.local.stack import Stack
from infra.local.table import table_definition


def turn_off(stack: Stack) -> None:
    if stack.engine.store is Store.DYNOXIDE:
        client = stack.engine.client("dynamodb")
        client.update_table(TableName=stack.table, StreamSpecification={"StreamEnabled": False})


def turn_on(stack: Stack) -> str:
    """For what is written from now on; its ARN."""
    client = stack.engine.client("dynamodb")
    table = client.describe_table(TableName=stack.table)["Table"]
    if not table.get("StreamSpecification", {}).get("StreamEnabled"):
        wanted = table_definition()["StreamSpecification"]
        table = client.update_table(TableName=stack.table, StreamSpecification=wanted)["TableDescription"]
    arn: str = table["LatestStreamArn"]
    return arn
