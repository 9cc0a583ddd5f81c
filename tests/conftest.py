"""One engine a test process, started before anything imports the app, whose client is made at import."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from infra.local import engine, stack
from tests.support import streams

if TYPE_CHECKING:
    from tests.support.api import Api
    from tests.support.world import Organization

pytest_plugins = ["tests.support.figures"]

_running = contextlib.ExitStack()
_built = pytest.StashKey[stack.Stack]()


def pytest_configure(config: pytest.Config) -> None:
    built = stack.build(_running.enter_context(engine.running()), "workledger-test")
    streams.turn_off(built)
    os.environ.update(built.environment())
    config.stash[_built] = built


def pytest_unconfigure(config: pytest.Config) -> None:
    _running.close()


def pytest_report_header(config: pytest.Config) -> str:
    return f"store: {config.stash[_built].engine.store} at {config.stash[_built].engine.table_endpoint}"


@pytest.fixture(scope="session")
def local_stack(pytestconfig: pytest.Config) -> stack.Stack:
    return pytestconfig.stash[_built]


@pytest.fixture(autouse=True, scope="module")
def _fresh_table(local_stack: stack.Stack) -> Iterator[None]:
    """An empty table for each module: moto's every query looks at every item there is."""
    yield
    client = local_stack.engine.client("dynamodb")
    client.delete_table(TableName=local_stack.table)
    client.get_waiter("table_not_exists").wait(TableName=local_stack.table, WaiterConfig={"Delay": 1})
    stack.ensure_table(client, local_stack.table)
    streams.turn_off(local_stack)


@pytest.fixture(scope="session")
def api() -> Api:
    from tests.support.api import Api

    return Api()


@pytest.fixture
def organization(api: Api) -> Organization:
    """A new organization with its OWNER."""
    from tests.support.world import new_organization

    return new_organization(api)
