"""An organization for what changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.api import Api
    from tests.support.world import Organization


@pytest.fixture(scope="module")
def settled(api: Api) -> Organization:
    """An organization for what changes nothing: made once."""
    from tests.support.world import new_organization

    return new_organization(api)
