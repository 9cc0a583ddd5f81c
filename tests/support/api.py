"""A client of the product: requests by action name, through the same gateway code as `make serve`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from chalice import Chalice

import app as product
from chalicelib.action.registry import PREFIX, REGISTRY
from chalicelib.auth.tokens import Token
from chalicelib.modules import load_actions
from infra.local.gateway import Gateway, HttpRequest
from tests.support import client_hooks
from tests.support.client_hooks import Recording
from tests.support.exchange import hold_to_exchange

# Tests walk the registry; the product imports a domain with its first request.
load_actions()

SOURCE = "198.51.100.7"
"""Source address of requests."""
OUTSIDE = {"EMAIL", "SOURCE"}
"""Partitions of identity, which belong to no organization."""
_USE_IDENTITY = {
    "confirmEmail",
    "deleteUser",
    "executeQuickAction",
    "inviteUser",
    "resendConfirmation",
    "resendInvitation",
    "updatePassword",
    "withdrawInvitation",
}
"""Signed-in actions that touch the e-mail guard; a quick action may run inviteUser."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str
    recording: Recording

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def data(self) -> Any:
        assert self.json["success"] is True, self.text
        return self.json["data"]

    @property
    def error(self) -> Any:
        assert self.json["success"] is False, self.text
        return self.json["error"]

    @property
    def code(self) -> str:
        return str(self.error["code"])

    @property
    def is_replay(self) -> bool:
        return self.headers.get("Idempotency-Replayed") == "true"

    @property
    def round_trips(self) -> int:
        return self.recording.round_trips


@dataclass(frozen=True)
class Call:
    """A request for an action, without its sender."""

    action: str
    path: dict[str, str]
    query: dict[str, Any]
    body: Any
    headers: dict[str, str]

    @classmethod
    def of(
        cls,
        action: str,
        *,
        path: dict[str, Any] | None = None,
        query: dict[str, Any] | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Call:
        parameters = {name: str(value) for name, value in (path or {}).items()}
        return cls(action, parameters, dict(query or {}), body, dict(headers or {}))


class Api:
    """Sends requests, and checks after each that it stayed within its tenant."""

    def __init__(self, app: Chalice = product.app, source: str = SOURCE) -> None:
        self._gateway = Gateway(app)
        self.source = source

    def call(self, action: str, token: str | None = None, *, key: str | None = None, **parts: Any) -> Answer:
        """Send a request. `parts`: path, query, body (bytes unchanged, anything else as JSON), headers."""
        return self.send(Call.of(action, **parts), token, key=key)

    def send(self, call: Call, token: str | None = None, *, key: str | None = None) -> Answer:
        declared = REGISTRY[call.action]
        target = (PREFIX + declared.path).format(**{name: quote(value, safe="") for name, value in call.path.items()})
        if call.query:
            target += "?" + urlencode(call.query, doseq=True)
        headers = {"Content-Type": "application/json", **call.headers}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        body = (
            call.body if isinstance(call.body, bytes) else b"" if call.body is None else json.dumps(call.body).encode()
        )
        answer = self.raw(declared.method, target, headers, body)
        self.hold_to_tenant(call.action, token, answer)
        return answer

    def hold_to_tenant(self, action: str, token: str | None, answer: Answer) -> None:
        hold_to_tenant(action, token, answer)

    def raw(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        listed = {name.lower(): [value] for name, value in headers.items()}
        with client_hooks.recorded() as recording:
            response = self._gateway.handle(HttpRequest(method, target, listed, body, self.source))
        return Answer(response.status, dict(response.headers), response.body.decode(), recording)


def hold_to_tenant(action: str, token: str | None, answer: Answer) -> None:
    """Assert that a request named no key outside its caller's organization, except for identity and loans."""
    tenants, elsewhere = answer.recording.tenants(), answer.recording.elsewhere()
    declared = REGISTRY[action]
    parsed = Token.parse(token) if token else None
    if declared.is_public:
        # A repeated sign-up first tries a new organization in vain, and then reads the one that it had created,
        # whose session may have ended.
        is_repetition = answer.is_replay or (answer.status >= 400 and answer.code == "SESSION_EXPIRED")
        assert len(tenants) <= 1 + is_repetition, f"{action} touched {tenants}"
        assert elsewhere <= OUTSIDE | {"HEALTH"}, f"{action} touched {elsewhere}"
    else:
        own = {str(parsed.organization)} if parsed else set()
        if tenants - own:
            assert parsed, f"{action} of nobody touched {tenants}"
            hold_to_exchange(action, str(parsed.organization), answer.recording)
        assert elsewhere <= (OUTSIDE if action in _USE_IDENTITY else set()), f"{action} touched {elsewhere}"
