"""A kept-open HTTP/1.1 connection to the table, which `http.client` opens, with its errors.

`http.client` sends head and body apart, and reads headers as those of a mail: together half of the processor's time of
a small request to the table.
"""

from __future__ import annotations

import http.client
import select
from collections.abc import Mapping
from typing import BinaryIO, NamedTuple

_MAX_LINE_BYTES = 64 * 1024
_MAX_HEADERS = 100
_BUFFER_BYTES = 64 * 1024


class Request(NamedTuple):
    url: str
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    status_code: int
    headers: Mapping[str, str]
    content: bytes


class Connection:
    """One request at a time. Any error leaves it unusable: close it, or its answer is read as the next one's."""

    def __init__(self, opened: http.client.HTTPConnection, read_timeout: float) -> None:
        """Take over a connection that is open."""
        self._sock = opened.sock
        self._sock.settimeout(read_timeout)
        self._answers: BinaryIO = self._sock.makefile("rb", _BUFFER_BYTES)  # type: ignore[assignment]  # its stub says less
        self.is_kept = True
        """False once the other side will close it."""

    @property
    def is_idle(self) -> bool:
        """Return True if there is nothing to read. Where nothing was asked, that would be its end."""
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        self._answers.close()
        self._sock.close()

    def answer(self, request: Request) -> Answer:
        """Send a request and return its answer. OSError or HTTPException if none comes."""
        head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        length = f"content-length: {len(request.body)}\r\n"
        self._sock.sendall(f"POST / HTTP/1.1\r\n{head}{length}\r\n".encode("latin-1") + request.body)
        status = http.client.CONTINUE
        while status < http.client.OK:  # an interim answer
            version, status = self._status()
            headers = self._headers()
        content = self._content(headers)
        self.is_kept = self.is_kept and version == b"HTTP/1.1" and headers.get("connection", "").lower() != "close"
        return Answer(status, headers, content)

    def _line(self) -> bytes:
        line = self._answers.readline(_MAX_LINE_BYTES)
        if not line.endswith(b"\n"):
            if line:
                raise http.client.LineTooLong("header line")
            raise http.client.RemoteDisconnected("the connection ended without an answer")
        return line

    def _status(self) -> tuple[bytes, int]:
        line = self._line()
        version, _, rest = line.partition(b" ")
        if not version.startswith(b"HTTP/") or not rest[:3].isdigit():
            raise http.client.BadStatusLine(repr(line))
        return version, int(rest[:3])

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for _ in range(_MAX_HEADERS + 1):
            line = self._line()
            if line in {b"\r\n", b"\n"}:
                return headers
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        raise http.client.HTTPException(f"more than {_MAX_HEADERS} headers")

    def _content(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        if "content-length" in headers:
            return self._exactly(_length(headers["content-length"], 10))
        self.is_kept = False
        return self._answers.read()

    def _chunks(self) -> bytes:
        chunks: list[bytes] = []
        while size := _length(self._line().decode("latin-1").partition(";")[0], 16):
            chunks.append(self._exactly(size))
            self._line()
        self._headers()  # trailers, and the empty line
        return b"".join(chunks)

    def _exactly(self, length: int) -> bytes:
        content = self._answers.read(length)
        if len(content) < length:
            raise http.client.IncompleteRead(content, length - len(content))
        return content


def _length(text: str, base: int) -> int:
    try:
        return int(text, base)
    except ValueError:
        raise http.client.HTTPException(f"{text!r} is no length") from None
