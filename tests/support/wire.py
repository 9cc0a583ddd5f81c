"""What the app's one DynamoDB client sends: seen, counted, refused when it leaves a tenant, and broken on purpose.

The hooks hang on the client once and for all; what they do is said for each thread by the blocks it is in.
"""

from __future__ import annotations

import contextlib
import contextvars
import io
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, TypeVar

import botocore.endpoint
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError
from botocore.retries.quota import RetryQuota
from urllib3 import Timeout

from chalicelib.dal import table, unit_of_work

T = TypeVar("T")

CLIENT = table.connection().connection.client

# A busy machine must not look like a broken network: an SDK that gave up waiting would send a write once more.
CLIENT._endpoint.http_session._manager.connection_pool_kw["timeout"] = Timeout(connect=10, read=60)


# -- seeing ----------------------------------------------------------------------------------------------------------


@dataclass
class Call:
    operation: str
    parameters: dict[str, Any]
    capacity: float = 0.0

    def partitions(self) -> list[str]:
        return [pk for pk, _ in _keys(self.operation, self.parameters)]


@dataclass
class Recording:
    calls: list[Call] = field(default_factory=list)

    @property
    def operations(self) -> list[str]:
        return [call.operation for call in self.calls]

    def tenants(self) -> set[str]:
        """The organizations whose partitions were named."""
        return {pk.split("#")[1] for call in self.calls for pk in call.partitions() if pk.startswith("ORG#")}

    def elsewhere(self) -> set[str]:
        """The kinds of partition outside every organization."""
        return {pk.split("#")[0] for call in self.calls for pk in call.partitions() if not pk.startswith("ORG#")}


_recordings: ContextVar[tuple[Recording, ...]] = ContextVar("recordings", default=())


@contextlib.contextmanager
def recorded() -> Iterator[Recording]:
    recording = Recording()
    token = _recordings.set((*_recordings.get(), recording))
    try:
        yield recording
    finally:
        _recordings.reset(token)


def _see(params: dict[str, Any], model: Any, **_: Any) -> None:
    for recording in _recordings.get():
        recording.calls.append(Call(model.name, params))


def _weigh(parsed: dict[str, Any], **_: Any) -> None:
    consumed = parsed.get("ConsumedCapacity") or []
    for each in consumed if isinstance(consumed, list) else [consumed]:
        for recording in _recordings.get():
            recording.calls[-1].capacity += each.get("CapacityUnits", 0.0)


# -- overtaking ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def overtaken(by: Callable[[], T], transaction: int = 1) -> Iterator[list[T]]:
    """The next request commits only after another, which comes between its reads and its commit; yields its answer.

    `transaction`: which one of the request's is its commit.
    """
    answers: list[T] = []
    transactions = itertools.count(1)

    def overtake(**_: Any) -> None:
        if next(transactions) < transaction:
            return
        CLIENT.meta.events.unregister("before-call.dynamodb.TransactWriteItems", overtake)
        # At the request's time, but what it calls is none of the request's calls.
        context = contextvars.copy_context()
        context.run(_recordings.set, ())
        context.run(_breaking.set, None)
        answers.append(context.run(by))

    CLIENT.meta.events.register("before-call.dynamodb.TransactWriteItems", overtake)
    try:
        yield answers
    finally:
        CLIENT.meta.events.unregister("before-call.dynamodb.TransactWriteItems", overtake)


# -- breaking --------------------------------------------------------------------------------------------------------


class ProcessDied(BaseException):
    """Stands for the end of the process: nothing that catches `Exception` survives it."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong at the n-th call (from 1). A call is one operation, with all the tries the SDK gives it."""

    at_call: int
    kind: str


KINDS = (
    "request lost",
    "request lost once",
    "response lost",
    "response lost once",
    "process dies before",
    "process dies after",
)
"""Lost: every try of the call; the engine carries out each whose response is lost. Once: the SDK's next try works."""


