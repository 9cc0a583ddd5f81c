"""The transport: PynamoDB's calls as signed HTTP requests, in place of botocore's client.

botocore takes 70 % of the CPU of a request: it walks the service model to serialize and parse what PynamoDB serializes
and parses again. What it does beyond is done here as it does it: time-outs, retries with their quota and pauses,
errors, and the events by which tests inject faults. Environments with more than that (profiles, proxies, other
partitions) keep botocore's client, and so does WORKLEDGER_TRANSPORT=botocore: docs/decisions/transport.md.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import random
import ssl
import time
import urllib.request
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit
from uuid import uuid4

import botocore
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectionError,  # noqa: A004  the ground of all that are about connections
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from botocore.hooks import HierarchicalEmitter
from botocore.retries.quota import RetryQuota

from chalicelib.dal.http_connection import Answer, Connection, Request
from chalicelib.dal.signing import Credentials, signed

_TARGET = "DynamoDB_20120810."
_CONTENT_TYPE = "application/x-amz-json-1.0"
_USER_AGENT = "workledger"

_TRANSIENT = frozenset({"RequestTimeout", "RequestTimeoutException", "PriorRequestNotComplete"})
_TRANSIENT_STATUS = frozenset({500, 502, 503, 504})
_THROTTLED = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)
_SKEWED = frozenset({"InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed"})
_LOST = (ConnectionError, HTTPClientError)
_MAX_PAUSE_SECONDS = 20.0
_PAUSE_SECONDS, _THROTTLED_PAUSE_SECONDS = 0.025, 1.0
_MAX_IDLE = 10
"""Connections kept open, as many as botocore keeps."""
_COST, _THROTTLED_COST, _REFUND = 14, 5, 1
"""Shares of the quota of retries: a retry takes one, a success gives some back."""


class Timeouts(NamedTuple):
    connect: float
    read: float


class Transport:
    """The part of a botocore client that PynamoDB uses. Threads share it, and its idle connections."""

    _request_signer = None
    """PynamoDB renews a client whose signer has no credentials. Here each request asks for them."""

    def __init__(
        self, endpoint: str, region: str, credentials: Callable[[], Credentials], timeouts: Timeouts, attempts: int
    ) -> None:
        self.meta = SimpleNamespace(events=HierarchicalEmitter(), endpoint_url=endpoint)
        self.timeouts = timeouts
        self._region = region
        self._credentials = credentials
        self._attempts = attempts
        self._host = urlsplit(endpoint)
        self._quota = RetryQuota()
        self._idle: deque[Connection] = deque()
        weakref.finalize(self, _close_all, self._idle)
        self._skew = timedelta(0)

    def _make_api_call(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return the parsed answer. ClientError for an error answer, BotoCoreError where none came."""
        if operation == "TransactWriteItems":
            # Makes the repetition of a lost attempt one transaction with it.
            parameters = {"ClientRequestToken": str(uuid4()), **parameters}
        emit, model = self.meta.events.emit, SimpleNamespace(name=operation)
        emit(f"provide-client-params.dynamodb.{operation}", params=parameters, model=model)
        body = json.dumps(parameters, default=_to_base64, separators=(",", ":")).encode()
        emit(f"before-call.dynamodb.{operation}", params={"body": body}, model=model)
        status, parsed = self._answered(operation, body)
        emit(f"after-call.dynamodb.{operation}", parsed=parsed, model=model)
        if status >= 300:
            raise ClientError(parsed, operation)
        return parsed

    def _answered(self, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Return the status and the parsed answer of the last attempt, which is the first that needs no other."""
        cost = 0
        for attempt in range(1, self._attempts + 1):
            lost: Exception | None = None
            status, parsed, code = 0, {}, ""
            try:
                answer = self._attempted(operation, body)
                status, parsed = answer.status_code, _parsed(answer)
                code = parsed.get("Error", {}).get("Code", "")
            except _LOST as error:
                lost = error
            if lost is None and status < 300:
                self._quota.release(cost or _REFUND)
                return status, parsed
            throttled = code in _THROTTLED or status == 429
            again = lost is not None or throttled or code in _TRANSIENT or status in _TRANSIENT_STATUS
            if code in _SKEWED and lost is None and self._corrects_clock(answer.headers):
                again = True
            cost = _THROTTLED_COST if throttled else _COST
            if not again or attempt == self._attempts or not self._quota.acquire(cost):
                if lost is not None:
                    raise lost
                return status, parsed
            scale = _THROTTLED_PAUSE_SECONDS if throttled else _PAUSE_SECONDS
            time.sleep(random.random() * min(scale * 2 ** (attempt - 1), _MAX_PAUSE_SECONDS))  # noqa: S311  jitter
        raise AssertionError("the last attempt returns or raises")

    def _attempted(self, operation: str, body: bytes) -> Any:
        headers = {"content-type": _CONTENT_TYPE, "host": self._host.netloc, "x-amz-target": _TARGET + operation}
        now = datetime.now(UTC) + self._skew
        headers = signed(headers, body, self._credentials(), self._region, now)
        request = Request(self.meta.endpoint_url, {**headers, "user-agent": _USER_AGENT}, body)
        # As in botocore, what a handler returns is the answer.
        for _, answer in self.meta.events.emit(f"before-send.dynamodb.{operation}", request=request):
            if answer is not None:
                return answer
        return self.send(request)

    def send(self, request: Request) -> Answer:
        """Send once; ConnectionError or HTTPClientError if no answer comes."""
        connection: Connection | None = None
        try:
            connection = self._idle_connection() or Connection(self._opened(), self.timeouts.read)
            answer = connection.answer(request)
        except BaseException as error:
            # The answer of this request must not be read as the next one's.
            if connection is not None:
                connection.close()
            if isinstance(error, OSError | http.client.HTTPException):
                raise self._of_botocore(error, is_sent=connection is not None) from error
            raise
        if connection.is_kept and len(self._idle) < _MAX_IDLE:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def _idle_connection(self) -> Connection | None:
        """Return an idle connection that the other side has not closed; None for none."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                # Another thread has taken the last one.
                break
            if connection.is_idle:
                return connection
            connection.close()
        return None

    def _opened(self) -> http.client.HTTPConnection:
        host, port = self._host.hostname or "", self._host.port
        if self._host.scheme == "https":
            opened: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=self.timeouts.connect, context=self._tls
            )
        else:
            opened = http.client.HTTPConnection(host, port, timeout=self.timeouts.connect)
        try:
            opened.connect()
        except BaseException:
            opened.close()
            raise
        return opened

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Verifies, by the certificates that botocore verifies by."""
        own = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE")
        return ssl.create_default_context(cafile=own or str(Path(botocore.__file__).with_name("cacert.pem")))

    def _of_botocore(self, error: Exception, *, is_sent: bool) -> Exception:
        """Return the error that botocore raises for it, and PynamoDB expects."""
        if isinstance(error, TimeoutError):
            kind = ReadTimeoutError if is_sent else ConnectTimeoutError
        elif isinstance(error, ssl.SSLError):
            kind = SSLError
        else:
            kind = ConnectionClosedError if is_sent else EndpointConnectionError
        raised: Exception = kind(endpoint_url=self.meta.endpoint_url, error=error)
        return raised

    def _corrects_clock(self, headers: Mapping[str, str]) -> bool:
        """Take the difference to the clock of the other side; False if it is not the reason for a refusal."""
        date = {name.lower(): value for name, value in headers.items()}.get("date")
        if date is None:
            return False
        skew = parsedate_to_datetime(date) - datetime.now(UTC)
        if abs(skew - self._skew) < timedelta(minutes=4):
            return False
        self._skew = skew
        return True


def _close_all(connections: deque[Connection]) -> None:
    while connections:
        connections.pop().close()


def of_environment(region: str, timeouts: Timeouts, attempts: int) -> Transport | None:
    """Return the transport, or None where the environment asks for what only botocore knows."""
    environment = os.environ
    own = environment.get("AWS_ENDPOINT_URL_DYNAMODB") or environment.get("AWS_ENDPOINT_URL")
    needs = ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
    if any(environment.get(name, "false").lower() == "true" for name in needs) or region.count("-iso"):
        return None
    credentials = _credentials()
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    endpoint = own or f"https://dynamodb.{region}.{domain}"
    host = urlsplit(endpoint)
    is_proxied = host.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host.hostname or "")
    if credentials is None or is_proxied or host.path not in {"", "/"}:
        return None
    return Transport(endpoint, region, credentials, timeouts, attempts)


def _credentials() -> Callable[[], Credentials] | None:
    """Return the source of credentials: the variables of a function, or the container's, which are renewed."""
    if os.environ.get("AWS_ACCESS_KEY_ID") and os.environ.get("AWS_SECRET_ACCESS_KEY"):
        return _of_variables
    if {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"} & os.environ.keys():
        from botocore.credentials import ContainerProvider

        return partial(_frozen, ContainerProvider().load())
    return None


def _of_variables() -> Credentials:
    variables = os.environ
    token = variables.get("AWS_SESSION_TOKEN")
    return Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], token or None)


