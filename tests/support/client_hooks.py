"""Hooks on the app's DynamoDB client: record its calls, count capacity, and inject faults.

The hooks are registered once; context managers decide for each thread whether they act.
"""

from __future__ import annotations

import contextlib
import contextvars
import io
import itertools
import json
import random
import threading
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

from chalicelib.dal import table, transport, unit_of_work
from chalicelib.dal.transport import Transport
from tests.support import writes

T = TypeVar("T")

CLIENT = table.connection().connection.client

# A busy machine must not look like a broken network: after a timeout, the client would repeat a write.
if isinstance(CLIENT, Transport):
    CLIENT.timeouts = transport.Timeouts(connect=10, read=60)
    deliver = CLIENT.send
else:
    CLIENT._endpoint.http_session._manager.connection_pool_kw["timeout"] = Timeout(connect=10, read=60)
    deliver = CLIENT._endpoint.http_session.send


# -- recording -------------------------------------------------------------------------------------------------------


@dataclass
class Call:
    operation: str
    parameters: dict[str, Any]
    capacity: float = 0.0
    trip: tuple[table.Traffic | None, int] = (None, 0)
    """The request and the number of its round trip; calls that are made at the same time share it."""

    def partitions(self) -> list[str]:
        return [pk for pk, _ in keys_of(self.operation, self.parameters)]


@dataclass
class Recording:
    calls: list[Call] = field(default_factory=list)

    @property
    def operations(self) -> list[str]:
        return [call.operation for call in self.calls]

    @property
    def round_trips(self) -> int:
        counted = {call.trip for call in self.calls if call.trip[0] is not None}
        return len(counted) + sum(call.trip[0] is None for call in self.calls)

    def tenants(self) -> set[str]:
        """Return the organizations whose partitions were named."""
        return {pk.split("#")[1] for call in self.calls for pk in call.partitions() if pk.startswith("ORG#")}

    def repeated_reads(self) -> set[tuple[str, str]]:
        """Return the keys of items that were read more than once."""
        reads = [call for call in self.calls if call.operation in {"BatchGetItem", "GetItem"}]
        keys = Counter(key for call in reads for key in keys_of(call.operation, call.parameters))
        return {key for key, count in keys.items() if count > 1}

    def elsewhere(self) -> set[str]:
        """Return the kinds of named partitions that belong to no organization."""
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


_READS = {"BatchGetItem", "GetItem", "Query", "Scan"}

_recorded: ContextVar[Call | None] = ContextVar("recorded", default=None)
"""The call of this thread that is under way."""


def _record(params: dict[str, Any], model: Any, **_: Any) -> None:
    traffic = table._traffic.get()
    call = Call(model.name, params)
    _note_write(model)
    if traffic is not None:
        call.trip = traffic.origin, traffic.round_trips
    _recorded.set(call)
    for recording in _recordings.get():
        recording.calls.append(call)


def _note_write(model: Any, **_: Any) -> None:
    if model.name not in _READS:
        writes.note()


def _add_capacity(parsed: dict[str, Any], **_: Any) -> None:
    consumed = parsed.get("ConsumedCapacity") or []
    call = _recorded.get()
    assert call is not None, "it was recorded as it began"
    for entry in consumed if isinstance(consumed, list) else [consumed]:
        call.capacity += entry.get("CapacityUnits", 0.0)


# -- overtaking ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def overtaken(by: Callable[[], T], number: int = 1, operation: str = "TransactWriteItems") -> Iterator[list[T]]:
    """Run `by` between the reads and the commit of the next request; yield the list of its answer.

    `number`: of the transaction that is the request's commit, or of another operation that `by` comes just before.
    """
    answers: list[T] = []
    calls = itertools.count(1)
    event = f"before-call.dynamodb.{operation}"

    def overtake(**_: Any) -> None:
        if next(calls) < number:
            return
        CLIENT.meta.events.unregister(event, overtake)
        # At the request's time, but its calls are not recorded with the request's.
        context = contextvars.copy_context()
        context.run(_recordings.set, ())
        context.run(_breaking.set, None)
        answers.append(context.run(by))

    CLIENT.meta.events.register(event, overtake)
    try:
        yield answers
    finally:
        CLIENT.meta.events.unregister(event, overtake)


# -- lagging ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def lagging() -> Iterator[None]:
    """Let eventually consistent reads see each item, and each query, as they were at the first such read of it."""
    token = _copies.set({})
    try:
        yield
    finally:
        _copies.reset(token)


