"""The local API gateway: turns an HTTP request into the Lambda event that the deployed app gets.

Chalice's own local gateway answers unknown paths with 403, leaves path parameters encoded, passes raw bytes as the
body and sends no request id; this one behaves like the deployed gateway, in the product's envelope.
"""

from __future__ import annotations

import base64
import gzip
import json
import logging
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from chalice.app import Chalice
from chalice.config import Config
from chalice.local import LocalChalice, LocalGateway

from chalicelib.action.security_headers import SECURITY_HEADERS
from chalicelib.core.errors import HTTP_STATUS, ErrorCode
from infra.local.engine import ACCOUNT

log = logging.getLogger("workledger.local.gateway")

STAGE = "local"
_CONFIG = json.loads((Path(__file__).parents[2] / ".chalice" / "config.json").read_text())
COMPRESSED_FROM_BYTES: int = _CONFIG["minimum_compression_size"]
# Reason for which the gateway itself answers, to code and message.
_ANSWERS: Mapping[HTTPStatus, tuple[ErrorCode, str]] = {
    HTTPStatus.BAD_REQUEST: (ErrorCode.VALIDATION_ERROR, "the request is not valid"),
    HTTPStatus.NOT_FOUND: (ErrorCode.NOT_FOUND, "there is no such route"),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        ErrorCode.PAYLOAD_TOO_LARGE,
        "the request line and headers are over 10,240 bytes",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (ErrorCode.PAYLOAD_TOO_LARGE, "the body is over 10 MB"),
    HTTPStatus.INTERNAL_SERVER_ERROR: (ErrorCode.INTERNAL_ERROR, "something went wrong on our side"),
}


@dataclass(frozen=True)
class HttpRequest:
    method: str
    target: str
    """Path and query, as in the request line."""
    headers: Mapping[str, list[str]]
    """Lower-case name to values."""
    body: bytes
    source_ip: str


@dataclass(frozen=True)
class HttpResponse:
    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Match:
    route: str
    parameters: dict[str, str]


class Routes:
    """The routes of the app. Literal segments win over parameters, as in the deployed gateway."""

    def __init__(self, routes: list[str]) -> None:
        self._routes = [(route, route.split("/")) for route in sorted(routes, key=_literal_segments_first)]

    def match(self, path: str) -> Match | None:
        segments = (path.removesuffix("/") or "/").split("/")
        for route, pattern in self._routes:
            if len(pattern) == len(segments) and all(
                _is_parameter(expected) or expected == given for expected, given in zip(pattern, segments, strict=True)
            ):
                captured = zip(pattern, segments, strict=True)
                return Match(route, {name[1:-1]: unquote(value) for name, value in captured if _is_parameter(name)})
        return None


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{")


def _literal_segments_first(route: str) -> list[tuple[bool, str]]:
    return [(_is_parameter(segment), segment) for segment in route.split("/")]


class Gateway:
    """The gateway in front of an app. It makes `app` safe to call from many threads at once."""

    def __init__(self, app: Chalice) -> None:
        if not isinstance(app, LocalChalice):
            app.__class__ = type("LocalApp", (LocalChalice, type(app)), {})
        self._app = app
        self._routes = Routes(list(app.routes))
        self._chalice = LocalGateway(app, Config(config_from_disk={"app_name": app.app_name}, chalice_stage=STAGE))

    def handle(self, request: HttpRequest) -> HttpResponse:
        path, _, query = request.target.partition("?")
        match = self._routes.match(path)
        if match is None:
            return self.answer(HTTPStatus.NOT_FOUND)
        event = lambda_event(request, path, query, match)
        if request.method == "OPTIONS" and "OPTIONS" not in self._app.routes[match.route]:
            return HttpResponse(HTTPStatus.OK, headers=_pairs(self._chalice._autogen_options_headers(event)))
        return compressed(request, http_response(self._app(event, self._chalice._generate_lambda_context())))

    def answer(self, reason: HTTPStatus) -> HttpResponse:
        """Return the gateway's own answer to a request that never reaches the app."""
        code, message = _ANSWERS[reason]
        status = HTTP_STATUS[code]
        request_id = str(uuid.uuid4())
        log.info("gateway answered %d %s, request %s", status, code, request_id)
        envelope = {"success": False, "error": {"code": code, "message": message, "requestId": request_id}}
        headers = {
            "Content-Type": "application/json",
            "X-Request-Id": request_id,
            **self._cors_headers(),
            **SECURITY_HEADERS,
        }
        return HttpResponse(status, json.dumps(envelope).encode(), _pairs(headers))

    def _cors_headers(self) -> dict[str, str]:
        """Return the CORS headers of the first route that has any; all routes have the same."""
        entries = (entry for methods in self._app.routes.values() for entry in methods.values())
        configured: Iterator[Any] = filter(None, (entry.cors for entry in entries))
        headers: dict[str, str] = next((cors.get_access_control_headers() for cors in configured), {})
        return headers


def lambda_event(request: HttpRequest, path: str, query: str, match: Match) -> dict[str, Any]:
    """Return the event of a REST API with the Lambda proxy integration."""
    parameters = parse_qs(query, keep_blank_values=True)
    now = time.time()
    body, is_base64 = _body(request.body)
    return {
        "resource": match.route,
        "path": unquote(path),
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in request.headers.items()},
        "multiValueHeaders": dict(request.headers),
        "queryStringParameters": {name: values[-1] for name, values in parameters.items()} or None,
        "multiValueQueryStringParameters": parameters or None,
        "pathParameters": match.parameters or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": next(iter(request.headers.get("host", [])), "localhost"),
            "httpMethod": request.method,
            "identity": {
                "sourceIp": request.source_ip,
                "userAgent": next(iter(request.headers.get("user-agent", [])), None),
            },
            "path": path,
            "protocol": "HTTP/1.1",
            "requestId": str(uuid.uuid4()),
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "requestTimeEpoch": int(now * 1000),
            "resourceId": match.route,
            "resourcePath": match.route,
            "stage": STAGE,
        },
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _body(body: bytes) -> tuple[str | None, bool]:
    """Return the body as text, or in base64 if it is not text: the app refuses it then."""
    if not body:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True


def http_response(answer: dict[str, Any]) -> HttpResponse:
    body = answer.get("body") or ""
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else str(body).encode()
    headers = _pairs(answer.get("headers") or {})
    headers += [(name, value) for name, values in (answer.get("multiValueHeaders") or {}).items() for value in values]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    return HttpResponse(answer["statusCode"], content, headers)


def compressed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Return the response as the deployed gateway sends it to a client that accepts gzip."""
    accepted = ",".join(request.headers.get("accept-encoding", []))
    if len(response.body) < COMPRESSED_FROM_BYTES or "gzip" not in accepted:
        return response
    headers = [*response.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
    return HttpResponse(response.status, gzip.compress(response.body, 6, mtime=0), headers)


def _pairs(headers: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in headers.items()]
