"""moto as a WSGI application, patched for several threads and long histories."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterable
from typing import Any

from moto.core.common_models import BaseModel
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import StreamShard, Table
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sqs import models as sqs


def application() -> Any:
    """Return a WSGI application. All of a process share their state."""
    return _Serialized(DomainDispatcherApplication(create_backend_app))


class _Serialized:
    """A WSGI application without concurrency: moto loses acknowledged writes when its calls overlap."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        with self._lock:
            return list(self._application(environ, start_response))


# A transaction copies the whole table for each of its items, to undo it: parts that never change can be shared.


def _copy_sharing_items(table: Table, memo: dict[int, Any]) -> Table:
    twin = copy.copy(table)
    memo[id(table)] = twin
    twin.items = copy.copy(table.items)
    twin.items.update({key: dict(items) for key, items in table.items.items()})
    twin.stream_shard = copy.deepcopy(table.stream_shard, memo)
    return twin


Table.__deepcopy__ = _copy_sharing_items  # type: ignore[attr-defined]  # a patch
_update_in_place = DynamoDBBackend.update_item


def _update_a_copy(backend: DynamoDBBackend, table_name: str, key: dict[str, Any], *rest: Any, **named: Any) -> Any:
    table = backend.get_table(table_name)
    partition, sort = backend.get_keys_value(table, key)
    item = table.get_item(partition, sort)
    if item is not None:
        table.items[partition][sort] = copy.deepcopy(item)
    return _update_in_place(backend, table_name, key, *rest, **named)


DynamoDBBackend.update_item = _update_a_copy  # type: ignore[assignment, method-assign]  # a patch


def _copy_sharing_records(shard: StreamShard, memo: dict[int, Any]) -> StreamShard:
    twin = copy.copy(shard)
    memo[id(shard)] = twin
    twin.table = copy.deepcopy(shard.table, memo)
    twin.items = list(shard.items)
    return twin


StreamShard.__deepcopy__ = _copy_sharing_records  # type: ignore[attr-defined]  # a patch


def _untracked(cls: type[BaseModel], *_: Any, **__: Any) -> BaseModel:
    """Create an instance that moto's dashboard does not track: with the copies, those would be gigabytes."""
    return object.__new__(cls)


BaseModel.__new__ = _untracked  # type: ignore[method-assign]  # a patch


# Each call about a queue asks of each of its messages whether it is visible, several times.


def _is_retained(backend: sqs.SQSBackend, queue_name: str, message: sqs.Message) -> bool:
    """Return True for a message within the queue's retention period, without computing all attributes of the queue."""
    seconds: int = backend.get_queue(queue_name).message_retention_period  # type: ignore[attr-defined]  # set late
    return message.sent_timestamp / 1000 + seconds > time.time()  # type: ignore[operator]  # it was sent


def _milliseconds() -> float:
    return time.time() * 1000


sqs.SQSBackend.is_message_valid_based_on_retention_period = _is_retained  # type: ignore[assignment, method-assign]  # a patch
# moto computes the time by datetimes, which takes ten times as long.
vars(sqs).update(unix_time=time.time, unix_time_millis=_milliseconds)
