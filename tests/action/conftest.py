"""A shared organization for tests that leave it unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.api import Api
    from tests.support.factories import Organization


@pytest.fixture(scope="module")
def settled(api: Api) -> Organization:
    """An organization for tests that leave it unchanged, created once per module."""
    from tests.support.factories import new_organization

    return new_organization(api)
