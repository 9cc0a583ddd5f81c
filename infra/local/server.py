"""The HTTP server of the local stack: passes requests to the gateway and keeps connections open."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

from chalice.local import ThreadedHTTPServer

from infra.local.gateway import Gateway, HttpRequest, HttpResponse

log = logging.getLogger("workledger.local.server")

# API Gateway accepts 10 MB; the app's own limit is far lower.
_MAX_BODY_BYTES = 10 * 1024 * 1024
# Request line and headers, as API Gateway counts them.
_MAX_HEAD_BYTES = 10_240
_LENGTH = re.compile(r"[0-9]{1,15}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?\r?\n")
_ABSOLUTE_TARGET = re.compile(r"https?://[^/?]*", re.IGNORECASE)

LocalPage = Callable[[HttpRequest], HttpResponse]
"""A page under /_local/, which is part of the local runner and not of the product."""


class Server(ThreadedHTTPServer):
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(
        self,
        host: str,
        port: int,
        gateway: Gateway,
        pages: Mapping[str, LocalPage],
        after_write: Callable[[], None] = lambda: None,
    ) -> None:
        """Bind the port. `after_write` is called after each request that may have changed something."""
        handler = partial(_Handler, gateway=gateway, pages=pages, after_write=after_write)
        super().__init__((host, port), handler)

    def handle_error(self, *_: Any) -> None:
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            log.error("a connection broke the server", exc_info=error)


class _BadRequest(Exception):
    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An idle connection holds a thread.
    timeout = 60
    # One packet per answer: sent apart, the body waits 40 ms for the acknowledgement of the headers.
    wbufsize = -1
    disable_nagle_algorithm = True

    def __init__(
        self, *args: Any, gateway: Gateway, pages: Mapping[str, LocalPage], after_write: Callable[[], None]
    ) -> None:
        self._gateway = gateway
        self._pages = pages
        self._after_write = after_write
        super().__init__(*args)

    def __getattr__(self, name: str) -> Callable[[], None]:
        # `do_GET` and its like: the app decides which methods there are.
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        try:
            request = HttpRequest(self.command, self._target(), self._headers(), self._body(), self.client_address[0])
        except _BadRequest as error:
            # The unread rest of this request cannot be distinguished from the next one.
            self.close_connection = True
            self._send(self._gateway.answer(error.status))
            return
        page = self._pages.get(request.target.partition("?")[0])
        try:
            response = page(request) if page else self._gateway.handle(request)
        except Exception:
            log.exception("%s %s was not answered", self.command, request.target.partition("?")[0])
            response = self._gateway.answer(HTTPStatus.INTERNAL_SERVER_ERROR)
        self._send(response)
        if self.command not in {"GET", "HEAD", "OPTIONS"}:
            self._after_write()

    def _target(self) -> str:
        return _ABSOLUTE_TARGET.sub("", self.path, count=1).partition("#")[0] or "/"

    def _headers(self) -> dict[str, list[str]]:
        head = len(self.requestline) + sum(len(name) + len(value) for name, value in self.headers.items())
        if head > _MAX_HEAD_BYTES:
            raise _BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        headers: dict[str, list[str]] = {}
        for name, value in self.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        return headers

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._chunks()
        length = self.headers.get("Content-Length", "0")
        if not _LENGTH.fullmatch(length) or "Transfer-Encoding" in self.headers:
            raise _BadRequest(HTTPStatus.BAD_REQUEST)
        if int(length) > _MAX_BODY_BYTES:
            self._discard(int(length))
            raise _BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return self.rfile.read(int(length))

    def _discard(self, length: int) -> None:
        # A client that still sends when the connection closes never sees the answer. Bounded.
        for _ in range(min(length // 65536 + 1, 1024)):
            if not self.rfile.read(min(length, 65536)):
                return
            length -= 65536

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            size = _CHUNK_SIZE.fullmatch(self.rfile.readline(256))
            if size is None:
                raise _BadRequest(HTTPStatus.BAD_REQUEST)
            length = int(size[1], 16)
            if length == 0:
                break
            if len(body) + length > _MAX_BODY_BYTES:
                raise _BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            body += self.rfile.read(length)
            self.rfile.readline(3)
        while self.rfile.readline(65536).strip():
            """Skip the trailers: they are not used."""
        return bytes(body)

    def _send(self, response: HttpResponse) -> None:
        self.send_response_only(response.status)
        for name, value in response.headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        bodiless = response.status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
        if not bodiless:
            self.send_header("Content-Length", self._length(response))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if not bodiless and self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def _length(self, response: HttpResponse) -> str:
        """Return the length of the body; an answer to HEAD carries the length of the one to GET."""
        declared = next((value for name, value in response.headers if name.lower() == "content-length"), None)
        return declared if declared is not None and self.command == "HEAD" else str(len(response.body))

    def handle_expect_100(self) -> bool:
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def send_error(self, code: int, *_: Any, **__: Any) -> None:
        """Answer in the envelope if the standard library refuses a request, for example its request line."""
        self.close_connection = True
        # Not set yet if the request line itself is malformed.
        self.command = getattr(self, "command", None) or ""
        self.request_version = self.protocol_version
        is_too_large = code == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        self._send(self._gateway.answer(HTTPStatus(code) if is_too_large else HTTPStatus.BAD_REQUEST))

    def log_message(self, *_: Any) -> None:
        """Log nothing: the app logs a line per request."""
