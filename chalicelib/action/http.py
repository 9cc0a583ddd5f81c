"""The HTTP binding: the registry's actions as Chalice routes, and Chalice's own answers in the envelope."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast
from uuid import uuid4

from chalice import Chalice, CORSConfig, Response
from chalice.app import Request as ChaliceRequest

from chalicelib.action import envelope, runner
from chalicelib.action.context import Request
from chalicelib.action.envelope import Reply
from chalicelib.action.registry import PREFIX, Action, Route
from chalicelib.action.security_headers import ANYBODYS, REVALIDATED, SECURITY_HEADERS
from chalicelib.core.errors import ErrorCode
from chalicelib.core.observability import logger
from chalicelib.core.settings import settings

DOCS = "/docs"
CONSOLE = "/console"
_HTML = "text/html; charset=utf-8"
_MAX_AGE_SECONDS = 600


def mount(app: Chalice, routes: Iterable[Route], find: Callable[[str], Action | None]) -> None:
    """Adds the routes of all actions, the pages, and the envelope around Chalice's own answers.

    `find` returns an action by name when a request comes for it.
    """
    cors = CORSConfig(
        allow_origin=settings().cors_origin,
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"],
        expose_headers=[
            "Allow",
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
    for route in routes:
        app.route(
            PREFIX + route.path,
            methods=["GET", "HEAD"] if route.method == "GET" else [route.method],
            name=route.action,
            content_types=route.body_types,
            cors=cors,
        )(_view(app, route, find))
    for path in (DOCS, PREFIX + DOCS):
        app.route(path, methods=["GET", "HEAD"], name="docs" + path.replace("/", "_"))(_docs)
    _mount_console(app)
    app.register_middleware(_enveloping(app, cors), "http")


def _view(app: Chalice, route: Route, find: Callable[[str], Action | None]) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        action = find(route.action)
        if action is None:
            raise RuntimeError(f"{route.domain} declares no {route.action}")
        reply = runner.run(action, _request(app, path))
        headers: dict[str, str | list[str]] = {**_caching(action, reply), **reply.headers}
        return Response(reply.body, headers=headers, status_code=reply.status)

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


def _caching(action: Action, reply: Reply) -> dict[str, str]:
    if "ETag" in reply.headers:
        return {"Cache-Control": REVALIDATED}
    is_anybodys = action.is_public and action.raw_media_type is not None and reply.error is None
    return {"Cache-Control": ANYBODYS} if is_anybodys else {}


def _docs() -> Response:
    # Imported here: only this page needs it.
    from chalicelib.action.docs_page import page, policy

    return Response(
        page(), headers={"Content-Type": _HTML, "Cache-Control": ANYBODYS, "Content-Security-Policy": policy()}
    )


def _mount_console(app: Chalice) -> None:
    """Adds the console's page and files, and a redirect to it from the root."""

    def base() -> str:
        """Return the path in front of the console's: the stage or the base path of a deployed API."""
        request = app.current_request
        return "" if request is None else str(request.context.get("path", "")).partition(CONSOLE)[0].rstrip("/")

    def root() -> Response:
        return Response("", headers={"Location": base() + CONSOLE, "Cache-Control": ANYBODYS}, status_code=302)

    def page() -> Response:
        # Imported here, as are the files of the console: only its visitors need them.
        from chalicelib.action import console

        request = _request(app, {})
        return _response(console.page(base(), request.headers.get("if-none-match"), request.id))

    def file(release: str, name: str, folder: str = "") -> Response:
        from chalicelib.action import console

        return _response(console.file(release, f"{folder}/{name}" if folder else name, _request(app, {}).id))

    for path, view in (
        ("/", root),
        (CONSOLE, page),
        (CONSOLE + "/{release}/{name}", file),
        (CONSOLE + "/{release}/{folder}/{name}", file),
    ):
        app.route(path, methods=["GET", "HEAD"], name="console" + path.replace("/", "_"))(view)


def _response(reply: Reply) -> Response:
    headers: dict[str, str | list[str]] = {**reply.headers}
    return Response(reply.body, headers=headers, status_code=reply.status)


def _enveloping(app: Chalice, cors: CORSConfig) -> Callable[[ChaliceRequest, Callable[[Any], Response]], Response]:
    def envelop(event: ChaliceRequest, get_response: Callable[[Any], Response]) -> Response:
        response = get_response(event)
        body = response.body
        if isinstance(body, dict) and "Code" in body:
            request_id = _request_id(event)
            reply = _of_chalice(app, event, body["Code"], request_id)
            response.body = reply.body
            response.status_code = reply.status
            # Chalice leaves them out where it finds no route for the method.
            response.headers |= {**cors.get_access_control_headers(), **reply.headers, "X-Request-Id": request_id}
        response.headers = {**SECURITY_HEADERS, **response.headers}
        if event.method == "HEAD" and response.body:
            response.headers["Content-Length"] = str(len(response.body.encode()))
            response.body = ""
        return response

    return envelop


def _of_chalice(app: Chalice, event: ChaliceRequest, code: str, request_id: str) -> Reply:
    """Return the envelope of an answer that Chalice makes before a view runs; any other of its own is a bug."""
    routes = app.routes[event.context["resourcePath"]]
    if code == "MethodNotAllowedError":
        allowed = ", ".join(sorted({*routes, "OPTIONS"}))
        reply = envelope.refusal(ErrorCode.METHOD_NOT_ALLOWED, f"this path takes {allowed}", request_id)
        reply.headers["Allow"] = allowed
        return reply
    if code == "UnsupportedMediaType":
        taken = " or ".join(routes[event.method].content_types)
        return envelope.refusal(ErrorCode.VALIDATION_ERROR, f"Content-Type: must be {taken}", request_id)
    logger.error("the framework failed", extra={"correlation_id": request_id, "error": code})
    return envelope.refusal(ErrorCode.INTERNAL_ERROR, "something went wrong on our side; it is logged", request_id)
