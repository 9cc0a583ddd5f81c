"""Fixtures of all tests. Each test process has one engine, which starts with the first test that needs it.

Its address is set before the app is imported, because the app creates its client at import.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.local import dynoxide, stack
from infra.local.engine import Store, configured_store
from tests.support.on_demand import OnDemand

if TYPE_CHECKING:
    from chalicelib.core.ids import OrganizationId
    from tests.support.api import Api
    from tests.support.factories import Organization

pytest_plugins = ["tests.support.figures"]

_engines = pytest.StashKey[OnDemand]()
_HERE = Path(__file__).parent
_CONSOLE = "tests/console"
_CONTRACT = _HERE / "contract"
_STORELESS = [_HERE / name for name in ("core", "infra", "local")]
"""Folders whose tests need no store, or run their own. In other folders, modules have the marker."""
_LONG = ("console", "prove", "jobs", "contract/test_generated.py", "local/test_serve.py", "nets", "metrics/rollups")
"""Folders and files that take the longest. They start first: at the end, one would run alone."""


def pytest_configure(config: pytest.Config) -> None:
    # Modules read the store at import, to choose the size of their tests.
    os.environ["WORKLEDGER_STORE"] = os.environ.get("WORKLEDGER_STORE") or _best_store()
    config.stash[_engines] = engines = OnDemand(configured_store())
    os.environ.update(engines.stack.environment())
    # The import takes a second and a half, and only the contract net needs it.
    paths = (Path(config.invocation_params.dir, argument.partition("::")[0]).resolve() for argument in config.args)
    if any(path.is_relative_to(_CONTRACT) or _CONTRACT.is_relative_to(path) for path in paths):
        config.pluginmanager.import_plugin("schemathesis.pytest.plugin")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each file to one process, and all of the console to one: it has one run of the product and one browser."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _CONSOLE if f"{_CONSOLE}/" in nodeid else str(super()._split_scope(nodeid))

    # Else the files with the most tests start first.
    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not item.nodeid.endswith(item.name):
            # Schemathesis gives its tests one id, and `--dist loadfile` runs one test for each id.
            item._id = item._id.with_params(item.name.partition("[")[2].removesuffix("]"))
        module = item.getparent(pytest.Module)
        if module is not None and any(item.path.is_relative_to(folder) for folder in _STORELESS):
            module.add_marker("storeless")
    items.sort(key=_position)


def _position(item: pytest.Item) -> int:
    file = item.path.relative_to(_HERE).as_posix() if item.path.is_relative_to(_HERE) else ""
    return next((position for position, start in enumerate(_LONG) if file.startswith(start)), len(_LONG))


def pytest_collection_finish(session: pytest.Session) -> None:
    repeated = [nodeid for nodeid, count in Counter(item.nodeid for item in session.items).items() if count > 1]
    if repeated:
        raise pytest.UsageError(f"tests with the same id, of which parallel runs would run one: {repeated[:5]}")


def _best_store() -> Store:
    """Return dynoxide if it was fetched before: tests do not wait for npm."""
    is_fetched = "WORKLEDGER_DYNOXIDE" in os.environ or (dynoxide.CACHE / "dynoxide").exists()
    return Store.DYNOXIDE if is_fetched else Store.MOTO


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_engines].end()


def pytest_report_header(config: pytest.Config) -> str:
    engine = config.stash[_engines].stack.engine
    return f"store: {engine.store} at {engine.table_endpoint}"


@pytest.fixture(scope="session")
def local_stack(pytestconfig: pytest.Config) -> stack.Stack:
    return pytestconfig.stash[_engines].start()


@pytest.fixture(autouse=True, scope="module")
def _fresh_table(request: pytest.FixtureRequest) -> Iterator[None]:
    """Give each module an empty table: each query of moto reads all items."""
    if request.node.get_closest_marker("storeless"):
        yield
        return
    request.getfixturevalue("local_stack")
    yield
    request.config.stash[_engines].new_table()


@pytest.fixture(autouse=True, scope="module")
def _cheap_hashes(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hash cheaply: there are hundreds of secrets, and only the tests of passwords depend on the strength."""
    if request.node.get_closest_marker("storeless"):
        yield
        return
    from tests.support import hashing

    with hashing.cheap():
        yield


@pytest.fixture(scope="session")
def api() -> Api:
    from tests.support.api import Api

    return Api()


@pytest.fixture
def on_a_safe_engine(local_stack: stack.Stack) -> None:
    """Skip the test on moto, which loses acknowledged writes when its calls overlap."""
    if local_stack.engine.store is Store.MOTO:
        pytest.skip("needs an engine that is safe under threads: `make test-strict`")


@pytest.fixture
def tenant() -> OrganizationId:
    """Return the id of an organization without items."""
    from chalicelib.core import ids
    from chalicelib.core.ids import OrganizationId

    return OrganizationId(ids.new_id())


@pytest.fixture
def organization(api: Api) -> Organization:
    """Return a new organization with its OWNER."""
    from tests.support.factories import new_organization

    return new_organization(api)
