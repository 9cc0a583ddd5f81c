"""Connections to the table: every form of an answer is read to its end, and one that is cut off is an error."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from chalicelib.dal.http_connection import Connection, Request

pytestmark = pytest.mark.storeless

REQUEST = Request("http://table.example", {"host": "table.example", "x-amz-target": "Query"}, b'{"Limit":1}')
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def ends() -> Iterator[tuple[Connection, socket.socket]]:
    """A connection and the socket of its other side."""
    here, there = socket.socketpair()
    opened = http.client.HTTPConnection("table.example")
    opened.sock = here
    with there, closing(Connection(opened, 2)) as connection:
        yield connection, there


def test_a_request_goes_out_at_once(ends: tuple[Connection, socket.socket]) -> None:
    connection, other = ends
    other.sendall(OK + b"Content-Length: 2\r\nDate: now\r\n\r\n{}")

    answer = connection.answer(REQUEST)

    head, _, body = other.recv(65536).partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST / HTTP/1.1",
        b"host: table.example",
        b"x-amz-target: Query",
        b"content-length: 11",
    ]
    assert body == REQUEST.body
    assert answer == (200, {"content-length": "2", "date": "now"}, b"{}")


@pytest.mark.parametrize(
    ("answer", "content", "is_kept"),
    [
        (OK + b"content-length: 3\r\n\r\nabc", b"abc", True),
        (OK + b"content-length: 0\r\n\r\n", b"", True),
        (OK + b"connection: close\r\ncontent-length: 3\r\n\r\nabc", b"abc", False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nabc", b"abc", False),
        (OK + b"transfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\nlate: 1\r\n\r\n", b"abc", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"content-length: 3\r\n\r\nabc", b"abc", True),
        (b"HTTP/1.1 400\ncontent-length: 3\n\nabc", b"abc", True),
    ],
)
def test_answers_are_read_to_their_end(
    ends: tuple[Connection, socket.socket], answer: bytes, content: bytes, *, is_kept: bool
) -> None:
    connection, other = ends
    other.sendall(answer)

    assert connection.answer(REQUEST).content == content
    assert connection.is_kept is is_kept
    assert connection.is_idle
    other.sendall(OK + b"content-length: 4\r\n\r\nnext")
    assert not connection.is_idle
    assert connection.answer(REQUEST).content == b"next"


def test_an_answer_without_a_length_ends_with_the_connection(ends: tuple[Connection, socket.socket]) -> None:
    connection, other = ends
    other.sendall(OK + b"\r\nabc")
    other.shutdown(socket.SHUT_WR)

    assert connection.answer(REQUEST).content == b"abc"
    assert not connection.is_kept


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", http.client.RemoteDisconnected),
        (b"HTTP/1.1 20", http.client.LineTooLong),
        (b"220 mail.example ready\r\n", http.client.BadStatusLine),
        (OK + b"content-length: 3\r\n", http.client.RemoteDisconnected),
        (OK + b"content-length: 3\r\n\r\nab", http.client.IncompleteRead),
        (OK + b"content-length: three\r\n\r\nabc", http.client.HTTPException),
        (OK + b"transfer-encoding: chunked\r\n\r\n5\r\nab", http.client.IncompleteRead),
        (OK + b"transfer-encoding: chunked\r\n\r\nno\r\nab", http.client.HTTPException),
        (OK + b"x: y\r\n" * 200 + b"\r\n", http.client.HTTPException),
        (OK + b"x: " + b"y" * 70_000 + b"\r\n\r\n", http.client.LineTooLong),
    ],
)
def test_what_is_no_whole_answer_is_an_error(
    ends: tuple[Connection, socket.socket], answer: bytes, error: type[Exception]
) -> None:
    connection, other = ends
    other.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
    other.sendall(answer)
    other.shutdown(socket.SHUT_WR)

    with pytest.raises(error):
        connection.answer(REQUEST)


def test_an_answer_that_does_not_come_is_a_time_out(ends: tuple[Connection, socket.socket]) -> None:
    connection, _ = ends
    connection._sock.settimeout(0.05)

    with pytest.raises(TimeoutError):
        connection.answer(REQUEST)
