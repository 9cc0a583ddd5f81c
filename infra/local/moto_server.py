"""moto as a server in this process. It loads moto with the first request, because the import costs a second."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from werkzeug.serving import make_server


@contextlib.contextmanager
def moto_server(host: str, prepare: Callable[[], None] = lambda: None) -> Iterator[str]:
    """Run the server; yield its URL. All of a process share their state. `prepare` runs before the first answer."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server(host, 0, _OnDemand(prepare), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="moto", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _OnDemand:
    """The WSGI application, loaded by the first request."""

    def __init__(self, prepare: Callable[[], None]) -> None:
        self._prepare = prepare
        self._lock = threading.Lock()
        self._application: Any = None

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        if self._application is None:
            with self._lock:
                if self._application is None:
                    from infra.local.moto_app import application

                    self._application = application()
                    # Its requests to this server run on other threads, which see the loaded application.
                    self._prepare()
        answer: Iterable[bytes] = self._application(environ, start_response)
        return answer
