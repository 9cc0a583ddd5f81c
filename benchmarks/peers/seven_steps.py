"""The seven steps of the documents that the product comes from, one after the other, with a boto3 resource.

Session, user with organization, permission, validation, uniqueness, write, audit entry: each that reads or writes is a
request.
"""

from __future__ import annotations

import json
import os
import uuid
from datetime import UTC, datetime
from typing import Any

import boto3
from boto3.dynamodb.conditions import Attr, Key
from pydantic import ValidationError

from benchmarks.peers.contracts import Client, CreateClient

_table = boto3.resource("dynamodb").Table(os.environ["PEERS_TABLE"])


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    session = _get("ORG#1", "SESSION#1")
    user = session and _get("ORG#1", f"USER#{session['userId']}")
    organization = user and _get("ORG#1", "ORGANIZATION")
    if not organization:
        return _answer(401, {"success": False, "error": "Unauthorized"})
    parameters, query = event["pathParameters"] or {}, event["queryStringParameters"] or {}
    if event["httpMethod"] == "POST":
        return _create(user, event)
    if "id" in parameters:
        item = _get("ORG#1", f"CLIENT#{parameters['id']}")
        if not item:
            return _answer(404, {"success": False, "error": "Not item"})
        return _answer(200, {"success": True, "data": Client.model_validate(item).model_dump(mode="json")})
    page = _table.query(
        KeyConditionExpression=Key("pk").eq("ORG#1") & Key("sk").begins_with("CLIENT#"), Limit=int(query["limit"])
    )
    rows = [Client.model_validate(item).model_dump(mode="json") for item in page["Items"]]
    return _answer(200, {"success": True, "data": rows})


def _create(user: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    if user["role"] not in ("OWNER", "ADMIN"):
        return _answer(403, {"success": False, "error": "Forbidden"})
    try:
        data = CreateClient.model_validate_json(event["body"])
    except ValidationError as error:
        return _answer(400, {"success": False, "error": error.errors(include_url=False)})
    if _table.get_item(Key={"pk": "ORG#1", "sk": f"NAME#{data.name.lower()}"}).get("Item"):
        return _answer(409, {"success": False, "error": "Duplicate"})
    client = Client(id=uuid.uuid4(), **data.model_dump())
    now = datetime.now(UTC).isoformat()
    _table.put_item(
        Item={"pk": "ORG#1", "sk": f"CLIENT#{client.id}", "createdAt": now, **client.model_dump(mode="json")},
        ConditionExpression=Attr("pk").not_exists(),
    )
    entry = {"event": "CLIENT_CREATED", "userId": user["id"], "entityId": str(client.id), "at": now}
    _table.put_item(Item={"pk": "ORG#1", "sk": f"AUDIT#{now}#{client.id}", **entry})
    return _answer(201, {"success": True, "data": client.model_dump(mode="json")})


def _get(partition: str, sort: str) -> dict[str, Any] | None:
    item: dict[str, Any] | None = _table.get_item(Key={"pk": partition, "sk": sort}).get("Item")
    return item


def _answer(status: int, body: Any) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