@dataclass(frozen=True)
class Refusal:
    """An error that the engine would answer to an operation, but no local engine ever does."""

    operation: str
    code: str
    reason: str | None = None
    """Of a cancelled transaction."""
    calls: int | None = None
    """How many calls of the operation it hits, None for every one."""


@dataclass
class _Broken:
    breakage: Fault | Refusal
    operations: list[str] = field(default_factory=list)
    tries: int = 0
    """Of the call that is going on."""


_breaking: ContextVar[_Broken | None] = ContextVar("breaking", default=None)


@contextlib.contextmanager
def broken(breakage: Fault | Refusal) -> Iterator[list[str]]:
    """The client with something wrong in it; yields the operations called."""
    state = _Broken(breakage)
    token = _breaking.set(state)
    try:
        yield state.operations
    finally:
        _breaking.reset(token)


@contextlib.contextmanager
def without_waiting(share: float = 0) -> Iterator[None]:
    """The SDK and units of work try again at once, and the SDK however often it had to before.

    `share`: of the pause that they would make, so that many threads do not collide for ever.
    """
    impatient = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds * share) if share else None)
    patient = botocore.endpoint.time, unit_of_work.time, RetryQuota.acquire
    botocore.endpoint.time = unit_of_work.time = impatient
    RetryQuota.acquire = lambda *_: True
    try:
        yield
    finally:
        botocore.endpoint.time, unit_of_work.time, RetryQuota.acquire = patient


def _begin(model: Any, **_: Any) -> None:
    state = _breaking.get()
    if state is not None:
        state.operations.append(model.name)
        state.tries = 0