_copies: ContextVar[dict[str, Any] | None] = ContextVar("copies", default=None)
"""The content of a replica that takes no further writes, by the key of an item or the body of a query."""


def _lag(request: AWSPreparedRequest) -> AWSResponse | None:
    copies = _copies.get()
    target = request.headers["x-amz-target"]
    operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
    if copies is None or operation not in {"BatchGetItem", "Query"}:
        return None
    body = json.loads(request.body)
    (table_name, reads) = next(iter(body["RequestItems"].items())) if operation == "BatchGetItem" else ("", body)
    if reads.get("ConsistentRead"):
        return None
    answer = json.loads(deliver(request).content)
    if operation == "Query":
        answer = copies.setdefault(json.dumps(body, sort_keys=True), answer)
    else:
        now = {_pair(item): item for item in answer["Responses"][table_name]}
        seen = [copies.setdefault("#".join(pair), now.get(pair)) for pair in map(_pair, reads["Keys"])]
        answer["Responses"][table_name] = [item for item in seen if item is not None]
    return AWSResponse(request.url, 200, _JSON, _Content(json.dumps(answer).encode()))


_JSON = {"Content-Type": "application/x-amz-json-1.0"}


# -- breaking --------------------------------------------------------------------------------------------------------


class ProcessDied(BaseException):
    """A simulated end of the process, which `except Exception` does not catch."""


@dataclass(frozen=True)
class Fault:
    """A fault at the n-th call (from 1). A call is one operation with all attempts of the SDK."""

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
"""Lost: all attempts of the call; the engine executes those whose response is lost. Once: the next attempt works."""


@dataclass(frozen=True)
class Refusal:
    """An error answer of the engine that local engines never give."""

    operation: str
    code: str
    reason: str | None = None
    """Reason of a cancelled transaction."""
    calls: int | None = None
    """Number of calls of the operation that are refused, None for all."""


@dataclass
class _Broken:
    breakage: Fault | Refusal
    operations: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class _Begun:
    """A call that is under way, which others may be beside."""

    number: int
    operation: str
    number_of_operation: int
    tries: int = 0


_breaking: ContextVar[_Broken | None] = ContextVar("breaking", default=None)
_begun: ContextVar[_Begun] = ContextVar("begun")


@contextlib.contextmanager
def broken(breakage: Fault | Refusal) -> Iterator[list[str]]:
    """Inject a fault until the block ends; yield the list of called operations."""
    state = _Broken(breakage)
    token = _breaking.set(state)
    try:
        yield state.operations
    finally:
        _breaking.reset(token)


@contextlib.contextmanager
def without_waiting(share: float = 0) -> Iterator[None]:
    """Let the SDK and units of work retry without pauses, and the SDK without its retry quota.

    `share`: the fraction of the pauses to keep, so that many threads do not conflict for ever.
    """
    without_pause = SimpleNamespace(sleep=lambda seconds: time.sleep(seconds * share) if share else None)
    original = botocore.endpoint.time, transport.time, unit_of_work.time, RetryQuota.acquire
    botocore.endpoint.time = transport.time = unit_of_work.time = without_pause
    RetryQuota.acquire = lambda *_: True
    try:
        yield
    finally:
        botocore.endpoint.time, transport.time, unit_of_work.time, RetryQuota.acquire = original


def _begin(model: Any, **_: Any) -> None:
    state = _breaking.get()
    if state is not None:
        with state.lock:
            state.operations.append(model.name)
            count = state.operations.count(model.name)
            _begun.set(_Begun(len(state.operations), model.name, count))


