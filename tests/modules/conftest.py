"""Fixtures of the modules' tests. The app is imported late: its settings are set first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from infra.local.stack import Stack

if TYPE_CHECKING:
    from tests.support.api import Api
    from tests.support.factories import Member, Organization
    from tests.support.mail_delivery import Post


@pytest.fixture(scope="module")
def post(local_stack: Stack) -> Post:
    from tests.support.mail_delivery import Post

    return Post(local_stack)


@pytest.fixture(scope="module")
def settled(api: Api) -> Organization:
    """One organization for read-only tests."""
    from tests.support.factories import new_organization

    return new_organization(api)


@pytest.fixture
def _noon() -> Iterator[None]:
    """Stop the clock at noon, of tests of tracked time."""
    from tests.support.time_helpers import at_noon

    with at_noon():
        yield


@pytest.fixture
def me(_noon: None, organization: Organization) -> Member:
    """A user who tracks time."""
    return organization.owner
