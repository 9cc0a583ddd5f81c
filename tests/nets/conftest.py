"""Fixtures of the nets: access to the table, an organization per module, and a table that stays small."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.stack import Stack
from tests.support.figures import ROUND_TRIPS

if TYPE_CHECKING:
    from tests.support.api import Api
    from tests.support.factories import Organization
    from tests.support.store import Store


@pytest.fixture(scope="session")
def store(local_stack: Stack) -> Store:
    from tests.support import store

    return store.of(local_stack)


@pytest.fixture(autouse=True)
def _restored(store: Store) -> Iterator[None]:
    """Restore the table after each test, so that it stays small: each call of moto reads all items."""
    from tests.support import arrange

    before = store.items()
    yield
    store.restore(before)
    arrange.start_over()


@pytest.fixture
def without_pauses() -> Iterator[None]:
    """Let the SDK and units of work retry at once."""
    from tests.support.client_hooks import without_waiting

    with without_waiting():
        yield


@pytest.fixture(scope="module")
def home(api: Api, _fresh_table: None, _cheap_hashes: None) -> Organization:
    """Return an organization with an OWNER, a VIEWER, and another OWNER who sends the requests."""
    from chalicelib.models.users import Role
    from tests.support.arrange import prepare
    from tests.support.factories import new_organization

    organization = new_organization(api)
    organization.member(Role.VIEWER)
    prepare(organization)
    return organization


@pytest.fixture(scope="module")
def abroad(api: Api, home: Organization) -> Organization:
    """Return another organization."""
    from tests.support.factories import new_organization

    return new_organization(api)


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[dict[str, Any]], None]:
    """Return a function that takes the cost of an action, for the list at the end of the run."""
    return lambda cost: request.node.user_properties.append((ROUND_TRIPS, cost))
