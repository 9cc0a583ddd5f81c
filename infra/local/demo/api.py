"""A client of the product's HTTP actions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import urllib3


class DemoFailed(Exception):
    """The demo organization cannot be completed."""


class Refused(DemoFailed):
    def __init__(self, method: str, path: str, error: dict[str, Any]) -> None:
        super().__init__(f"{method} {path} was refused: {error['code']}, {error['message']}")
        self.code = error["code"]


class Api:
    def __init__(self, url: str, token: str | None = None) -> None:
        self._url = url
        self.token = token
        self._http = urllib3.PoolManager(timeout=30, retries=False)

    def with_token(self, token: str) -> Api:
        return Api(self._url, token)

    def get(self, path: str) -> Any:
        return self._answer("GET", path)

    def patch(self, path: str, **body: Any) -> Any:
        return self._answer("PATCH", path, body)

    def post(self, path: str, **body: Any) -> Any:
        return self._answer("POST", path, body)

    def put(self, path: str, **body: Any) -> Any:
        return self._answer("PUT", path, body)

    def all(self, path: str) -> Iterator[Any]:
        """Yield all rows of a cursor list."""
        cursor = ""
        while True:
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit=100{cursor}")
            yield from page["items"]
            if page["nextCursor"] is None:
                return
            cursor = f"&cursor={page['nextCursor']}"

    def _answer(self, method: str, path: str, content: dict[str, Any] | None = None) -> Any:
        body = None if content is None else json.dumps(content).encode()
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        answer = self._http.request(method, f"{self._url}{path}", body=body, headers=headers)
        envelope = answer.json()
        if not envelope["success"]:
            raise Refused(method, path, envelope["error"])
        return envelope["data"]