def _frozen(renewed: Any) -> Credentials:
    frozen = renewed.get_frozen_credentials()
    return Credentials(frozen.access_key, frozen.secret_key, frozen.token)


# -- DynamoDB's JSON -------------------------------------------------------------------------------------------------


def _to_base64(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is no value of DynamoDB")


def _parsed(answer: Any) -> dict[str, Any]:
    """Return the answer's JSON with bytes where it has binary values; of an error, as botocore's ClientError has it."""
    try:
        parsed = json.loads(answer.content or b"{}")
    except ValueError:
        if answer.status_code < 300:
            # An answer that was cut off: what it said is unknown, like that of a lost one.
            raise HTTPClientError(error="the answer is not JSON") from None
        parsed = {}
    if answer.status_code < 300:
        has_bytes = b'"B' in answer.content and (b'"B":' in answer.content or b'"BS":' in answer.content)
        return cast(dict[str, Any], _with_bytes(parsed) if has_bytes else parsed)
    code = str(parsed.pop("__type", answer.status_code)).rpartition("#")[2]
    message = parsed.pop("message", None) or parsed.pop("Message", "")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return {
        **_with_bytes(parsed),
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {
            "RequestId": headers.get("x-amzn-requestid", ""),
            "HTTPStatusCode": answer.status_code,
            "HTTPHeaders": headers,
        },
    }


def _with_bytes(value: Any) -> Any:
    if isinstance(value, dict):
        if len(value) == 1:
            kind, content = next(iter(value.items()))
            if kind == "B" and isinstance(content, str):
                return {"B": base64.b64decode(content)}
            if kind == "BS" and isinstance(content, list):
                return {"BS": [base64.b64decode(entry) for entry in content]}
        return {name: _with_bytes(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_with_bytes(entry) for entry in value]
    return value
