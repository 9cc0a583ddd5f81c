"""Events of API Gateway's REST proxy."""

from __future__ import annotations

import json
from typing import Any


def event(
    method: str,
    resource: str,
    *,
    parameters: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    body: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """`resource`: the path with its parameters in braces."""
    sent = {"Content-Type": "application/json", "Host": "api.example", **(headers or {})}
    path = resource.format(**(parameters or {}))
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": query and {name: [value] for name, value in query.items()},
        "pathParameters": parameters,
        "stageVariables": None,
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {
            "requestId": "1",
            "httpMethod": method,
            "path": path,
            "resourcePath": resource,
            "stage": "api",
            "identity": {"sourceIp": "198.51.100.7"},
        },
    }
