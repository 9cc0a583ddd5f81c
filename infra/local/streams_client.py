"""A client of DynamoDB Streams that returns records as the engine wrote them, which is the form of Lambda's events.

botocore's client turns each value of a record into Python's, and back for the event: half of the pump's CPU.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import urllib3
from botocore.exceptions import ClientError

from chalicelib.dal.signing import Credentials, signed

_TARGET = "DynamoDBStreams_20120810."
_TIMEOUT_SECONDS = 60
_RETRIES = urllib3.Retry(1, allowed_methods=None)


class StreamsClient:
    """Threads share it."""

    def __init__(self, endpoint: str, region: str, credentials: Credentials) -> None:
        self._endpoint = endpoint
        self._region = region
        self._credentials = credentials
        self._http = urllib3.PoolManager(maxsize=4, timeout=_TIMEOUT_SECONDS, retries=_RETRIES)

    def describe_stream(self, **parameters: Any) -> dict[str, Any]:
        return self._call("DescribeStream", parameters)

    def get_shard_iterator(self, **parameters: Any) -> dict[str, Any]:
        return self._call("GetShardIterator", parameters)

    def get_records(self, **parameters: Any) -> dict[str, Any]:
        return self._call("GetRecords", parameters)

    def _call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(parameters).encode()
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "host": urlsplit(self._endpoint).netloc,
            "x-amz-target": _TARGET + operation,
        }
        headers = signed(headers, body, self._credentials, self._region, datetime.now(UTC))
        response = self._http.request("POST", self._endpoint, body=body, headers=headers)
        answer: dict[str, Any] = response.json()
        if response.status != HTTPStatus.OK:
            code = str(answer.get("__type", response.status)).rpartition("#")[2]
            raise ClientError({"Error": {"Code": code, "Message": str(answer.get("message"))}}, operation)
        return answer
