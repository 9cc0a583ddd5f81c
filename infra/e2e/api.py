"""A client of the deployed API, which checks every answer as it arrives."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.message import Message
from typing import Any

from infra.e2e.emulator import E2eFailed

_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    call: str
    status: int
    headers: Message
    text: str

    def data(self, status: int = 200) -> Any:
        """Return the data of a successful answer. Raises E2eFailed."""
        body = self._envelope(status)
        if body.get("success") is not True:
            raise self.unexpected("not a success")
        return body["data"]

    def refused(self, status: int, code: str) -> Answer:
        """Raise E2eFailed unless this is a refusal in the envelope, with this status and code."""
        body = self._envelope(status)
        error = body.get("error", {})
        if body.get("success") is not False or error.get("code") != code or not error.get("message"):
            raise self.unexpected(f"not {code}")
        if error.get("requestId") != self.headers["X-Request-Id"]:
            raise self.unexpected("the request id of body and header differ")
        return self

    def unexpected(self, why: str) -> E2eFailed:
        return E2eFailed(f"{self.call}: {why}: {self.status} {self.text[:600]}")

    def _envelope(self, status: int) -> Any:
        if self.status != status:
            raise self.unexpected(f"expected {status}")
        if not self.headers["X-Request-Id"]:
            raise self.unexpected("no X-Request-Id")
        return json.loads(self.text)


@dataclass(frozen=True)
class Caller:
    url: str
    token: str | None = None

    def signed_in(self, token: str) -> Caller:
        return replace(self, token=token)

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, headers=headers)

    def post(self, path: str, body: Mapping[str, Any], **headers: str) -> Answer:
        return self.call("POST", path, body, headers)

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        if self.token is not None:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        request = urllib.request.Request(  # noqa: S310  always the emulator's http URL
            self.url + path, method=method, headers=sent, data=None if body is None else json.dumps(body).encode()
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310  the emulator's own URL
                return Answer(f"{method} {path}", answer.status, answer.headers, answer.read().decode())
        except urllib.error.HTTPError as refusal:
            return Answer(f"{method} {path}", refusal.code, refusal.headers, refusal.read().decode())
