"""What the app's one DynamoDB client sends: seen, counted, refused when it leaves a tenant, and broken on purpose."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError

from chalicelib.dal import table

CLIENT = table.connection().connection.client


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


@contextlib.contextmanager
def recorded() -> Iterator[Recording]:
    recording = Recording()

    def see(params: dict[str, Any], model: Any, **_: Any) -> None:
        recording.calls.append(Call(model.name, params))

    def weigh(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity") or []
        for each in consumed if isinstance(consumed, list) else [consumed]:
            recording.calls[-1].capacity += each.get("CapacityUnits", 0.0)

    with _registered("provide-client-params.dynamodb.*", see), _registered("after-call.dynamodb.*", weigh):
        yield recording


class ProcessDied(BaseException):
    """Stands for the end of the process: nothing that catches `Exception` survives it."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong at the n-th call (from 1)."""

    at_call: int
    kind: str


KINDS = ("request lost", "response lost", "process dies before", "process dies after")


@contextlib.contextmanager
def broken(fault: Fault) -> Iterator[list[str]]:
    """The client with one fault in it; yields the operations called. Every try of the faulty call fails alike."""
    operations: list[str] = []

    def before(request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        if len(operations) != fault.at_call:
            return None
        if fault.kind == "process dies before":
            raise ProcessDied
        if fault.kind == "request lost":
            raise ReadTimeoutError(endpoint_url=request.url)
        return None

    def begin(model: Any, **_: Any) -> None:
        operations.append(model.name)

    def after(**_: Any) -> None:
        if len(operations) != fault.at_call:
            return
        if fault.kind == "process dies after":
            raise ProcessDied
        if fault.kind == "response lost":
            raise ReadTimeoutError(endpoint_url="the response was lost")

    with (
        _registered("before-call.dynamodb.*", begin),
        _registered("before-send.dynamodb.*", before),
        _registered("after-call.dynamodb.*", after),
    ):
        yield operations


@contextlib.contextmanager
def _registered(event: str, handler: Callable[..., Any]) -> Iterator[None]:
    CLIENT.meta.events.register(event, handler)
    try:
        yield
    finally:
        CLIENT.meta.events.unregister(event, handler)


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
