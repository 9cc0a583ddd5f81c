"""The seven steps of a server action, written once for all of them."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from chalicelib.action import answers, idempotency, steps
from chalicelib.action.chunked_write import ChunkedWrite
from chalicelib.action.context import AnyContext, Context, PublicContext, Request
from chalicelib.action.envelope import Raw, Reply, failure, raw, success
from chalicelib.action.etags import etag_of, expected_tags, matches
from chalicelib.action.idempotency import Replay
from chalicelib.action.media_types import CSV, prefers_csv
from chalicelib.action.registry import Action, Named
from chalicelib.action.validation import arguments_of, header_text
from chalicelib.auth.principal import Principal, SessionEnded, authenticate
from chalicelib.auth.rate_limits import REPETITIONS, RequestLimits
from chalicelib.auth.sessions import another_token
from chalicelib.auth.tokens import Token
from chalicelib.core import text
from chalicelib.core.contracts import Contract
from chalicelib.core.errors import ActionError, ErrorCode, invalid_state
from chalicelib.core.ids import NO_ORGANIZATION, OrganizationId
from chalicelib.core.observability import emit, log_context, logger, traced
from chalicelib.dal import keys
from chalicelib.dal.keys import Key
from chalicelib.dal.table import Traffic, counted
from chalicelib.dal.unit_of_work import UnitOfWork, retry_stale
from chalicelib.models import long_lists

MAX_ANSWER_BYTES = 1024 * 1024
"""Largest enveloped answer; exports are raw."""
_TRIES = 6
"""Runs of an action whose reads became stale before it could commit."""


def run(action: Action, request: Request) -> Reply:
    """Run one action for one request and answer it; raises nothing but the death of the process."""
    run = _Run(action, request)
    started = time.perf_counter()
    with counted() as traffic, log_context(correlation_id=request.id, action=action.name), traced(action.name):
        try:
            reply = run.reply()
        except Exception as error:  # noqa: BLE001  every error becomes an envelope, and a bug is logged
            reply = failure(error, request.id)
        run.limits.settle()
        reply.headers |= run.limits.headers()
        reply.headers["X-Request-Id"] = request.id
        run.observe(reply, traffic, (time.perf_counter() - started) * 1000)
    return reply


class _Run:
    """One request on its way through the steps."""

    def __init__(self, action: Action, request: Request) -> None:
        self.action = action
        self.request = request
        self.principal: Principal | None = None
        self.ended: SessionEnded | None = None
        self.arguments: dict[str, Any] = {}
        self.key: str | None = None
        self.limits = RequestLimits()
        self.context: AnyContext = PublicContext(request, self.limits)

    def reply(self) -> Reply:
        self._authenticate()
        self._authorize()
        self._validate()
        if not self.action.is_write:
            return self._answer(self._perform())
        self.key = header_text(self.request.headers, "Idempotency-Key", 255)
        return retry_stale(self._attempt_write, _TRIES)

    def _attempt_write(self, number: int) -> Reply:
        if number:
            # The caller's own user and organization may have changed.
            self._authenticate()
            self._authorize()
        if self.action.method == "DELETE" and self.principal is not None:
            long_lists.forget(self.principal.organization)
        try:
            data = self._write() if self.key is None else self._write_once()
        except Replay as replay:
            self.limits.prove_repetition()
            return self._replayed(replay.body)
        self.limits.commit()
        return self._answer(data)

    # -- steps 1 to 4 ----------------------------------------------------------------------------------------------

    def _authenticate(self) -> None:
        if self.action.is_public:
            return
        try:
            self.principal = authenticate(self.request.headers.get("authorization"), self._ahead)
        except SessionEnded as ended:
            if not (self.action.ends_session and "idempotency-key" in self.request.headers):
                raise
            # Perhaps by this very request, whose answer was lost: that answer is all it still gets.
            self.principal, self.ended = ended.principal, ended

    def _ahead(self, token: Token) -> list[Key]:
        return self.action.read_ahead(Named(token.organization, token.user, self.request.path, self._early_data))

    def _early_data(self) -> Contract | None:
        """Return the input before the caller is known; None for an invalid one."""
        try:
            self._validate()
        except ActionError:
            return None
        data: Contract | None = self.arguments.get("data")
        return data

    def _authorize(self) -> None:
        if self.principal is not None:
            steps.authorize(self.action, self.principal)

    def _validate(self) -> None:
        if not self.arguments:
            self.arguments = arguments_of(self.action, self.request)

    # -- step 5: do ------------------------------------------------------------------------------------------------

    def _perform(self) -> Any:
        """The action's own code, on a fresh unit of work; the result as JSON values."""
        if self.ended is not None:
            raise self.ended
        self.context = self._new_context()
        parts = {"parts": self._parts()} if self.action.is_in_parts else {}
        result = self.action.function(self.context, **self.arguments, **parts)
        if isinstance(result, Raw):
            return result
        if self.action.csv is not None and prefers_csv(self.request.headers.get("accept")):
            return self.action.csv(result)
        return steps.json_of(self.action, result)

    def _new_context(self) -> AnyContext:
        digest = self._digest() if self.action.is_write else b""
        if self.principal is None:
            return PublicContext(self.request, self.limits, digest)
        unit = UnitOfWork(self.principal.tenant)
        if self.action.is_write:
            unit.expected_tags = expected_tags(self.request.headers.get("if-match"))
        fingerprint = steps.query_fingerprint(self.request)
        return Context(self.request, self.principal, unit, self.action.name, fingerprint, self.limits, digest)

    # -- step 6: commit --------------------------------------------------------------------------------------------

    def _write(self) -> Any:
        data = self._perform()
        self._require_answerable(json.dumps(data))
        self._finish().commit()
        return data

    def _write_once(self) -> Any:
        """Write, and store the answer under the key as JSON text, without its token."""
        token: dict[str, Any] = {}

        def perform() -> dict[str, Any]:
            data = self._perform()
            opened = self.context.opened if isinstance(self.context, PublicContext) else None
            if opened is None:
                text = json.dumps(data)
                self._require_answerable(text)
                return {"data": text}
            token["token"] = data.pop("token")
            session = [str(self.context.unit.organization), str(opened.user), str(opened.id)]
            return {"data": json.dumps(data), "session": session}

        payload, secrets = self._input()
        body = idempotency.run_once(
            self.action.name,
            scope=self._scope(),
            payload=payload,
            secrets=secrets,
            key_of=self._record_key,
            perform=perform,
            finish=self._finish,
            limits=self.limits,
            guesses=REPETITIONS.of_address(self._email()) if secrets else None,
            looks_first=self.action.looks_first,
        )
        data = json.loads(body["data"])
        return {**token, **data} if token else data

    def _finish(self, answer: str | None = None) -> UnitOfWork:
        """Complete the unit with its audit entry. `answer`: the digest of the idempotency record that comes with it."""
        unit = self.context.unit
        unit.answer = answer
        if unit.is_dry_run and unit.is_empty:
            return unit
        # A public request may turn out to concern no organization: then there is no log to write to.
        if unit.organization != NO_ORGANIZATION:
            steps.record(self.action, self.context)
        return unit

    # -- step 6, idempotency: the identity of a request and its fingerprint ------------------------------------------

    def _scope(self) -> dict[str, str]:
        """Return the identity of the request: one without a key is repeated by this run alone."""
        which = {"request": self.request.id} if self.key is None else {"key": self.key}
        if self.principal is None:
            return {"email": text.unique_form(self._email()), **which}
        return {"organization": str(self.principal.tenant), "user": str(self.principal.user.id), **which}

    def _parts(self) -> ChunkedWrite:
        payload, _ = self._input()
        return ChunkedWrite(self.context.unit.organization, {"action": self.action.name, **self._scope()}, payload)

    def _record_key(self, digest: str) -> Key:
        if self.principal is None:
            return keys.idempotency_of_address(self._email(), digest)
        return keys.idempotency(self.principal.tenant, digest)

    def _digest(self) -> bytes:
        return hashlib.sha256(json.dumps([self.action.name, self._scope()], sort_keys=True).encode()).digest()

    def _email(self) -> str:
        """The address that the request concerns: its caller's, else the one in its body."""
        return self.principal.user.email if self.principal else str(self.arguments["data"].email)

    def _input(self) -> tuple[dict[str, Any], str | None]:
        """The input without its secrets, and the secrets."""
        data: Contract | None = self.arguments.get("data")
        secrets: dict[str, str] = {}
        for name in data.model_fields_set if data is not None else ():
            value = getattr(data, name)
            if isinstance(value, SecretStr):
                secrets[name] = value.get_secret_value()
        payload: dict[str, Any] = {"path": dict(self.request.path)}
        if data is not None:
            payload["data"] = data.model_dump(mode="json", exclude=set(secrets), exclude_unset=True)
        return payload, json.dumps(secrets, sort_keys=True) if secrets else None

    # -- answers ---------------------------------------------------------------------------------------------------

    def _answer(self, data: Any) -> Reply:
        reply = raw(data, self.action.status) if isinstance(data, Raw) else self._enveloped(data)
        if self.action.csv is not None:
            reply.headers["Vary"] = "Accept"
        return reply

    def _enveloped(self, data: Any) -> Reply:
        reply = success(data, self.action.status)
        if not self.action.is_write:
            self._require_answerable(reply.body)
        etag = etag_of(data, self.action.entity_field)
        if etag is not None:
            reply.headers["ETag"] = etag
            if self.action.method == "GET" and matches(self.request.headers.get("if-none-match"), etag):
                return Reply(304, "", {"ETag": etag})
        return reply

    def _require_answerable(self, text: str) -> None:
        """Refuse an answer that is too large, a write's before it is committed."""
        if len(text) > MAX_ANSWER_BYTES or len(text.encode()) > MAX_ANSWER_BYTES:
            other = "" if self.action.csv is None else f", or for {CSV}"
            raise invalid_state(f"the answer would be over 1 MB: ask for less at once{other}")

    def _replayed(self, body: dict[str, Any]) -> Reply:
        if self.principal is not None:
            body = answers.masked(body, {str(user) for user in self.principal.organization.erasing})
        data = json.loads(body["data"])
        if isinstance(self.context, PublicContext) and "session" in body:
            organization, user, session = (UUID(part) for part in body["session"])
            tenant = self.context.begin(OrganizationId(organization)).organization
            token = another_token(tenant, user, session)
            if token is None:
                raise ActionError(ErrorCode.SESSION_EXPIRED, "the session that this request opened has ended")
            data = {"token": token, **data}
        reply = self._answer(data)
        reply.headers["Idempotency-Replayed"] = "true"
        return reply

    # -- step 7 happens elsewhere: the table's stream carries the change on -----------------------------------------

    def observe(self, reply: Reply, traffic: Traffic, milliseconds: float) -> None:
        """The request's one log line and its metrics."""
        organization = self.principal.tenant if self.principal else self.context.unit.organization
        user = self.principal.user.id if self.principal else self.context.actor.id
        logger.info(
            "action",
            extra={
                "organization_id": None if organization == NO_ORGANIZATION else str(organization),
                "user_id": user and str(user),
                "status": reply.status,
                "error": reply.error,
                "duration_ms": round(milliseconds, 1),
                "round_trips": traffic.round_trips,
            },
        )
        # Not by action: four metrics of each of them would cost more than all of an organization's requests. The log
        # line has the action, and the template a saved query.
        emit(
            {},
            LatencyMs=milliseconds,
            Errors=float(reply.status >= 500),
            Refusals=float(400 <= reply.status < 500),
            RoundTrips=traffic.round_trips,
        )
