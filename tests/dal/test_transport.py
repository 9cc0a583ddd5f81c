"""The transport: signatures as botocore makes them, connections, retries, errors, and when botocore is kept."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dal import transport
from chalicelib.dal.signing import Credentials, signed
from chalicelib.dal.transport import Timeouts, Transport, of_environment
from infra.local.engine import free_port
from tests.support.hypothesis_profile import law

pytestmark = pytest.mark.storeless

KEYS = Credentials("AKIAEXAMPLE", "secret", None)
Reply = tuple[int, Any]
Script = list[Reply | Callable[["_Handler"], None]]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.seen.append((dict(self.headers), json.loads(body), self.client_address[1]))
        script = self.server.script
        reply = script.pop(0) if script else (200, {})
        if callable(reply):
            reply(self)
            return
        status, answer = reply
        self.answer(status, answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response_only(status)
        for name, value in {"content-length": str(len(content)), "x-amzn-RequestId": "r-1", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name in the base class
        """Keep quiet."""


class Server(ThreadingHTTPServer):
    """Answers with its script, then with `{}`; `seen` has the headers, the body and the port of each request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: Script = []
        self.seen: list[tuple[dict[str, str], Any, int]] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which are not waited for."""
    slept: list[float] = []
    monkeypatch.setattr(transport.time, "sleep", slept.append)
    return slept


@pytest.fixture
def made() -> Iterator[Callable[..., Transport]]:
    transports: list[Transport] = []

    def make(endpoint: str, *, read: float = 5, attempts: int = 3) -> Transport:
        transports.append(Transport(endpoint, "eu-central-1", lambda: KEYS, Timeouts(2, read), attempts))
        return transports[-1]

    yield make
    for one in transports:
        for connection in one._idle:
            connection.close()


@pytest.fixture
def table(server: Server, made: Callable[..., Transport]) -> Transport:
    return made(f"http://{server.address}")


def _hang_up(handler: _Handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def _call(table: Transport, operation: str = "GetItem", **parameters: Any) -> Any:
    return table._make_api_call(operation, parameters)


# -- signatures ------------------------------------------------------------------------------------------------------


@given(
    st.binary(max_size=200),
    st.none() | st.text("abc/+=", min_size=1),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1),
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001  hypothesis wants them so
)
@law(50)
def test_signatures_are_those_of_botocore(body: bytes, token: str | None, secret: str, now: datetime) -> None:
    headers = {"content-type": "application/x-amz-json-1.0", "host": "h.example:8000", "x-amz-target": "D.GetItem"}
    request = AWSRequest("POST", "http://h.example:8000/", headers=headers, data=body)
    with patch("botocore.auth.get_current_datetime", lambda *_: now):
        SigV4Auth(BotocoreCredentials("AKIA", secret, token), "dynamodb", "us-east-1").add_auth(request)
    ours = signed(headers, body, Credentials("AKIA", secret, token), "us-east-1", now.replace(tzinfo=UTC))
    assert ours == {name.lower(): value for name, value in request.headers.items()}


# -- values and errors -----------------------------------------------------------------------------------------------


def test_binary_values_go_and_come(server: Server, table: Transport) -> None:
    server.script = [(200, {"Item": {"a": {"B": "AAE="}, "b": {"BS": ["/w=="]}, "B": {"S": "B"}}})]
    item = {"a": {"B": b"\x00\x01"}, "l": {"L": [{"B": b"\xff"}]}}
    assert _call(table, "PutItem", Item=item) == {
        "Item": {"a": {"B": b"\x00\x01"}, "b": {"BS": [b"\xff"]}, "B": {"S": "B"}}
    }
    assert server.seen[0][1] == {"Item": {"a": {"B": "AAE="}, "l": {"L": [{"B": "/w=="}]}}}


def test_an_error_is_the_one_of_botocore(server: Server, table: Transport) -> None:
    reasons = [{"Code": "ConditionalCheckFailed", "Item": {"a": {"B": "AAE="}}}, {"Code": "None"}]
    refusal = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "cancelled",
        "CancellationReasons": reasons,
    }
    server.script = [(400, refusal)]
    with pytest.raises(ClientError, match="cancelled") as caught:
        _call(table, "TransactWriteItems", TransactItems=[])
    assert caught.value.response["Error"]["Code"] == "TransactionCanceledException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.response["ResponseMetadata"]["RequestId"] == "r-1"
    assert caught.value.response["CancellationReasons"][0]["Item"] == {"a": {"B": b"\x00\x01"}}  # type: ignore[typeddict-item]  # as PynamoDB reads it


def test_an_error_without_json_is_one_by_its_status(server: Server, table: Transport) -> None:
    server.script = [(403, b"<html>")]
    with pytest.raises(ClientError) as caught:
        _call(table)
    assert caught.value.response["Error"]["Code"] == "403"


# -- retries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        (400, {"__type": "x#ProvisionedThroughputExceededException"}),
        (400, {"__type": "x#ThrottlingException"}),
        (400, {"__type": "x#TransactionInProgressException"}),
        (429, b""),
        (500, {"__type": "x#InternalServerError"}),
        (503, b"<html>"),
        (200, b'{"Item": {"a'),
        _hang_up,
    ],
)
def test_what_passes_is_tried_again_with_the_same_body(
    server: Server, table: Transport, pauses: list[float], reply: Any
) -> None:
    server.script = [reply, reply, (200, {"Count": 1})]
    assert _call(table, "TransactWriteItems", TransactItems=[]) == {"Count": 1}
    bodies = [body for _, body, _ in server.seen]
    assert bodies[0] == bodies[1] == bodies[2]
    assert len(bodies[0]["ClientRequestToken"]) == 36
    assert len(pauses) == 2
    assert all(0 <= pause <= 2 for pause in pauses)


def test_there_are_no_more_attempts_than_allowed(server: Server, table: Transport, pauses: list[float]) -> None:
    server.script = [(503, b"")] * 9
    with pytest.raises(ClientError):
        _call(table)
    assert len(server.seen) == 3


def test_a_refusal_is_not_tried_again(server: Server, table: Transport, pauses: list[float]) -> None:
    server.script = [(400, {"__type": "x#ConditionalCheckFailedException"})]
    with pytest.raises(ClientError):
        _call(table)
    assert len(server.seen) == 1
    assert pauses == []


def test_the_quota_ends_retries_of_an_outage(server: Server, table: Transport, pauses: list[float]) -> None:
    server.script = [(503, b"")] * 99
    for _ in range(20):
        with pytest.raises(ClientError):
            _call(table)
    # 500 shares, 14 for each retry.
    assert len(server.seen) == 20 + 500 // 14
    server.script = []
    _call(table)


def test_a_clock_that_is_wrong_is_corrected_once(server: Server, table: Transport, pauses: list[float]) -> None:
    theirs = datetime.now(UTC) + timedelta(minutes=30)
    refusal = json.dumps({"__type": "x#InvalidSignatureException", "message": "Signature expired"}).encode()
    server.script = [lambda handler: handler.answer(400, refusal, date=format_datetime(theirs, usegmt=True))]
    assert _call(table) == {}
    first, second = (datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%S%z") for headers, _, _ in server.seen)
    assert timedelta(minutes=29) < second - first < timedelta(minutes=31)
    server.script = [lambda handler: handler.answer(400, refusal, date=format_datetime(theirs, usegmt=True))]
    with pytest.raises(ClientError):
        _call(table)


# -- connections -----------------------------------------------------------------------------------------------------


def test_a_connection_is_kept_and_replaced_when_the_server_has_closed_it(
    server: Server, made: Callable[..., Transport]
) -> None:
    # Without a second attempt, which would hide that the closed one was used
    table = made(f"http://{server.address}", attempts=1)
    _call(table)
    _call(table)
    ports = {port for _, _, port in server.seen}
    assert len(ports) == 1

    def last(handler: _Handler) -> None:
        handler.answer(200, b"{}")
        handler.close_connection = True

    server.script = [last]
    _call(table)
    threading.Event().wait(0.05)
    _call(table)
    assert len({port for _, _, port in server.seen}) == 2
    assert len(server.seen) == 4


def test_threads_do_not_share_a_connection_in_use(server: Server, table: Transport) -> None:
    both = threading.Barrier(2, timeout=10)

    def meet(handler: _Handler) -> None:
        both.wait()
        handler.answer(200, b"{}")

    server.script = [meet, meet]
    threads = [threading.Thread(target=_call, args=(table,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({port for _, _, port in server.seen}) == 2


def test_an_answer_that_does_not_come_is_a_time_out(
    server: Server, made: Callable[..., Transport], pauses: list[float]
) -> None:
    over = threading.Event()
    server.script = [lambda _: over.wait(10) and None] * 2
    table = made(f"http://{server.address}", read=0.05, attempts=2)
    with pytest.raises(ReadTimeoutError):
        _call(table)
    over.set()
    assert len(server.seen) == 2


def test_nobody_there_is_an_error_of_the_endpoint(made: Callable[..., Transport], pauses: list[float]) -> None:
    with pytest.raises(EndpointConnectionError):
        _call(made(f"http://127.0.0.1:{free_port()}"))


def test_a_lost_answer_is_an_error_of_the_connection(server: Server, table: Transport, pauses: list[float]) -> None:
    server.script = [_hang_up] * 3
    with pytest.raises(ConnectionClosedError) as caught:
        _call(table)
    assert isinstance(caught.value, BotoCoreError | HTTPClientError)


def test_a_certificate_that_nobody_vouches_for_is_refused(
    server: Server, made: Callable[..., Transport], pauses: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run([*command.split(), "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with pytest.raises(SSLError):
        _call(made(f"https://{server.address}", attempts=1))
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    assert _call(made(f"https://{server.address}", attempts=1)) == {}


# -- environments ----------------------------------------------------------------------------------------------------

_FUNCTION = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    variables: dict[str, str] = {}
    monkeypatch.setattr(transport.os, "environ", variables)
    return variables


@pytest.mark.parametrize(
    ("variables", "region", "endpoint"),
    [
        ({}, "eu-central-1", "https://dynamodb.eu-central-1.amazonaws.com"),
        ({}, "us-gov-west-1", "https://dynamodb.us-gov-west-1.amazonaws.com"),
        ({}, "cn-north-1", "https://dynamodb.cn-north-1.amazonaws.com.cn"),
        ({"AWS_ENDPOINT_URL": "http://a:1"}, "us-east-1", "http://a:1"),
        ({"AWS_ENDPOINT_URL": "http://a:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://b"}, "us-east-1", "http://b"),
    ],
)
def test_the_endpoint_of_a_function(
    environment: dict[str, str], variables: dict[str, str], region: str, endpoint: str
) -> None:
    environment |= _FUNCTION | variables
    made = of_environment(region, Timeouts(1, 3), 3)
    assert made is not None
    assert made.meta.endpoint_url == endpoint
    assert made._credentials() == ("AKIA", "s", "t")
    environment["AWS_SESSION_TOKEN"] = "renewed"
    assert made._credentials().token == "renewed"


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_ACCESS_KEY_ID": ""}, "us-east-1"),
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, "us-east-1"),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "True"}, "us-east-1"),
        ({"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "us-east-1"),
        ({"AWS_ENDPOINT_URL": "http://a/path"}, "us-east-1"),
        ({}, "us-iso-east-1"),
    ],
)
def test_botocore_is_kept_for_what_only_it_knows(
    environment: dict[str, str], variables: dict[str, str], region: str
) -> None:
    environment |= _FUNCTION | variables
    assert of_environment(region, Timeouts(1, 3), 3) is None


def test_botocore_is_kept_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**_FUNCTION, "HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ""}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    assert of_environment("us-east-1", Timeouts(1, 3), 3) is None


def test_credentials_of_a_container_are_renewed(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    class Container:
        def load(self) -> Any:
            return self

        def get_frozen_credentials(self) -> Any:
            return BotocoreCredentials("AKIA", "s", f"t{next(numbers)}").get_frozen_credentials()

    numbers = iter(range(9))
    monkeypatch.setattr("botocore.credentials.ContainerProvider", Container)
    environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1:2773/credentials"
    made = of_environment("us-east-1", Timeouts(1, 3), 3)
    assert made is not None
    assert [made._credentials().token for _ in range(2)] == ["t0", "t1"]