def _send(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    """In place of sending a request, or not."""
    state = _breaking.get()
    if state is None:
        storm = _storms.get()
        return None if storm is None else storm.strike(request)
    state.tries += 1
    if isinstance(state.breakage, Refusal):
        return _refuse(state.breakage, state.operations, request)
    if len(state.operations) != state.breakage.at_call:
        return None
    kind = state.breakage.kind
    if kind == "process dies before":
        raise ProcessDied
    if kind.endswith("once") and state.tries > 1:
        return None
    if kind.startswith("response lost"):
        CLIENT._endpoint.http_session.send(request)
    if "lost" in kind:
        raise ReadTimeoutError(endpoint_url=request.url)
    return None


def _end(**_: Any) -> None:
    state = _breaking.get()
    if (
        state is not None
        and isinstance(state.breakage, Fault)
        and state.breakage.kind == "process dies after"
        and len(state.operations) == state.breakage.at_call
    ):
        raise ProcessDied


class _Content(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _refuse(refusal: Refusal, operations: list[str], request: AWSPreparedRequest) -> AWSResponse | None:
    if operations[-1] != refusal.operation:
        return None
    if refusal.calls is not None and operations.count(refusal.operation) > refusal.calls:
        return None
    return _error(request, refusal.code, refusal.reason)


def _error(request: AWSPreparedRequest, code: str, reason: str | None = None) -> AWSResponse:
    """The engine's refusal; `reason`: of a cancelled transaction."""
    answer: dict[str, Any] = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code}
    if reason is not None:
        others = len(json.loads(request.body)["TransactItems"]) - 1
        answer["CancellationReasons"] = [{"Code": reason}, *[{"Code": "None"}] * others]
    headers = {"Content-Type": "application/x-amz-json-1.0"}
    return AWSResponse(request.url, 400, headers, _Content(json.dumps(answer).encode()))


# -- storms: many faults at random -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Odds:
    """How likely a single try of a call is to go wrong, and in which way."""

    response_lost: float = 0.0
    throttled: float = 0.0
    conflict: float = 0.0
    """Of a transaction with another one."""
    request_lost: float = 0.0
    death: float = 0.0
    """Of the process: as often before the engine has carried out the try as after."""


@dataclass
class Storm:
    odds: Odds
    chance: random.Random
    struck: Counter[str] = field(default_factory=Counter)
    """How often which fault happened."""

    def strike(self, request: AWSPreparedRequest) -> AWSResponse | None:
        fault = self._draw(is_transaction=_is_transaction(request))
        if fault is None:
            return None
        self.struck[fault] += 1
        match fault:
            case "throttled":
                return _throttled(request, self.chance)
            case "conflict":
                return _error(request, "TransactionCanceledException", "TransactionConflict")
            case "response lost" | "death after":
                CLIENT._endpoint.http_session.send(request)
        if fault.startswith("death"):
            raise ProcessDied
        raise ReadTimeoutError(endpoint_url=request.url)

    def _draw(self, *, is_transaction: bool) -> str | None:
        """One draw a try, whatever the operation: the same generator gives the same sequence of faults."""
        drawn = self.chance.random()
        odds = self.odds
        for fault, probability in (
            ("response lost", odds.response_lost),
            ("throttled", odds.throttled),
            ("conflict", odds.conflict),
            ("request lost", odds.request_lost),
            ("death before", odds.death / 2),
            ("death after", odds.death / 2),
        ):
            if drawn < probability:
                return None if fault == "conflict" and not is_transaction else fault
            drawn -= probability
        return None


_storms: ContextVar[Storm | None] = ContextVar("storm", default=None)


@contextlib.contextmanager
def in_storm(storm: Storm) -> Iterator[None]:
    """What this thread sends runs into faults at random, each try of the SDK by itself."""
    token = _storms.set(storm)
    try:
        yield
    finally:
        _storms.reset(token)


def _is_transaction(request: AWSPreparedRequest) -> bool:
    target = request.headers["X-Amz-Target"]
    return (target.decode() if isinstance(target, bytes) else target).endswith(".TransactWriteItems")


def _throttled(request: AWSPreparedRequest, chance: random.Random) -> AWSResponse:
    """As a whole or, a transaction, for one of its items."""
    if _is_transaction(request) and chance.random() < 0.5:
        return _error(request, "TransactionCanceledException", "ThrottlingError")
    return _error(request, "ProvisionedThroughputExceededException")


CLIENT.meta.events.register("provide-client-params.dynamodb.*", _see)
CLIENT.meta.events.register("before-call.dynamodb.*", _begin)
CLIENT.meta.events.register("before-send.dynamodb.*", _send)
CLIENT.meta.events.register("after-call.dynamodb.*", _weigh)
CLIENT.meta.events.register("after-call.dynamodb.*", _end)


# -- reading calls ---------------------------------------------------------------------------------------------------


def _keys(operation: str, parameters: dict[str, Any]) -> list[tuple[str, str]]:
    """The partition and sort keys that a call names."""
    match operation:
        case "TransactWriteItems":
            writes = [next(iter(each.values())) for each in parameters["TransactItems"]]
            return [_pair(write.get("Key") or write["Item"]) for write in writes]
        case "BatchGetItem":
            return [_pair(key) for wanted in parameters["RequestItems"].values() for key in wanted["Keys"]]
        case "Query":
            return [(_queried(parameters), "")]
        case "PutItem":
            return [_pair(parameters["Item"])]
        case "GetItem" | "UpdateItem" | "DeleteItem":
            return [_pair(parameters["Key"])]
    raise AssertionError(f"nobody has taught the tripwire to read {operation}")


def _pair(key: dict[str, Any]) -> tuple[str, str]:
    return key["pk"]["S"], key["sk"]["S"]


def _queried(parameters: dict[str, Any]) -> str:
    """The partition in `#0 = :0 AND …`."""
    condition = parameters["KeyConditionExpression"].replace("(", " ").replace(")", " ").split()
    placeholder = next(word for word in condition if word.startswith(":"))
    partition: str = parameters["ExpressionAttributeValues"][placeholder]["S"]
    return partition
