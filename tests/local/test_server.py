"""The local gateway and server, with a small app that echoes its requests."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from chalice import Chalice
from chalice.app import Response

from chalicelib.action.security_headers import SECURITY_HEADERS
from infra.local.engine import HOST
from infra.local.gateway import COMPRESSED_FROM_BYTES, Gateway, HttpRequest, HttpResponse
from infra.local.server import Server

echo = Chalice(app_name="echo", configure_logs=False)


@echo.route("/echo", methods=["GET", "POST"], cors=True, content_types=["application/json", "text/plain"])
def echo_event() -> dict[str, Any]:
    event: dict[str, Any] = echo.current_request.to_original_event()
    return event


@echo.route("/things/{name}", methods=["GET"])
def answer_name(name: str) -> dict[str, Any]:
    return {"name": name}


@echo.route("/things/first", methods=["GET"])
def answer_first() -> dict[str, Any]:
    return {"name": None}


@echo.route("/empty", methods=["GET"])
def answer_nothing() -> Response:
    return Response(body="", status_code=204)


@echo.route("/broken", methods=["GET"])
def answer_text() -> Response:
    return Response(body="text", headers={"Content-Type": "text/plain", "Set-Cookie": ["a=1", "b=2"]})


@echo.route("/lengthy", methods=["GET", "HEAD"])
def answer_length() -> Response:
    is_head = echo.current_request.method == "HEAD"
    return Response(body="" if is_head else "x" * 42, headers={"Content-Length": "42", "Content-Type": "text/plain"})


def _page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, request.target.encode(), [("Content-Type", "text/plain")])


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = Server(HOST, 0, Gateway(echo), {"/_local/page": _page})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def connection(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    yield connection
    connection.close()


Answer = tuple[int, dict[str, str], Any]


def _ask(connection: http.client.HTTPConnection, method: str, target: str, *rest: Any, **options: Any) -> Answer:
    connection.request(method, target, *rest, **options)
    answer = connection.getresponse()
    content = answer.read()
    is_json = answer.headers.get_content_type() == "application/json"
    return answer.status, dict(answer.headers), json.loads(content) if is_json and content else content


def _raw(port: int, request: bytes) -> bytes:
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while received := connection.recv(65536):
            answer += received
    return answer


def _assert_envelope(answer: Answer, status: int, code: str) -> None:
    actual, headers, body = answer
    assert (actual, body["success"], body["error"]["code"]) == (status, False, code)
    assert body["error"]["requestId"] == headers["X-Request-Id"]


@pytest.mark.parametrize("target", ["/", "/nothing", "/echo/more", "/things/", "//echo//", "/%ff"])
def test_an_unknown_path_is_not_found_in_the_envelope(connection: http.client.HTTPConnection, target: str) -> None:
    answer = _ask(connection, "GET", target)
    _assert_envelope(answer, 404, "NOT_FOUND")
    assert answer[1]["Access-Control-Allow-Origin"] == "*"


def test_long_answers_are_compressed_for_clients_that_accept_it(connection: http.client.HTTPConnection) -> None:
    body = "ä" * COMPRESSED_FROM_BYTES
    for accepted, is_compressed in (("br, gzip", True), ("br", False)):
        connection.request("POST", "/echo", body.encode(), {"Accept-Encoding": accepted, "Content-Type": "text/plain"})
        response = connection.getresponse()
        answer = response.read()
        assert (response.headers["Content-Encoding"] == "gzip") is is_compressed
        assert response.headers["Content-Length"] == str(len(answer))
        assert json.loads(gzip.decompress(answer) if is_compressed else answer)["body"] == body
    connection.request("GET", "/things/first", headers={"Accept-Encoding": "gzip"})
    response = connection.getresponse()
    assert (response.read(), response.headers["Content-Encoding"]) == (b'{"name":null}', None)


def test_path_parameters_are_decoded(connection: http.client.HTTPConnection) -> None:
    assert _ask(connection, "GET", "/things/caf%C3%A9%2F%20x?y=z")[2] == {"name": "café/ x"}


def test_a_literal_path_wins_over_a_parameter(connection: http.client.HTTPConnection) -> None:
    assert _ask(connection, "GET", "/things/first")[2] == {"name": None}


def test_repeated_query_parameters_all_arrive(connection: http.client.HTTPConnection) -> None:
    event = _ask(connection, "GET", "/echo?a=1&a=%C3%A4&b=&c")[2]
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "ä"], "b": [""], "c": [""]}
    assert event["queryStringParameters"] == {"a": "ä", "b": "", "c": ""}


def test_an_event_names_request_and_client(connection: http.client.HTTPConnection) -> None:
    first, second = (_ask(connection, "GET", "/echo", headers={"X-One": "1"})[2] for _ in range(2))
    assert first["requestContext"]["requestId"] != second["requestContext"]["requestId"]
    assert first["requestContext"]["identity"]["sourceIp"] == HOST
    assert first["headers"]["x-one"] == "1"
    assert (first["body"], first["isBase64Encoded"], first["pathParameters"]) == (None, False, None)


@pytest.mark.parametrize("body", ["{}", "ä€𝄞", "\x00"])
def test_text_travels_as_text(connection: http.client.HTTPConnection, body: str) -> None:
    event = _ask(connection, "POST", "/echo", body.encode(), {"Content-Type": "application/json"})[2]
    assert (event["body"], event["isBase64Encoded"]) == (body, False)


def test_other_bytes_travel_in_base64(connection: http.client.HTTPConnection) -> None:
    event = _ask(connection, "POST", "/echo", b'{"a":"\xff"}', {"Content-Type": "application/json"})[2]
    assert base64.b64decode(event["body"]) == b'{"a":"\xff"}'
    assert event["isBase64Encoded"]


def test_a_chunked_body_is_joined(connection: http.client.HTTPConnection) -> None:
    event = _ask(connection, "POST", "/echo", iter([b"one ", b"two"]), encode_chunked=True)[2]
    assert event["body"] == "one two"


def test_a_connection_serves_many_requests(connection: http.client.HTTPConnection) -> None:
    _ask(connection, "GET", "/nothing")
    socket_of_first = connection.sock
    assert _ask(connection, "HEAD", "/things/x")[2] == b""
    assert _ask(connection, "GET", "/empty")[:1] == (204,)
    assert _ask(connection, "POST", "/echo", b"\xff", {"Content-Type": "text/plain"})[0] == 200
    assert connection.sock is socket_of_first


def test_each_value_of_a_header_is_sent(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/broken")
    answer = connection.getresponse()
    assert (answer.read(), answer.headers.get_all("Set-Cookie")) == (b"text", ["a=1", "b=2"])


def test_a_preflight_is_answered_without_the_app(connection: http.client.HTTPConnection) -> None:
    status, headers, _ = _ask(connection, "OPTIONS", "/echo")
    assert status == 200
    assert {"GET", "POST", "OPTIONS"} == set(headers["Access-Control-Allow-Methods"].split(","))


def test_a_body_over_the_gateways_limit_is_refused_and_the_answer_arrives(port: int) -> None:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    _assert_envelope(_ask(connection, "POST", "/echo", b"x" * 11_000_000), 413, "PAYLOAD_TOO_LARGE")
    connection.close()


HEAD_BYTES = 10_240


@pytest.mark.parametrize("name", ["If-Match", "X-Padding"])
def test_a_head_has_10_240_bytes_at_most(port: int, name: str) -> None:
    line = "GET /echo HTTP/1.1"
    free = HEAD_BYTES - len(line) - len(name)
    for length, status in [(free, b"200"), (free + 1, b"413"), (60_000, b"413"), (70_000, b"413")]:
        answer = _raw(port, f"{line}\r\n{name}: {'x' * length}\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 " + status), (length, answer[:200])
        assert status == b"200" or b'"code": "PAYLOAD_TOO_LARGE"' in answer


def test_many_small_headers_count_together(port: int) -> None:
    headers = b"".join(b"h%d: %s\r\n" % (number, b"x" * 200) for number in range(60))
    assert _raw(port, b"GET /echo HTTP/1.1\r\n" + headers + b"\r\n").startswith(b"HTTP/1.1 413 ")
    headers = b"".join(b"h%d: x\r\n" % number for number in range(200))
    assert _raw(port, b"GET /echo HTTP/1.1\r\n" + headers + b"\r\n").startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET /echo HTTP/9.9\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /echo HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
    ],
    ids=["line", "version", "long target", "negative", "no number", "chunk", "encoding"],
)
def test_malformed_requests_are_refused_in_the_envelope(port: int, request_bytes: bytes) -> None:
    head, _, body = _raw(port, request_bytes).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"]["code"] == "VALIDATION_ERROR"


def test_an_answer_to_head_has_the_length_of_the_one_to_get(connection: http.client.HTTPConnection) -> None:
    for target in ("/lengthy", "/nothing"):
        _, by_get, _ = _ask(connection, "GET", target)
        _, by_head, body = _ask(connection, "HEAD", target)
        assert (body, by_head["Content-Length"]) == (b"", by_get["Content-Length"])
        assert by_get["Content-Length"] != "0"


def test_the_gateways_own_answers_have_the_security_headers(connection: http.client.HTTPConnection) -> None:
    _, headers, _ = _ask(connection, "GET", "/nothing")
    assert {name: headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_a_method_of_any_name_reaches_the_app(connection: http.client.HTTPConnection) -> None:
    assert _ask(connection, "BREW", "/echo")[0] == 405


def test_an_absolute_target_is_accepted(port: int) -> None:
    answer = _raw(port, b"GET http://elsewhere:1/things/x HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b'{"name":"x"}')


def test_local_pages_bypass_the_app(connection: http.client.HTTPConnection) -> None:
    assert _ask(connection, "GET", "/_local/page?to=x")[2] == b"/_local/page?to=x"


def test_concurrent_requests_get_their_own_answers(port: int) -> None:
    def has_own_answer(name: int) -> bool:
        connection = http.client.HTTPConnection(HOST, port, timeout=10)
        event = _ask(connection, "GET", f"/echo?name={name}")[2]
        connection.close()
        return bool(event["queryStringParameters"] == {"name": str(name)})

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(has_own_answer, range(200)))
