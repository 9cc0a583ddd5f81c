"""Frozen time, and a member who assigns workers. The app is imported late: its settings are set first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.api import Api
    from tests.support.assignment_helpers import Desk
    from tests.support.factories import Organization


@pytest.fixture(autouse=True, scope="module")
def _still() -> Iterator[None]:
    from tests.support.assignment_helpers import NOW
    from tests.support.frozen_time import standing_still

    with standing_still(NOW):
        yield


@pytest.fixture(scope="module")
def house(api: Api, _still: None) -> Organization:
    """One organization for a module's tests, each of which has workers of its own."""
    from tests.support.factories import new_organization

    return new_organization(api)


@pytest.fixture(scope="module")
def desk(house: Organization) -> Desk:
    from tests.support.assignment_helpers import Desk

    return Desk.of(house)


@pytest.fixture(scope="module")
def position(desk: Desk) -> str:
    """A position with room for many."""
    return desk.position(headcount=1000)


@pytest.fixture
def worker(desk: Desk) -> str:
    return desk.worker()
