"""The HTTP binding: the registry's actions as Chalice routes, and what Chalice answers itself put into the envelope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import uuid4

from chalice import Chalice, CORSConfig, Response
from chalice.app import Request as ChaliceRequest

from chalicelib.action import envelope, runner
from chalicelib.action.context import Request
from chalicelib.action.envelope import Reply
from chalicelib.action.registry import PREFIX, REGISTRY, Action
from chalicelib.core.errors import ErrorCode
from chalicelib.core.settings import settings

DOCS = "/docs"
_HTML = "text/html; charset=utf-8"
_MAX_AGE_SECONDS = 600


def mount(app: Chalice) -> None:
    """Adds every registered action, the documentation page, and the envelope around Chalice's own answers."""
    cors = CORSConfig(
        allow_origin=settings().cors_origin,
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"],
        expose_headers=[
            "Content-Disposition",
            "ETag",
            "Idempotency-Replayed",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "X-Request-Id",
        ],
        max_age=_MAX_AGE_SECONDS,
    )
    for action in REGISTRY.values():
        app.route(
            PREFIX + action.path,
            methods=[action.method],
            name=action.name,
            content_types=action.body_types,
            cors=cors,
        )(_view(app, action))
    for path in (DOCS, PREFIX + DOCS):
        app.route(path, methods=["GET"], name="docs" + path.replace("/", "_"))(_docs)
    app.register_middleware(_enveloping(app, cors), "http")


def _view(app: Chalice, action: Action) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        return _response(runner.run(action, _request(app, path)))

    return view


def _request(app: Chalice, path: dict[str, str]) -> Request:
    request = app.current_request
    if request is None:
        raise RuntimeError("there is a request while a view runs")
    query = request.query_params
    return Request(
        id=_request_id(request),
        source=str(request.context.get("identity", {}).get("sourceIp", "unknown")),
        server=str(request.context.get("path", "")).partition(PREFIX)[0] or "/",
        headers={name.lower(): value for name, value in request.headers.items()},
        path=path,
        query={} if query is None else {name: query.getlist(name) for name in query},
        body=cast(bytes, request.raw_body),
    )


def _request_id(request: ChaliceRequest | None) -> str:
    """The gateway's, which its own logs and refusals carry too; where there is no gateway, a new one."""
    return str(request.context.get("requestId") or uuid4()) if request is not None else str(uuid4())


def _response(reply: Reply) -> Response:
    return Response(reply.body, headers=dict(reply.headers), status_code=reply.status)


def _docs() -> Response:
    # Imported here: only this page needs it.
    from chalicelib.action.docs_page import page

    return Response(page(), headers={"Content-Type": _HTML, "Cache-Control": "max-age=3600"})


def _enveloping(app: Chalice, cors: CORSConfig) -> Callable[[ChaliceRequest, Callable[[Any], Response]], Response]:
    def envelop(event: ChaliceRequest, get_response: Callable[[Any], Response]) -> Response:
        response = get_response(event)
        body = response.body
        if isinstance(body, dict) and "Code" in body:
            request_id = _request_id(event)
            code, message = _of_chalice(app, event, body["Code"])
            reply = envelope.refusal(code, message, request_id)
            response.body = reply.body
            response.status_code = reply.status
            # Chalice leaves them out where it finds no route for the method.
            response.headers |= {**cors.get_access_control_headers(), **reply.headers, "X-Request-Id": request_id}
        return response

    return envelop


def _of_chalice(app: Chalice, event: ChaliceRequest, code: str) -> tuple[ErrorCode, str]:
    """What Chalice refuses before a view runs; anything else it answers itself is a bug of ours."""
    if code == "MethodNotAllowedError":
        return ErrorCode.NOT_FOUND, "there is no such route"
    if code == "UnsupportedMediaType":
        taken = app.routes[event.context["resourcePath"]][event.method].content_types
        return ErrorCode.VALIDATION_ERROR, f"Content-Type: must be {' or '.join(taken)}"
    return ErrorCode.INTERNAL_ERROR, "something went wrong on our side"
