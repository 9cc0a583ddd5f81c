"""The engines of a test process: their addresses are known at once, and each starts at its first use."""

from __future__ import annotations

import contextlib
import os
import socket

from infra.local import table
from infra.local.engine import HOST, Engine, Store, dynoxide_store
from infra.local.moto_server import moto_server
from infra.local.stack import Stack, create_services
from tests.support import streams, writes

TABLE = "workledger-test"


class OnDemand:
    """A stack whose engines start later. The app can be imported before: its client needs only the addresses."""

    def __init__(self, store: Store) -> None:
        self._contexts = contextlib.ExitStack()
        self._engine = self._contexts.enter_context(contextlib.ExitStack())
        services = self._contexts.enter_context(moto_server(HOST, prepare=lambda: create_services(self.stack)))
        self._reserved: socket.socket | None = None
        self._is_started = False
        self.stack = Stack(Engine(store, self._table_endpoint(store, services), services), TABLE)

    def _table_endpoint(self, store: Store, services: str) -> str:
        if store is Store.OTHER:
            return os.environ["TABLE_ENDPOINT"]
        if store is Store.MOTO:
            return services
        # Bound, so that no other process gets the port while the store does not run. The store shares it.
        self._reserved = self._contexts.enter_context(socket.socket())
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind((HOST, 0))
        return f"http://{HOST}:{self._reserved.getsockname()[1]}"

    def start(self) -> Stack:
        """Start the store with an empty table, once; return the stack."""
        if not self._is_started:
            self._is_started = True
            self._run_engine()
            self.new_table()
        return self.stack

    def new_table(self) -> None:
        """Replace the table by an empty one."""
        client = self.stack.engine.client("dynamodb")
        with contextlib.suppress(client.exceptions.ResourceNotFoundException):
            if streams.is_on(self.stack) and self._reserved is not None:
                # A table leaves its stream's records behind, which slow down the writes of the next one.
                self._engine.close()
                self._run_engine()
            else:
                client.delete_table(TableName=TABLE)
                client.get_waiter("table_not_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 1})
        table.create_table(client, TABLE)
        streams.turn_off(self.stack)
        writes.note()

    def _run_engine(self) -> None:
        if self._reserved is not None:
            self._engine.enter_context(dynoxide_store(self._reserved.getsockname()[1]))

    def end(self) -> None:
        self._contexts.close()
