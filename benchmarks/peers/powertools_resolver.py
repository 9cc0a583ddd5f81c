"""The resolver of Powertools with its validation and a boto3 resource: no caller, audit or idempotency."""

from __future__ import annotations

import os
import uuid
from typing import Annotated, Any

import boto3
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.params import Query
from boto3.dynamodb.conditions import Key

from benchmarks.peers.contracts import Client, CreateClient

_table = boto3.resource("dynamodb").Table(os.environ["PEERS_TABLE"])
_app = APIGatewayRestResolver(enable_validation=True)


@_app.post("/clients")
def create_client(data: CreateClient) -> tuple[Client, int]:
    client = Client(id=uuid.uuid4(), **data.model_dump())
    _table.put_item(Item={"pk": "ORG#1", "sk": f"CLIENT#{client.id}", **client.model_dump(mode="json")})
    return client, 201


@_app.get("/clients/<client_id>")
def get_client(client_id: str) -> Client:
    item: Any = _table.get_item(Key={"pk": "ORG#1", "sk": f"CLIENT#{client_id}"}).get("Item")
    if item is None:
        raise NotFoundError("no such client")
    return Client.model_validate(item)


@_app.get("/clients")
def get_clients(limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[Client]:
    page = _table.query(KeyConditionExpression=Key("pk").eq("ORG#1") & Key("sk").begins_with("CLIENT#"), Limit=limit)
    return [Client.model_validate(item) for item in page["Items"]]


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return _app.resolve(event, context)
