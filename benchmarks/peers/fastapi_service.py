"""FastAPI behind Mangum with a boto3 resource: validated, without caller, audit or idempotency."""

from __future__ import annotations

import os
import uuid
from typing import Annotated, Any

import boto3
from boto3.dynamodb.conditions import Key
from fastapi import FastAPI, HTTPException, Query
from mangum import Mangum

from benchmarks.peers.contracts import Client, CreateClient

_table = boto3.resource("dynamodb").Table(os.environ["PEERS_TABLE"])
_app = FastAPI()
handler = Mangum(_app, lifespan="off")


@_app.post("/clients", status_code=201)
def create_client(data: CreateClient) -> Client:
    client = Client(id=uuid.uuid4(), **data.model_dump())
    _table.put_item(Item={"pk": "ORG#1", "sk": f"CLIENT#{client.id}", **client.model_dump(mode="json")})
    return client


@_app.get("/clients/{client_id}")
def get_client(client_id: uuid.UUID) -> Client:
    item: Any = _table.get_item(Key={"pk": "ORG#1", "sk": f"CLIENT#{client_id}"}).get("Item")
    if item is None:
        raise HTTPException(404)
    return Client.model_validate(item)


@_app.get("/clients")
def get_clients(limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[Client]:
    page = _table.query(KeyConditionExpression=Key("pk").eq("ORG#1") & Key("sk").begins_with("CLIENT#"), Limit=limit)
    return [Client.model_validate(item) for item in page["Items"]]
