"""moto as a server of this process, made fit for several threads and long histories."""

from __future__ import annotations

import contextlib
import copy
import logging
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from moto.core.common_models import BaseModel
from moto.dynamodb.models.table import StreamShard
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


@contextlib.contextmanager
def moto_server(host: str) -> Iterator[str]:
    """Its URL. All of a process share their state."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server(host, 0, _OneAtATime(DomainDispatcherApplication(create_backend_app)), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="moto", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _OneAtATime:
    """A WSGI application without concurrency: moto loses acknowledged writes when its calls overlap."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        with self._lock:
            return list(self._application(environ, start_response))


def _copy_sharing_records(shard: StreamShard, memo: dict[int, Any]) -> StreamShard:
    """A transaction copies the table once an item, to undo it; the stream's records never change and can be shared."""
    twin = copy.copy(shard)
    memo[id(shard)] = twin
    twin.table = copy.deepcopy(shard.table, memo)
    twin.items = list(shard.items)
    return twin


StreamShard.__deepcopy__ = _copy_sharing_records  # type: ignore[attr-defined]


def _untracked(cls: type[BaseModel], *_: Any, **__: Any) -> BaseModel:
    """moto keeps every instance of every model, for its dashboard: with the copies, gigabytes of dead tables."""
    return object.__new__(cls)


BaseModel.__new__ = _untracked  # type: ignore[method-assign]