def _send(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    """Return an answer or raise in place of sending a request; None sends it."""
    state = _breaking.get()
    if state is None:
        storm = _storms.get()
        return _lag(request) if storm is None else storm.strike(request)
    begun = _begun.get()
    begun.tries += 1
    if isinstance(state.breakage, Refusal):
        return _refuse(state.breakage, begun, request)
    if begun.number != state.breakage.at_call:
        return None
    kind = state.breakage.kind
    if kind == "process dies before":
        raise ProcessDied
    if kind.endswith("once") and begun.tries > 1:
        return None
    if kind.startswith("response lost"):
        deliver(request)
    if "lost" in kind:
        raise ReadTimeoutError(endpoint_url=request.url)
    return None


def _end(**_: Any) -> None:
    state = _breaking.get()
    if (
        state is not None
        and isinstance(state.breakage, Fault)
        and state.breakage.kind == "process dies after"
        and _begun.get().number == state.breakage.at_call
    ):
        raise ProcessDied


class _Content(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _refuse(refusal: Refusal, begun: _Begun, request: AWSPreparedRequest) -> AWSResponse | None:
    if begun.operation != refusal.operation:
        return None
    if refusal.calls is not None and begun.number_of_operation > refusal.calls:
        return None
    return _error(request, refusal.code, refusal.reason)


def _error(request: AWSPreparedRequest, code: str, reason: str | None = None) -> AWSResponse:
    """Return an error answer. `reason`: of a cancelled transaction."""
    answer: dict[str, Any] = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code}
    if reason is not None:
        others = len(json.loads(request.body)["TransactItems"]) - 1
        answer["CancellationReasons"] = [{"Code": reason}, *[{"Code": "None"}] * others]
    return AWSResponse(request.url, 400, _JSON, _Content(json.dumps(answer).encode()))


# -- storms: many faults at random -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Odds:
    """Probabilities of the faults of a single attempt of a call."""

    response_lost: float = 0.0
    throttled: float = 0.0
    conflict: float = 0.0
    """Conflict of a transaction with another one."""
    request_lost: float = 0.0
    death: float = 0.0
    """Death of the process, as often before the engine executes the attempt as after."""


@dataclass
class Storm:
    odds: Odds
    chance: random.Random
    struck: Counter[str] = field(default_factory=Counter)
    """Fault to its number of occurrences."""

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
                deliver(request)
        if fault.startswith("death"):
            raise ProcessDied
        raise ReadTimeoutError(endpoint_url=request.url)

    def _draw(self, *, is_transaction: bool) -> str | None:
        """Draw once per attempt of any operation: the same generator gives the same sequence of faults."""
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
    """Inject random faults into the calls of this thread, for each attempt of the SDK separately."""
    token = _storms.set(storm)
    try:
        yield
    finally:
        _storms.reset(token)


def _is_transaction(request: AWSPreparedRequest) -> bool:
    target = request.headers["x-amz-target"]
    return (target.decode() if isinstance(target, bytes) else target).endswith(".TransactWriteItems")


def _throttled(request: AWSPreparedRequest, chance: random.Random) -> AWSResponse:
    """Return a throttling error; for a transaction, of the whole or of one item."""
    if _is_transaction(request) and chance.random() < 0.5:
        return _error(request, "TransactionCanceledException", "ThrottlingError")
    return _error(request, "ProvisionedThroughputExceededException")


CLIENT.meta.events.register("provide-client-params.dynamodb.*", _record)
CLIENT.meta.events.register("before-call.dynamodb.*", _begin)
CLIENT.meta.events.register("before-send.dynamodb.*", _send)
CLIENT.meta.events.register("after-call.dynamodb.*", _add_capacity)
CLIENT.meta.events.register("after-call.dynamodb.*", _note_write)
CLIENT.meta.events.register("after-call.dynamodb.*", _end)


# -- reading calls ---------------------------------------------------------------------------------------------------


def keys_of(operation: str, parameters: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the partition and sort keys that a call names."""
    match operation:
        case "TransactWriteItems":
            writes = [next(iter(item.values())) for item in parameters["TransactItems"]]
            return [_pair(write.get("Key") or write["Item"]) for write in writes]
        case "BatchGetItem":
            return [_pair(key) for request in parameters["RequestItems"].values() for key in request["Keys"]]
        case "Query":
            return [(_queried(parameters), "")]
        case "PutItem":
            return [_pair(parameters["Item"])]
        case "GetItem" | "UpdateItem" | "DeleteItem":
            return [_pair(parameters["Key"])]
    raise AssertionError(f"the keys of {operation} are not implemented")


def _pair(key: dict[str, Any]) -> tuple[str, str]:
    return key["pk"]["S"], key["sk"]["S"]


def _queried(parameters: dict[str, Any]) -> str:
    """Return the partition in `#0 = :0 AND …`."""
    condition = parameters["KeyConditionExpression"].replace("(", " ").replace(")", " ").split()
    placeholder = next(word for word in condition if word.startswith(":"))
    partition: str = parameters["ExpressionAttributeValues"][placeholder]["S"]
    return partition
