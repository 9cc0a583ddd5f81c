"""A Lambda handler with a boto3 client and nothing else: no validation, no caller, no audit."""

from __future__ import annotations

import json
import os
import uuid
from typing import Any

import boto3

_TABLE = os.environ["PEERS_TABLE"]
_client = boto3.client("dynamodb")


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    parameters, query = event["pathParameters"] or {}, event["queryStringParameters"] or {}
    if event["httpMethod"] == "POST":
        body = json.loads(event["body"])
        client_id = str(uuid.uuid4())
        item = {"pk": {"S": "ORG#1"}, "sk": {"S": f"CLIENT#{client_id}"}, "id": {"S": client_id}}
        item |= {name: {"S": value} for name, value in body.items()}
        _client.put_item(TableName=_TABLE, Item=item)
        return _answer(201, _plain(item))
    if "id" in parameters:
        key = {"pk": {"S": "ORG#1"}, "sk": {"S": f"CLIENT#{parameters['id']}"}}
        stored = _client.get_item(TableName=_TABLE, Key=key).get("Item")
        return _answer(200, _plain(stored)) if stored else _answer(404, {"error": "no such client"})
    page = _client.query(
        TableName=_TABLE,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": {"S": "ORG#1"}, ":sk": {"S": "CLIENT#"}},
        Limit=int(query["limit"]),
    )
    return _answer(200, [_plain(item) for item in page["Items"]])


def _plain(item: dict[str, Any]) -> dict[str, str]:
    return {name: value["S"] for name, value in item.items() if name not in ("pk", "sk")}


def _answer(status: int, body: Any) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
